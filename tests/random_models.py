"""Random integer models for property tests: valid by construction, with awkward sizes, ranges and tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod

import numpy as np
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.validate import derive
from deepprove_dist.operators.integer_operator import Analysis
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.requantise import quotient
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table

WIDTHS = st.sampled_from((1, 1, 2, 3, 4, 5, 7, 8, 13, 16, 17, 31, 32, 33, 40, 600))
INPUT_SHAPES = st.sampled_from(((), (1,), (5,), (1, 4), (1, 13), (3, 7), (2, 3, 5), (1, 1, 6), (16,)))
INPUT_RANGES = st.sampled_from(((-128, 127), (0, 255), (-8, 7), (5, 5), (-1000, 3001)))
LARGEST_TABLE = 1 << 12


@st.composite
def models(draw: st.DrawFn) -> IntegerModel:
    """Up to four layers, each on any tensor before it; any tensors as outputs."""
    graph = _Graph()
    for index in range(draw(st.integers(1, 2))):
        low, high = draw(INPUT_RANGES)
        graph.inputs.append(ModelTensor(f"x{index}", draw(INPUT_SHAPES), low, high, Scale.of(0.5)))
    for _ in range(draw(st.integers(0, 4))):
        _add_layer(draw, graph)
    analysis = graph.analysis
    names = [tensor.name for tensor in graph.inputs] + [node.output for node in graph.nodes]
    fitting = [name for name in names if max(map(abs, analysis.intervals[name])) <= LARGEST_SIGNED]
    chosen = draw(st.lists(st.sampled_from(fitting), min_size=1, max_size=3, unique=True))
    outputs = (ModelTensor(n, analysis.shapes[n], *analysis.intervals[n], Scale.of(0.25)) for n in chosen)
    return IntegerModel(tuple(graph.inputs), tuple(outputs), graph.constants, tuple(graph.nodes))


@st.composite
def inputs(draw: st.DrawFn, model: IntegerModel, samples: int) -> dict[str, IntArray]:
    """Integers of the whole range for each input: all at one end, at either end, or anywhere."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = {}
    for tensor in model.inputs:
        kind = draw(st.sampled_from(("low", "high", "ends", "uniform")))
        shape = (samples, *tensor.shape)
        ends = {"low": [tensor.lo], "high": [tensor.hi]}.get(kind, [tensor.lo, tensor.hi])
        uniform = generator.integers(tensor.lo, tensor.hi, shape, endpoint=True)
        values[tensor.name] = uniform if kind == "uniform" else generator.choice(ends, shape)
    return values


@dataclass(frozen=True)
class _Graph:
    inputs: list[ModelTensor] = field(default_factory=list)
    constants: dict[str, IntArray] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)

    @property
    def analysis(self) -> Analysis:
        return derive(self.inputs, self.constants, self.nodes)

    @property
    def stored(self) -> list[str]:
        """Tensors that a dense layer may read: neither accumulators nor views of them."""
        names = [tensor.name for tensor in self.inputs]
        for node in self.nodes:
            if node.operator == "requantise" or (node.operator == "reshape" and node.inputs[0] in names):
                names.append(node.output)
        return names


def _add_layer(draw: st.DrawFn, graph: _Graph) -> None:
    value = draw(st.sampled_from(graph.stored))
    if draw(st.booleans()):
        value = _add_view(draw, graph, value)
    shift, bits = draw(st.integers(0, 14)), draw(st.integers(1, 11))
    if draw(st.integers(0, 3)):
        value = _add_dense(draw, graph, value, 1 << (shift + bits))
    if draw(st.integers(0, 3)):
        _add_requantise(draw, graph, value, shift)


def _add_view(draw: st.DrawFn, graph: _Graph, value: str) -> str:
    """Neighbouring axes merged, axes of one place put in: views that any layer can read."""
    shape = graph.analysis.shapes[value]
    merged = draw(st.integers(0, len(shape)))
    target = (prod(shape[:merged]), *shape[merged:]) if draw(st.booleans()) else (1, prod(shape))
    output = f"view{len(graph.nodes)}"
    graph.nodes.append(Node("reshape", output, (value,), output, {"shape": target}))
    return output


def _add_dense(draw: st.DrawFn, graph: _Graph, value: str, bound: int) -> str:
    """Weights whose sums stay within about +-bound; none for a tensor without axes."""
    analysis = graph.analysis
    shape, interval = analysis.shapes[value], analysis.intervals[value]
    if not shape:
        return value
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    largest = max(bound // (2 * shape[-1] * max(1, *map(abs, interval))), 1)
    index, width = len(graph.nodes), draw(WIDTHS)
    names = [f"w{index}"]
    graph.constants[names[0]] = generator.integers(-largest, largest, (width, shape[-1]), endpoint=True)
    if draw(st.booleans()):
        names.append(f"b{index}")
        graph.constants[names[1]] = generator.integers(-bound // 2, bound // 2, width, endpoint=True)
    output = f"acc{index}"
    graph.nodes.append(Node("dense", output, (value, *names), output, {}))
    return output


def _add_requantise(draw: st.DrawFn, graph: _Graph, value: str, shift: int) -> None:
    """A table that covers the quotients, with slack at both ends, sometimes as far as the field allows."""
    interval = graph.analysis.intervals[value]
    if interval[1] - interval[0] >= LARGEST_TABLE << shift:
        shift = 14
    low, high = (quotient(end, shift) for end in interval)
    first = low - draw(st.sampled_from((0, 0, 1, 5)))
    size = high - first + 1 + draw(st.sampled_from((0, 0, 1, 6)))
    if shift == 14 and draw(st.integers(0, 5)) == 0:
        size = MODULUS >> shift
    output = f"y{len(graph.nodes)}"
    attributes: dict[str, Attribute] = {
        "shift": shift,
        "table": _table(draw, first, size),
        "limbs": _limbs(draw, shift),
    }
    graph.nodes.append(Node("requantise", output, (value,), output, attributes))


def _table(draw: st.DrawFn, first: int, size: int) -> Table:
    domain = np.arange(first, first + size)
    kind = draw(st.sampled_from(("relu", "identity", "any", "sparse")))
    if kind == "relu":
        return Table.from_values(first, np.clip(domain, 0, draw(st.sampled_from((1, 15, 255)))))
    if kind == "identity" or size > LARGEST_TABLE:
        return Table.from_values(first, np.clip(domain, -128, 127))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = generator.integers(-300, 300, size) if kind == "any" else generator.integers(0, 10, size) // 9
    return Table.from_values(first, values)


def _limbs(draw: st.DrawFn, shift: int) -> tuple[int, ...]:
    """Widths that sum to the shift."""
    limbs: list[int] = []
    while sum(limbs) < shift:
        limbs.append(draw(st.integers(1, shift - sum(limbs))))
    return tuple(limbs)
