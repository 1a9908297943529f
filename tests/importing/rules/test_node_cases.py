"""The ONNX package's own cases of single operators: our float graph computes what each of them expects."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx.backend.test.case.node import collect_testcases
from onnx.backend.test.case.test_case import TestCase

from deepprove_dist.errors import ModelError, Problem, UnsupportedModelError
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.rewriting.standard import OLDEST_OPSET
from deepprove_dist.importing.rules import RULES
from tests.importing.onnx_comparison import evaluate

# Operators whose inputs are all computed; of others all but the first are constants.
OF_TENSORS = (
    *("Add", "And", "Concat", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Max"),
    *("Mean", "Min", "Or", "Sub", "Sum", "Where", "Xor"),
)

# Operators whose cases may have integers and truth values.
OF_ANY_TYPE = (
    *("And", "BitwiseNot", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "Or"),
    *("Sign", "Where", "Xor"),
)

# What may be refused, by parts of the cases' names: other types, indices, training, broadcasting,
# tensors without elements.
REFUSED_PARTS = (
    "layer_normalization",
    "int",
    "e4m3",
    "e5m2",
    "e2m1",
    "bfloat16",
    "bool",
    "scales_linear",
    "sizes_linear",
    "resize_tf",
    "s_cubic",
    "argmax",
    "training",
    "empty_set",
    "mod_mixed_sign_float",
    "mixed_sign_fmod_0",
    "float_edge_cases_fmod_0",
)
REFUSED = (
    "test_pow",
    "test_pow_bcast_array",
    "test_pow_example",
    "test_prelu_broadcast",
    "test_prelu_example",
    "test_reshape_allowzero_reordered",
    "test_scatter_elements_with_reduction_max",
    "test_scatter_elements_with_reduction_min",
    "test_scatter_elements_with_reduction_mul",
    "test_scatternd_max",
    "test_scatternd_max_with_element_indices",
    "test_scatternd_min",
    "test_scatternd_min_with_element_indices",
    "test_scatternd_multiply",
    "test_slice_start_out_of_bounds",
    "test_split_zero_size_splits_opset13",
    "test_split_zero_size_splits_opset18",
    "test_tril_zero",
    "test_triu_zero",
)
# Of integers, but not refused.
OF_INTEGERS = tuple(
    f"test_{name}"
    for name in (
        "clip_default_int8_inbounds",
        "clip_default_int8_max",
        "clip_default_int8_min",
        "dequantizelinear_int16",
        "dequantizelinear_uint16",
        "gathernd_example_int32",
        "gathernd_example_int32_batch_dim1",
        "maxpool_2d_uint8",
        "quantizelinear_int16",
        "quantizelinear_int4",
        "quantizelinear_uint16",
        "quantizelinear_uint4",
    )
)
# Those that depend on a shape alone have constant outputs, which no model may have.
OPERATORS = {name for name, rule in RULES.items() if not rule.of_shape} - {
    "Cast",
    "CastLike",
    "Dropout",
    "Identity",
    "MatMul",
}


# A scale that gives no whole number of positions: onnxruntime, which we follow, rounds that first.
ROUNDED = tuple(f"test_resize_downsample_scales_{mode}_align_corners" for mode in ("linear", "cubic"))


def _applies(case: TestCase) -> bool:
    source = _model(case)
    nodes, opset = source.graph.node, source.opset_import[0].version
    return (
        case.name not in ROUNDED
        and len(nodes) == 1
        and nodes[0].op_type in OPERATORS
        and opset >= OLDEST_OPSET
    )


def _model(case: TestCase) -> onnx.ModelProto:
    assert case.model is not None, "the package's cases of nodes have models"
    return case.model


def _refused(name: str) -> bool:
    if _model(ALL[name]).graph.node[0].op_type in OF_ANY_TYPE:
        return "string" in name
    parts = any(part in name for part in REFUSED_PARTS) and name not in OF_INTEGERS
    return name in REFUSED or parts


with warnings.catch_warnings():
    # Some of the package's cases overflow on purpose.
    warnings.simplefilter("ignore", RuntimeWarning)
    COLLECTED = collect_testcases(None)
ALL = {case.name: case for case in COLLECTED if _applies(case)}
EVERY = [_model(case) for case in COLLECTED]
CASES = [name for name in ALL if not _refused(name)]


def _constant_inputs(case: TestCase) -> tuple[onnx.ModelProto, dict[str, npt.NDArray[Any]]]:
    """The case's model with constants where we need them, and the values of all its inputs."""
    ((arguments, _),) = case.data_sets or []
    source = onnx.ModelProto()
    source.CopyFrom(_model(case))
    names = [value.name for value in source.graph.input]
    values = {name: _array(value) for name, value in zip(names, arguments, strict=True)}
    computed = names if source.graph.node[0].op_type in OF_TENSORS else names[:1]
    constants = [name for name in names if name not in computed]
    source.graph.initializer.extend(onnx.numpy_helper.from_array(values[name], name) for name in constants)
    return source, {name: values[name] for name in computed}


def _array(value: Any) -> npt.NDArray[Any]:
    """Of types that numpy has none of, cases hold tensors of ONNX."""
    return onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


@pytest.mark.parametrize("first", range(4))
def test_every_operator_is_imported_or_refused_by_name(first: int) -> None:
    """Whatever its types, attributes and inputs are."""
    for source in EVERY[first::16]:
        for problem in _problems(source):
            assert problem.node
            assert problem.operator
            assert problem.reason
            assert problem.supported or problem.advice


def _problems(source: onnx.ModelProto) -> tuple[Problem, ...]:
    try:
        import_proto(source)
    except UnsupportedModelError as error:
        return error.problems
    return ()


def test_cases_are_found() -> None:
    assert len(CASES) > 100
    tested = {_model(ALL[name]).graph.node[0].op_type for name in CASES}
    assert tested >= {"Conv", "MaxPool", "AveragePool", "BatchNormalization", "Gelu", "HardSwish", "Concat"}


@pytest.mark.parametrize("name", ALL)
def test_node_cases(name: str) -> None:
    """Right, or refused where that may be."""
    source, inputs = _constant_inputs(ALL[name])
    try:
        graph = import_proto(source).graph
    except ModelError:
        assert name not in CASES
        return
    outputs = evaluate(graph, {name: value.astype(np.float64) for name, value in inputs.items()})
    ((_, expected),) = ALL[name].data_sets or []
    for value, wanted in zip(source.graph.output, map(_array, expected), strict=True):
        if value.name in outputs:
            assert outputs[value.name].shape == wanted.shape
            tolerance = max(ALL[name].rtol, 1e-5)
            np.testing.assert_allclose(
                outputs[value.name], wanted.astype(np.float64), rtol=tolerance, atol=1e-5
            )
