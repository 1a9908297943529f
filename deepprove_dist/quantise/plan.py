"""Planning a quantised model: its steps in order, from the float graph and the choices of formats.

Each node of the float graph plans itself; this is what it plans itself with. A tensor's elements may have
scales of their own: those of an input whose columns are of unlike size, or of the parts of a concatenation.
Layers that read them along their channels take the scales into their weights, views move them. For anything
else they are brought to one scale first.
"""

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np

from deepprove_dist.arrays import Shape
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.operators.float_operator import FloatOperator, Readers
from deepprove_dist.operators.formats import EXACT, HIDDEN, PUBLIC, Form, Format, Reference
from deepprove_dist.operators.function_properties import homogeneous
from deepprove_dist.operators.linear_operator import LinearOperator
from deepprove_dist.operators.multiple import multiple
from deepprove_dist.operators.node_operator import NodesOperator
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import NARROW, QuantisedTensor
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activations import whole_activation
from deepprove_dist.quantise.by_channel import along_last_axis, find_gains
from deepprove_dist.quantise.format_choices import FormatChoices
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.needs import find_needed_forms, find_readers, fixed_inputs
from deepprove_dist.quantise.steps import Accumulation, LinearStep, NodeStep, PublicStep, Step, TableStep

# As NARROW, for a function of elements with scales of their own, which rescaling would lose.
WIDE = 2**16


class Plan:
    """The ``steps`` in topological order, the ``inputs``, and each output's integer tensor by ONNX name."""

    def __init__(self, graph: FloatGraph, choices: FormatChoices, names: NewNames) -> None:
        self._graph = graph
        self._choices = choices
        self._names = names
        self._readers = find_readers(graph)
        needed = find_needed_forms(graph, self._readers)
        self._gains = find_gains(graph, needed)
        self._planned: dict[tuple[str, Form], QuantisedTensor] = {}
        self._plain: dict[tuple[str, Form], QuantisedTensor] = {}
        self._output_names = _name_outputs(graph)
        self.steps: list[Step] = []
        fixed = fixed_inputs(graph, needed)
        formats = {name: fixed[name] if name in fixed else choices.input(name) for name in graph.inputs}
        self.inputs = [QuantisedTensor(name, name, formats[name]) for name in graph.inputs]
        for tensor in self.inputs:
            for form, reference in needed[tensor.name].items():
                activated = self.activated(tensor.name, tensor, tensor.name, form, reference)
                self._planned[tensor.name, form] = activated
        for node in graph.nodes:
            for form, reference in needed[node.output].items():
                self.planned_output(node, form, reference)
        self.outputs = {name: self._planned[tensor, PUBLIC] for name, tensor in graph.outputs.items()}

    @property
    def readers(self) -> Readers:
        """What the readers of each tensor make of it."""
        return self._readers

    def shape(self, tensor: str) -> Shape:
        """The shape of a float tensor."""
        return self._graph.shapes[tensor]

    def planned(self, tensor: str, form: Form) -> QuantisedTensor:
        """A form of a tensor that is planned already."""
        return self._planned[tensor, form]

    def planned_output(self, node: FloatOperator, form: Form, reference: Reference) -> QuantisedTensor:
        """A form of a node's output, planned by the node unless it is already."""
        key = node.output, form
        if key not in self._planned:
            self._planned[key] = node.plan(form, reference, self)
        return self._planned[key]

    def planned_by_axis(self, tensor: str, axis: int | None, form: Form = HIDDEN) -> QuantisedTensor:
        """A form of a tensor, with scales along no other axis than this one, or with one scale."""
        planned = self._planned[tensor, form]
        axes = planned.format.scale.varies_along(self.shape(tensor))
        fits = planned.format.scale.is_single if axis is None else set(axes) <= {axis}
        return planned if fits else self._in_one_format(tensor, form)

    def planned_plain(self, tensor: str, form: Form) -> QuantisedTensor:
        """A form of a tensor in a plain format: as it is, or rescaled. A stated format may be wide."""
        planned = self._planned[tensor, form]
        stated = form.fixed is not None and form.fixed.hi - form.fixed.lo < WIDE
        has_zero = planned.format.lo <= 0 <= planned.format.hi
        fits = (planned.is_plain or stated) and not (form.divides and has_zero)
        return planned if fits else self._in_one_format(tensor, form)

    def _in_one_format(self, tensor: str, form: Form) -> QuantisedTensor:
        """A form of a tensor rescaled to a plain format, once for all that need it so."""
        key = tensor, form
        if key not in self._plain:
            sum_ = self._alone(tensor, self._planned[key], tensor)
            values = Reference(tensor, form.function)
            self._plain[key] = self._rescaled(sum_, values, replace(form, function=IDENTITY), values)
        return self._plain[key]

    def activated(
        self, node: str, source: QuantisedTensor, tensor: str, form: Form, reference: Reference
    ) -> QuantisedTensor:
        """A form of the float tensor that ``source`` holds: ``source`` itself, or a table of it."""
        if form.function == IDENTITY and form.fixed in (None, source.format):
            return source
        span, single = source.format.hi - source.format.lo, source.format.scale.is_single
        narrow = NARROW if single and form.fixed is None else WIDE
        whole = form.fixed is None and homogeneous(form.function)
        if span >= narrow or not (single or whole):
            return self.rescaled(node, source, tensor, form, reference)
        name, held = self._target(tensor, form, reference)
        if single:
            activation = self._choices.table(name, source, form, reference)
            target = QuantisedTensor(name, held, activation.format)
        else:
            activation = whole_activation(form.function, source.format.interval)
            target = QuantisedTensor(name, held, replace(activation.format, scale=source.format.scale))
        self.steps.append(TableStep(node, source, target, activation))
        return target

    def in_format_of(self, node: FloatOperator, part: QuantisedTensor, whole: Reference) -> QuantisedTensor:
        """A part of a joined tensor in the format of the whole."""
        name = self._names.fresh(part.name)
        activation = self._choices.part(name, part, whole)
        target = QuantisedTensor(name, part.reference, activation.format)
        self.steps.append(TableStep(node.name, part, target, activation))
        return target

    def accumulated(self, node: LinearOperator, form: Form, reference: Reference) -> QuantisedTensor:
        """A form of a linear node's output: its accumulator, rescaled unless it is public."""
        if form == HIDDEN and node.output in self._gains:
            return self._rescaled_gain(node, reference)
        sum_ = self._sum(node)
        if form not in (PUBLIC, EXACT):
            return self._rescaled(sum_, Reference(node.output), form, reference)
        name, held = self._target(node.output, form, reference)
        target = QuantisedTensor(name, held, self._choices.accumulator(name, sum_, form))
        self.steps.append(PublicStep(sum_, target))
        return target

    def computed(
        self,
        node: NodesOperator,
        sources: Sequence[QuantisedTensor],
        format: Format,
        form: Form,
        reference: Reference,
    ) -> QuantisedTensor:
        """A form of a node's output, which its integer node computes in a format from the sources."""
        name, held = self._target(node.output, form, reference)
        target = QuantisedTensor(name, held, format)
        self.steps.append(NodeStep(node, tuple(sources), target))
        return target

    def rescaled(
        self, node: str, source: QuantisedTensor, tensor: str, form: Form, reference: Reference
    ) -> QuantisedTensor:
        """A form of the float tensor that ``source`` holds, in a narrower format."""
        return self._rescaled(self._alone(node, source, tensor), Reference(tensor), form, reference)

    def _rescaled(
        self, sum_: Accumulation, argument: Reference, form: Form, reference: Reference
    ) -> QuantisedTensor:
        """A form of a sum that holds the values of ``argument``."""
        name, held = self._target(argument.tensor, form, reference)
        activation = self._choices.activation(name, sum_, form, reference, argument)
        target = QuantisedTensor(name, held, activation.format)
        self.steps.append(LinearStep(sum_, target, activation, exact=form.fixed is not None))
        return target

    def _rescaled_gain(self, gain: LinearOperator, reference: Reference) -> QuantisedTensor:
        """A gain, with a scale for each channel where these reach unlike far."""
        tensor, shape = gain.output, self.shape(gain.output)
        name, held = self._target(tensor, HIDDEN, reference)
        scales = self._choices.channel_scales(name, tensor, shape)
        divided = gain.scaled(1 / scales, np.zeros(()), shape)
        assert isinstance(divided, LinearOperator), "a gain takes scales of its channels"
        sum_, choices = self._sum(divided), self._choices.divided(name, tensor, scales)
        activation = choices.activation(name, sum_, HIDDEN, reference, Reference(tensor))
        by_channel = Scale.from_array(along_last_axis(activation.format.unit * scales, shape))
        target = QuantisedTensor(name, held, replace(activation.format, scale=by_channel))
        self.steps.append(LinearStep(sum_, target, activation, scales=scales))
        return target

    def _sum(self, node: LinearOperator) -> Accumulation:
        """The sum that a linear node is."""
        summands, constant = node.summands(1.0, self)
        return Accumulation(node.name, node.output, tuple(summands), constant, prod(self.shape(node.output)))

    def _alone(self, node: str, source: QuantisedTensor, tensor: str) -> Accumulation:
        """The sum of a tensor alone."""
        shape = self.shape(tensor)
        only = multiple(source, tensor, 1.0, node, shape)
        return Accumulation(node, tensor, (only,), np.zeros(()), prod(shape))

    def _target(self, tensor: str, form: Form, reference: Reference) -> tuple[str, str]:
        """The name of a new tensor for a form of ``tensor``, and the float tensor that it holds, if any."""
        plain = form.fixed is None and form.function == reference.function == IDENTITY
        held = tensor if plain else reference.held
        if held and prod(self.shape(held)) != prod(self.shape(tensor)):
            held = ""
        return self._output_names.pop((tensor, form), None) or self._names.fresh(held or tensor), held


def _name_outputs(graph: FloatGraph) -> dict[tuple[str, Form], str]:
    """The ONNX output that a form of a tensor is; one that several outputs are has the first one's name."""
    producers = {node.output: node for node in graph.nodes}
    names: dict[tuple[str, Form], str] = {}
    for output, tensor in graph.outputs.items():
        origin = tensor, PUBLIC
        while (producer := producers.get(origin[0])) is not None:
            before = producer.same_integers(origin[1])
            if before == origin:
                break
            origin = before
        names.setdefault(origin, output)
    return names
