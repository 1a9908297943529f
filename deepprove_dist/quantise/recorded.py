"""The choices that a finished integer model records, to build it from its float graph again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.errors import InputError
from deepprove_dist.field import LARGEST_SIGNED
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.operators.formats import EXACT, HIDDEN, Form, Format, Reference
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.pointwise import IDENTITY
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.operators.requantise import is_requantisation
from deepprove_dist.operators.requantise import read as read_requantisation
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Interval, Table
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS
from deepprove_dist.quantise.activations import Activation
from deepprove_dist.quantise.by_channel import recorded_scales
from deepprove_dist.quantise.format import LEAST_BITS
from deepprove_dist.quantise.format_choices import exact_format
from deepprove_dist.quantise.inputs import COMPARED_BITS, WIDE_BITS
from deepprove_dist.quantise.precision import Precision
from deepprove_dist.quantise.steps import Accumulation
from deepprove_dist.quantise.whole import whole_activation_of_sum, whole_activation_of_tensor

INPUT_SPANS = {2**bits - 1 for bits in (*ACTIVATION_BITS, *WIDE_BITS, COMPARED_BITS)}


class NotRecordedError(InputError):
    """A choice that a model of this float graph records, and this one does not."""


@dataclass(frozen=True)
class RecordedChoices:
    """The formats in a model. Raises NotRecordedError, naming the tensor, where there is none.

    ``wholes`` are the inputs of integers, with the ranges of their types.
    """

    model: IntegerModel
    wholes: Mapping[str, Interval] = field(default_factory=dict)

    def input(self, name: str) -> Format:
        """That of the model's input, of as many bits as quantisation may choose."""
        for tensor in self.model.inputs:
            if tensor.name == name:
                if not self._may_be_chosen(tensor):
                    raise NotRecordedError(
                        f"the input '{name}' has the range [{tensor.lo}, {tensor.hi}]; quantisation chooses "
                        "no such range"
                    )
                return Format(tensor.scale, tensor.lo, tensor.hi)
        raise NotRecordedError(f"the model has no input '{name}'")

    def _may_be_chosen(self, tensor: ModelTensor) -> bool:
        if not tensor.lo <= 0 <= tensor.hi:
            return False
        ends = self.wholes.get(tensor.name)
        if ends is None:
            return tensor.hi - tensor.lo in INPUT_SPANS
        return tensor.scale == Scale.of(1.0) and ends[0] <= tensor.lo and tensor.hi <= ends[1]

    def accumulator(self, target: str, sum_: Accumulation, form: Form) -> Format:
        """It is clamped nowhere."""
        if form == EXACT:
            return exact_format(sum_, self._format(target).unit)
        return Format(self._format(target).scale, -LARGEST_SIGNED, LARGEST_SIGNED)

    def activation(
        self, target: str, sum_: Accumulation, form: Form, reference: Reference, argument: Reference
    ) -> Activation:
        """Units of the quotients are those of the accumulator times 2^shift."""
        node = self._requantisation(target)
        shift, _, _ = read_requantisation(node.attributes)
        unit = self._format(node.inputs[0]).unit * 2**shift
        if form.fixed is not None:
            return Activation(form.function, unit, form.fixed)
        exact = whole_activation_of_sum(sum_, form.function, None, unit, public=form.public)
        if exact is not None:
            return exact
        return Activation(form.function, unit, self._clamped(target, form))

    def channel_scales(self, target: str, tensor: str, shape: Shape) -> FloatArray:
        """What the scales of the model's tensor are to the largest of them."""
        scales = recorded_scales(self._recorded(target).scale, shape)
        if scales is None:
            raise NotRecordedError(f"'{target}' has scales by channel that quantisation does not choose")
        return scales

    def divided(self, target: str, tensor: str, scales: FloatArray) -> RecordedChoices:
        """With the largest of the tensor's scales."""
        format = self._recorded(target)
        single = replace(format, scale=Scale.of(float(format.scale.array.max())))
        return replace(self, model=replace(self.model, formats={**self.model.formats, target: single}))

    def table(self, target: str, source: QuantisedTensor, form: Form, reference: Reference) -> Activation:
        """Quotients are the source's integers."""
        self._requantisation(target)
        if form.fixed is not None:
            return Activation(form.function, source.format.unit, form.fixed)
        exact = whole_activation_of_tensor(source.format, form.function, public=form.public)
        if exact is not None:
            return exact
        return Activation(form.function, source.format.unit, self._clamped(target, form))

    def part(self, target: str, source: QuantisedTensor, reference: Reference) -> Activation:
        """The identity of the source's integers, whole ones too: the format is that of the whole."""
        self._requantisation(target)
        return Activation(IDENTITY, source.format.unit, self._clamped(target, HIDDEN))

    def precision(self, target: str, table: int) -> Precision:
        """Shift and limbs of a rescaling."""
        shift, _, limbs = read_requantisation(self._requantisation(target).attributes)
        return Precision(shift, limbs, table)

    def tables(self) -> dict[str, Table]:
        """The table of every rescaling, by its output."""
        nodes = (node for node in self.model.nodes if is_requantisation(node))
        return {node.output: read_requantisation(node.attributes)[1] for node in nodes}

    def _requantisation(self, target: str) -> Node:
        for node in self.model.nodes:
            if node.output == target and is_requantisation(node):
                return node
        raise NotRecordedError(f"the model has no rescaling that gives '{target}'")

    def _clamped(self, target: str, form: Form) -> Format:
        """A format of one scale that quantisation could have chosen."""
        format = self._format(target)
        if format.hi - format.lo < 2**LEAST_BITS - 1 or form.divides == (format.lo <= 0 <= format.hi):
            raise NotRecordedError(
                f"'{target}' is clamped to [{format.lo}, {format.hi}]; quantisation chooses no such range"
            )
        if form.public and format.hi < LARGEST_SIGNED:
            raise NotRecordedError(f"the output '{target}' is clamped at {format.hi}")
        return format

    def _format(self, name: str) -> Format:
        format = self._recorded(name)
        if not format.scale.is_single:
            raise NotRecordedError(f"the model has scales by channel for '{name}'; quantisation has one")
        return format

    def _recorded(self, name: str) -> Format:
        format = self.model.formats.get(name)
        if format is None:
            raise NotRecordedError(f"the model does not say in what format it holds '{name}'")
        return format
