"""That a lowered model's relations and lookups hold over the integers for an inference."""

from __future__ import annotations

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Lowered
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.lookup.tree import table_columns
from deepprove_dist.protocol.system.check import proven_ranges
from deepprove_dist.protocol.system.ranges import affine_range
from deepprove_dist.protocol.system.system import Affine, Matrix, System
from tests.protocol.naive import affine_values, product_values
from tests.records import replace


def check_inference(model: IntegerModel, x: dict[str, IntArray]) -> None:
    """Relations and lookups hold, and all values are within their proven ranges."""
    lowered = lower(model)
    values = values_of(model, lowered, x)
    system = lowered.system.for_batch(len(next(iter(x.values()))))
    check_relations(system, values)
    check_lookups(system, values)
    ranges = proven_ranges(system)
    for tensor in lowered.sources:
        low, high = ranges[tensor]
        assert low <= values[tensor].min()
        assert values[tensor].max() <= high


def values_of(model: IntegerModel, lowered: Lowered, x: dict[str, IntArray]) -> dict[int, IntArray]:
    """All tensors but multiplicities, for an inference."""
    trace = infer(model, x)
    samples = len(next(iter(x.values())))
    values = {tensor: model.constants[name] for tensor, name in lowered.constants.items()}
    for tensor, source in lowered.sources.items():
        values[tensor] = source.read(trace.values, trace.columns)
    tensors = lowered.system.for_batch(samples).tensors
    return {index: array.reshape(tensors[index].shape) for index, array in values.items()}


def witness_part(system: System, affine: Affine) -> Affine:
    """The expression without its weights."""
    terms = tuple(t for t in affine.terms if system.tensors[t.tensor].matrix is Matrix.WITNESS)
    return replace(affine, terms=terms)


def check_relations(system: System, values: dict[int, IntArray]) -> None:
    ranges = proven_ranges(system)
    for relation in system.relations:
        affine = relation.affine
        witness = affine_values(system, witness_part(system, affine), values)
        hidden = witness - affine_values(system, affine, values)
        for product in relation.products:
            hidden = hidden + product_values(system, product, affine.space, values)
        assert np.array_equal(witness, hidden)
        # The bounds that exclude wrapping.
        assert relation.low <= hidden.min()
        assert hidden.max() <= relation.high
        low, high = affine_range(system, affine, ranges)
        assert low <= witness.min()
        assert witness.max() <= high
        assert max(high - relation.low, relation.high - low) < MODULUS


def check_lookups(system: System, values: dict[int, IntArray]) -> None:
    for lookup in system.lookups:
        entries = table_columns(system.tables[lookup.table])
        columns = [affine_values(system, column, values) for column in lookup.columns]
        rows = columns[0] - entries[0][0]
        assert rows.min() >= 0
        for column, column_entries in zip(columns, entries, strict=True):
            assert np.array_equal(column, column_entries[rows])
