"""A lookup that is in no table costs nothing where its denominator is zero: such trees are refused.

Two equal false lookups with beta as their fingerprint make two denominators zero. The numerator of the sum is
then zero too. Beta is drawn after the lookups are committed, so the chance of this is less than 2^-100. Here
beta is that fingerprint for prover and verifier. Nothing but the check of the root can notice. A hiding proof
has no such check: the account counts the roots of the numerator in beta, and this one is among them.
"""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import VerificationError
from deepprove_dist.kernels import Transcript
from deepprove_dist.protocol.lookup.tree import Challenges
from deepprove_dist.prover import Prover
from tests.attacks.expected import of_prover
from tests.attacks.models import check, inputs, prove_fast
from tests.attacks.witnesses import Forger, in_table, unit

FUNCTION = 2
"""Number of the activation's table."""


@pytest.mark.parametrize("kind", ["key", "flat_key", "public_key"])
def test_false_lookups_whose_denominators_are_zero(
    request: pytest.FixtureRequest, hiding: bool, kind: str
) -> None:
    key: Prover = request.getfixturevalue(kind)
    forger = Forger(key)
    true = forger.witness(np.repeat(inputs()["x"], 2, axis=0))
    hidden = true.tensors["h"]
    wrong = hidden + unit(hidden, 0) + unit(hidden, hidden.shape[1])
    parts = forger.finish(true, h=wrong)
    assert not in_table(parts)
    assert not np.array_equal(parts.y, true.y)
    assert forger.second_layer_holds(parts)
    argument, value = int(true.tensors["h.q"][0, 0]), int(wrong[0, 0])

    def draw(transcript: Transcript) -> Challenges:
        alpha, _ = transcript.challenge("lookup/alpha"), transcript.challenge("lookup/beta")
        return Challenges(alpha, FUNCTION + alpha * argument + alpha * alpha * value)

    attempt = forger.attempt(parts)
    with patch.object(Challenges, "draw", draw):
        check(key, prove_fast(key, forger.attempt(true)))
        if hiding:
            check(key, prove_fast(key, attempt))
        else:
            with pytest.raises(VerificationError) as caught:
                check(key, prove_fast(key, attempt))
            assert caught.value.check == Check.FRACTION_DENOMINATOR
    # With the true beta the fractions do not add up.
    with pytest.raises(VerificationError) as caught:
        check(key, prove_fast(key, attempt))
    assert caught.value.check == of_prover(key, Check.FRACTION_SUM)
