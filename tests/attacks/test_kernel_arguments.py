"""What the kernels refuse by themselves, also where the verifier has looked before, or never asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from deepprove_dist import kernels
from deepprove_dist.arrays import Shape
from deepprove_dist.errors import VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import (
    AxisVector,
    AxisWeights,
    BaseVector,
    BlockShape,
    ClaimTerms,
    CodeShape,
    Commitment,
    DyadicBlocks,
    Encoder,
    Extension,
    ExtensionVector,
    LeafBlocks,
    LeafPlan,
    LinearPieces,
    Pool,
    PowersTerm,
    ProductTerm,
    SpaceWeights,
    TensorShapes,
    Terms,
    Transcript,
    base_powers_at,
    combine_rows,
    count_integers,
    decode_integers,
    domain_points,
    encode_integers,
    fraction_verify,
    most_integer_bytes,
    scaled_terms,
    sumcheck_verify,
    verify_opening,
)
from deepprove_dist.protocol.lookup.verify import require_denominator
from deepprove_dist.protocol.system.index_map import Axis, IndexMap
from deepprove_dist.protocol.system.system import Affine, Term
from tests.records import replace

ONE = Extension(1)
CODE = CodeShape(2, 3, 1, 1)
"""4 rows of 3 columns, coded in 8, two to a leaf."""


def zeros(count: int) -> ExtensionVector:
    return ExtensionVector([0] * count)


def transcript() -> Transcript:
    return Transcript(b"kernels")


def sumcheck(claims: int, shapes: list[tuple[int, int]]) -> object:
    """The verifier's side of a batch of zeros."""
    return sumcheck_verify(zeros(claims), shapes, ONE, zeros(2), transcript())


def blocks(*rows: tuple[int, int, int]) -> DyadicBlocks:
    """Blocks of one axis: address, first index and logarithm of each."""
    shape = BlockShape([[(start, log)] for _, start, log in rows])
    return DyadicBlocks(shape, [address for address, _, _ in rows])


def outside() -> None:
    terms = Terms()
    terms.add_product(ONE, blocks((8, 0, 2)), [AxisVector.ones()])
    terms.evaluate(zeros(3))


def rows(weights: int, positions: list[int], slots: list[int]) -> ExtensionVector:
    """Combinations of the rows of one leaf."""
    leaf = BaseVector.from_array(np.arange(6))
    return combine_rows(leaf, CODE, positions, slots, zeros(weights), False)


WEIGHTS = SpaceWeights([AxisWeights(3, zeros(2))])
TERM = ProductTerm(ONE, 0, [AxisVector.eq(zeros(1))])
LEAVES = LeafBlocks([[(0, 1)]]).at(zeros(2))


def axis_map(**changes: Any) -> IndexMap:
    """The first three indices of an axis of four, but for some changes."""
    return replace(IndexMap((0,), 0, 3), **changes)


def followed(axis: Axis, shape: Shape = (4,), tensor: int = 0) -> object:
    """The terms of a tensor of this shape, whose first axis follows three positions."""
    return claim(Affine((3,), (Term(1, tensor, (axis,)),), ()), WEIGHTS, shape)


def claim(affine: Affine, weights: SpaceWeights, *shapes: Shape) -> object:
    """The terms of an expression over tensors of these shapes."""
    return affine.kernel.claim(weights, ONE, TensorShapes(shapes))


def planned(given: list[BaseVector], denominators: list[tuple[Extension, list[Extension]]]) -> object:
    """Eight leaves of one column, the first of those that are given."""
    plan = LeafPlan()
    plan.add(0, 0, 3, [(0, 0)])
    return plan.leaves(given, denominators)


WRONG: dict[str, Callable[[], Any]] = {
    "a claim without a shape": lambda: sumcheck(2, [(1, 2)]),
    "a shape without a claim": lambda: sumcheck(1, [(1, 2), (1, 2)]),
    "a tree of no level": lambda: fraction_verify(0, zeros(0), transcript()),
    "a tree of 65 levels": lambda: fraction_verify(65, zeros(65 * 64 + 4 * 65), transcript()),
    "weights that are no column's": lambda: rows(4, [0], [0]),
    "no weights": lambda: rows(0, [0], [0]),
    "more positions than slots": lambda: rows(3, [0, 1], [0]),
    "a slot that is not opened": lambda: rows(3, [0], [1]),
    "a position outside the code": lambda: CODE.leaf_indices([8]),
    "a position that no leaf holds": lambda: CODE.held([8]),
    "leaves of a vector that is not there": lambda: planned([], [(ONE, [ONE])]),
    "leaves of a row without a denominator": lambda: planned([BaseVector.from_bytes(bytes(32))], []),
    "leaves beyond their vector": lambda: planned([BaseVector.from_bytes(bytes(28))], [(ONE, [ONE])]),
    "a code longer than the roots of unity": lambda: domain_points(25, [0]),
    "a matrix without columns": lambda: CodeShape(2, 0, 1, 0),
    "a leaf of more rows than the code": lambda: CodeShape(2, 1, 1, 4),
    "an index map of other taps": lambda: kernels.IndexMap(4, 2, 1, 1, 0).spread(zeros(3), zeros(3)),
    "an index map of huge steps": lambda: followed(axis_map(stride=1 << 40)),
    "an index map of other factors": lambda: followed(axis_map(scale=(1, 2))),
    "an index map of no axis": lambda: followed(axis_map(axes=())),
    "an index map of an axis that is not there": lambda: followed(axis_map(axes=(1,))),
    "a list of fewer positions": lambda: followed(axis_map(end=2, offset=(0, 1), stride=0)),
    "a list beyond its axis": lambda: followed(axis_map(offset=(0, 4, 1), stride=0)),
    "a list below its axis": lambda: followed(axis_map(offset=(0, -2, 1), stride=0)),
    "a list that a statement has": lambda: followed(axis_map(end=0, offset="x", stride=0)),
    "an axis of another size": lambda: followed(0),
    "an axis that is not there": lambda: followed(1, shape=(3,)),
    "fewer axes than a tensor has": lambda: followed(0, shape=(3, 3)),
    "an axis beside a tensor that is no cover": lambda: followed(0, shape=()),
    "a tensor that is not there": lambda: followed(0, tensor=1),
    "weights of other axes": lambda: claim(Affine((3,), (), ()), SpaceWeights([])),
    "weights of another size": lambda: claim(Affine((2,), (), ()), WEIGHTS),
    "an axis of more positions than its point has": lambda: AxisWeights(5, zeros(2)),
    "explicit weights for a part of an axis": lambda: AxisWeights(5, None, zeros(4)),
    "an axis without weights": lambda: AxisWeights(5, None),
    "eq of 33 coordinates": lambda: AxisWeights(2, zeros(33)).dense,
    "a point of more coordinates than its space": lambda: SpaceWeights.split(zeros(3), (4,)),
    "a point of fewer coordinates than its space": lambda: SpaceWeights.split(zeros(3), (4, 3)),
    "no axis that is joined": lambda: AxisWeights.joined([]),
    "a claim without a scale": lambda: scaled_terms([ClaimTerms()], [], zeros(0)),
    "a term of no tensor": lambda: scaled_terms([ClaimTerms([TERM])], [], zeros(1)),
    "a term of another tensor": lambda: scaled_terms([ClaimTerms([TERM])], [blocks((0, 0, 2))], zeros(1)),
    "columns beyond the addresses": lambda: scaled_terms(
        [ClaimTerms([PowersTerm([1 << 40], 4, ONE)])], [], zeros(1)
    ),
    "columns of too many rows": lambda: scaled_terms([ClaimTerms([PowersTerm([0], 64, ONE)])], [], zeros(1)),
    "a block of leaves outside the tree": lambda: LeafBlocks([[(4, 1)]]).at(zeros(2)),
    "more tensors than rows of leaves": lambda: LEAVES.terms(ONE, 0, [0, 0]),
    "a row of leaves that is not there": lambda: LEAVES.table(1, LinearPieces.identity(0, 2), [0]),
    "a table of fewer blocks than its row": lambda: LEAVES.table(0, LinearPieces.identity(0, 2), []),
    "a block outside the addresses": outside,
    "a block that is not aligned": lambda: blocks((2, 0, 2)),
    "a block without an address": lambda: DyadicBlocks(BlockShape([[(0, 2)]]), []),
    "blocks of different numbers of axes": lambda: BlockShape([[(0, 2)], [(0, 2), (0, 1)]]),
    "weights for a part of an axis": lambda: Terms().add_product(
        ONE, blocks((0, 0, 2)), [AxisVector.explicit(zeros(3))]
    ),
    "points without coefficients": lambda: base_powers_at(
        BaseVector.from_array(np.arange(2)), zeros(1), zeros(1)
    ),
    "a table of 33 variables": lambda: (
        LeafBlocks([[(0, 33)]]).at(zeros(33)).table(0, LinearPieces.identity(0, 1), [0])
    ),
    "a value beyond those that are counted": lambda: count_integers(np.array([3, 7]), 3, 4),
    "a value below those that are counted": lambda: count_integers(np.array([3, 2]), 3, 4),
    "a value that is too far to count": lambda: count_integers(np.array([-(2**63)]), 2**62, 4),
    "a table of no value": lambda: LinearPieces.identity(0, 0),
    "a table of no bytes": lambda: LinearPieces.from_bytes(b""),
    "a table of values beyond the field": lambda: LinearPieces.from_values(np.array([1 << 40])),
    "a table of every second value": lambda: LinearPieces.from_values(np.arange(8)[::2]),
    "half an integer": lambda: BaseVector.from_signed(bytes(7)),
    "an integer below its range": lambda: encode_integers(np.array([-1]), 0, 9),
    "an integer above its range": lambda: encode_integers(np.array([10]), 0, 9),
    "a range of no integers": lambda: encode_integers(np.array([0]), 1, 0),
    "integers of 33 bits": lambda: decode_integers(bytes(9), 1, 0, 1 << 31),
    "more integers than bits are counted of": lambda: most_integer_bytes((1 << 64) - 1, 0, 3),
    "two elements for one": lambda: Extension.from_bytes(bytes(40)),
    "no element for one": lambda: Extension.from_bytes(b""),
}


@pytest.mark.parametrize("name", WRONG)
def test_arguments_that_do_not_fit_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".+") as caught:
        WRONG[name]()
    # A proof that is rejected is another matter.
    assert type(caught.value) is ValueError


def test_half_an_element_of_the_extension_is_rejected() -> None:
    with pytest.raises(ValueError, match="not a whole number of extension elements"):
        ExtensionVector.from_bytes(bytes(24))


def test_an_element_has_no_powers_modulo_an_integer() -> None:
    with pytest.raises(TypeError, match="modulo"):
        pow(ONE, 2, 7)  # type: ignore[misc]


@pytest.mark.parametrize(("variables", "degree"), [(1, 0), (1, 9), (65, 2)])
def test_sumchecks_that_are_not_supported_are_refused(variables: int, degree: int) -> None:
    """With as many rounds as they would have."""
    rounds = zeros(variables * max(2, degree))
    with pytest.raises(ValueError, match="unsupported degree or size"):
        sumcheck_verify(zeros(1), [(variables, degree)], ONE, rounds, transcript())


@pytest.mark.parametrize("index", [0, 9])
@pytest.mark.parametrize("value", [MODULUS, MODULUS + 1, 2**32 - 1])
def test_numbers_from_p_on_are_no_elements(index: int, value: int) -> None:
    words = [0] * 10
    words[index] = value
    data = b"".join(word.to_bytes(4, "little") for word in words)
    for kind in (BaseVector, ExtensionVector):
        with pytest.raises(ValueError, match="below the modulus"):
            kind.from_bytes(data)


def test_a_claim_without_variables_is_the_last_one_at_once() -> None:
    point, claim, slopes = sumcheck_verify(ExtensionVector([6]), [(0, 2)], ONE, zeros(0), transcript())
    assert (len(point), claim, list_of(slopes)) == (0, Extension(6), [ONE])


def list_of(vector: ExtensionVector) -> list[Extension]:
    return [vector[index] for index in range(len(vector))]


@pytest.mark.parametrize("root", [[5, 0, 1, 0], [0, 5, 0, 1], [0, 0, 0, 0]])
def test_either_denominator_of_a_root_may_be_the_one_that_is_zero(root: list[int]) -> None:
    with pytest.raises(VerificationError, match="a denominator is zero"):
        require_denominator(ExtensionVector(root))
    require_denominator(ExtensionVector([5, -5, 1, 1]))


@pytest.mark.parametrize("places", [[], [4], [0, 4], [1, 1], [2, 1]])
def test_leaves_are_opened_at_places_of_the_tree_in_their_order(places: list[int]) -> None:
    values = BaseVector.from_array(np.arange(12))
    tree = Commitment.of_base(values, CODE, Encoder(), Pool(1))
    leaves, nodes = tree.open([0, 1, 2, 3])
    verify_opening(tree.root, CODE, [0, 1, 2, 3], leaves, nodes)
    width = len(leaves) // 4
    opened = BaseVector.from_array(leaves.to_array()[: width * len(places)].astype(np.int64))
    with pytest.raises(ValueError, match="leaf"):
        verify_opening(tree.root, CODE, places, opened, b"")
