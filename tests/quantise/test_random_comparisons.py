"""Random ONNX networks are compared with their own integer models, and with those of changed weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import onnx
from hypothesis import assume, given
from hypothesis import strategies as st

from deepprove_dist.arrays import IntArray
from deepprove_dist.importing.load import ImportedModel, import_proto
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.quantise.calibrate import calibrate
from deepprove_dist.quantise.comparison import differences
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.quantise.quantise import quantise
from tests.examples import few
from tests.importing.random_networks import networks
from tests.quantise.test_networks import network, samples_of

BITS = st.sampled_from((8, 10, 12))
CHANGES: dict[str, Callable[[IntArray], IntArray]] = {
    "negated": lambda values: -values,
    "zero": lambda values: 0 * values,
    "doubled": lambda values: 2 * values,
}


def integer_model(imported: ImportedModel, bits: int) -> IntegerModel:
    return quantise(imported.graph, calibrate(FloatModel(imported), samples_of(imported, 8)), bits).model


@few(40)
@given(source=networks(), bits=BITS)
def test_the_model_of_a_network_is_its_own(source: onnx.ModelProto, bits: int) -> None:
    imported = import_proto(source)
    assert differences(integer_model(imported, bits), imported.graph) == []


@few(40)
@given(source=networks(), bits=BITS, change=st.sampled_from(sorted(CHANGES)))
def test_changed_weights_are_found(source: onnx.ModelProto, bits: int, change: str) -> None:
    imported = import_proto(source)
    model = integer_model(imported, bits)
    assume(any(values.any() for values in model.constants.values()))
    constants = {name: CHANGES[change](values) for name, values in model.constants.items()}
    assert differences(replace(model, constants=constants), imported.graph)


def test_a_layer_that_is_read_as_it_is_and_normalised() -> None:
    """It becomes two layers of one name."""
    normalised = "BatchNormalization (h, six2, six2, six2, six2)"
    imported = network(
        f"six2 = Constant <value_floats = [6.0, 5.0]> () h = Conv (x, j) b = {normalised} "
        "y = Concat <axis = 1> (b, h)"
    )
    assert differences(integer_model(imported, 8), imported.graph) == []
