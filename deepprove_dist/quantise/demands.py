"""In what forms each float tensor is needed: walked from the outputs back to the inputs.

Quantised values are needed where a layer reads them, after an activation f where only f of the tensor is
read. An output is needed in full width: as the accumulator it is, if a linear layer computes it. Activations
commute with views and concatenations, those that never fall with maxima, those that keep zero with padding:
there a demand passes on, and a layer fuses with the activations after it. A layer read in several forms is
computed once for each: their scales differ.

A layer that only a sum reads is needed in no form: it is a summand of the sum's accumulator.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatConcat,
    FloatConv,
    FloatDense,
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
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Reference
from deepprove_dist.operators.pointwise import compose, evaluate
from deepprove_dist.quantise.activations import monotone

Demands = Mapping[str, Mapping[Form, Reference]]
"""For each float tensor the forms that are needed, each with the values that choose its format."""


def find_demands(graph: FloatGraph) -> Demands:
    """The forms of every tensor that are needed; none for an input that nothing reads."""
    names = (*graph.inputs, *(node.output for node in graph.nodes))
    demands: dict[str, dict[Form, Reference]] = {name: {} for name in names}
    summands = find_summands(graph)
    separable = find_separable(graph)
    for tensor in graph.outputs.values():
        demands[tensor][PUBLIC] = Reference(tensor)
    for node in reversed(graph.nodes):
        forms = demands[node.output]
        match node:
            case FloatActivation():
                for form in forms:
                    inner = read_form(node, form)
                    reference = forms[form] if form.public else Reference(node.output)
                    demands[node.input].setdefault(inner, reference)
            case FloatReshape() | FloatTranspose():
                demands[node.input].update({form: _through(node, forms[form]) for form in forms})
            case FloatConcat():
                for form in forms:
                    for name in node.inputs:
                        part = Reference(name, form.function, node.output, node.output in separable)
                        demands[name].setdefault(form, part)
            case FloatMaxPool() | FloatPad():
                for form in forms:
                    inner = read_form(node, form)
                    same = inner.function == form.function
                    reference = forms[form] if same else Reference(node.output)
                    if isinstance(node, FloatMaxPool):
                        reference = _through(node, reference)
                    demands[node.input].setdefault(inner, reference)
            case _:
                for name in node.inputs:
                    if name not in summands:
                        demands[name][HIDDEN] = Reference(name)
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


def find_separable(graph: FloatGraph) -> frozenset[str]:
    """The concatenations whose readers all take a scale for each part."""
    readers: dict[str, list[FloatNode]] = defaultdict(list)
    for node in graph.nodes:
        for name in node.inputs:
            readers[name].append(node)
    return frozenset(
        node.output
        for node in graph.nodes
        if isinstance(node, FloatConcat)
        and all(
            _takes_scales(reader, node.axis, len(graph.shapes[node.output]))
            for reader in readers[node.output]
        )
    )


def read_form(node: FloatNode, form: Form) -> Form:
    """The form in which an activation, or a node that moves values, reads its input for this form of it."""
    match node:
        case FloatActivation():
            # What layers read is quantised once, and further functions of it are tables of those integers.
            return Form(compose(form.function, node.function), True) if form.public else Form(node.function)
        case FloatMaxPool():
            # A maximum of wide integers would need tables as wide.
            return Form(form.function) if monotone(form.function) else HIDDEN
        case FloatPad():
            return form if evaluate(form.function, np.zeros(1))[0] == 0 else HIDDEN
    return form


def _takes_scales(reader: FloatNode, axis: int, rank: int) -> bool:
    """Whether a node that reads a concatenation along an axis can take a scale for each part of it."""
    match reader:
        case FloatConv():
            return axis == 1
        case FloatDense():
            return axis == rank - 1
    return isinstance(reader, FloatView | FloatConcat)


def _through(node: FloatNode, reference: Reference) -> Reference:
    if reference.tensor == node.output:
        return replace(reference, tensor=node.input)
    return replace(reference, ordered=reference.ordered and not isinstance(node, FloatTranspose))
