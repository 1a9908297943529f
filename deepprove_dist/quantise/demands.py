"""In what forms each float tensor is needed: walked from the outputs back to the inputs.

Quantised values are needed where a layer reads them, after an activation f where only f of the tensor is
read, and an output is needed as the accumulator it is, if a linear layer computes it. Activations commute
with reshapes, so a demand passes through views unchanged, and a layer fuses with the activations behind it. A
layer read in several forms is computed once for each: their scales differ.
"""

from collections.abc import Mapping

from deepprove_dist.importing.float_graph import FloatActivation, FloatDense, FloatGraph
from deepprove_dist.quantise.activations import IDENTITY

PUBLIC = "public"
"""The form of an output: an accumulator stays one, anything else is quantised."""

Demands = Mapping[str, Mapping[str, str]]
"""For each float tensor its forms (an activation, or PUBLIC), each with the float tensor that the form is the
value of.
"""


def find_demands(graph: FloatGraph) -> Demands:
    """The forms of every tensor that are needed; none for an input that nothing reads."""
    names = (*graph.inputs, *(node.output for node in graph.nodes))
    demands: dict[str, dict[str, str]] = {name: {} for name in names}
    for tensor in graph.outputs.values():
        demands[tensor][PUBLIC] = tensor
    for node in reversed(graph.nodes):
        forms = demands[node.output]
        match node:
            case FloatDense():
                demands[node.input][IDENTITY] = node.input
            case FloatActivation():
                demands[node.input][node.kind] = node.output
            case _:
                demands[node.input].update(
                    {form: _through(node.input, node.output, forms[form]) for form in forms}
                )
    return demands


def _through(source: str, view: str, reference: str) -> str:
    return source if reference == view else reference
