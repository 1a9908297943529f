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
        "96f1cc935e5151068ff4240b5955f08da39efa2ec1e284e8c08107ea4c8c31a2",
        "58248eb06b3b5aada0d30ee3b7ae1841881dd89d683fbd2a7829a4955fc1337c",
    ),
    (SMALL, "public", False): (
        "635b887e33bc8fbb36bff82fe7f96ae2d0d5a063edc9188ec4fd1a32ecbdc35c",
        "822778d5768ba1c1f90756fcb48845e097c09edbc4c64c0b1cc9f2d14ff346a9",
    ),
    (WIDE, "committed", False): (
        "f9e7822c69e6d44b7933b474018938ac296f7d1248c38997f3002b329d919e4f",
        "154c58d59edf7eaad8016412a50674d40b83870f5d6460fad0381643ebd41118",
    ),
    (SMALL, "committed", True): (
        "bac1a5871864935719e8ff718570ee3e91093d5d9cb473d4b6e07a6bff9315db",
        "ef57f015edb5533748016e7a945ed2ffbd923e40db1615d5e189ad0ad34b0ad8",
    ),
    (SMALL, "public", True): (
        "25a84a58a29b53592bbe833c6b1e9d1187d03a0f67b20a5070042a56c9737637",
        "bd1f29b653b54ae70da13714948be20c90c76152ca06ed1b0df5ed34ac71d12e",
    ),
    (WIDE, "committed", True): (
        "840dd9f9df1562f26bf9871690cd9a741abe2942348cc20c22e043e24585f989",
        "ee2947c2cb086be6fee87d3598b4beb7e7fc98760f693c11e832a00f871afffa",
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
