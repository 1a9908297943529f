"""Tables of rounded domains are larger, of the same values, and have room."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx.parser
import pytest

from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.model.inference import infer
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.requantise import is_requantisation, read
from deepprove_dist.protocol.system.bounds import rounded_interval
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from deepprove_dist.quantise.select import quantise_best
from deepprove_dist.samples import Samples
from deepprove_dist.samples.rounding import quantise_inputs

WEIGHTS = (
    "float[4,3] v = {0.5, -1, 2, 0.25, 1, 1.5, -0.5, 3, -2, 0.75, 1, -1}, "
    "float[3,3] w = {1, 2, 3, 4, -5, 6, -7, 8, 9}"
)
FUNCTIONS = ("Relu", "Tanh", "Sigmoid", "Softplus")


def network(function: str) -> ImportedModel:
    text = (
        f'<ir_version: 8, opset_import: ["": 17]> g (float[1,4] x) => (float[1,3] y) <{WEIGHTS}> '
        f"{{ a = MatMul (x, v) b = {function} c = MatMul (b, w) y = Relu (c) }}"
    )
    return import_proto(onnx.parser.parse_model(text))


def samples(count: int = 50) -> Samples:
    return Samples({"x": np.random.default_rng(3).normal(size=(count, 1, 4))}, None)


def tables(model: IntegerModel) -> Mapping[str, tuple[int, Table]]:
    nodes = [node for node in model.nodes if is_requantisation(node)]
    return {node.output: read(node.attributes)[:2] for node in nodes}


def both(imported: ImportedModel) -> tuple[IntegerModel, IntegerModel]:
    """The model without and with rounded tables."""
    statistics = calibrate(FloatModel(imported), samples())
    exact, rounded = (quantise(imported.graph, statistics, rounded=rounded) for rounded in (False, True))
    return exact.model, rounded.model


@pytest.mark.parametrize("function", FUNCTIONS)
def test_domains_are_rounded_and_values_stay(function: str) -> None:
    exact, rounded = both(network(f"{function} (a)"))
    assert tables(exact).keys() == tables(rounded).keys()
    for name, (shift, table) in tables(rounded).items():
        ends = table.first, table.first + table.size - 1
        assert ends == rounded_interval(*ends)
        before_shift, before = tables(exact)[name]
        if before_shift == shift:
            domain = np.arange(before.first, before.first + before.size)
            assert np.array_equal(table.apply(domain), before.values())
            assert table.size > before.size
    inputs = quantise_inputs(exact, samples().inputs)
    one, other = (infer(model, inputs).outputs["y"] * model.outputs[0].scale for model in (exact, rounded))
    assert np.abs(np.asarray(one) - np.asarray(other)).max() <= 0.02 * np.abs(np.asarray(one)).max()
    lower(rounded, rounded=True)


def test_no_table_of_a_rounded_model_is_larger_than_p_allows() -> None:
    """With many bits shifts are as large as tables let them be."""
    imported = network("Relu (a)")
    statistics = calibrate(FloatModel(imported), samples())
    for bits in (8, 12):
        lower(quantise(imported.graph, statistics, bits, rounded=True).model, rounded=True)


def test_the_best_rule_can_be_had_with_rounded_tables() -> None:
    imported = network("Tanh (a)")
    model = quantise_best(FloatModel(imported), samples(), rounded=True).final.quantised.model
    for _, table in tables(model).values():
        ends = table.first, table.first + table.size - 1
        assert ends == rounded_interval(*ends)
