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
        "2b3d53260df40c5a8a773183f6377508c37932f935c18f6328a55437a7db22b9",
        "1f22a83ea099820c19d29497b6db5231bed2e8cec3e8350fe4411ec3ca70af55",
    ),
    (SMALL, "public", False): (
        "b2fd11a3e190a949f475670fe9b70f9158f22d8e5ea8b282892bd93fe0bb5dcb",
        "0ee2f58000af65c889559112b61354b529bb97cd93f2baf891f9688ae3a9ec38",
    ),
    (WIDE, "committed", False): (
        "2106558a843d683316bf38d60b0902447d4704bc1bb7303f260e4cc094aeee53",
        "b1123f494449f2435fab6075d21d720fcc9b6dc9d8d8e90b5e021dfc5636f12f",
    ),
    (SMALL, "committed", True): (
        "931facd5ecc06aaf7b8e26051d48517ab296bf57c23948c7f981084c5be19653",
        "48a1c3e86e5a9be97c91dec5fb111bf83bbb69b22bed7894a106b5e9836c008d",
    ),
    (SMALL, "public", True): (
        "831c643fc2e20bfbb32212ffe3433d3df891d2b0645a73d7bcf2b543ef63f914",
        "6f8b4ffd9b3722ebe789088f6cfc5682ebc8958476c33e7509805ced38abb6ef",
    ),
    (WIDE, "committed", True): (
        "57c3a0e345b47294b944800940f587a12bf11bdb33019a97796a4a494f12b8f1",
        "a9d049e191356815f1a20e82936265af4372fb45cdca6276afc25772ab4d38c3",
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
