"""Keys and proofs are a function of model, options and input alone: their bytes are pinned here.

A change of these digests is a change of the protocol or its files. Where it is intended, raise the version of
the format. Write an entry in CHANGELOG.md, and put in the digests that the failing test prints.
"""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.parameters import Weights
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Attempt, Prover, prove
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify

SMALL, WIDE = 24, 3000
"""Widths of the hidden layer; the wide one's opening has a WHIR round."""

SECRET = Secret(bytes(range(32)))
ATTEMPT = Attempt(Reservation(epoch=0, number=5, nonce=bytes(range(100, 132))))
"""Fixed here, and drawn in production: a hiding proof is a function of them too."""

GOLDEN: dict[tuple[int, Weights, bool], tuple[str, str]] = {
    (SMALL, "committed", False): (
        "bacf7c2d4f827958d5b4c5c90563e3b499a4ca6fc7fd8ea0211d544f2b71836f",
        "b3fb4ca065e93ac28d573f0a04b8a58d21689cbc4afa869f16dc5693ff5c7692",
    ),
    (SMALL, "public", False): (
        "a7c19ab0ae35bbbbe0802f4a1205ab6c032775867912aebc973e8b22b124f840",
        "cc658e32b902cc6c88560b61a2b8a5b89c5108fed0607cafff4b19f63a193a59",
    ),
    (WIDE, "committed", False): (
        "74043829d21ca1ebb81d019027f0b554c53b2fa49f6926e5c44006b25adc97fd",
        "292c4e46ef5f0b4de8e82f899bde306520d3800a276ab0b0b59bd85a7c8842b5",
    ),
    (SMALL, "committed", True): (
        "d31ba5b6f150f0f481e4a148fde55a3b183ca8ad46605158d74416bfdaa1aad6",
        "170f3803847be3ab54c6409641abe61510099579235dc87055dac07e2f78bc7e",
    ),
    (SMALL, "public", True): (
        "fc165dcf0ddcc041639a4055190cac5a33fc5d3a3818dcb393a190e91f64373c",
        "6aadc03b9557cc706edc13e1b1d5d18154ef99fc03e6e42facd8c9bda92fc281",
    ),
    (WIDE, "committed", True): (
        "b08d8ce4d7286649394edf26c1a921b28fb1a826853f5ddfaa297d37e997f8c2",
        "fa5b89bcea17d39ec312f13fc74ad10e27ec4497488bc028dd2354868fcddedf",
    ),
}


def sequence(*shape: int, bound: int) -> IntArray:
    """Fixed integers in [-bound, bound], the same on every machine."""
    values = np.arange(int(np.prod(shape)), dtype=np.int64)
    return (values * values * 7919 + values * 104729) % (2 * bound + 1) - bound


def golden_model(width: int) -> IntegerModel:
    """20 -> width -> 7, with a bias, two limbs and a ReLU in between."""
    table = Table.from_values(-1024, np.clip(np.arange(-1024, 1024), 0, 127))
    constants = {
        "w1": sequence(width, 20, bound=90).reshape(width, 20),
        "b1": sequence(width, bound=5000),
        "w2": sequence(7, width, bound=60).reshape(7, width),
    }
    nodes = (
        Node("reshape", "flatten", ("x",), "flat", {"shape": (1, 20)}),
        Node("dense", "first", ("flat", "w1", "b1"), "acc", {}),
        Node("requantise", "relu", ("acc",), "h", {"shift": 9, "table": table, "limbs": (4, 5)}),
        Node("dense", "second", ("h", "w2"), "y", {}),
    )
    limits = np.abs(constants["w2"]), constants["w2"]
    high = int((limits[0] + limits[1]).sum(axis=1).max()) // 2 * 127
    low = -int((limits[0] - limits[1]).sum(axis=1).max()) // 2 * 127
    inputs = (ModelTensor("x", (1, 4, 5), -128, 127, Scale.of(0.5)),)
    return IntegerModel(inputs, (ModelTensor("y", (1, 7), low, high, Scale.of(0.25)),), constants, nodes)


def key_and_proof(width: int, threads: int, weights: Weights, hiding: bool) -> tuple[bytes, bytes]:
    options = Options(weights, hiding=hiding)
    key = Prover.generate(golden_model(width), options, Pool(threads), SECRET if hiding else None)
    trace = key.runner.run({"x": sequence(1, 1, 4, 5, bound=100).reshape(1, 1, 4, 5)})
    proof = prove(key, trace, 1, b"golden", ATTEMPT if hiding else None)
    return key_file.dump(key.verifying), proof


def digests(width: int, threads: int, weights: Weights, hiding: bool) -> tuple[str, str]:
    key, proof = (sha256(data).hexdigest() for data in key_and_proof(width, threads, weights, hiding))
    return key, proof


@pytest.mark.parametrize(("width", "weights", "hiding"), GOLDEN)
def test_bytes_are_those_of_this_version(width: int, weights: Weights, hiding: bool) -> None:
    actual = digests(width, 2, weights, hiding)
    assert actual == GOLDEN[width, weights, hiding], (
        f"key and proof are now {actual}. If that is intended, raise the VERSION of the file that changed. "
        "Say so in CHANGELOG.md, and put these digests into GOLDEN."
    )


@pytest.mark.parametrize(("width", "weights", "hiding"), GOLDEN)
def test_the_pinned_proofs_verify(width: int, weights: Weights, hiding: bool) -> None:
    key = Prover.generate(golden_model(width), Options(weights), Pool(2))
    verifying, proof = key_and_proof(width, 2, weights, hiding)
    verify(key_file.load(verifying), proof, context=b"golden", weights=key.public_weights)


@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize("weights", ["committed", "public"])
@pytest.mark.parametrize("width", [SMALL, WIDE])
def test_bytes_do_not_depend_on_threads(width: int, weights: Weights, hiding: bool) -> None:
    first = key_and_proof(width, 1, weights, hiding)
    assert all(key_and_proof(width, threads, weights, hiding) == first for threads in (1, 2, 3))


@pytest.mark.parametrize("hiding", [False, True])
@pytest.mark.parametrize("threads", [1, 3])
def test_bytes_are_the_same_in_a_fresh_process(threads: int, hiding: bool) -> None:
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "tests.test_golden", str(threads), *["hiding"] * hiding]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.split() == list(digests(WIDE, 2, "committed", hiding))


if __name__ == "__main__":
    print(*digests(WIDE, int(sys.argv[1]), "committed", "hiding" in sys.argv[2:]))
