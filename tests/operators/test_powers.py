"""Powers, slopes and normalisation by neighbours, of computed tensors; integers of narrow types."""

import numpy as np
import pytest

import deepprove_dist as dp
from deepprove_dist.errors import UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from tests.importing.onnx_comparison import assert_same, model
from tests.operators.proving import assert_proven, text_model


def test_a_network_with_them_is_proven() -> None:
    body = """
    base = Softplus (x)
    power = Pow (base, s)
    negative = PRelu (x, s)
    near = LRN <size = 3, alpha = 0.5> (x)
    some = Add (power, negative)
    y = Add (some, near)
    """
    assert_proven(text_model(body, "float[1, 4, 3, 3] x, float[1, 4, 1, 1] s"), 0.03)


@pytest.mark.parametrize("operator", ["Pow", "Mod"])
def test_constants_of_several_values(operator: str) -> None:
    attributes = " <fmod = 1>" if operator == "Mod" else ""
    constant = "<float[3] c = {2, 3, 1}>"
    assert_same(
        model(f"g (float[4, 3] x) => (float[4, 3] y) {constant} {{ y = {operator}{attributes} (x, c) }}")
    )


@pytest.mark.parametrize("reduction", ["mul", "max", "min"])
@pytest.mark.parametrize("constant", ["", "d", "u"])
def test_scatters_with_a_reduction(reduction: str, constant: str) -> None:
    inputs = {"d": "float[5, 2] d", "u": "float[3, 2] u"}
    stated = {
        "d": "float[5, 2] d = {1, 2, 3, 4, 5, 6, 7, 8, 9, 1}",
        "u": "float[3, 2] u = {1, 2, 3, 4, 5, 6}",
    }
    signature = ", ".join(text for name, text in inputs.items() if name != constant)
    constants = ", ".join(["int64[3, 1] i = {1, 4, 1}", *([stated[constant]] if constant else [])])
    node = f'y = ScatterND <reduction = "{reduction}"> (d, i, u)'
    assert_same(model(f"g ({signature}) => (float[5, 2] y) <{constants}> {{ {node} }}", 18))


def test_narrow_integers_wrap() -> None:
    """They are those of numpy, all the way to a verified proof; quotients are cut off towards zero."""
    x, y = (np.array(values, np.int8) for values in ([100, -100, 3, -7], [101, -3, -128, 2]))
    with np.errstate(over="ignore"):
        expected = {"Add": x + y, "Sub": x - y, "Mul": x * y, "Max": np.maximum(x, y)}
    expected["Div"] = np.trunc(x / y.astype(np.float64)).astype(np.int8)
    outputs = ", ".join(f"int8[4] {operator.lower()}" for operator in expected)
    nodes = "\n".join(f"{operator.lower()} = {operator} (x, y)" for operator in expected)
    source = model(f"g (int8[4] x, int8[4] y) => ({outputs}) {{ {nodes} }}")
    samples = {
        name: np.stack([np.roll(values, k) for k in range(16)]) for name, values in (("x", x), ("y", y))
    }
    keys = dp.setup(source, samples, transparent=True, threads=1)
    output = keys.verifying.verify(keys.prove({"x": x, "y": y})).output
    for operator, values in expected.items():
        np.testing.assert_array_equal(output[operator.lower()].reshape(-1), values)


def test_integers_raised_to_floats_are_refused() -> None:
    with pytest.raises(UnsupportedModelError, match="its exponent a computed float"):
        import_proto(model("g (int32[3] x, float[3] y) => (int32[3] z) { z = Pow (x, y) }"))


def test_constants_of_many_values_are_refused() -> None:
    exponents = ", ".join(str(value / 7) for value in range(40))
    body = f"g (float[40] x) => (float[40] y) <float[40] c = {{{exponents}}}> {{ y = Pow (x, c) }}"
    with pytest.raises(UnsupportedModelError, match="a constant of many values"):
        import_proto(model(body))


def test_outputs_that_rise_where_calibration_saw_nothing_are_fine() -> None:
    """An input's range begins at 0, where the function is infinite."""
    source = text_model("y = Pow (x, e)", "float[1,6] x", "float e = {-2}")
    x = np.random.default_rng(0).uniform(0.5, 2, (40, 1, 6))
    keys = dp.setup(source, x, transparent=True, threads=1)
    output = keys.verifying.verify(keys.prove(x[:1])).output["y"]
    np.testing.assert_allclose(output.reshape(-1), x[0].reshape(-1) ** -2, rtol=0.01)
