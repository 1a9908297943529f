"""Keys whose tables are bytes that stand for no function, or are another form of the bytes that do."""

from __future__ import annotations

import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.system.table import MAX_TABLE_SIZE
from deepprove_dist.prover import Prover
from tests.attacks.key_content import changed, put_at
from tests.attacks.models import RELU
from tests.attacks.plain_pieces import packed, pieces_of, values_of

FUNCTION = 2
"""Number of the table of the activation."""

SIZE = RELU.size
EMPTY, SHORT, BEYOND = "has a value at least", "not as long as they can be", "lie within the field"

MALFORMED: dict[str, tuple[bytes, str]] = {
    "no piece": (b"", "has a piece at least"),
    "half a piece": (packed((SIZE, 7, 0))[:-1], "within a piece"),
    "half a number": (packed((SIZE, 7, 0)) + b"\x80", "within a piece"),
    "a longer form of a number": (packed((SIZE, 7, 0))[:-1] + b"\x80\0", "more bytes than it needs"),
    "a number of six bytes": (packed((SIZE, 7, 1 << 40)), "more than five bytes"),
    "a piece of nothing": (packed((0, 7, 0)), EMPTY),
    "a piece of nothing between others": (packed((50, 7, 0), (0, 1, 0), (SIZE - 50, 1, 0)), EMPTY),
    "more values than a column": (packed((MAX_TABLE_SIZE + 1, 7, 0)), r"at most 2\^24 values"),
    "more values in two pieces": (packed((MAX_TABLE_SIZE, 7, 0), (1, 1, 0)), r"at most 2\^24 values"),
    "one line in two pieces": (packed((50, 7, 0), (SIZE - 50, 0, 0)), SHORT),
    "a piece that reaches one further": (packed((50, 7, 0), (SIZE - 50, 0, 1)), SHORT),
    "a piece of one value before another": (packed((1, 7, 0), (SIZE - 1, 1, 0)), "not a table's last one"),
    "a slope of the last value": (packed((SIZE - 1, 7, 1), (1, 1, 0)), "a slope but a single value"),
    "a value beyond the field": (packed((SIZE, LARGEST_SIGNED + 1, 0)), BEYOND),
    "a value below the field": (packed((SIZE, -LARGEST_SIGNED - 1, 0)), BEYOND),
    "a line that leaves the field": (packed((SIZE, LARGEST_SIGNED, 1)), BEYOND),
    "a slope that overflows 32 bits": (packed((2, 0, 1 << 33), (SIZE - 2, 1, -(1 << 33))), BEYOND),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_bytes_that_are_no_table_are_refused(key: Prover, name: str) -> None:
    data, reason = MALFORMED[name]
    at = rf" - at `\$.tables\[{FUNCTION}\].function.pieces`"
    with pytest.raises(FormatError, match=reason + ".*" + at):
        key_file.load(changed(key.verifying, put_at("tables", FUNCTION, 2, 1)(data)))


@pytest.mark.parametrize("size", [SIZE - 1, SIZE + 1])
def test_a_table_of_other_arguments_than_its_column_is_refused(key: Prover, size: int) -> None:
    change = put_at("tables", FUNCTION, 2, 1)(packed((size, 7, 0)))
    with pytest.raises(FormatError, match="different domains"):
        key_file.load(changed(key.verifying, change))


def test_a_table_of_arguments_beyond_the_field_is_refused(key: Prover) -> None:
    for first in (-LARGEST_SIGNED - 1, LARGEST_SIGNED - SIZE + 2):
        with pytest.raises(FormatError, match="a table's arguments lie within"):
            key_file.load(changed(key.verifying, put_at("tables", FUNCTION, 2, 0)(first)))


def test_the_key_has_the_bytes_of_the_function(key: Prover) -> None:
    table = key.verifying.system.tables[FUNCTION].function
    assert table == RELU
    data = bytes(RELU.pieces)
    assert values_of(data) == RELU.values().tolist()
    assert packed(*pieces_of(RELU.values().tolist())) == data
    assert key_file.dump(key.verifying).count(data) == 1
