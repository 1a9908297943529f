"""What each node of a model adds to a proof: committed values, lookups, and milliseconds by the cost model.

The model is quantised on random inputs, as for an estimate. A table that several nodes share counts for the
first of them. Times are for two cores with AVX-512.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

from deepprove_dist.estimating import lower_by_guess
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.parameters import Portion, estimated_milliseconds, portion_milliseconds
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS
from deepprove_dist.setup_options import Options, choose_schedule

REST = ""
"""The name of what no node has: inputs and outputs, what every proof costs, and padding."""


@dataclass(frozen=True)
class NodeCost:
    """What a node adds to a proof of one sample.

    Attributes:
        weights: values of its weights.
        values: committed values of the witness.
        lookups: fractions of the lookup argument, of lookups and of tables.
        proving_ms: milliseconds on two cores with AVX-512.
    """

    weights: int
    values: int
    lookups: int
    proving_ms: float


def node_costs(imported: ImportedModel, options: Options) -> Mapping[str, NodeCost]:
    """The cost of each node by its name, and under `REST` of all that is no node's.

    Raises as `setup` does, for a model that has no integers within the field's bounds.
    """
    lowered = lower_by_guess(imported, options, ACTIVATION_BITS[0])
    system = lowered.system.for_batch(1)
    shape, schedule = protocol_shape(system), choose_schedule(system, options)
    portions = _portions(lowered)
    whole = Portion(*(sum(column) for column in zip(*map(_counts, portions.values()), strict=True)))
    costs = {
        name: NodeCost(
            part.weights, part.values, part.lookups, portion_milliseconds(schedule, shape, whole, part)
        )
        for name, part in portions.items()
    }
    total = estimated_milliseconds(schedule, shape, whole.weights)
    of_nodes = sum(cost.proving_ms for name, cost in costs.items() if name != REST)
    costs[REST] = replace(costs[REST], proving_ms=total - of_nodes)
    return costs


def _portions(lowered: Lowered) -> Mapping[str, Portion]:
    """By node; `REST` is always there."""
    system, origins = lowered.system.for_batch(1), lowered.origins
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0], {REST: [0, 0, 0, 0]})
    of_table: dict[int, str] = {}
    for lookup, node in zip(system.lookups, origins.lookups, strict=True):
        counts[node][2] += prod(lookup.columns[0].space)
        of_table.setdefault(lookup.table, node)
    multiplicities = {}
    for index, table in enumerate(system.tables):
        node = of_table.get(index, REST)
        counts[node][2] += table.size
        multiplicities[table.multiplicity] = node
    for index, tensor in enumerate(system.tensors):
        node = multiplicities.get(index, origins.tensors[index])
        counts[node][0 if tensor.matrix is Matrix.WEIGHTS else 1] += prod(tensor.shape)
    for relation, node in zip(system.relations, origins.relations, strict=True):
        counts[node][3] += len(relation.products)
    return {name: Portion(*values) for name, values in counts.items()}


def _counts(portion: Portion) -> tuple[int, int, int, int]:
    return portion.weights, portion.values, portion.lookups, portion.contractions
