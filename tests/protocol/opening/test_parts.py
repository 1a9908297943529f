"""Parts of a commitment, made one by one, join to the whole: byte for byte, whatever their number."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.kernels import (
    BaseVector,
    CodeShape,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    JoinedTree,
    PartialCode,
    PartialCommitment,
    Pool,
    Rejected,
    domain_points,
    verify_opening,
)
from tests.protocol.naive import challenges

POOL, ENCODER = Pool(1), Encoder()
SHAPE = CodeShape(3, 3, 1, 1)
"""Eight leaves of two rows."""


def base(count: int) -> BaseVector:
    return BaseVector.from_array(np.arange(count, dtype=np.int64) ** 2 - 99)


def opened(
    parts: list[PartialCommitment], shape: CodeShape, indices: list[int]
) -> list[tuple[BaseVector, list[bytes]]]:
    """What the parts that hold any of the indices answer."""
    height = shape.height - (len(parts).bit_length() - 1)
    asked = groupby(indices, lambda index: index >> height)
    return [parts[part].open(list(group)) for part, group in asked]


def in_blocks(values: BaseVector, rows: int, code: PartialCode) -> PartialCommitment:
    """Adds column by column, the last one first."""
    flat = values.to_array().astype(np.int64)
    for column in reversed(range(len(flat) // rows)):
        block = BaseVector.from_array(flat[column * rows : (column + 1) * rows])
        code.add_columns(column, block, ENCODER, POOL)
    return code.finish(POOL)


@settings(max_examples=60)
@given(
    data=st.data(),
    log_rows=st.integers(0, 5),
    columns=st.integers(1, 4),
    log_inverse_rate=st.integers(0, 3),
    group=st.integers(0, 2),
    extension=st.booleans(),
)
def test_parts_join_to_the_whole(
    data: st.DataObject, log_rows: int, columns: int, log_inverse_rate: int, group: int, extension: bool
) -> None:
    log_group = min(group, log_rows + log_inverse_rate)
    shape = CodeShape(log_rows, columns * (5 if extension else 1), log_inverse_rate, log_group)
    log_parts = data.draw(st.integers(0, shape.height))
    indices = sorted(data.draw(st.sets(st.integers(0, (1 << shape.height) - 1), min_size=1, max_size=20)))
    values: BaseVector | ExtensionVector
    if extension:
        values = challenges(log_rows, columns << log_rows)
        whole = Commitment.of_extension(values, shape, ENCODER, POOL)
        parts = [
            PartialCommitment.of_extension(values, shape, log_parts, part, ENCODER, POOL)
            for part in range(1 << log_parts)
        ]
    else:
        values = base(columns << log_rows)
        whole = Commitment.of_base(values, shape, ENCODER, POOL)
        # There may be fewer rows than parts of the code.
        rows_by_part = values.parts(min(log_parts, log_rows), trimmed=True)
        parts = [
            PartialCommitment.of_parts(rows_by_part, shape, log_parts, part, ENCODER, POOL)
            for part in range(1 << log_parts)
        ]
        blocks = [
            in_blocks(values, 1 << log_rows, PartialCode(shape, log_parts, part))
            for part in range(1 << log_parts)
        ]
        assert [part.root for part in blocks] == [part.root for part in parts]
        parts[::2] = blocks[::2]
    tree = JoinedTree([part.root for part in parts], shape, POOL)
    rows, nodes = tree.join(indices, opened(parts, shape, indices))
    expected_rows, expected_nodes = whole.open(indices)
    assert (tree.root, bytes(rows), nodes) == (whole.root, bytes(expected_rows), expected_nodes)
    verify_opening(tree.root, shape, indices, rows, nodes)


def two_parts() -> tuple[JoinedTree, list[PartialCommitment]]:
    parts = [PartialCommitment.of_parts([base(24)], SHAPE, 1, part, ENCODER, POOL) for part in (0, 1)]
    return JoinedTree([part.root for part in parts], SHAPE, POOL), parts


def test_answers_of_other_lengths_are_rejected() -> None:
    tree, parts = two_parts()
    (first, nodes), second = opened(parts, SHAPE, [1, 6])
    tree.join([1, 6], [(first, nodes), second])
    bad: list[list[tuple[BaseVector, list[bytes]]]] = [
        [],
        [second],
        [(first, nodes), second, second],
        [(base(0), nodes), second],
        [(base(len(first) + 1), nodes), second],
        [(first, nodes[:1]), second],
        [(first, [*nodes, b""]), second],
        [(first, [nodes[0], b""]), second],
        [(first, [nodes[0], nodes[1][:-1]]), second],
        [(first, [nodes[0], nodes[1] * 2]), second],
    ]
    for answers in bad:
        with pytest.raises(Rejected):
            tree.join([1, 6], answers)
    with pytest.raises(Rejected, match="32 bytes"):
        JoinedTree([bytes(32), bytes(31)], SHAPE, POOL)


def test_a_wrong_answer_makes_an_opening_that_is_refused() -> None:
    tree, parts = two_parts()
    (first, nodes), second = opened(parts, SHAPE, [1, 6])
    for answer in [(base(len(first)), nodes), (first, nodes[::-1]), second]:
        rows, joined = tree.join([1, 6], [answer, second])
        with pytest.raises(Rejected, match="root differs"):
            verify_opening(tree.root, SHAPE, [1, 6], rows, joined)


def test_a_position_stands_at_its_reversed_place_and_at_no_other() -> None:
    """The row at a position has the columns' values at g^position; a leaf of another place is refused."""
    code = CodeShape(2, 2, 1, 0)
    values = base(8)
    tree = Commitment.of_base(values, code, ENCODER, POOL)
    lifted = ExtensionVector([int(value) for value in values.to_array()])
    assert code.leaf_indices(list(range(8))) == [0, 4, 2, 6, 1, 5, 3, 7]
    for position, index in enumerate(code.leaf_indices(list(range(8)))):
        rows, nodes = tree.open([index])
        point = domain_points(3, [position])
        columns = [lifted[:4].at(point)[0], lifted[4:].at(point)[0]]
        assert [Extension(int(value)) for value in rows.to_array()] == columns
        verify_opening(tree.root, code, [index], rows, nodes)
        for other in set(range(8)) - {index}:
            with pytest.raises(Rejected, match="root"):
                verify_opening(tree.root, code, [other], rows, nodes)


def test_arguments_that_do_not_fit_are_refused() -> None:
    tree, parts = two_parts()
    for log_parts, part in [(4, 0), (1, 2), (0, 1), (99, 0)]:
        with pytest.raises(ValueError, match="shape"):
            PartialCode(SHAPE, log_parts, part)
    for roots in (0, 3, 16):
        with pytest.raises(ValueError, match="shape"):
            JoinedTree([bytes(32)] * roots, SHAPE, POOL)
    for indices in ([], [2, 1], [1, 1], [4], [8]):
        with pytest.raises(ValueError, match="shape"):
            parts[0].open(indices)
        if indices != [4]:
            with pytest.raises(ValueError, match="shape"):
                tree.join(indices, [])


def test_a_code_takes_each_column_once_and_is_finished_once() -> None:
    code = PartialCode(SHAPE, 1, 0)
    code.add_columns(1, base(8), ENCODER, POOL)
    for first, count in [(1, 8), (0, 16), (2, 16), (3, 8), (0, 7), (0, 0)]:
        with pytest.raises(ValueError, match="shape"):
            code.add_columns(first, base(count), ENCODER, POOL)
    with pytest.raises(ValueError, match="missing"):
        code.finish(POOL)
    with pytest.raises(ValueError, match="finished"):
        code.finish(POOL)
    with pytest.raises(ValueError, match="finished"):
        code.add_columns(0, base(8), ENCODER, POOL)
