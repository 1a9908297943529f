"""Tiny networks and their keys: 4 inputs, 8 hidden units with ReLU, 3 outputs; and a convolutional one."""

from __future__ import annotations

from collections.abc import Mapping
from unittest.mock import patch

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.errors import SecurityError
from deepprove_dist.kernels import Pool
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.argument.prove import prove
from deepprove_dist.protocol.argument.tensor_vectors import TensorVectors
from deepprove_dist.protocol.argument.witness import Witness
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes
from deepprove_dist.protocol.messages.public_integers import encode_tensor
from deepprove_dist.protocol.parameters import (
    LOG_TAIL_STEPS,
    Code,
    InitialCode,
    MatrixCode,
    ProtocolShape,
    Schedule,
    Weights,
)
from deepprove_dist.protocol.parameters.matrix_code import MASK_COLUMNS
from deepprove_dist.protocol.parameters.queries import with_best_queries
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Attempt as Reserved
from deepprove_dist.prover import Prover
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import Statement, verify
from tests.attacks.reference_prover import Attempt
from tests.lowering.networks import Network
from tests.records import replace

RELU = Table.from_values(-50, np.clip(np.arange(-50, 52), 0, 63))
SHIFT, LIMBS = 5, (3, 2)
MAX_BATCH = 3
LOG_ROWS = 6
FOLDS = (Code(4, 2, 4, 1), Code(2, 2, 6, 1))
HIDING_RATE = 6
"""log2 of the inverse rate of a hiding code, whose random rows have to fit too."""
HIDING_GROUPS = (2, 1)
"""log2 of the rows in a leaf of a hiding key's weights, and of its witness: they stay as they are."""
SECRET, SEED = Secret(bytes(range(32))), bytes(32)


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
    hiding: bool = False,
    log_rows: int = LOG_ROWS,
    log_inverse_rate: int | None = None,
    rounds: tuple[Code, ...] = FOLDS,
) -> Prover:
    """Keys with columns of 64 values and two folded codes, or none, so that every part of a proof occurs."""
    codes, rate = rounds if folds else (), log_inverse_rate or (HIDING_RATE if hiding else 2)

    def choose(weight_values: int, witness_values: int, shape: ProtocolShape, **_: object) -> Schedule:
        sizes = (0 if weights == "public" else weight_values, witness_values)
        if hiding:
            sizes = (sizes[0], witness_values + shape.products.pad_values)
        groups = HIDING_GROUPS if hiding else (0, 0)
        initial = initial_code(log_rows, rate, sizes, groups=groups, hiding=hiding)
        return with_best_queries(Schedule(initial, codes), shape, _requeried)

    with patch("deepprove_dist.setup_options.choose", choose):
        return Prover.generate(network, Options(weights, max_batch=batch, hiding=hiding), Pool(1), SECRET)


def initial_code(
    log_rows: int,
    log_inverse_rate: int,
    sizes: tuple[int, int],
    *,
    hiding: bool,
    queries: int = 50,
    groups: tuple[int, int] = (0, 0),
) -> InitialCode:
    """The code of so many weights and witness values; a hiding one's tails are as short as there are."""
    rows = 1 << log_rows
    tail = max(rows >> LOG_TAIL_STEPS, 1) if hiding and sizes[0] else 0
    columns = -(-sizes[0] // (rows - tail)), -(-sizes[1] // rows)
    if hiding:
        columns = max(columns[0], MASK_COLUMNS if sizes[0] else 0), max(columns[1], MASK_COLUMNS)
        while columns[1] <= (sum(columns) - 1).bit_length():
            columns = columns[0], columns[1] + 1
    matrices = (MatrixCode("weights", columns[0], groups[0], tail),) if columns[0] else ()
    witness = MatrixCode("witness", columns[1], groups[1])
    return InitialCode(log_rows, log_inverse_rate, queries, (*matrices, witness), hiding)


def _requeried(code: InitialCode, queries: int) -> InitialCode | None:
    try:
        return replace(code, queries=queries)
    except SecurityError:
        return None


def state(key: Prover, trace: InferenceTrace, context: bytes = b"") -> StatementBytes:
    """The statement that a trace's public values make."""
    groups = (key.verifying.inputs, trace.values), (key.verifying.outputs, trace.outputs)
    samples = len(trace.values[key.verifying.inputs[0].name])
    taken, given = (tuple(encode_tensor(t, values[t.name]) for t in group) for group, values in groups)
    return StatementBytes(key.verifying.digest, key.epoch, samples, taken, given, context)


def reserved(key: Prover, number: int = 0) -> Reserved | None:
    """What a hiding proof needs, with a nonce that is the same each time; None for a transparent one."""
    return Reserved(Reservation(0, number, bytes(32))) if key.secret else None


def witness_of(key: Prover, trace: InferenceTrace, statement: StatementBytes | None = None) -> Witness:
    """The real prover's witness of an inference."""
    statement = statement or state(key, trace)
    return key.witness(key.verifying.instance(statement.batch), trace, statement, reserved(key))


def commit_tensors(key: Prover, samples: int, tensors: Mapping[int, IntArray]) -> Witness:
    """The witness of any tensors; what hides them in a hiding proof is the same each time."""
    instance, code = key.verifying.instance(samples), key.verifying.schedule.initial
    return Witness.of(instance, code, tensors, TensorVectors.of(tensors), SEED)


def honest_attempt(key: Prover, x: Mapping[str, IntArray], context: bytes = b"") -> Attempt:
    """A true statement and its witness."""
    trace = key.runner.run(x)
    statement = state(key, trace, context)
    return Attempt(statement, trace, witness_of(key, trace, statement))


def prove_fast(key: Prover, attempt: Attempt) -> ProofContent:
    """The real prover's proof of an attempt."""
    public = PublicValues.of_arrays(key.verifying.system, attempt.trace.values, attempt.trace.outputs)
    return prove(key.verifying, attempt.statement, public, attempt.witness, key.backend)


def check(key: Prover, proof: ProofContent) -> Statement:
    """The verifier's answer to a proof, through its bytes."""
    return verify(key.verifying, proof_file.dump(proof), weights=key.public_weights)
