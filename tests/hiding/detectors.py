"""What notices that a proof hides less than it should: statistics, exact ranks and attacks.

Each detector makes keys and proofs of its own, and says whether something is wrong with them.
"""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from deepprove_dist.kernels import Extension, ExtensionVector, sumcheck_verify
from deepprove_dist.protocol.argument import prove as argument_prove
from deepprove_dist.protocol.claims.claim import ONE
from deepprove_dist.protocol.parameters import FINALS, SMALL_DEGREE
from deepprove_dist.protocol.products import prove as products_prove
from deepprove_dist.protocol.products.shared import WeighedRows
from deepprove_dist.prover import Attempt, weights_seed
from deepprove_dist.randomness.reservation import Reservation
from tests.backends import local
from tests.hiding.elements import base, coordinates
from tests.hiding.exposure import all_rows, interpolated
from tests.hiding.liars import proves_another_output
from tests.hiding.statistics import suspicious
from tests.hiding.toy import POOL, Sizes, Toy, toy_key
from tests.hiding.views import View, scalars, stacked, views_of

SAMPLES = 100


def values_are_not_uniform(sizes: Sizes) -> bool:
    """Some coordinate of what one statement's proofs send, or of opened leaves, is not uniform."""
    views = stacked(views_of(Toy(toy_key(sizes)), range(SAMPLES)))
    del views["weight leaves"]
    return bool(suspicious(views))


def weights_are_not_uniform(sizes: Sizes) -> bool:
    """Some value of a leaf of weights, or of the answer in the key, is not uniform over keys."""
    return bool(suspicious(stacked(weights_view(sizes, secret) for secret in range(SAMPLES))))


def weights_view(sizes: Sizes, secret: int, leaves: int = 4) -> View:
    """The answer of a key, and the first leaves of its weights' tree."""
    key = toy_key(sizes, secret)
    commitment, committed = key.verifying.weights, local(key).local_weights.committed
    assert commitment is not None
    assert committed is not None
    rows, _ = committed.tree.open(list(range(leaves)))
    return {"answer": coordinates(commitment.answer)[0], "weight leaves": base(rows)}


def weights_are_interpolated(sizes: Sizes) -> bool:
    """The weights are computed from a whole budget of proofs, through F too."""
    toy = Toy(toy_key(sizes))
    code = toy.key.verifying.schedule.initial
    assert code.proofs is not None
    return interpolated(code, all_rows(toy, range(code.proofs), through_f=True)) is not None


def finals_are_foretold(sizes: Sizes) -> bool:
    """Who knows weights and activations foretells a final of the small sumcheck."""
    toy, foretold = Toy(toy_key(sizes)), list[bool]()
    prove = products_prove.prove_products

    def spy(checks: Any, values: ExtensionVector, transcript: Any, pads: Any, pool: Any) -> Any:
        known = transcript.copy()
        sent = prove(checks, values, transcript, pads, pool)
        rows = WeighedRows.of(checks, known.challenge("products/point"))
        shapes = [(rows.variables, SMALL_DEGREE)] * 2
        sums = ExtensionVector([rows.total.value, Extension(0)])
        point, _, _ = sumcheck_verify(sums, shapes, ONE, sent.rounds, known)
        eq = ExtensionVector.eq(point)
        for index in range(FINALS):
            true = [row.factors[index].true_value(values) for row in rows.rows]
            foretold.append(eq[: len(true)].dot(ExtensionVector(true)) == sent.finals[index])
        return sent

    with patch.object(argument_prove, "prove_products", spy):
        toy.prove(0)
    return any(foretold)


def another_output_is_proven(sizes: Sizes) -> bool:
    """A prover that takes epsilon to be 1 proves a false output."""
    return proves_another_output(Toy(toy_key(sizes)), Extension(1))


def proofs_share_scalars(sizes: Sizes) -> bool:
    """Two proofs of one statement share a scalar, where a copied disk repeats the number of a proof."""
    toy = Toy(toy_key(sizes))
    first, second = (toy.prove_by(Attempt(Reservation.draw(0, 0))) for _ in range(2))
    return bool(scalars(toy.key.verifying, first) & scalars(toy.key.verifying, second))


def epochs_share_rows(sizes: Sizes) -> bool:
    """Two epochs commit the same rows of weights."""
    key = toy_key(sizes)
    instance, schedule, weights = key.verifying.instance(1), sizes.schedule(), local(key).local_weights
    roots = []
    for epoch in range(2):
        seed = weights_seed(schedule, key.secret, epoch)
        committed = weights.commit(instance.system, instance.layout, schedule, seed, POOL).committed
        assert committed is not None
        roots.append(committed.tree.root)
    return roots[0] == roots[1]
