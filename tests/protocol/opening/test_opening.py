"""The opening proves true claims about both matrices, for any schedule, and no others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import (
    AxisVector,
    BaseVector,
    Commitment,
    Encoder,
    Extension,
    ExtensionVector,
    Pool,
    Transcript,
)
from deepprove_dist.protocol.claims.claim import Claim, PowersTerm, ProductTerm, combine
from deepprove_dist.protocol.claims.layout import Layout, lay_out
from deepprove_dist.protocol.messages.proof import OpeningProof
from deepprove_dist.protocol.opening.codes import tree_shapes
from deepprove_dist.protocol.opening.prove import ColumnSample, LocalMatrices, OpeningClaims, prove_opening
from deepprove_dist.protocol.opening.verify import verify_opening_proof
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule
from deepprove_dist.protocol.system.system import Matrix, System, axis_bits
from tests.protocol.naive import addresses, challenges, eq, inner, integers, items, system_of
from tests.records import replace

POOL = Pool(1)


@dataclass(frozen=True)
class Example:
    """Committed tensors of a schedule, true claims about them, and what an opening takes."""

    schedule: Schedule
    layout: Layout
    matrices: list[BaseVector]
    trees: list[Commitment]
    claims: list[Claim]

    def prove(self) -> OpeningProof:
        return self.prove_combined(OpeningClaims(combine(self.claims, Extension(3))))

    def prove_combined(self, claims: OpeningClaims) -> OpeningProof:
        matrices = LocalMatrices(self.matrices, self.layout, Encoder(), POOL)
        return prove_opening(self.schedule, self.trees, matrices, claims, Transcript(b"test"))

    def verify(self, proof: OpeningProof, *, roots: list[bytes] | None = None, error: int = 0) -> None:
        combined = combine(self.claims, Extension(3))
        terms, value = combined.terms(self.layout.kernel_blocks), combined.value
        roots = roots or [tree.root for tree in self.trees]
        transcript = Transcript(b"test")
        verify_opening_proof(self.schedule, roots, terms, value + error, proof, transcript)


def example(log_rows: int, weights: int, witness: int, rounds: tuple[Code, ...], groups: int = 0) -> Example:
    """`weights` and `witness` are numbers of values; the claims are about every tensor and both matrices."""
    shapes = [(witness // 2, 2), (witness % 2,)][: 1 + witness % 2]
    system = system_of(shapes, [(weights,)] if weights else [])
    layout = lay_out(system, log_rows)
    initial = InitialCode(log_rows, layout.weight_columns, layout.witness_columns, 1, groups, groups, 9)
    schedule = Schedule(initial, rounds)
    values = {index: integers(index, tensor.shape) for index, tensor in enumerate(system.tensors)}
    claims = [claim_of(system, index, values[index]) for index in values]
    matrices, trees = [], []
    kinds = tuple(Matrix) if weights else (Matrix.WITNESS,)
    for matrix, shape in zip(kinds, tree_shapes(initial), strict=True):
        columns = layout.column_blocks(matrix)
        flat = np.zeros(len(columns) << log_rows, dtype=np.int64)
        first = 0 if matrix is Matrix.WEIGHTS else layout.weight_columns << log_rows
        for index, tensor in enumerate(system.tensors):
            if tensor.matrix is matrix:
                flat[addresses(layout, index, tensor.shape).reshape(-1) - first] = values[index].reshape(-1)
        matrices.append(BaseVector.from_array(flat))
        trees.append(Commitment.of_base(matrices[-1], shape, Encoder(), POOL))
        (z,) = items(challenges(len(flat), 1))
        answer = matrices[-1].column_values(len(flat), z, POOL)[0]
        claims.append(Claim(answer, (PowersTerm(columns, z),)))
    return Example(schedule, layout, matrices, trees, claims)


def claim_of(system: System, tensor: int, values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Claim:
    points = [challenges(tensor + axis, axis_bits(size)) for axis, size in enumerate(values.shape)]
    value = inner(values, [eq(point)[:size] for point, size in zip(points, values.shape, strict=True)])
    axes = tuple(AxisVector.eq(point) for point in points)
    assert system.tensors[tensor].shape == values.shape
    return Claim(value * 7, (ProductTerm(Extension(7), tensor, axes),))


@st.composite
def examples(draw: st.DrawFn) -> Example:
    log_rows = draw(st.integers(5, 8))
    rounds: tuple[Code, ...] = ()
    remaining = log_rows
    while remaining >= 2 and draw(st.booleans()):
        columns = draw(st.integers(1, remaining - 1))
        remaining -= columns
        rounds = (*rounds, Code(remaining, columns, draw(st.integers(1, 3)), draw(st.integers(1, 20))))
    weights, witness = draw(st.integers(0, 300)), draw(st.integers(2, 300))
    return example(log_rows, weights, witness, rounds, draw(st.integers(0, log_rows + 1)))


TWO_ROUNDS = example(6, 100, 77, (Code(4, 2, 2, 8), Code(2, 2, 3, 5)), groups=1)


@settings(max_examples=60)
@given(case=examples())
def test_true_claims_are_accepted(case: Example) -> None:
    case.verify(case.prove())


@settings(max_examples=30)
@given(case=examples(), error=st.integers(1, 5))
def test_another_value_is_refused(case: Example, error: int) -> None:
    with pytest.raises(VerificationError):
        case.verify(case.prove(), error=error)


def test_a_claim_at_powers_opens_as_a_term_does() -> None:
    """The prover gives the weights' out-of-domain claim by its columns' values only."""
    case = TWO_ROUNDS
    last = case.claims[-2]
    (term,) = last.terms
    assert isinstance(term, PowersTerm)
    others = [*case.claims[:-2], case.claims[-1], Claim(last.value, ())]
    combined = combine(others, Extension(3))
    rows = 1 << case.layout.log_rows
    values = case.matrices[0].column_values(rows, term.z, POOL) + case.matrices[1].column_values(
        rows, term.z, POOL
    )
    sample = ColumnSample(term.z, combined.scales[len(others) - 1], 0, case.layout.weight_columns, values)
    proof = case.prove_combined(OpeningClaims(combined, (sample,)))
    reordered = replace(case, claims=[*case.claims[:-2], case.claims[-1], last])
    reordered.verify(proof)
    assert bytes(proof.final) == bytes(reordered.prove().final)


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


@pytest.mark.parametrize("name", ALTERED)
def test_every_part_counts(name: str) -> None:
    proof = TWO_ROUNDS.prove()
    TWO_ROUNDS.verify(proof)
    with pytest.raises(VerificationError):
        TWO_ROUNDS.verify(ALTERED[name](proof))


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
