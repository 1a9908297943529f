"""In what forms each float tensor is needed: walked from the outputs back to the inputs.

Quantised values are needed where a layer reads them, after an activation f where only f of the tensor is
read, and an output is needed as the accumulator it is, if a linear layer computes it. Activations commute
with views and concatenations, those that never fall with maxima, those that keep zero with padding: there a
demand passes on, and a layer fuses with the activations behind it. A layer read in several forms is computed
once for each: their scales differ.

A layer that only a sum reads is needed in no form: it is a summand of the sum's accumulator.
"""

from collections import Counter
from collections.abc import Mapping

import numpy as np

from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatConcat,
    FloatGraph,
    FloatLinear,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatReshape,
    FloatSum,
    FloatTranspose,
    FloatView,
)
from deepprove_dist.importing.pointwise import IDENTITY, Function, evaluate
from deepprove_dist.quantise.activations import monotone

PUBLIC = "public"
"""The form of an output: an accumulator stays one, anything else is quantised."""

Form = Function | str

Demands = Mapping[str, Mapping[Form, str]]
"""For each float tensor its forms (an activation, or PUBLIC), each with the float tensor whose values choose
the form's format.
"""


def find_demands(graph: FloatGraph) -> Demands:
    """The forms of every tensor that are needed; none for an input that nothing reads."""
    names = (*graph.inputs, *(node.output for node in graph.nodes))
    demands: dict[str, dict[Form, str]] = {name: {} for name in names}
    summands = find_summands(graph)
    for tensor in graph.outputs.values():
        demands[tensor][PUBLIC] = tensor
    for node in reversed(graph.nodes):
        forms = demands[node.output]
        match node:
            case FloatActivation():
                demands[node.input][node.function] = node.output
            case FloatReshape() | FloatTranspose():
                demands[node.input].update({form: _through(node, forms[form]) for form in forms})
            case FloatMaxPool() | FloatConcat() | FloatPad():
                for form in forms:
                    inner = read_form(node, form)
                    reference = forms[form] if inner == form else node.output
                    if isinstance(node, FloatMaxPool):
                        reference = _through(node, reference)
                    for name in node.inputs:
                        demands[name].setdefault(inner, reference)
            case _:
                for name in node.inputs:
                    if name not in summands:
                        demands[name][IDENTITY] = name
    return demands


def find_summands(graph: FloatGraph) -> Mapping[str, FloatNode]:
    """The linear nodes that a sum alone reads, by their output: they need no tensor of their own."""
    readers = Counter(name for node in graph.nodes for name in node.inputs)
    readers.update(graph.outputs.values())
    producers = {node.output: node for node in graph.nodes if isinstance(node, FloatLinear)}
    return {
        name: producers[name]
        for node in graph.nodes
        if isinstance(node, FloatSum)
        for name in node.inputs
        if name in producers and readers[name] == 1
    }


def read_form(node: FloatNode, form: Form) -> Form:
    """The form in which a node that moves values reads its inputs, to be needed in ``form`` itself."""
    if isinstance(form, Function) and (
        isinstance(node, FloatConcat)
        or (isinstance(node, FloatMaxPool) and monotone(form))
        or (isinstance(node, FloatPad) and evaluate(form, np.zeros(1))[0] == 0)
    ):
        return form
    return form if isinstance(node, FloatView) else IDENTITY


def _through(node: FloatNode, reference: str) -> str:
    return node.input if reference == node.output else reference
