"""The whole prover in plain Python, made to be subclassed by provers that lie.

It runs every sumcheck itself and shows the verifier nothing but through its channel. Honest, it makes the
bytes of the real prover. A stubborn one repairs after each lie what the verifier checks next. So the lie
lives as long as the mathematics lets it. Final evaluations and children of the fraction tree fit the running
claim, and the vectors that are committed satisfy it. Only the queries to the codes are left to catch it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepprove_dist.kernels import CodeShape, Extension, ExtensionVector
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.claim import Claim, PowersTerm, combine
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.key.weights import evaluate_public_weights, out_of_domain_point
from deepprove_dist.protocol.lookup.tree import (
    Challenges,
    ExpressionRow,
    LeafValues,
    StoredRow,
    claim_leaves,
    table_columns,
)
from deepprove_dist.protocol.messages.proof import (
    OpeningProof,
    ProofContent,
    RelationsProof,
    StatementBytes,
    WitnessProof,
)
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening.prove import Tree
from deepprove_dist.protocol.relations import contraction
from deepprove_dist.protocol.system.system import Matrix, space_bits
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import ONE, ZERO, Values, bits, eq, listed
from tests.attacks.channel import Channel
from tests.attacks.reference_expressions import expression_values, factor_values, hypercube_index
from tests.attacks.reference_opening import InnerProduct, open_claims, widths
from tests.attacks.reference_sumchecks import batched_sumcheck, fraction_tree, product_sum
from tests.backends import local

Fraction = tuple[int, Extension, Values]
"""A leaf of the fraction tree, its numerator, and the columns of its fingerprint."""


@dataclass(frozen=True)
class Attempt:
    """A statement, the public values that it encodes (as a trace), and a witness, true or not."""

    statement: StatementBytes
    trace: InferenceTrace
    witness: Witness


class ReferenceProver(Channel):
    """One proof of one attempt."""

    def __init__(self, key: Prover, attempt: Attempt, *, stubborn: bool = False) -> None:
        super().__init__(key, start_transcript(key.verifying.security, attempt.statement), stubborn=stubborn)
        self.attempt, self.schedule = attempt, key.verifying.schedule
        self.instance = key.verifying.instance(attempt.statement.batch)
        matrices = (local(key).local_weights.matrix, attempt.witness.matrix)
        present = [matrix for matrix in matrices if matrix is not None]
        committed = [value for matrix in present for value in matrix.to_array()]
        addresses = 1 << (self.schedule.initial.column_rounds + self.schedule.initial.log_rows)
        self.values = [Extension(int(value)) for value in committed]
        self.values += [ZERO] * (addresses - len(committed))
        vectors, tensors = {**key.backend.vectors, **attempt.witness.vectors}, self.instance.system.tensors
        self.tensors = {
            t: vector.to_array().astype(np.int64).reshape(tensors[t].shape) for t, vector in vectors.items()
        }

    def collect(self, claims: list[Claim]) -> list[Claim]:
        """The claims that are opened."""
        return claims

    def prove(self) -> ProofContent:
        key, system, layout = self.key, self.instance.system, self.instance.layout
        weights, pool = key.backend.weights, key.backend.pool
        witness, trace = self.attempt.witness, self.attempt.trace
        initial = self.schedule.initial
        columns, log_group = widths(initial)[-1]
        shape = CodeShape(initial.log_rows, columns, initial.log_inverse_rate, log_group)
        root, tree = self.send_root("witness/root", witness.matrix, shape)
        z = self.draw("witness/out-of-domain")
        true_answer = witness.matrix.column_values(len(witness.matrix), z, pool)[0]
        (answer,) = self.send("witness/answer", [true_answer])
        final = bind_public(system, PublicValues(trace.values, trace.outputs), self.transcript, pool)
        relations, claims = self._relations()
        final += claims
        fractions, claims = self._lookups()
        final += claims
        trees: list[Tree] = [tree]
        if weights is None:
            final = evaluate_public_weights(system, final, key.backend.vectors, pool)
        final = [*final, Claim(answer, (PowersTerm(layout.column_blocks(Matrix.WITNESS), z),))]
        if weights is not None:
            trees.insert(0, weights.tree)
            commitment = weights.commitment(self.schedule)
            point = out_of_domain_point(key.verifying.security, commitment.root)
            final.append(Claim(commitment.answer, (PowersTerm(layout.column_blocks(Matrix.WEIGHTS), point),)))
        combined = combine(self.collect(final), self.draw("opening/claims"))
        terms = combined.terms(layout.kernel_blocks)
        count = len(self.values).bit_length() - 1
        corners = (ExtensionVector(bits(address, count)) for address in range(1 << count))
        state = InnerProduct(self.values, [terms.evaluate(corner) for corner in corners], combined.value)
        opening: OpeningProof = open_claims(self, self.schedule, trees, state)
        return ProofContent(
            self.attempt.statement,
            WitnessProof(root, answer),
            relations,
            ExtensionVector(fractions),
            opening,
        )

    def factors(self, instance: contraction.ProductInstance) -> list[Values]:
        """What the sumcheck multiplies."""
        pair = [factor_values(instance, factor, self.tensors) for factor in instance.factors]
        return [*pair, self.third_factor(instance)] if instance.shared else pair

    def third_factor(self, instance: contraction.ProductInstance) -> Values:
        """eq(u, .) on the shared axes, constant along the contracted ones."""
        inner = 1 << space_bits(instance.product.contracted)
        return [weight for weight in eq(listed(instance.shared_point())) for _ in range(inner)]

    def _relations(self) -> tuple[RelationsProof, list[Claim]]:
        system = self.instance.system
        bound = contraction.draw_points(system, self.transcript)
        instances = contraction.product_instances(bound)
        factors = [self.factors(instance) for instance in instances]
        sums = self.send("contraction/sums", [product_sum(instance) for instance in factors])
        claims = contraction.claim_affine_sides(system, bound, ExtensionVector(sums))
        batching = self.draw("contraction/batching")
        rounds, finals, point = batched_sumcheck(self, sums, factors, batching)
        claims += contraction.claim_factors(
            system, instances, ExtensionVector(point), ExtensionVector(finals)
        )
        return RelationsProof(*map(ExtensionVector, (sums, rounds, finals))), claims

    def _lookups(self) -> tuple[Values, list[Claim]]:
        system, leaves = self.instance.system, self.instance.leaves
        if not leaves.rows:
            return [], []
        challenges = Challenges(self.draw("lookup/alpha"), self.draw("lookup/beta"))
        numerators, denominators = [ZERO] * (1 << leaves.levels), [ONE] * (1 << leaves.levels)
        for row in leaves.rows:
            fractions = self._expressions(row) if isinstance(row, ExpressionRow) else self._stored(row)
            for leaf, numerator, cells in fractions:
                pairs = zip(challenges.powers, cells, strict=False)
                fingerprint = sum((power * cell for power, cell in pairs), Extension(row.table))
                numerators[leaf] = numerator
                denominators[leaf] = challenges.beta - fingerprint
        values, point, numerator, denominator = fraction_tree(self, numerators, denominators)
        reached = LeafValues(ExtensionVector(point), numerator, denominator)
        return values, claim_leaves(system, leaves, challenges, reached)

    def _expressions(self, row: ExpressionRow) -> Iterator[Fraction]:
        columns = [expression_values(column, self.tensors) for column in row.columns]
        for index in columns[0]:
            leaf = row.leaf + hypercube_index(index, row.space)
            yield leaf, ONE, [values[index] for values in columns]

    def _stored(self, row: StoredRow) -> Iterator[Fraction]:
        table = table_columns(self.instance.system.tables[row.table])
        placed = [[block.address for block in self.instance.layout.blocks[column]] for column in row.columns]
        for index, (block, leaf) in enumerate(zip(row.blocks, row.leaves, strict=True)):
            for offset in range(1 << block.log_size):
                committed = [self.values[addresses[index] + offset] for addresses in placed]
                entry = block.intervals[0][0] + offset
                cells = [Extension(int(c[entry])) for c in table] if row.is_table else committed
                yield leaf + offset, -committed[0] if row.is_table else ONE, cells
