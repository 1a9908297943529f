"""Planning a quantised model: its steps in order, from the float graph and the choices of formats.

A tensor's elements may have scales of their own: those of an input whose columns are of unlike size, or of
the parts of a concatenation. Layers that read them along their channels take the scales into their weights,
views move them; for anything else they are brought to one scale first.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.float_graph import (
    FloatActivation,
    FloatAveragePool,
    FloatConcat,
    FloatConv,
    FloatDense,
    FloatGraph,
    FloatMaxPool,
    FloatNode,
    FloatPad,
    FloatReshape,
    FloatSum,
    FloatTranspose,
)
from deepprove_dist.operators.formats import HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.node import Attribute
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.protocol.scale import Scale
from deepprove_dist.quantise.activations import homogeneous, whole_activation
from deepprove_dist.quantise.choices import Choices
from deepprove_dist.quantise.demands import Demands, find_demands, find_separable, find_summands, read_form
from deepprove_dist.quantise.names import Names
from deepprove_dist.quantise.steps import Accumulation, LinearStep, NodeStep, PublicStep, Step, TableStep
from deepprove_dist.quantise.summands import Average, Diagonal, Layer, Multiple, Summand
from deepprove_dist.quantise.tensor import Tensor

# Integers that tables and maxima take as they are; wider ones are rescaled first.
NARROW = 2**12
# The same for a function of elements with scales of their own, which rescaling would lose.
WIDE = 2**16


class Plan:
    """The ``steps`` in topological order, the ``inputs``, and each output's integer tensor by ONNX name."""

    def __init__(self, graph: FloatGraph, choices: Choices, names: Names) -> None:
        self._graph = graph
        self._choices = choices
        self._names = names
        self._demands: Demands = find_demands(graph)
        self._summands = find_summands(graph)
        self._separable = find_separable(graph)
        self._made: dict[tuple[str, Form], Tensor] = {}
        self._plain: dict[tuple[str, Form], Tensor] = {}
        self._output_names = _name_outputs(graph)
        self.steps: list[Step] = []
        self.inputs = [self._input(name) for name in graph.inputs]
        for node in graph.nodes:
            for form, reference in self._demands[node.output].items():
                if (node.output, form) not in self._made:
                    self._made[node.output, form] = self._make(node, form, reference)
        self.outputs = {name: self._made[tensor, PUBLIC] for name, tensor in graph.outputs.items()}

    def _make(self, node: FloatNode, form: Form, reference: Reference) -> Tensor:
        match node:
            case FloatActivation():
                inner = read_form(node, form)
                tensor = self._made[node.input, inner]
                outer = HIDDEN if form.public else form
                return self._activated(node.name, tensor, node.output, outer, reference)
            case FloatReshape() | FloatTranspose():
                return self._moved(node, (self._made[node.input, form],), form, reference)
            case FloatMaxPool() | FloatConcat() | FloatPad():
                return self._gathered(node, form, reference)
            case _:
                return self._linear(node, form, reference)

    def _input(self, name: str) -> Tensor:
        tensor = Tensor(name, name, self._choices.input(name))
        for form, reference in self._demands[name].items():
            self._made[name, form] = self._activated(name, tensor, name, form, reference)
        return tensor

    def _linear(self, node: FloatNode, form: Form, reference: Reference) -> Tensor:
        summands, constant = self._summands_of(node, 1.0)
        elements = prod(self._graph.shapes[node.output])
        sum_ = Accumulation(node.name, tuple(summands), constant, elements)
        if form == PUBLIC:
            name, held = self._target(node.output, form, reference)
            target = Tensor(name, held, self._choices.accumulator(name, sum_, node.output))
            self.steps.append(PublicStep(sum_, target))
            return target
        return self._rescaled(sum_, Reference(node.output), form, reference)

    def _rescaled(self, sum_: Accumulation, argument: Reference, form: Form, reference: Reference) -> Tensor:
        """A form of a sum that holds the values of ``argument``."""
        name, held = self._target(argument.tensor, form, reference)
        activation = self._choices.activation(name, sum_, form, reference, argument)
        target = Tensor(name, held, activation.format)
        self.steps.append(LinearStep(sum_, target, activation))
        return target

    def _summands_of(self, node: FloatNode, factor: float) -> tuple[list[Summand], float]:
        """The summands of factor * node, and a constant; sums of sums are one."""
        match node:
            case FloatDense() | FloatConv():
                scaled = replace(node, weight=factor * node.weight, bias=factor * node.bias)
                return [Layer(self._by_channel(node), node.input, scaled)], 0.0
            case FloatAveragePool():
                return [Average(self._one_scale(node.input), node.input, factor, node)], 0.0
        assert isinstance(node, FloatSum), "a linear node"
        summands: list[Summand] = []
        constant = factor * node.constant
        for name, coefficient in zip(node.inputs, node.coefficients, strict=True):
            if name in self._summands:
                inner, further = self._summands_of(self._summands[name], factor * coefficient)
                summands += inner
                constant += further
            else:
                source = self._made[name, HIDDEN]
                summands.append(self._multiple(source, name, factor * coefficient, node.name))
        return summands, constant

    def _by_channel(self, node: FloatDense | FloatConv) -> Tensor:
        """The node's input with scales that its weights can take up."""
        tensor, shape = self._made[node.input, HIDDEN], self._graph.shapes[node.input]
        channels = len(shape) - 1 if isinstance(node, FloatDense) else 1
        scales = tensor.format.scale.varies_along(shape)
        return tensor if set(scales) <= {channels} else self._in_one_format(node.input, HIDDEN)

    def _one_scale(self, name: str) -> Tensor:
        """The tensor with one scale for all elements."""
        tensor = self._made[name, HIDDEN]
        return tensor if tensor.format.scale.is_single else self._in_one_format(name, HIDDEN)

    def _in_one_format(self, name: str, form: Form) -> Tensor:
        """A form of a tensor rescaled to a plain format, once for all that need it so."""
        if (name, form) not in self._plain:
            sum_ = self._alone(name, self._made[name, form], name)
            values = Reference(name, form.function)
            self._plain[name, form] = self._rescaled(sum_, values, HIDDEN, values)
        return self._plain[name, form]

    def _alone(self, node: str, source: Tensor, name: str) -> Accumulation:
        """The sum of a tensor alone."""
        summand = self._multiple(source, name, 1.0, node)
        return Accumulation(node, (summand,), 0.0, prod(self._graph.shapes[name]))

    def _multiple(self, source: Tensor, name: str, coefficient: float, node: str) -> Summand:
        """A number times a tensor that holds the float tensor ``name``."""
        if source.format.scale.is_single:
            return Multiple(source, name, coefficient)
        return Diagonal(source, name, coefficient, node, self._graph.shapes[name])

    def _activated(self, node: str, source: Tensor, name: str, form: Form, reference: Reference) -> Tensor:
        """A form of a tensor that is quantised already and holds the float tensor ``name``."""
        if form.function == IDENTITY:
            return source
        span, single = source.format.hi - source.format.lo, source.format.scale.is_single
        if span >= (NARROW if single else WIDE) or not (single or homogeneous(form.function)):
            return self._rescaled(self._alone(node, source, name), Reference(name), form, reference)
        target, held = self._target(name, form, reference)
        if single:
            activation = self._choices.table(target, source, form, reference)
            tensor = Tensor(target, held, activation.format)
        else:
            activation = whole_activation(form.function, source.format.interval)
            tensor = Tensor(target, held, replace(activation.format, scale=source.format.scale))
        self.steps.append(TableStep(node, source, tensor, activation))
        return tensor

    def _gathered(self, node: FloatNode, form: Form, reference: Reference) -> Tensor:
        """A form of what a node computes from several positions of its inputs."""
        inner = read_form(node, form)
        if inner != form:
            if (node.output, inner) not in self._made:
                inner_reference = reference if inner.function == form.function else Reference(node.output)
                self._made[node.output, inner] = self._gathered(node, inner, inner_reference)
            outer = form if inner.function == IDENTITY else replace(form, function=IDENTITY)
            made = self._made[node.output, inner]
            return self._activated(node.name, made, node.output, outer, reference)
        sources = [self._made[name, inner] for name in node.inputs]
        if isinstance(node, FloatMaxPool) and not _is_plain(sources[0].format):
            sources = [self._in_one_format(node.input, inner)]
        # An output's parts keep the width that they have, each with its scale.
        if isinstance(node, FloatConcat) and not form.public and node.output not in self._separable:
            sources = self._alike(node, sources, form)
        return self._moved(node, tuple(sources), form, reference)

    def _alike(self, node: FloatConcat, sources: list[Tensor], form: Form) -> list[Tensor]:
        """The parts of a concatenation in one format; those that are wide stay as they are."""
        if len({source.format for source in sources}) == 1:
            return sources
        whole, parts = Reference(node.output, form.function), []
        for source in sources:
            if not _is_plain(source.format):
                parts.append(source)
                continue
            target = self._names.fresh(source.name)
            activation = self._choices.part(target, source, whole)
            part = Tensor(target, source.reference, activation.format)
            self.steps.append(TableStep(node.name, source, part, activation))
            parts.append(part)
        return parts

    def _moved(
        self, node: FloatNode, sources: tuple[Tensor, ...], form: Form, reference: Reference
    ) -> Tensor:
        operator, attributes = self._operator(node)
        shapes = [self._graph.shapes[name] for name in node.inputs]
        format = Format(
            _moved_scale(
                node,
                [source.format.scale for source in sources],
                shapes,
                self._graph.shapes[node.output],
            ),
            min(source.format.lo for source in sources),
            max(source.format.hi for source in sources),
        )
        name, held = self._target(node.output, form, reference)
        target = Tensor(name, held, format)
        self.steps.append(NodeStep(operator, node.name, sources, target, attributes))
        return target

    def _operator(self, node: FloatNode) -> tuple[str, dict[str, Attribute]]:
        match node:
            case FloatReshape():
                return "reshape", {"shape": self._graph.shapes[node.output]}
            case FloatTranspose(permutation=permutation):
                return "transpose", {"permutation": permutation}
            case FloatConcat(axis=axis):
                return "concat", {"axis": axis}
            case FloatPad(pads=pads):
                return "pad", {"pads": pads}
        assert isinstance(node, FloatMaxPool), "a node that moves values"
        window = node.window
        return "max_pool", {
            "kernel": window.kernel,
            "strides": window.strides,
            "pads": window.pads,
            "dilations": window.dilations,
        }

    def _target(self, tensor: str, form: Form, reference: Reference) -> tuple[str, str]:
        """The name of a new tensor for a form of ``tensor``, and the float tensor that it holds, if any."""
        held = tensor if form.function == reference.function == IDENTITY else reference.held
        if held and prod(self._graph.shapes[held]) != prod(self._graph.shapes[tensor]):
            held = ""
        return self._output_names.pop((tensor, form), None) or self._names.fresh(held or tensor), held


def _name_outputs(graph: FloatGraph) -> dict[tuple[str, Form], str]:
    """The ONNX output that a form of a tensor is; one that several outputs are has the first one's name."""
    producers = {node.output: node for node in graph.nodes}
    names: dict[tuple[str, Form], str] = {}
    for output, held in graph.outputs.items():
        tensor, form = held, PUBLIC
        while isinstance(producer := producers.get(tensor), FloatActivation | FloatMaxPool):
            inner = read_form(producer, form)
            if isinstance(producer, FloatActivation):
                tensor, form = producer.input, inner
                continue
            form = inner if inner.function == form.function else form
            break
        names.setdefault((tensor, form), output)
    return names


def _moved_scale(node: FloatNode, scales: Sequence[Scale], shapes: Sequence[Shape], output: Shape) -> Scale:
    """The scale of what a node that moves values gives."""
    if len(set(scales)) == 1 and scales[0].is_single:
        return scales[0]
    arrays = [np.broadcast_to(scale.array, shape) for scale, shape in zip(scales, shapes, strict=True)]
    match node:
        case FloatReshape():
            return Scale.from_array(arrays[0].reshape(output))
        case FloatTranspose(permutation=permutation):
            return Scale.from_array(arrays[0].transpose(permutation))
        case FloatConcat(axis=axis):
            return Scale.from_array(np.concatenate(arrays, axis=axis))
        case FloatPad(pads=pads):
            rank = len(pads) // 2
            # Zero is zero at any scale.
            return Scale.from_array(np.pad(arrays[0], [*zip(pads[:rank], pads[rank:], strict=True)], "edge"))
    raise AssertionError("only these move values of several scales")


def _is_plain(format: Format) -> bool:
    return format.scale.is_single and format.hi - format.lo < NARROW
