"""Keys and proofs of a network of three hidden units: a proof takes a few milliseconds.

Schedules are made by hand, far below any level of security. What hides follows their numbers all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest.mock import patch

import numpy as np

from deepprove_dist import prover
from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Pool
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.node import Node
from deepprove_dist.protocol.argument import verify as argument
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.key import key as key_module
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes
from deepprove_dist.protocol.messages.public_integers import encode_tensor
from deepprove_dist.protocol.parameters import Code, InitialCode, Schedule, Weights
from deepprove_dist.protocol.parameters.matrix_code import MatrixCode
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Attempt, Prover
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.setup_options import Options

POOL = Pool(1)
RELU = Table.from_values(-4, np.clip(np.arange(-4, 5), 0, 3))
INPUT: IntArray = np.array([[[1, 2]]], dtype=np.int64)
W1: IntArray = np.array([[1, -1], [2, 1], [0, 1]], dtype=np.int64)
B1: IntArray = np.array([0, -1, 1], dtype=np.int64)
W2: IntArray = np.array([[1, 2, -1], [0, 1, 1]], dtype=np.int64)


def toy_model(w1: IntArray = W1, b1: IntArray = B1, w2: IntArray = W2) -> IntegerModel:
    """y = W2 relu((W1 x + b1) / 2) for x in [0, 3] of shape (1, 2); the output's range is that of W2."""
    constants = {"w1": w1, "b1": b1, "w2": w2}
    nodes = (
        Node("dense", "first", ("x", "w1", "b1"), "acc", {}),
        Node("requantise", "relu", ("acc",), "h", {"shift": 1, "table": RELU, "limbs": (1,)}),
        Node("dense", "second", ("h", "w2"), "y", {}),
    )
    lo, hi = 3 * int(np.minimum(w2, 0).sum(axis=1).min()), 3 * int(np.maximum(w2, 0).sum(axis=1).max())
    outputs = (ModelTensor("y", (1, 2), lo, hi, Scale.of(1.0)),)
    return IntegerModel((ModelTensor("x", (1, 2), 0, 3, Scale.of(1.0)),), outputs, constants, nodes)


@dataclass(frozen=True)
class Sizes:
    """Of a schedule, as its codes have them.

    `folded` adds a WHIR round. Without `hiding` it is transparent. Without columns of weights these are
    public; without columns of the witness it has as many as it needs. With a tail of hidden tensors input and
    output are hidden.
    """

    log_rows: int = 6
    queries: int = 2
    log_inverse_rate: int = 1
    tail: int = 28
    weight_group: int = 0
    witness_group: int = 0
    folded: bool = False
    hiding: bool = True
    weight_columns: int = 5
    witness_columns: int = 0
    hidden_tail: int = 0

    def schedule(self) -> Schedule:
        """By default 2^6 rows of five columns of weights, and of seven of the witness: k0 = 4."""
        if not self.hiding:
            both = MatrixCode("weights", 1, self.weight_group), MatrixCode("witness", 1, 0)
            return Schedule(InitialCode(self.log_rows, self.log_inverse_rate, self.queries, both), ())
        columns = self.witness_columns or {6: 7, 7: 5}[self.log_rows]
        matrices: tuple[MatrixCode, ...] = (MatrixCode("witness", columns, self.witness_group),)
        if self.hidden_tail:
            hidden = MatrixCode("hidden", 5, self.witness_group, self.hidden_tail)
            matrices = (hidden, hidden, *matrices)
        if self.weight_columns:
            weights = MatrixCode("weights", self.weight_columns, self.weight_group, self.tail)
            matrices = (weights, *matrices)
        initial = InitialCode(self.log_rows, self.log_inverse_rate, self.queries, matrices, True)
        log_rows = self.log_rows - 2
        rounds = (Code(log_rows, 2, self.log_inverse_rate + 2, self.queries),) if self.folded else ()
        return Schedule(initial, rounds)


@contextmanager
def insecure(schedule: Schedule) -> Iterator[None]:
    """Setups take this schedule, whatever its security."""
    with (
        patch.object(prover, "choose_schedule", lambda *_: schedule),
        patch.object(key_module, "require_security", lambda *_: None),
    ):
        yield


def toy_key(sizes: Sizes | None = None, secret: int = 0, model: IntegerModel | None = None) -> Prover:
    """A key whose secret is that number."""
    sizes = sizes or Sizes()
    hidden = Secret(secret.to_bytes(32, "little"))
    names = HiddenNames(("x",), ("y",)) if sizes.hidden_tail else NOTHING_HIDDEN
    weights: Weights = "committed" if sizes.weight_columns else "public"
    options = Options(weights, hiding=sizes.hiding, hidden=names)
    with insecure(sizes.schedule()):
        return Prover.generate(model or toy_model(), options, POOL, hidden)


def reservation(number: int, nonce: int | None = None) -> Attempt:
    """The first attempt with a number, and a nonce that is made of the number, or given."""
    value = number if nonce is None else nonce
    return Attempt(Reservation(0, number, value.to_bytes(32, "little")))


@dataclass
class Toy:
    """A key, an inference, and as many proofs of it as are asked for; all of them are functions
    of numbers.
    """

    key: Prover
    trace: InferenceTrace = field(init=False)
    x: IntArray = field(default_factory=lambda: INPUT)

    def __post_init__(self) -> None:
        self.trace = self.key.runner.run({"x": self.x})

    def prove(self, number: int, context: bytes = b"", nonce: int | None = None) -> ProofContent:
        """The proof under a reservation; see `reservation`. Transparent keys need none."""
        return self.prove_by(reservation(number, nonce), context)

    def prove_by(self, attempt: Attempt, context: bytes = b"") -> ProofContent:
        """The proof under a reservation."""
        hidden = attempt if self.key.secret is not None else None
        return proof_file.load(prover.prove(self.key, self.trace, 1, context, hidden))

    def verify(self, proof: ProofContent, public: PublicValues | None = None) -> None:
        """Raises VerificationError unless the proof holds, for the statement's integers or others."""
        content, weights = self.key.verifying, self.key.public_weights
        vectors = {} if weights is None else weights.vectors
        argument.verify(content, proof, public or self.public, vectors, content.weights)

    @property
    def statement(self) -> StatementBytes:
        """What its proofs with an empty context are about."""
        content = self.key.verifying
        inputs = tuple(encode_tensor(tensor, self.trace.values[tensor.name]) for tensor in content.inputs)
        outputs = tuple(encode_tensor(tensor, self.trace.outputs[tensor.name]) for tensor in content.outputs)
        return StatementBytes(content.digest, content.anchor, 1, inputs, outputs, b"")

    @property
    def public(self) -> PublicValues:
        """The integers of the statement."""
        return PublicValues.of_arrays(self.key.verifying.system, self.trace.values, self.trace.outputs)
