"""Bits of a tensor: more where its rounding is much beside what sums of it vary by. The field limits them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import onnx
import pytest

from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.operators.formats import Format
from deepprove_dist.operators.pointwise import IDENTITY, call
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.quantise.activation_bits import ACTIVATION_BITS, LEAST
from deepprove_dist.quantise.activations import Activation, with_few_bends
from deepprove_dist.quantise.calibrate import Statistics, calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.format import coarsened
from deepprove_dist.quantise.format_choices import CalibratedChoices
from deepprove_dist.quantise.names import NewNames
from deepprove_dist.quantise.plan import Plan
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.quantise.ranges import MAXIMUM, RANGE_RULES
from deepprove_dist.quantise.table_sizes import FEWEST_BENDS, MOST, MOST_BENDS, TableSizes
from deepprove_dist.quantise.widths import choose_widths
from deepprove_dist.samples import Samples
from tests.operators.proving import text_model

# The second layer reads two channels: one 500 times as large as what the sum with the other varies by.
UNLIKE = "float[2,2] v = {500, 0, 0, 1}, float[2,1] w = {0.002, 1}, float[2,1] u = {1, 1}"
BODY = "a = MatMul (x, v) h = Relu (a) y = MatMul (h, w)"


def imported(body: str, constants: str) -> ImportedModel:
    return import_proto(text_model(body, "float[1,2] x", constants, opset=13))


def statistics_of(model: ImportedModel) -> Mapping[str, Statistics]:
    samples = Samples({"x": np.random.default_rng(0).normal(size=(64, 1, 2))}, None)
    return calibrate(FloatModel(model), samples)


def widths_of(model: ImportedModel, bits: int) -> list[int]:
    statistics = statistics_of(model)
    inputs = {"x": Format(Scale.of(0.01), -512, 511)}
    choices = CalibratedChoices(statistics, inputs, RANGE_RULES[MAXIMUM], bits)
    plan = Plan(model.graph, choices, NewNames((*model.graph.inputs, *model.graph.outputs)))
    return sorted(choose_widths(plan.steps, statistics, bits).values())


def widths(body: str, constants: str, bits: int) -> list[int]:
    return widths_of(imported(body, constants), bits)


def test_a_tensor_of_unlike_channels_gets_more_bits() -> None:
    (more,) = widths(BODY, UNLIKE.replace("0.002, 1", "0.00002, 1"), 12)
    assert more >= 16
    assert widths(BODY, UNLIKE.replace("500", "1").replace("0.002", "1"), 12) == []


def test_the_fewest_bits_are_for_speed() -> None:
    assert widths(BODY, UNLIKE.replace("0.002, 1", "0.00002, 1"), LEAST) == []


def test_what_is_under_a_root_gets_more_bits_however_few_the_others_have() -> None:
    body = "a = MatMul (x, v) q = Mul (a, a) s = ReduceSum <keepdims=1> (q) y = Sqrt (s)"
    (more,) = widths(body, "float[2,2] v = {1, 0.5, -0.25, 1}", LEAST)
    assert more > LEAST


@pytest.mark.parametrize("reader", ["t = Softmax (h) y = MatMul (t, u)", "m = Max (h, x) y = MatMul (m, u)"])
def test_what_a_table_or_a_maximum_reads_keeps_its_bits(reader: str) -> None:
    model = imported(f"a = MatMul (x, v) h = Relu (a) {reader}", UNLIKE)
    held = quantise(model.graph, statistics_of(model), 12).model.formats["h"]
    assert held.hi - held.lo < 2**12


def test_the_field_limits_the_bits() -> None:
    """Sums of 4096 values have no room for weights beside values of many bits."""
    body = "a = MatMul (x, v) h = Relu (a) y = MatMul (h, w)"
    proto = text_model(body, "float[1,2] x, float[2,4096] v, float[4096,1] w")
    generator = np.random.default_rng(0)
    for value in list(proto.graph.input)[1:]:
        shape = [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        weights = generator.normal(size=shape).astype(np.float32)
        proto.graph.initializer.append(onnx.numpy_helper.from_array(weights, value.name))
        proto.graph.input.remove(value)
    assert all(bits <= 12 for bits in widths_of(import_proto(proto), 12))


def test_a_coarser_format_holds_the_same_reals() -> None:
    format = Format(Scale.of(0.5), -2048, 2047)
    for factor in (1.0, 1.9, 2.0, 7.5, 100.0):
        coarse = coarsened(format, factor)
        assert coarse.unit == pytest.approx(factor * format.unit)
        assert coarse.unit * (coarse.hi + 1) >= format.unit * (format.hi + 1) * (1 - 1e-9)
        assert coarse.hi - coarse.lo >= 2**7 - 1
    divisor = Format(Scale.of(0.5), 3, 255)
    assert replace(coarsened(divisor, 4.0), scale=divisor.scale) == divisor


def test_tables_have_few_pieces() -> None:
    square = Activation(IDENTITY * IDENTITY, 2.0**-16, Format(Scale.of(2.0**-24), 0, 2**24))
    most = 2**12
    few = with_few_bends(square, -1.0, 1.0, most)
    table = few.table((round(-1 / few.unit), round(1 / few.unit)))
    # Not coarser than needed: with half the unit it bends twice as often.
    assert most // 4 < len(table.pieces) <= most
    root = Activation(call(np.maximum, IDENTITY, 0), 2.0**-16, square.format)
    assert with_few_bends(root, -1.0, 1.0, most) == root
    assert with_few_bends(square, -1.0, 1.0, 2**18) == square


def test_tables_grow_with_the_model_and_are_fine_where_bits_are_many() -> None:
    small = imported(BODY, UNLIKE).graph
    shapes = dict.fromkeys(small.shapes, (1, 2**22))
    large = replace(small, shapes=shapes)
    assert TableSizes.of(small, LEAST) == TableSizes()
    assert TableSizes.of(large, LEAST).most == MOST[-1] > MOST[0]
    assert TableSizes.of(large, LEAST).large > TableSizes().large
    assert TableSizes.of(small, ACTIVATION_BITS[-1]).large == MOST[0]


def test_tables_share_what_a_key_can_hold() -> None:
    assert TableSizes().shared_by([]) == TableSizes().shared_by([MOST_BENDS]) == TableSizes()
    assert TableSizes().shared_by([100] * 100) == TableSizes()
    assert TableSizes().shared_by([MOST_BENDS] * 8).bends == MOST_BENDS // 8
    assert TableSizes().shared_by([MOST_BENDS, 36, MOST_BENDS]).bends == MOST_BENDS // 2 - 18
    assert TableSizes().shared_by([2 * MOST_BENDS]).bends == MOST_BENDS
    assert TableSizes().shared_by([MOST_BENDS] * 1000).bends == FEWEST_BENDS
