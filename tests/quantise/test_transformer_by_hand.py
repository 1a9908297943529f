"""A decoder block in plain numpy, written from the decisions on integers alone: its integers are the model's.

Nothing of `operators` computes here. Weights, shifts, tables and factors are those of the integer model. What
is made of them is written down here a second time.
"""

from __future__ import annotations

from math import isqrt
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import onnx
import pytest

from deepprove_dist.importing.load import import_proto
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.operators.attributes import integer, integers
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.samples import Samples

Integers: TypeAlias = npt.NDArray[np.int64]

LENGTH, WIDTH, HEADS, HIDDEN, VOCABULARY = 6, 8, 2, 16, 20

BLOCK = """
    e = Gather (words, tokens) x = Add (e, places)
    n = LayerNormalization <axis=-1, epsilon=0.00001> (x, gain1, shift1)
    q = MatMul (n, wq) k = MatMul (n, wk) v = MatMul (n, wv)
    q4 = Reshape (q, split) k4 = Reshape (k, split) v4 = Reshape (v, split)
    qh = Transpose <perm=[0,2,1,3]> (q4) vh = Transpose <perm=[0,2,1,3]> (v4)
    kt = Transpose <perm=[0,2,3,1]> (k4)
    d = MatMul (qh, kt) s = Div (d, root) m = Where (lower, s, least) p = Softmax (m)
    c = MatMul (p, vh) cm = Transpose <perm=[0,2,1,3]> (c) cr = Reshape (cm, joined) o = MatMul (cr, wo)
    r = Add (x, o)
    n2 = LayerNormalization <axis=-1, epsilon=0.00001> (r, gain2, shift2)
    h = MatMul (n2, w1) hb = Add (h, bias1) a = Gelu (hb) y = MatMul (a, w2) yb = Add (y, bias2)
    z = Add (r, yb) logits = MatMul (z, head)
"""


def decoder_block() -> onnx.ModelProto:
    """Tokens [1, LENGTH] to scores [1, LENGTH, VOCABULARY], with random weights."""
    generator = np.random.default_rng(3)
    source = onnx.parser.parse_model(
        f'<ir_version: 9, opset_import: ["": 20]> block (int64[1,{LENGTH}] tokens) => '
        f"(float[1,{LENGTH},{VOCABULARY}] logits) {{ {BLOCK} }}"
    )

    def normal(*shape: int) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = generator.normal(size=shape).astype(np.float32)
        return values / np.float32(np.sqrt(shape[0]))

    arrays: dict[str, npt.NDArray[Any]] = {
        "words": generator.normal(size=(VOCABULARY, WIDTH)).astype(np.float32),
        "places": normal(1, LENGTH, WIDTH),
        **{f"gain{index}": 1 + normal(WIDTH) for index in (1, 2)},
        **{f"shift{index}": normal(WIDTH) for index in (1, 2)},
        **{name: normal(WIDTH, WIDTH) for name in ("wq", "wk", "wv", "wo")},
        "w1": normal(WIDTH, HIDDEN),
        "bias1": normal(HIDDEN),
        "w2": normal(HIDDEN, WIDTH),
        "bias2": normal(WIDTH),
        "head": normal(WIDTH, VOCABULARY),
        "root": np.sqrt(np.float32(WIDTH // HEADS)),
        "least": np.array(np.finfo(np.float32).min),
        "lower": np.tril(np.ones((1, 1, LENGTH, LENGTH), dtype=np.bool_)),
        "split": np.array([1, LENGTH, HEADS, WIDTH // HEADS]),
        "joined": np.array([1, LENGTH, WIDTH]),
    }
    source.graph.initializer.extend(
        onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()
    )
    return source


class DecoderBlock:
    """The block in integers."""

    def __init__(self, model: IntegerModel) -> None:
        self.nodes = {node.output: node for node in model.nodes}
        self.constants = {name: values.astype(np.int64) for name, values in model.constants.items()}

    def logits(self, tokens: Integers) -> Integers:
        """Of tokens [LENGTH], which may count from the end: [LENGTH, VOCABULARY]."""
        x, fine = (self.embedded(name, tokens) for name in ("x", self.fine("x")))
        n = self.normed("n", fine)
        q, k, v = (self.rescaled(name, n @ self.weight(f"{name}.accumulator").T) for name in "qkv")
        heads = [self.attended(*(part[:, columns] for part in (q, k, v))) for columns in head_columns()]
        c = self.rescaled("c.1", self.factors("c.1.accumulator")[0] * np.concatenate(heads, axis=1))
        r, fine = (self.added(name, x, c) for name in ("r", self.fine("r")))
        n2 = self.normed("n2", fine)
        a = self.rescaled("a", n2 @ self.weight("a.accumulator").T + self.bias("a.accumulator"))
        result: Integers = self.added("z", r, a) @ self.weight("logits").T
        return result

    def fine(self, name: str) -> str:
        """The same tensor in finer steps, where a norm reads one."""
        return f"{name}.1" if f"{name}.1" in self.nodes else name

    def embedded(self, name: str, tokens: Integers) -> Integers:
        """Each token's row of the words, and its place's."""
        (accumulator, *_) = self.nodes[name].inputs
        (rows, *_) = self.nodes[accumulator].inputs
        return self.rescaled(name, self.weight(rows).T[tokens % VOCABULARY] + self.weight(accumulator)[0])

    def normed(self, name: str, x: Integers) -> Integers:
        """c = multiplier (N x - sum x), rescaled; y = c M over the root of E + sum c^2; gain and bias."""
        norm = self.nodes[f"{name}/2"]
        multiplier = integer(self.nodes[f"{name}/0.accumulator"], "multiplier")
        deviations = multiplier * (x.shape[1] * x - x.sum(axis=1, keepdims=True))
        c = self.rescaled(f"{name}/0", deviations)
        assert integer(norm, "shift") == 0
        rows = []
        for row in c.tolist():
            square = integer(norm, "epsilon") + sum(value * value for value in row)
            # The nearest integer to the root: (b + 1/2)^2 is no integer.
            root = isqrt(square)
            root += square > root * root + root
            rows.append([(2 * integer(norm, "multiplier") * value + root) // (2 * root) for value in row])
        gains = self.weight(f"{name}.accumulator") * np.array(rows) + self.bias(f"{name}.accumulator")
        return self.rescaled(name, gains)

    def attended(self, q: Integers, k: Integers, v: Integers) -> Integers:
        """sum_j p_ij v_j of one head, where p_ij = K e_ij / sum_j e_ij, rounded, and e_ij = T(max - s_ij)."""
        scores = self.rescaled("s", self.factors("s.accumulator")[0] * (q @ k.T))
        table, steps = self.nodes["p"].attributes["table"], integer(self.nodes["p"], "steps")
        assert isinstance(table, Table)
        hidden = integer(self.nodes["p.scores"], "shift") * self.weight("p.scores").reshape(LENGTH, LENGTH)
        masked, rows = scores - hidden, []
        for row in masked.tolist():
            exponentials = [int(table.values()[max(row) - score]) for score in row]
            total = sum(exponentials)
            rows.append([(2 * steps * e + total) // (2 * total) for e in exponentials])
        assert (np.triu(np.array(rows), 1) == 0).all(), "a token sees none after it"
        result: Integers = np.array(rows) @ v
        return result

    def added(self, name: str, residual: Integers, x: Integers) -> Integers:
        """A residual and W x + b, in units of their own."""
        (accumulator, *_) = self.nodes[name].inputs
        first, second = self.factors(accumulator)
        (_, dense) = self.nodes[accumulator].inputs
        layer = x @ self.weight(dense).T + (self.bias(dense) if len(self.nodes[dense].inputs) > 2 else 0)
        return self.rescaled(name, first * residual + second * layer)

    def rescaled(self, name: str, accumulator: Integers) -> Integers:
        """T((v + 2^(s-1)) / 2^s, rounded down)."""
        shift, table, _ = read_requantisation(self.nodes[name].attributes)
        quotients = (accumulator + (2**shift // 2)) >> shift
        assert quotients.min() >= table.first, "no quotient is outside of the table"
        result: Integers = table.values()[quotients - table.first]
        return result

    def factors(self, name: str) -> tuple[int, ...]:
        assert integer(self.nodes[name], "constant") == 0
        return integers(self.nodes[name], "multipliers")

    def weight(self, name: str) -> Integers:
        return self.constants[self.nodes[name].inputs[1]]

    def bias(self, name: str) -> Integers:
        return self.constants[self.nodes[name].inputs[2]]


def head_columns() -> list[slice]:
    size = WIDTH // HEADS
    return [slice(head * size, (head + 1) * size) for head in range(HEADS)]


@pytest.mark.parametrize("bits", [8, 10, 12])
def test_the_integers_are_those_of_a_block_written_by_hand(bits: int) -> None:
    imported = import_proto(decoder_block())
    generator = np.random.default_rng(5)
    tokens = generator.integers(0, VOCABULARY, (40, 1, LENGTH))
    statistics = calibrate(FloatModel(imported), Samples({"tokens": tokens.astype(np.float64)}, None))
    model = quantise(imported.graph, statistics, bits).model
    block, runner = DecoderBlock(model), IntegerRunner(model)
    others = generator.integers(-VOCABULARY, VOCABULARY, (20, 1, LENGTH))
    expected = runner.run({"tokens": others}).values["logits"]
    for sample, logits in zip(others, expected, strict=True):
        assert np.array_equal(block.logits(sample[0]), logits[0])
    # One number of one weight, and another answer.
    block.constants["q.accumulator.weight"][0, 0] += 2**bits
    assert not np.array_equal(block.logits(others[0, 0]), expected[0, 0])
