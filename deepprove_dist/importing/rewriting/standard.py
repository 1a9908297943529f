"""What of the ONNX standard is read: its domain, its opsets, and the element types of tensors."""

import numpy as np
import onnx

STANDARD = ("", "ai.onnx")
"""Names of the standard's domain."""

CLASSICAL = "ai.onnx.ml"
"""The domain of models that are no networks: trees, linear models, and what prepares features for them."""

RUNTIME = "com.microsoft"
"""The domain of onnxruntime's operators, which its optimiser writes."""

# Before 7, operators broadcast by attributes; onnxruntime promises nothing for them.
OLDEST_OPSET = 7
# The oldest opset that rules read; models of older ones are converted to it.
NATIVE_OPSET = 11

FLOAT_TYPES: tuple[int, ...] = (
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
)

INTEGER_TYPES: tuple[int, ...] = (
    onnx.TensorProto.INT8,
    onnx.TensorProto.INT16,
    onnx.TensorProto.INT32,
    onnx.TensorProto.INT64,
    onnx.TensorProto.UINT8,
    onnx.TensorProto.UINT16,
    onnx.TensorProto.UINT32,
    onnx.TensorProto.UINT64,
)
TRUTH_TYPES: tuple[int, ...] = (onnx.TensorProto.BOOL,)
NUMBER_TYPES = FLOAT_TYPES + INTEGER_TYPES
ALL_TYPES = NUMBER_TYPES + TRUTH_TYPES

SUMMED_TYPES: tuple[int, ...] = (*FLOAT_TYPES, onnx.TensorProto.INT32, onnx.TensorProto.INT64)
"""What sums and products may be of: narrower integers could overflow where a proof would not."""

SIGNED_TYPES: tuple[int, ...] = (
    *FLOAT_TYPES,
    onnx.TensorProto.INT8,
    onnx.TensorProto.INT16,
    onnx.TensorProto.INT32,
    onnx.TensorProto.INT64,
)

QUANTISED_TYPES: tuple[int, ...] = (
    onnx.TensorProto.INT4,
    onnx.TensorProto.UINT4,
    onnx.TensorProto.INT8,
    onnx.TensorProto.UINT8,
    onnx.TensorProto.INT16,
    onnx.TensorProto.UINT16,
)
"""Types that QuantizeLinear gives, whose integers stand for numbers."""

MOVED_TYPES: tuple[int, ...] = tuple(dict.fromkeys(ALL_TYPES + QUANTISED_TYPES))
"""What operators may compute that only move values, or choose among them."""


def type_name(kind: int) -> str:
    """The name of an ONNX element type, as the standard's files write it: FLOAT, DOUBLE, INT64."""
    known = kind in onnx.TensorProto.DataType.values()
    return str(onnx.TensorProto.DataType.Name(kind)) if known else f"type {kind}"


def whole_range(kind: int) -> tuple[int, int] | None:
    """The smallest and the largest value of a type of integers or truth values; None for another one."""
    if kind in TRUTH_TYPES:
        return 0, 1
    if kind not in INTEGER_TYPES:
        return None
    limits = np.iinfo(onnx.helper.tensor_dtype_to_np_dtype(kind))
    return int(limits.min), int(limits.max)


def plain_name(kind: int) -> str:
    """The name of an ONNX element type with its width: float32, float64, int64."""
    return str(onnx.helper.tensor_dtype_to_np_dtype(kind))
