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

from deepprove_dist.kernels import ClaimTerms, CodeShape, Extension, ExtensionVector, PowersTerm
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.claim import NO_TERMS, Claim, combine
from deepprove_dist.protocol.claims.public import PublicValues, bind_public
from deepprove_dist.protocol.claims.sent import SentVector
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
    MaskProof,
    ProductsProof,
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
from tests.attacks.reference_columns import MatrixColumns
from tests.attacks.reference_expressions import expression_values, factor_values, hypercube_index
from tests.attacks.reference_opening import InnerProduct, open_claims, widths
from tests.attacks.reference_products import Constraint, small_sumcheck
from tests.attacks.reference_sumchecks import batched_sumcheck, fraction_tree, product_sum
from tests.attacks.tracked import Tracked

Fraction = tuple[int, Extension, Values]
"""A leaf of the fraction tree, its numerator, and the columns of its fingerprint."""


@dataclass(frozen=True)
class Attempt:
    """A statement, the public values that it encodes (as a trace), and a witness, true or not."""

    statement: StatementBytes
    trace: InferenceTrace
    witness: Witness


@dataclass(frozen=True)
class ProductsSent:
    """The small sumcheck as it was sent, and the claims that it ends in."""

    proof: ProductsProof
    claims: list[Claim]


class ReferenceProver(Channel):
    """One proof of one attempt."""

    def __init__(self, key: Prover, attempt: Attempt, *, stubborn: bool = False) -> None:
        transcript = start_transcript(key.verifying.security, attempt.statement)
        super().__init__(key, transcript, attempt.witness, stubborn=stubborn)
        self.attempt, self.schedule = attempt, key.verifying.schedule
        system, trace = key.verifying.system, attempt.trace
        self.public = PublicValues.of_arrays(system, trace.values, trace.outputs)
        self.instance = key.verifying.instance(attempt.statement.batch).stating(self.public)
        self.columns = MatrixColumns.of(key, attempt.witness)
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
        witness = self.attempt.witness
        initial, columns = self.schedule.initial, self.columns
        width, log_group = widths(initial)[-1]
        shape = CodeShape(initial.log_rows, width, initial.log_inverse_rate, log_group)
        root, tree = self.send_root("witness/root", witness.matrix, shape)
        z = self.draw("witness/out-of-domain")
        (answer,) = self.send("witness/answer", [columns.sample(z)])
        omega = columns.draw_mask(self.transcript)
        final = bind_public(system, self.public, self.transcript, pool)
        relations, claims, check = self._relations()
        final += claims
        fractions, claims, checks = self._lookups()
        final += claims
        products = self._products([*check, *checks])
        final += products.claims
        trees: list[Tree] = [tree]
        if weights is None:
            final = evaluate_public_weights(system, final, key.backend.vectors, pool)
        value, of_mask = None, Claim(ZERO, NO_TERMS)
        if initial.hiding:
            (value,) = self.send("mask/value", [columns.mask_value(omega)])
            of_mask = Claim(value, NO_TERMS)
            final.insert(0, of_mask)
        term = PowersTerm(layout.addresses_of(Matrix.WITNESS), layout.log_rows, z)
        of_witness = Claim(answer, ClaimTerms([term]))
        final.append(of_witness)
        if weights is not None:
            trees.insert(0, weights.tree)
            commitment = weights.commitment(self.schedule)
            point = out_of_domain_point(key.verifying.security, commitment.root)
            term = PowersTerm(layout.addresses_of(Matrix.WEIGHTS), layout.log_rows, point)
            final.append(Claim(commitment.answer, ClaimTerms([term])))
        collected = self.collect(final)
        combined = combine(collected, self.draw("opening/claims"))
        terms, scales = combined.terms(layout.cube_blocks), listed(combined.scales)
        # Claims that are left out weigh nothing.
        scale_of = {id(claim): scale for claim, scale in zip(collected, scales, strict=True)}
        mask_scale, scale = (scale_of.get(id(claim), ZERO) for claim in (of_mask, of_witness))
        count = initial.column_rounds + initial.log_rows
        corners = (ExtensionVector(bits(address, count)) for address in range(1 << count))
        w = [terms.evaluate(corner) for corner in corners]
        if self.instance.pads:
            coefficients = listed(combined.pads.dense(len(self.pads)))
            w = columns.with_pads(w, coefficients, self.instance.layout.blocks[self.instance.pads_tensor])
        v = columns.random_weights([mask_scale * weight for weight in omega], z, scale)
        state = InnerProduct(columns.by_address, w, combined.value, columns.random, v)
        opening, shown = open_claims(self, self.schedule, trees, state, columns.mask)
        mask = None
        if value is not None and shown is not None:
            mask = MaskProof(value, shown.product, ExtensionVector(shown.tail))
        committed = WitnessProof(root, answer)
        statement = self.attempt.statement
        return ProofContent(statement, committed, relations, fractions, products.proof, mask, opening)

    def factors(self, instance: contraction.ProductInstance) -> list[Values]:
        """What the sumcheck multiplies."""
        pair = [factor_values(instance, factor, self.tensors) for factor in instance.factors]
        return [*pair, self.third_factor(instance)] if instance.sumcheck.shared else pair

    def third_factor(self, instance: contraction.ProductInstance) -> Values:
        """eq(u, .) on the shared axes, constant along the contracted ones."""
        inner = 1 << space_bits(instance.product.summed)
        return [weight for weight in eq(listed(instance.shared_point())) for _ in range(inner)]

    def _relations(self) -> tuple[RelationsProof, list[Claim], list[Constraint]]:
        system = self.instance.system
        bound = contraction.draw_points(system, self.transcript)
        instances = contraction.product_instances(bound)
        factors = [self.factors(instance) for instance in instances]
        sums = self.send_padded("contraction/sums", [product_sum(instance) for instance in factors])
        claims = contraction.claim_affine_sides(system, bound, self._vector(sums))
        batching = self.draw("contraction/batching")
        start = len(self.scalars)
        point, finals, check = batched_sumcheck(self, sums, factors, batching)
        claims += contraction.claim_factors(system, instances, ExtensionVector(point), self._vector(finals))
        rounds = self.scalars[start : len(self.scalars) - len(finals)]
        sent = [scalar.value for scalar in sums], rounds, [scalar.value for scalar in finals]
        return RelationsProof(*map(ExtensionVector, sent)), claims, [check] if instances else []

    def _lookups(self) -> tuple[ExtensionVector, list[Claim], list[Constraint]]:
        system, leaves, start = self.instance.system, self.instance.leaves, len(self.scalars)
        if not leaves.rows:
            return ExtensionVector([]), [], []
        challenges = Challenges(self.draw("lookup/alpha"), self.draw("lookup/beta"))
        numerators, denominators = [ZERO] * (1 << leaves.levels), [ONE] * (1 << leaves.levels)
        for row in leaves.rows:
            fractions = self._expressions(row) if isinstance(row, ExpressionRow) else self._stored(row)
            for leaf, above, cells in fractions:
                pairs = zip(challenges.powers, cells, strict=False)
                fingerprint = sum((power * cell for power, cell in pairs), Extension(row.table))
                numerators[leaf] = above
                denominators[leaf] = challenges.beta - fingerprint
        point, numerator, denominator, checks = fraction_tree(self, numerators, denominators)
        reached = LeafValues(ExtensionVector(point), numerator.sent, denominator.sent)
        claims = claim_leaves(system, leaves, challenges, reached)
        return ExtensionVector(self.scalars[start:]), claims, checks

    def _products(self, checks: list[Constraint]) -> ProductsSent:
        if not self.pads:
            return ProductsSent(ProductsProof(ExtensionVector([]), ExtensionVector([])), [])
        start = len(self.scalars)
        _, zeros = small_sumcheck(self, checks)
        sent, end = ExtensionVector(self.scalars[start:]), len(self.scalars) - start - 4
        return ProductsSent(
            ProductsProof(sent[:end], sent[end:]), [Claim.about(z.sent, NO_TERMS) for z in zeros]
        )

    def _vector(self, sent: list[Tracked]) -> SentVector:
        """Scalars of one message as the package has them."""
        values = ExtensionVector([scalar.value for scalar in sent])
        return SentVector(values, min(sent[0].pads) if self.pads and sent else None)

    def _expressions(self, row: ExpressionRow) -> Iterator[Fraction]:
        columns = [expression_values(column, self.tensors) for column in row.columns]
        for index in columns[0]:
            leaf = row.leaf + hypercube_index(index, row.space)
            yield leaf, ONE, [values[index] for values in columns]

    def _stored(self, row: StoredRow) -> Iterator[Fraction]:
        table = table_columns(self.instance.system.tables[row.table])
        placed = [[block.position for block in self.instance.layout.blocks[column]] for column in row.columns]
        stored = self.columns.stored
        for index, (block, leaf) in enumerate(zip(row.blocks, row.leaves, strict=True)):
            for offset in range(1 << block.log_size):
                committed = [stored[positions[index] + offset] for positions in placed]
                entry = block.intervals[0][0] + offset
                cells = [Extension(int(c[entry])) for c in table] if row.is_table else committed
                yield leaf + offset, -committed[0] if row.is_table else ONE, cells
