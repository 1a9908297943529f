"""Keys of tiny networks, made once: transparent ones, and hiding ones."""

from __future__ import annotations

from functools import cache

import pytest

from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.prover import Prover
from tests.attacks.models import convolutional, honest_attempt, images, inputs, make_key, model, prove_fast
from tests.attacks.reference_prover import Attempt


@cache
def _key(hiding: bool, folds: bool = True, weights: Weights = "committed") -> Prover:
    return make_key(model(), folds=folds, weights=weights, hiding=hiding)


@cache
def _image_key(hiding: bool) -> Prover:
    return make_key(convolutional(), hiding=hiding)


@cache
def _proof(key: Prover, image: bool) -> tuple[Attempt, ProofContent]:
    attempt = honest_attempt(key, images() if image else inputs(), b"context")
    return attempt, prove_fast(key, attempt)


@pytest.fixture(scope="session", params=[False, True], ids=["transparent", "hiding"])
def hiding(request: pytest.FixtureRequest) -> bool:
    """Whether the keys of a test are hiding ones."""
    return bool(request.param)


@pytest.fixture(scope="session")
def key(hiding: bool) -> Prover:
    """Committed weights, two folded codes."""
    return _key(hiding)


@pytest.fixture(scope="session")
def flat_key(hiding: bool) -> Prover:
    """Committed weights, f' sent in clear at once."""
    return _key(hiding, folds=False)


@pytest.fixture(scope="session")
def public_key(hiding: bool) -> Prover:
    """Public weights."""
    return _key(hiding, weights="public")


@pytest.fixture(scope="session")
def attempt(key: Prover) -> Attempt:
    """A true statement with its witness."""
    return _proof(key, image=False)[0]


@pytest.fixture(scope="session")
def proof(key: Prover) -> ProofContent:
    """The proof of it."""
    return _proof(key, image=False)[1]


@pytest.fixture(scope="session")
def image_key(hiding: bool) -> Prover:
    """Windows, shared axes and lookups of expressions."""
    return _image_key(hiding)


@pytest.fixture(scope="session")
def image_attempt(image_key: Prover) -> Attempt:
    """A true statement of the convolutional network, with its witness."""
    return _proof(image_key, image=True)[0]


@pytest.fixture(scope="session")
def image_proof(image_key: Prover) -> ProofContent:
    """The proof of it."""
    return _proof(image_key, image=True)[1]
