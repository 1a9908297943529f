"""The opening proves true claims about both matrices, for any schedule, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    ClaimTerms,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Pool,
    PowersTerm,
    ProductTerm,
    Transcript,
)
from deepprove_dist.protocol.claims.claim import NO_TERMS, Claim, combine
from deepprove_dist.protocol.claims.columns import mask_addresses
from deepprove_dist.protocol.claims.layout import Layout, arrange, lay_out
from deepprove_dist.protocol.messages.proof import OpeningProof
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.mask import HiddenRows, MaskedOpening, RandomRowWeights
from deepprove_dist.protocol.opening.prove import ColumnSample, LocalMatrices, OpeningClaims, prove_opening
from deepprove_dist.protocol.opening.verify import OpeningMask, verify_opening_proof
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.protocol.system.system import Matrix, System, axis_bits
from tests.protocol.naive import challenges, eq, inner, integers, items, system_of
from tests.protocol.parameters.shapes import changed_matrix, hiding_code, initial_code
from tests.records import replace

POOL = Pool(1)
CHALLENGE = Extension(3)


@dataclass(frozen=True)
class Opened:
    """What an opening sends; `masked` is None in a transparent one."""

    proof: OpeningProof
    masked: MaskedOpening | None


@dataclass(frozen=True)
class Example:
    """Committed tensors of a schedule, true claims about them, and what an opening takes.

    A hiding one has a mask claim first, and the witness's sample last. `random_rows` are of all columns of
    the witness's tree, the mask columns among them, and `sample` is the point.
    """

    schedule: Schedule
    layout: Layout
    matrices: list[BaseVector]
    trees: list[Commitment]
    claims: list[Claim]
    random_rows: BaseVector
    sample: Extension

    @property
    def weights(self) -> RandomRowWeights | None:
        code = self.schedule.initial
        if not code.hiding:
            return None
        return RandomRowWeights(code, omega_of(code), self.sample, CHALLENGE ** (len(self.claims) - 1))

    def prove(self) -> Opened:
        weights = self.weights
        hidden = None if weights is None else HiddenRows(weights, self.random_rows)
        return self.prove_combined(OpeningClaims(combine(self.claims, CHALLENGE), hidden=hidden))

    def prove_combined(self, claims: OpeningClaims) -> Opened:
        matrices = LocalMatrices(self.matrices, self.layout, Encoder(), POOL)
        return Opened(*prove_opening(self.schedule, self.trees, matrices, claims, Transcript(b"test")))

    def verify(self, opened: Opened, *, roots: list[bytes] | None = None, error: int = 0) -> None:
        combined, weights = combine(self.claims, CHALLENGE), self.weights
        terms, value = combined.terms(self.layout.cube_blocks), combined.value
        roots = roots or [tree.root for tree in self.trees]
        mask = None
        if weights is not None and opened.masked is not None:
            mask = OpeningMask(weights, opened.masked)
        transcript = Transcript(b"test")
        verify_opening_proof(self.schedule, roots, terms, value + error, opened.proof, mask, transcript)


def omega_of(code: InitialCode) -> ExtensionVector:
    return challenges(77, len(mask_addresses(code)) * code.mask_rows)


def example(log_rows: int, weights: int, witness: int, rounds: tuple[Code, ...], groups: int = 0) -> Example:
    """A transparent one; `weights` and `witness` are numbers of values."""
    columns = [-(-values // (1 << log_rows)) for values in (weights, witness)]
    initial = initial_code(log_rows, columns[0], columns[1], 1, groups, groups, 9)
    return example_of(initial, weights, witness, rounds)


def hiding_example(
    log_rows: int, weights: int, witness: int, rounds: tuple[Code, ...], groups: tuple[int, int] = (0, 0)
) -> Example:
    """A hiding one; weights have a tail of half of the rows."""
    tail = 1 << log_rows - 1 if weights else 0
    needed = -(-witness // (1 << log_rows))
    of_weights = max(5, -(-weights // ((1 << log_rows) - tail))) if weights else 0
    of_witness = max(5, needed)
    while of_witness <= (of_weights + of_witness - 1).bit_length():
        of_witness += 1
    queries = 3
    rate = 1
    random_rows = (queries << groups[1]) + 10 * (of_weights + of_witness - 1).bit_length() + 16
    while (1 << log_rows) + random_rows >= 1 << log_rows + rate:
        rate += 1
    code = hiding_code(log_rows, rate, queries, of_weights, of_witness, tail)
    for matrix, group in zip(("weights", "witness"), groups, strict=True):
        code = changed_matrix(code, matrix, log_group=group)
    return example_of(code, weights, witness, rounds)


def example_of(initial: InitialCode, weights: int, witness: int, rounds: tuple[Code, ...]) -> Example:
    """True claims are about every tensor, and both matrices at a point out of their domain."""
    log_rows, random = initial.log_rows, np.random.default_rng(weights)
    shapes = [(witness // 2, 2), (witness % 2,)][: 1 + witness % 2]
    system = system_of(shapes, [(weights,)] if weights else [])
    kinds = (Matrix.WEIGHTS, Matrix.WITNESS) if weights else (Matrix.WITNESS,)
    layout = lay_out(system, log_rows, committed=kinds, code=initial)
    values = {index: integers(index, tensor.shape) for index, tensor in enumerate(system.tensors)}
    vectors = {index: BaseVector.from_array(array.reshape(-1)) for index, array in values.items()}
    claims = [claim_of(system, index, values[index]) for index in values]
    rows = uniform(random, (layout.columns[Matrix.WITNESS] + initial.mask_columns) * initial.random_rows)
    (z,) = items(challenges(99, 1))
    if initial.hiding:
        claims.insert(0, Claim(mask_value(initial, rows), NO_TERMS))
    matrices, trees = [], []
    for matrix, shape in zip(kinds, tree_shapes(initial), strict=True):
        data = arrange(system, layout, matrix, vectors)
        tail = initial.tail(matrix.value)
        if tail:
            data = data.with_tails(1 << log_rows, uniform(random, tail * layout.columns[matrix]))
        answer = data.column_values(len(data), z, POOL)[0]
        hidden = matrix is Matrix.WITNESS and initial.hiding
        if hidden:
            tails = rows[: layout.columns[matrix] * initial.random_rows]
            answer += z ** len(data) * tails.column_values(len(tails), z, POOL)[0]
            mask = uniform(random, initial.mask_columns << log_rows)
            data = BaseVector.concatenated([data, mask])
        matrices.append(data)
        trees.append(Commitment.of_base(data, shape, Encoder(), POOL, rows if hidden else None))
        claims.append(Claim(answer, ClaimTerms([PowersTerm(layout.addresses_of(matrix), log_rows, z)])))
    return Example(Schedule(initial, rounds), layout, matrices, trees, claims, rows, z)


def uniform(random: np.random.Generator, count: int) -> BaseVector:
    return BaseVector.from_array(random.integers(0, MODULUS, count))


def mask_value(code: InitialCode, rows: BaseVector) -> Extension:
    """sum of omega[c][i] X[c][i] over the last rows of the columns in S, one by one."""
    omega, values, total = items(omega_of(code)), rows.to_array(), Extension(0)
    for number in range(len(mask_addresses(code))):
        for index in range(code.mask_rows):
            row = (number + 1) * code.random_rows - code.mask_rows + index
            total += omega[number * code.mask_rows + index] * int(values[row])
    return total


def claim_of(system: System, tensor: int, values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Claim:
    points = [challenges(tensor + axis, axis_bits(size)) for axis, size in enumerate(values.shape)]
    value = inner(values, [eq(point)[:size] for point, size in zip(points, values.shape, strict=True)])
    axes = tuple(AxisVector.eq(point) for point in points)
    assert system.tensors[tensor].shape == values.shape
    return Claim(value * 7, ClaimTerms([ProductTerm(Extension(7), tensor, axes)]))


@st.composite
def examples(draw: st.DrawFn, *, hiding: bool = False) -> Example:
    log_rows = draw(st.integers(5, 8))
    rounds: tuple[Code, ...] = ()
    remaining = log_rows
    while remaining >= 2 and draw(st.booleans()):
        columns = draw(st.integers(1, remaining - 1))
        remaining -= columns
        rounds = (*rounds, Code(remaining, columns, draw(st.integers(1, 3)), draw(st.integers(1, 20))))
    weights, witness = draw(st.integers(0, 300)), draw(st.integers(2, 300))
    if hiding:
        groups = (draw(st.integers(0, log_rows)), draw(st.integers(0, log_rows)))
        return hiding_example(log_rows, weights, witness, rounds, groups)
    return example(log_rows, weights, witness, rounds, draw(st.integers(0, log_rows + 1)))


TWO_ROUNDS = example(6, 100, 77, (Code(4, 2, 2, 8), Code(2, 2, 3, 5)), groups=1)
HIDING = hiding_example(6, 100, 77, (Code(4, 2, 2, 8), Code(2, 2, 3, 5)), groups=(1, 1))
WITHOUT_ROUNDS = hiding_example(6, 100, 77, ())


@settings(max_examples=60)
@given(case=examples() | examples(hiding=True))
def test_true_claims_are_accepted(case: Example) -> None:
    case.verify(case.prove())


@settings(max_examples=30)
@given(case=examples() | examples(hiding=True), error=st.integers(1, 5))
def test_another_value_is_refused(case: Example, error: int) -> None:
    with pytest.raises(VerificationError):
        case.verify(case.prove(), error=error)


def test_a_claim_at_powers_opens_as_a_term_does() -> None:
    """The prover gives the weights' out-of-domain claim by its columns' values only."""
    case = TWO_ROUNDS
    last = case.claims[-2]
    (term,) = last.terms
    assert isinstance(term, PowersTerm)
    others = [*case.claims[:-2], case.claims[-1], Claim(last.value, NO_TERMS)]
    combined = combine(others, Extension(3))
    rows = 1 << case.layout.log_rows
    values = case.matrices[0].column_values(rows, term.z, POOL) + case.matrices[1].column_values(
        rows, term.z, POOL
    )
    columns = case.layout.addresses_of(Matrix.WEIGHTS)
    by_address = values.take(list(case.layout.order))
    sample = ColumnSample(term.z, combined.scales[len(others) - 1], columns, by_address)
    proof = case.prove_combined(OpeningClaims(combined, (sample,)))
    reordered = replace(case, claims=[*case.claims[:-2], case.claims[-1], last])
    reordered.verify(proof)
    assert bytes(proof.proof.final) == bytes(reordered.prove().proof.final)


def plus_one(vector: ExtensionVector) -> ExtensionVector:
    return ExtensionVector([vector[0] + 1, *items(vector)[1:]])


ALTERED: dict[str, Callable[[OpeningProof], OpeningProof]] = {
    "column rounds": lambda p: replace(p, columns=plus_one(p.columns)),
    "fewer column rounds": lambda p: replace(p, columns=p.columns[2:]),
    "more column rounds": lambda p: replace(p, columns=p.columns + p.columns[:2]),
    "root": lambda p: replace(p, rounds=(replace(p.rounds[0], root=bytes(32)), p.rounds[1])),
    "answer": lambda p: replace(p, rounds=(replace(p.rounds[0], answer=p.rounds[0].answer + 1), p.rounds[1])),
    "round": lambda p: replace(
        p, rounds=(p.rounds[0], replace(p.rounds[1], rounds=plus_one(p.rounds[1].rounds)))
    ),
    "rounds missing": lambda p: replace(p, rounds=p.rounds[:1]),
    "rounds repeated": lambda p: replace(p, rounds=p.rounds + p.rounds[:1]),
    "rounds in another order": lambda p: replace(p, rounds=p.rounds[::-1]),
    "final": lambda p: replace(p, final=plus_one(p.final)),
    "final, longer": lambda p: replace(p, final=p.final + p.final),
    "final rounds": lambda p: replace(p, final_rounds=plus_one(p.final_rounds)),
    "leaves missing": lambda p: replace(p, leaves=p.leaves[:-1]),
    "leaves swapped": lambda p: replace(p, leaves=(p.leaves[1], p.leaves[0], *p.leaves[2:])),
    "leaf": lambda p: replace(
        p,
        leaves=(
            replace(
                p.leaves[0],
                rows=BaseVector.from_array(p.leaves[0].rows.to_array().astype(np.int64) // 2),
            ),
            *p.leaves[1:],
        ),
    ),
    "rows missing": lambda p: replace(
        p, leaves=(replace(p.leaves[0], rows=BaseVector.from_bytes(b"")), *p.leaves[1:])
    ),
    "nodes missing": lambda p: replace(p, leaves=(replace(p.leaves[0], nodes=b""), *p.leaves[1:])),
    "nodes added": lambda p: replace(
        p, leaves=(replace(p.leaves[0], nodes=p.leaves[0].nodes + bytes(32)), *p.leaves[1:])
    ),
}


@pytest.mark.parametrize("case", [TWO_ROUNDS, HIDING], ids=["transparent", "hiding"])
@pytest.mark.parametrize("name", ALTERED)
def test_every_part_counts(name: str, case: Example) -> None:
    opened = case.prove()
    case.verify(opened)
    with pytest.raises(VerificationError):
        case.verify(replace(opened, proof=ALTERED[name](opened.proof)))


ALTERED_MASK: dict[str, Callable[[MaskedOpening], MaskedOpening]] = {
    "product": lambda m: replace(m, product=m.product + 1),
    "tail": lambda m: replace(m, tail=plus_one(m.tail)),
    "last row of the tail": lambda m: replace(m, tail=m.tail[:-1] + ExtensionVector([m.tail[-1] + 1])),
    "tail, shorter": lambda m: replace(m, tail=m.tail[1:]),
    "tail, longer": lambda m: replace(m, tail=m.tail + ExtensionVector([0])),
}


@pytest.mark.parametrize("case", [HIDING, WITHOUT_ROUNDS], ids=["rounds", "no rounds"])
@pytest.mark.parametrize("name", ALTERED_MASK)
def test_every_part_of_the_mask_counts(name: str, case: Example) -> None:
    opened = case.prove()
    case.verify(opened)
    assert opened.masked is not None
    with pytest.raises(VerificationError):
        case.verify(replace(opened, masked=ALTERED_MASK[name](opened.masked)))


def test_the_mask_vector_hides_what_columns_fold_to() -> None:
    """The same claims and random rows, and another mask vector: all that follows is different."""
    columns = HIDING.schedule.initial.mask_columns << HIDING.layout.log_rows
    *others, witness = HIDING.matrices
    mask = uniform(np.random.default_rng(5), columns)
    changed = BaseVector.concatenated([witness[:-columns], mask])
    first, second = HIDING.prove(), replace(HIDING, matrices=[*others, changed]).prove()
    assert bytes(first.proof.columns) == bytes(second.proof.columns)
    pairs = zip(items(first.proof.final), items(second.proof.final), strict=True)
    assert all(a != b for a, b in pairs)


@pytest.mark.parametrize("rounds", [(), (Code(3, 3, 2, 8),)])
def test_other_values_than_the_committed_ones_are_refused(rounds: tuple[Code, ...]) -> None:
    case = example(6, 100, 77, rounds)
    others = [BaseVector.from_array(np.ones(len(matrix), dtype=np.int64)) for matrix in case.matrices]
    with pytest.raises(VerificationError, match="final vector is not" if not rounds else "do not hold"):
        case.verify(replace(case, matrices=others).prove())


def test_other_roots_are_refused() -> None:
    proof = TWO_ROUNDS.prove()
    roots = [tree.root for tree in TWO_ROUNDS.trees]
    for other in (roots[::-1], [bytes(32), roots[1]], [roots[0], bytes(32)]):
        with pytest.raises(VerificationError):
            TWO_ROUNDS.verify(proof, roots=other)
