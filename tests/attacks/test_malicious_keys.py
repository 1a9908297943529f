"""Keys made to break a verifier: to let false statements pass, to crash it, or to keep it busy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from deepprove_dist.canonical import encode
from deepprove_dist.errors import DeepProveError, FormatError, VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import MAX_INSTANCES
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.effort import bounded_effort
from tests.attacks.key_content import Content, changed, content, factor, put_at, stored
from tests.attacks.models import make_key, model
from tests.attacks.plain_pieces import packed
from tests.records import replace

Change = Callable[[Content], None]


def append(name: str, *items: list[Any]) -> Change:
    return lambda whole: whole[name].extend(items)


def repeat(name: str, index: int, times: int) -> Change:
    return lambda whole: whole[name].extend([whole[name][index]] * times)


def remove(name: str, index: int) -> Change:
    return lambda whole: whole[name].__delitem__(index)


ONE = [[], [1.0]]
"""The scale of integers that stand for themselves."""


def every(*changes: Change) -> Change:
    def change(whole: Content) -> None:
        for one in changes:
            one(whole)

    return change


def rows(log_rows: int) -> Change:
    """Columns of another height, in clear at once."""
    return put_at("schedule")([[log_rows, 2, 1000, matrices(2, 4), False], [], 100])


def matrices(weights: int, witness: int) -> list[list[Any]]:
    """Two matrices of so many columns, with single rows as leaves, that hide nothing."""
    return [["weights", weights, 0, 0], ["witness", witness, 0, 0]]


def more(*path: int) -> Change:
    """A number of the schedule more by one."""

    def change(whole: Content) -> None:
        *steps, last = path
        part = whole["schedule"]
        for step in steps:
            part = part[step]
        part[last] += 1

    return change


def fewer_queries(whole: Content) -> None:
    """One query less than the fewest that reach the level."""
    whole["schedule"][0][2] -= 1


# Records as in `key_file`:
# - tensors: [name, shape, matrix], with 0 for the samples
# - the first of a schedule: [log_rows, rate, queries, matrices, hiding]
# - matrices: [name, columns, log_group, tail]
UNSOUND = {
    "range check without lookup of a limb": (remove("lookups", 0), "without a proven range"),
    "range check without lookup of a quotient": (remove("lookups", 2), "without a proven range"),
    "quotients that wrap": (put_at("relations", 0, 1, 1, 0, 0)(1 << 26), "could wrap modulo p"),
    "weights that wrap": (put_at("relations", 0, 4)(MODULUS), "could wrap modulo p"),
    "a range of nothing": (
        every(put_at("relations", 0, 3)(1), put_at("relations", 0, 4)(0)),
        "invalid range",
    ),
    "a linear relation with a range of its own": (
        append("relations", ["free", [[0, 4], [[1 << 28, 0, [0, 1]]], []], [], MODULUS, MODULUS]),
        "claims a range for weights that it has not",
    ),
    "a product of the witness with a range of its own": (
        every(
            append("tensors", ["factor", [8], "witness"], ["sum", [0], "witness"]),
            append("lookups", [0, [stored(13, [8])]], [0, [stored(14, [0])]]),
            append(
                "relations",
                [
                    "free",
                    stored(14, [0]),
                    [[1, [8], [], factor(8, [0, 8], [0, 1]), factor(13, [8], [1])]],
                    0,
                    0,
                ],
            ),
        ),
        "claims a range for weights that it has not",
    ),
    "a table read the other way round": (
        lambda whole: whole["lookups"][2][1].reverse(),
        "do not determine tensor 'h'",
    ),
    "shared multiplicities": (append("tables", [0, 8, None, 5]), "share their multiplicities"),
    "a multiplicity as a value": (
        append("lookups", [2, [stored(5, [8])] * 2]),
        "a multiplicity is used as a value",
    ),
    "two inputs of one name": (repeat("inputs", 0, 1), "each with a name of its own"),
    "two outputs of one name": (repeat("outputs", 0, 1), "each with a name of its own"),
    "few queries": (put_at("schedule", 0, 2)(40), "100 are required"),
    "a query less": (fewer_queries, "100 are required"),
    "a high rate": (put_at("schedule", 1, 1, 2)(1), "100 are required"),
    "more lookups than the field counts": (
        every(
            append("tensors", ["large", [0, 1 << 31], "witness"]),
            append("inputs", ["large", 13, [1 << 31], 0, 7, ONE]),
            append("lookups", [0, [stored(13, [0, 1 << 31])]]),
        ),
        "more lookups than the field can count",
    ),
    "no outputs": (put_at("outputs")([]), "has outputs"),
    "samples of weights": (put_at("tensors", 3, 2)("weights"), "invalid shape"),
    "counts among the weights": (put_at("tensors", 5, 2)("weights"), "needs a tensor of the witness"),
    "a factor without an output axis": (put_at("relations", 1, 2, 0, 3)(factor(2, [8], [2])), "in no factor"),
    "the samples in both factors, and an output axis in none": (
        put_at("relations", 1, 2, 0, 3)(factor(8, [0, 8], [0, 2])),
        "in no factor",
    ),
    "a lookup of one column in a table of two": (
        put_at("lookups", 2, 1)([stored(3, [0, 8])]),
        "another width",
    ),
    "columns of other sizes": (more(0, 3, 1, 1), "for other sizes"),
    "no columns for the weights": (
        lambda whole: whole["schedule"][0][3].__delitem__(0),
        "no columns for them",
    ),
    "weights that are not committed": (put_at("weights")(None), "has columns for them"),
}

CRASHING = {
    "an anchor beside the weights": lambda whole: whole["schedule"][0][3].insert(0, ["anchor", 5, 0, 0]),
    "five columns of public weights": every(put_at("weights")(None), put_at("schedule", 0, 3, 0, 1)(5)),
    "a coefficient beyond 64 bits": put_at("relations", 0, 1, 1, 3, 0)(2**63),
    "a constant beyond 64 bits": every(
        put_at("relations", 0, 1, 2, 0, 0)(2**63),
        put_at("relations", 0, 3)(2**63),
        put_at("relations", 0, 4)(2**63),
    ),
    "sizes that are negative in pairs": put_at("inputs", 0, 2)([-2, -2]),
    "more axes than numpy knows": put_at("inputs", 0, 2)([4, *[1] * 100]),
    "an axis of no size": put_at("tensors", 1, 1)([0, 4]),
    "samples in the middle": put_at("tensors", 0, 1)([4, 0]),
    "two answers": lambda whole: whole["weights"].__setitem__(1, 2 * whole["weights"][1]),
    "an answer of no field element": lambda whole: whole["weights"].__setitem__(1, b"\xff" * 20),
    "half a root": lambda whole: whole["weights"].__setitem__(0, whole["weights"][0][:16]),
    "a tensor that does not exist": put_at("relations", 0, 1, 1, 0, 1)(99),
    "a tensor before the first": put_at("relations", 0, 1, 1, 0, 1)(-1),
    "an axis before the first": put_at("relations", 0, 1, 1, 0, 2)([0, -1]),
    "an axis of text": put_at("relations", 0, 1, 1, 0, 2)([0, "1"]),
    "a table that does not exist": put_at("lookups", 0, 0)(9),
    "a column that does not exist": put_at("lookups", 0, 1)([stored(-1, [0, 8])]),
    "an output of a tensor that does not exist": put_at("outputs", 0, 1)(-1),
    "a scale of infinity": put_at("outputs", 0, 5)([[], [float("inf")]]),
    "a scale of nothing": put_at("outputs", 0, 5)([[], [0.0]]),
    "a range beyond the field": put_at("outputs", 0, 4)(2**62),
    "a table beyond the field": put_at("tables", 0, 0)(2**62),
    "pieces that are a list": put_at("tables", 2, 2, 1)([[0, 0, 0]]),
    "pieces that are a text": put_at("tables", 2, 2, 1)("\2\0\0"),
    "pieces of another size": put_at("tables", 2, 2, 1)(packed((7, 0, 0))),
    "True for one": put_at("max_batch")(True),
    "no samples": put_at("max_batch")(0),
    "no model": put_at("model")(b""),
    "an unknown matrix": put_at("tensors", 0, 2)("both"),
    "a code longer than the field's roots": put_at("schedule", 0, 1)(20),
    "groups beyond the code": put_at("schedule", 0, 3, 0, 2)(24),
    "a fold of nothing": put_at("schedule", 1, 0)([6, 0, 4, 51]),
    "hiding that is a number": lambda whole: whole["schedule"][0].__setitem__(4, 2),
    "matrices in another order": lambda whole: whole["schedule"][0][3].reverse(),
    "a matrix twice": lambda whole: whole["schedule"][0][3].insert(0, whole["schedule"][0][3][0]),
    "a matrix of another name": put_at("schedule", 0, 3, 0, 0)("hidden"),
    "no matrix": put_at("schedule", 0, 3)([]),
    "a tail of the witness": put_at("schedule", 0, 3, 1, 3)(4),
    "a tail of every row": put_at("schedule", 0, 3, 0, 3)(64),
    "a tail below nothing": put_at("schedule", 0, 3, 0, 3)(-4),
}

BUSY = {
    "one tensor of many blocks": every(
        append("tensors", ["large", [0, (1 << 34) - 1], "witness"]), rows(1), put_at("max_batch")(1)
    ),
    "many blocks of many axes": append("tensors", ["large", [0, *[3] * 16], "witness"]),
    "many samples": put_at("max_batch")(1 << 20),
    "many lookups of one tensor": repeat("lookups", 2, 1 << 16),
    "many terms of one tensor": lambda whole: whole["relations"][0][1][1].extend([[0, 9, [2]]] * (1 << 14)),
    "many axes of one place": lambda whole: whole["relations"][1][1][0].extend([1] * (1 << 16)),
    "a map to a short tensor over a long axis": append(
        "relations",
        ["free", [[0, 1 << 33], [[1, 0, [0, [[1], 0, 0, 0, 0, 1, 1, []]]]], []], [], 0, 0],
    ),
    "taps of a product over a long axis": append(
        "relations",
        [
            "free",
            [[1], [], []],
            [
                [
                    1,
                    [1 << 33],
                    [[0, [[0], 0, 1, 0, 0, 1, 1, []]]],
                    [[[1], [], []], [2]],
                    [[[1 << 33], [], []], [1]],
                ]
            ],
            0,
            0,
        ],
    ),
    "many constants over many places that taps of a product meet": append(
        "relations",
        [
            "free",
            [[1], [], []],
            [
                [
                    1,
                    [1 << 20],
                    [[0, [[0], 0, 1, 0, 0, 1, 1, []]]],
                    [[[1 << 20], [], [[0, []]] * 100], [1]],
                    [[[1], [], []], [2]],
                ]
            ],
            0,
            0,
        ],
    ),
    "many columns": put_at("schedule", 0, 3, 1, 1)(1 << 20),
}


def load(data: bytes) -> None:
    """Reading either succeeds or raises an error of this package, without much work."""
    with bounded_effort():
        key_file.load(data)


def test_the_unchanged_key_is_read(key: Prover) -> None:
    assert key_file.load(key_file.dump(key.verifying)) == key.verifying


@pytest.mark.parametrize("name", UNSOUND)
def test_a_key_that_would_let_false_statements_pass_is_refused(key: Prover, name: str) -> None:
    change, reason = UNSOUND[name]
    with pytest.raises(DeepProveError, match=reason):
        load(changed(key.verifying, change))


@pytest.mark.parametrize("name", CRASHING)
def test_a_key_that_makes_no_sense_is_refused(key: Prover, name: str) -> None:
    with pytest.raises(FormatError):
        load(changed(key.verifying, CRASHING[name]))


@pytest.mark.parametrize("name", BUSY)
def test_a_key_that_would_keep_a_verifier_busy_is_refused_soon(key: Prover, name: str) -> None:
    with pytest.raises(DeepProveError):
        load(changed(key.verifying, BUSY[name]))


def test_a_key_of_many_terms_on_a_tensor_of_many_blocks_is_refused(key: Prover) -> None:
    """Its file is small, and its sizes fit: only the work of checking a proof is out of bounds."""
    axes, schedule = [0, *[3] * 12], [[20, 2, 130, matrices(1, 1), False], [[14, 6, 4, 70]], 100]
    term = [1, 13, list(range(13))]
    for times, reason in ((160, "would take too long to check"), (10, None)):
        change = every(
            put_at("schedule")(schedule),
            put_at("max_batch")(1),
            append("tensors", ["large", axes, "witness"]),
            append("inputs", ["large", 13, axes[1:], 0, 7, ONE]),
            append("lookups", [0, [stored(13, axes)]]),
            append("relations", ["many", [axes, [term] * times, []], [], 0, 0]),
        )
        if reason is None:
            load(changed(key.verifying, change))
        else:
            with pytest.raises(FormatError, match=reason):
                load(changed(key.verifying, change))


def test_other_encodings_of_the_same_key_are_refused(key: Prover) -> None:
    """Or one key would have many digests."""
    data, whole = key_file.dump(key.verifying), content(key.verifying)
    assert encode(whole) == data
    assert data[0] == 0x8C
    batch = data.index(b"max_batch") + len("max_batch")
    assert data[batch] == key.verifying.max_batch
    forms = {
        "a byte after it": data + b"\0",
        "a longer form of the map": b"\xde\0\x0c" + data[1:],
        "a longer form of a number": data[:batch] + b"\xcc" + data[batch:],
        "keys in another order": encode(dict(reversed(whole.items()))),
        "another version": encode({**whole, "version": 1}),
        "a proof": encode({**whole, "format": "deepprove-dist proof"}),
    }
    for form, changed_data in forms.items():
        assert changed_data != data, form
        with pytest.raises(FormatError):
            load(changed_data)


def test_a_key_of_committed_weights_says_nothing_without_them(key: Prover, proof: ProofContent) -> None:
    """Taken for one of public weights it is another key, of another schedule."""
    other = replace(key.verifying, weights=None)
    with pytest.raises(FormatError, match="has columns for them"):
        other.check()


def test_numbers_of_samples_that_proofs_name_are_not_all_kept(proof: ProofContent) -> None:
    key = make_key(model(), batch=40).verifying
    for batch in range(1, 41):
        statement = replace(proof.statement, key_digest=key.digest, batch=batch)
        with pytest.raises(VerificationError):
            verify(key, proof_file.dump(replace(proof, statement=statement)))
    first = key.instance(1)
    assert key.instance(1) is first
    for batch in range(2, MAX_INSTANCES + 2):
        key.instance(batch)
    assert key.instance(1) is not first
