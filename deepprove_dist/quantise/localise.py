"""Where an output's error begins: the first tensor whose error jumps above that of what it is computed from.

Errors of inputs, layers and outputs are known, at tensors of the float graph; those between are skipped.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.quantise.accumulator import LayerReport
from deepprove_dist.quantise.deviation import Deviation
from deepprove_dist.quantise.report import Comparison

# The error at a tensor over the largest one of what it is computed from.
JUMP = 2.0

# The error at a tensor over that of the output.
SHARE = 0.5


@dataclass(frozen=True)
class Measured:
    """A float tensor with a known deviation; ``layer`` is None for inputs, and outputs that no layer is."""

    tensor: str
    name: str
    deviation: Deviation
    layer: LayerReport | None


@dataclass(frozen=True)
class Jump:
    """The tensor ``at`` which an error begins.

    ``sources`` are the measured tensors that it is computed from. ``between`` are all float tensors from
    those on to the tensor itself.
    """

    at: Measured
    sources: tuple[Measured, ...]
    between: tuple[str, ...]

    @property
    def before(self) -> float:
        """The largest relative error of the sources."""
        return max((source.deviation.relative for source in self.sources), default=0.0)

    @property
    def is_gradual(self) -> bool:
        """Whether no layer brings the error: it grows from each to the next."""
        return 0 < self.at.deviation.relative < JUMP * self.before


class Localiser:
    """Finds jumps in a comparison."""

    def __init__(self, graph: FloatGraph, comparison: Comparison) -> None:
        self._graph = graph
        self._readers = {node.output: node.inputs for node in graph.nodes}
        self._measured = measured_tensors(graph, comparison)

    def jump(self, output: str, error: float) -> Jump:
        """Where the relative error of an output begins, which may be that of a channel of it."""
        tensor = self._graph.outputs[output]
        jumps = list(self._jumps(tensor))
        for jump in jumps:
            here = error if jump.at.tensor == tensor else jump.at.deviation.relative
            if here >= SHARE * error and here >= JUMP * jump.before:
                return jump
        return max(jumps, key=lambda jump: jump.at.deviation.relative - jump.before)

    def _jumps(self, tensor: str) -> Iterator[Jump]:
        """All measured tensors that a tensor depends on, and itself, in topological order."""
        needed = {tensor}
        for node in reversed(self._graph.nodes):
            if node.output in needed:
                needed.update(node.inputs)
        for name in (*self._graph.inputs, *(node.output for node in self._graph.nodes)):
            if name in needed and name in self._measured:
                yield self._at(name)

    def _at(self, tensor: str) -> Jump:
        between, sources, todo = [tensor], [], list(self._readers.get(tensor, ()))
        while todo:
            name = todo.pop()
            if name in between:
                continue
            between.append(name)
            if name in self._measured:
                sources.append(self._measured[name])
            else:
                todo += self._readers.get(name, ())
        return Jump(self._measured[tensor], tuple(sources), tuple(between))


def measured_tensors(graph: FloatGraph, comparison: Comparison) -> Mapping[str, Measured]:
    """Inputs, outputs and layers of a comparison by float tensor; a layer goes before an output."""
    measured = {name: Measured(name, name, deviation, None) for name, deviation in comparison.inputs.items()}
    for output in comparison.outputs:
        tensor = graph.outputs[output.name]
        measured.setdefault(tensor, Measured(tensor, output.name, output.deviation, None))
    for error in comparison.layers:
        if error.deviation is not None:
            layer = error.layer
            measured[layer.reference] = Measured(layer.reference, layer.name, error.deviation, layer)
    return measured
