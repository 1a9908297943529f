"""In what forms each float tensor is needed: walked from the outputs back to the inputs.

Quantised values are needed where a layer reads them, after an activation f where only f of the tensor is
read. An output is needed in full width: as the accumulator it is, if a linear layer computes it. A layer read
in several forms is computed once for each: their scales differ.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator, Readers
from deepprove_dist.operators.formats import PUBLIC, Form, Format, Reference
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.pointwise import IDENTITY

NeededForms = Mapping[str, Mapping[Form, Reference]]
"""For each float tensor the forms that are needed, each with the values that choose its format."""


def find_needed_forms(graph: FloatGraph, readers: Readers) -> NeededForms:
    """The forms of every tensor that are needed; none for an input that nothing reads."""
    names = (*graph.inputs, *(node.output for node in graph.nodes))
    needed: dict[str, dict[Form, Reference]] = {name: {} for name in names}
    for tensor in graph.outputs.values():
        needed[tensor][PUBLIC] = Reference(tensor)
    for node in reversed(graph.nodes):
        for need in node.needs(needed[node.output], readers):
            if need.decides:
                needed[need.tensor][need.form] = need.reference
            else:
                needed[need.tensor].setdefault(need.form, need.reference)
    return needed


def fixed_inputs(graph: FloatGraph, needed: NeededForms | None = None) -> Mapping[str, Format]:
    """The formats that a model states for its inputs: by all that reads them, the same one."""
    if needed is None:
        needed = find_needed_forms(graph, find_readers(graph))
    formats = {}
    for name in graph.inputs:
        forms = list(needed[name])
        if len(forms) == 1 and forms[0].fixed is not None and forms[0].function == IDENTITY:
            formats[name] = forms[0].fixed
    return formats


def find_readers(graph: FloatGraph) -> Readers:
    """What the readers of each tensor make of it."""
    readers: dict[str, list[FloatOperator]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    return Readers(_find_summands(graph), _find_separable(graph, readers))


def _find_summands(graph: FloatGraph) -> Mapping[str, LinearOperator]:
    uses = Counter(name for node in graph.nodes for name in node.inputs)
    uses.update(graph.outputs.values())
    nodes = {node.output: linear for node in graph.nodes if (linear := node.as_linear()) is not None}
    return {
        name: nodes[name]
        for node in nodes.values()
        if node.adds_summands
        for name in node.inputs
        if name in nodes and uses[name] == 1
    }


def _find_separable(graph: FloatGraph, readers: Mapping[str, list[FloatOperator]]) -> frozenset[str]:
    return frozenset(
        node.output
        for node in graph.nodes
        if (axis := node.joined_axis) is not None and _take_scales(graph, readers, node.output, axis)
    )


def _take_scales(graph: FloatGraph, readers: Mapping[str, list[FloatOperator]], name: str, axis: int) -> bool:
    """Whether all readers of a tensor take scales along an axis, those of its views included."""
    shapes = graph.shapes
    return all(
        reader.takes_scales(axis, len(shapes[name]))
        and all(
            _take_scales(graph, readers, reader.output, moved)
            for moved in reader.moved_axes(axis, shapes[name], shapes[reader.output])
        )
        for reader in readers[name]
    )
