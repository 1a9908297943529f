"""Two proofs of one statement share nothing that hides; one reservation gives one proof,
whatever is hidden.
"""

from __future__ import annotations

import numpy as np
import pytest

from deepprove_dist.protocol.messages import proof as proof_file
from tests.hiding.models import permuted, unused_unit_changed
from tests.hiding.programmed import FROZEN, programmed
from tests.hiding.toy import Sizes, Toy, toy_key
from tests.hiding.views import scalars

FOLDED = Sizes(folded=True)


@pytest.mark.parametrize("sizes", [Sizes(), FOLDED])
def test_proofs_under_two_reservations_share_no_scalar(sizes: Sizes) -> None:
    toy = Toy(toy_key(sizes))
    seen = set[bytes]()
    for number in range(10):
        values = scalars(toy.key.verifying, toy.prove(number))
        assert len(values) > 150
        assert not values & seen
        seen |= values


def test_a_number_or_a_nonce_alone_makes_proofs_differ() -> None:
    toy = Toy(toy_key())
    known = scalars(toy.key.verifying, toy.prove(0, nonce=0))
    for number, nonce in ((0, 1), (1, 0)):
        assert not known & scalars(toy.key.verifying, toy.prove(number, nonce=nonce))


def test_a_context_or_another_input_makes_proofs_under_one_reservation_differ() -> None:
    key = toy_key()
    known = scalars(key.verifying, Toy(key).prove(0))
    assert not known & scalars(key.verifying, Toy(key).prove(0, b"context"))
    assert not known & scalars(key.verifying, Toy(key, np.array([[[3, 0]]])).prove(0))


@pytest.mark.parametrize("sizes", [Sizes(), FOLDED])
def test_one_reservation_gives_the_same_bytes(sizes: Sizes) -> None:
    first, second = (proof_file.dump(Toy(toy_key(sizes)).prove(3)) for _ in range(2))
    assert first == second


@pytest.mark.parametrize("sizes", [Sizes(), FOLDED, Sizes(log_inverse_rate=2, witness_group=2)])
def test_lengths_depend_on_positions_alone(sizes: Sizes) -> None:
    inputs = [np.array([[[a, b]]]) for a, b in ((1, 2), (0, 0), (3, 3))]
    with programmed(frozen=FROZEN):
        lengths = {
            len(proof_file.dump(Toy(toy_key(sizes, secret, model), x).prove(secret)))
            for secret, model in enumerate((permuted(), unused_unit_changed(0), unused_unit_changed(1)))
            for x in inputs
        }
    assert len(lengths) == 1
