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
        "9710e867fcb6f3401c09dfe8ff3d832aa01b43f6d0ade650210e00282a430ae2",
    ),
    (SMALL, "public", False): (
        "36a913e555a7989dde8a06196409de6763e187c3b6d8464098f5c5af8e505edb",
        "7fa8279f690fab8be22163deea5f6f4d631abb5edf0a192dd6e02f9029b8a9aa",
    ),
    (WIDE, "committed", False): (
        "eef641ecd4e2aabc8136f743065e5df673d788563b73de36252af430dfe01ed7",
        "0cf053b9a2ca24c9c2e72e52e33b8dd54224f50f9e99d15e08e2933c986849d0",
    ),
    (SMALL, "committed", True): (
        "6e00251a895df6815076f55221b6b3488b6ce7535015e547d93bb649d2f16422",
        "929541da927d006b5da0024c54860dba388f72c8789549bdfed925f484eaa5e3",
    ),
    (SMALL, "public", True): (
        "27206d35a3a3bc36e593fb62e411fd1b46a4c747b086f31b35ed1a9647b97a60",
        "1ee7c22daafbd241ee3c698f9512ff1a87148d3e1b024c4c2b11c9cc0a6376b7",
    ),
    (WIDE, "committed", True): (
        "70fa8dbec6f25e9a8f058cf4ee2d9d2c0e1e5d998ffb866c940e936eb120355d",
        "262b802d74398425641773efcdac674ba7b016b6d6ecf7bf10edb2a8244ef8af",
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
