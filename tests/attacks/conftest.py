"""Keys of tiny networks, made once."""

from __future__ import annotations

import pytest

from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from tests.attacks.models import convolutional, honest_attempt, images, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import Attempt


@pytest.fixture(scope="session")
def key() -> Prover:
    """Committed weights, two folded codes."""
    return make_key(model())


@pytest.fixture(scope="session")
def flat_key() -> Prover:
    """Committed weights, f' sent in clear at once."""
    return make_key(model(), folds=False)


@pytest.fixture(scope="session")
def public_key() -> Prover:
    """Public weights."""
    return make_key(model(), weights="public")


@pytest.fixture(scope="session")
def attempt(key: Prover) -> Attempt:
    """A true statement with its witness."""
    return honest_attempt(key, inputs(), b"context")


@pytest.fixture(scope="session")
def proof(key: Prover, attempt: Attempt) -> ProofContent:
    """The proof of it."""
    return prove_fast(key, attempt)


@pytest.fixture(scope="session")
def image_key() -> Prover:
    """Windows, shared axes and lookups of expressions."""
    return make_key(convolutional())


@pytest.fixture(scope="session")
def image_attempt(image_key: Prover) -> Attempt:
    """A true statement of the convolutional network, with its witness."""
    return honest_attempt(image_key, images(), b"context")


@pytest.fixture(scope="session")
def image_proof(image_key: Prover, image_attempt: Attempt) -> ProofContent:
    """The proof of it."""
    return prove_fast(image_key, image_attempt)
