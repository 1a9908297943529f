"""Lowers a whole integer model: a deterministic function of the model alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from math import prod
from re import compile as pattern

from deepprove_dist.errors import FormatError, ModelError
from deepprove_dist.lowering.axes import fine_axes
from deepprove_dist.lowering.builder import MAX_PARTS, Builder, Lowered, Source
from deepprove_dist.lowering.expression import Expression, stored
from deepprove_dist.model.hidden_names import NOTHING_HIDDEN, HiddenNames
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.rows_by_input import rows_by_input
from deepprove_dist.model.validate import analyse
from deepprove_dist.operators.integer_operator import Analysis
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.registry import OPERATORS
from deepprove_dist.operators.selected_rows import lower_public_rows
from deepprove_dist.protocol.system import system as lowered
from deepprove_dist.protocol.system.bounds import with_rounded_bounds
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.table import Table

_BEYOND = pattern(r"relation '(.*)' could wrap")


def lower(model: IntegerModel, *, rounded: bool = False, hidden: HiddenNames = NOTHING_HIDDEN) -> Lowered:
    """The model's tensors and relations.

    `rounded` widens the bounds that follow from weights, for keys that hide these. `hidden` are the inputs
    and outputs that have a commitment in the statement.

    Raises ChoiceError for hidden ones that the model does not have. Raises ModelError, naming the node, for a
    combination of operators that has no relations. It is raised for sums beyond the field, too.
    """
    hidden.require([tensor.name for tensor in model.inputs], [tensor.name for tensor in model.outputs])
    analysis = analyse(model)
    rows = rows_by_input(model, analysis.shapes, hidden)
    nodes = [node for node in model.nodes if node.output not in rows.unread]
    builder = Builder(rounded=rounded, uses=_uses_of_tables(nodes, analysis))
    values: dict[str, Expression] = {}
    inputs = []
    for tensor in model.inputs:
        # A place holder gives the new tensor its index space.
        space = stored(0, tensor.shape, fine_axes(tensor.shape))
        values[tensor.name] = builder.witness(tensor.name, space, Source(tensor.name))
        value = values[tensor.name]
        inputs.append(_public(tensor, value, builder, hidden=tensor.name in hidden.inputs))
    builder.come_from("")
    for node in nodes:
        if node.output in rows.indices:
            values[node.output] = lower_public_rows(node, rows.indices[node.output].input, analysis, builder)
            builder.come_from(node.name)
            continue
        arguments = [values[name] for name in node.inputs if name in values]
        if sum(value.parts for value in arguments) > MAX_PARTS:
            raise ModelError(f"'{node.name}': its inputs add up too much for a key; requantise some of them")
        values[node.output] = OPERATORS[node.operator].lower(node, arguments, analysis, builder)
        builder.come_from(node.name)
    outputs = []
    for tensor in model.outputs:
        value = builder.store(tensor.name, values[tensor.name], Source(tensor.name))
        is_hidden = tensor.name in hidden.outputs
        outputs.append(_public(tensor, value, builder, hidden=is_hidden, computed=True))
    result = builder.finish(tuple(inputs), tuple(outputs))
    if rounded:
        result = replace(result, system=with_rounded_bounds(result.system))
    _require_valid(result.system)
    return replace(result, rows=rows)


def _require_valid(system: lowered.System) -> None:
    """Raises ModelError, naming the layer, where a sum could wrap, and FormatError for any fault of ours."""
    try:
        check(system)
    except FormatError as error:
        if (beyond := _BEYOND.search(str(error))) is None:
            raise
        raise ModelError(
            f"'{beyond[1]}' adds up integers beyond what a proof holds. Let it add up fewer or smaller ones, "
            "or take fewer activation bits (activation_bits=8), if they are more now"
        ) from error


def _uses_of_tables(nodes: Iterable[Node], analysis: Analysis) -> dict[Table, int]:
    """How many values of a sample each table of some nodes is applied to."""
    uses: dict[Table, int] = {}
    for node in nodes:
        for table in node.attributes.values():
            if isinstance(table, Table):
                uses[table] = uses.get(table, 0) + prod(analysis.shapes[node.output])
    return uses


def _public(
    tensor: ModelTensor, value: Expression, builder: Builder, *, hidden: bool, computed: bool = False
) -> lowered.PublicTensor:
    interval = (tensor.lo, tensor.hi)
    if hidden:
        source = Source(tensor.name)
        value, interval = builder.hide(tensor.name, value, source, interval, computed=computed)
    assert value.stored is not None, "public tensors are committed"
    return lowered.PublicTensor(tensor.name, value.stored, tensor.shape, *interval, tensor.scale)
