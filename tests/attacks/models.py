"""Tiny networks and their keys: 4 inputs, 8 hidden units with ReLU, 3 outputs; and a convolutional one."""

from __future__ import annotations

from collections.abc import Mapping
from unittest.mock import patch

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.argument.prove import prove
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes
from deepprove_dist.protocol.messages.statement import encode_tensor
from deepprove_dist.protocol.parameters import Code, InitialCode, ProtocolShape, Schedule, Weights
from deepprove_dist.protocol.parameters.queries import with_best_queries
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Options, Prover
from deepprove_dist.verifier import Statement, verify
from tests.attacks.reference_prover import Attempt
from tests.lowering.networks import Network

RELU = Table.from_values(-50, np.clip(np.arange(-50, 52), 0, 63))
SHIFT, LIMBS = 5, (3, 2)
MAX_BATCH = 3
LOG_ROWS = 6
FOLDS = (Code(4, 2, 4, 1), Code(2, 2, 6, 1))


def model(seed: int = 0, table: Table = RELU) -> IntegerModel:
    """y = W2 h + b2 with h = ReLU((W1 x + b1) / 32), x in [-8, 7]."""
    random = np.random.default_rng(seed)
    constants = {
        "w1": random.integers(-40, 41, (8, 4)),
        "b1": random.integers(-100, 101, 8),
        "w2": random.integers(-90, 91, (3, 8)),
        "b2": random.integers(-1000, 1001, 3),
    }
    nodes = (
        Node("dense", "first", ("x", "w1", "b1"), "acc", {}),
        Node("requantise", "relu", ("acc",), "h", {"shift": SHIFT, "table": table, "limbs": LIMBS}),
        Node("dense", "second", ("h", "w2", "b2"), "y", {}),
    )
    inputs = (ModelTensor("x", (4,), -8, 7, Scale.of(0.25)),)
    low, high = derive(inputs, constants, nodes).intervals["y"]
    return IntegerModel(inputs, (ModelTensor("y", (3,), low, high, Scale.of(0.5)),), constants, nodes)


def inputs(samples: int = 1, seed: int = 0) -> dict[str, IntArray]:
    return {"x": np.random.default_rng(seed).integers(-8, 8, (samples, 4))}


def convolutional() -> IntegerModel:
    """Max pool, convolution and depthwise convolution, the first two padded, ReLUs, and a dense layer."""
    network = Network((1, 2, 3, 3))
    pooled = network.max_pool("x", (2, 2), (1, 1), pads=(0, 0, 1, 1))
    hidden = network.relu(network.conv(pooled, (2, 2, 2, 2), pads=(1, 0, 0, 1)))
    hidden = network.relu(network.conv(hidden, (2, 1, 2, 2), groups=2))
    return network.model(network.dense(hidden, 2))


def images(samples: int = 1, seed: int = 1) -> dict[str, IntArray]:
    return {"x": np.random.default_rng(seed).integers(-128, 128, (samples, 1, 2, 3, 3))}


def make_key(
    network: IntegerModel,
    *,
    folds: bool = True,
    weights: Weights = "committed",
    batch: int = MAX_BATCH,
    log_rows: int = LOG_ROWS,
    log_inverse_rate: int = 2,
    rounds: tuple[Code, ...] = FOLDS,
) -> Prover:
    """Keys with columns of 64 values and two folded codes, or none, so that every part of a proof occurs."""
    codes = rounds if folds else ()

    def choose(weight_values: int, witness_values: int, shape: ProtocolShape, **_: object) -> Schedule:
        sizes = (0 if weights == "public" else weight_values, witness_values)
        columns, other = (-(-size >> log_rows) for size in sizes)
        initial = InitialCode(log_rows, columns, other, log_inverse_rate, 0, 0, 1)
        return with_best_queries(Schedule(initial, codes), shape)

    with patch("deepprove_dist.prover.choose", choose):
        return Prover.generate(network, Options(weights, max_batch=batch), Pool(1))


def state(key: Prover, trace: InferenceTrace, context: bytes = b"") -> StatementBytes:
    """The statement that a trace's public values make."""
    groups = (key.verifying.inputs, trace.values), (key.verifying.outputs, trace.outputs)
    samples = len(trace.values[key.verifying.inputs[0].name])
    taken, given = (tuple(encode_tensor(t, values[t.name]) for t in group) for group, values in groups)
    return StatementBytes(key.verifying.digest, key.epoch, samples, taken, given, context)


def honest_attempt(key: Prover, x: Mapping[str, IntArray], context: bytes = b"") -> Attempt:
    """A true statement and its witness."""
    trace = key.runner.run(x)
    statement = state(key, trace, context)
    return Attempt(statement, trace, key.witness(key.verifying.instance(statement.batch), trace))


def prove_fast(key: Prover, attempt: Attempt) -> ProofContent:
    """The real prover's proof of an attempt."""
    public = PublicValues(attempt.trace.values, attempt.trace.outputs)
    return prove(key.verifying, attempt.statement, public, attempt.witness, key.backend)


def check(key: Prover, proof: ProofContent) -> Statement:
    """The verifier's answer to a proof, through its bytes."""
    return verify(key.verifying, proof_file.dump(proof), weights=key.public_weights)
