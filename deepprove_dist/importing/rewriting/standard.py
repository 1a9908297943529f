"""What of the ONNX standard is read: its domain, its opsets, and the element types of tensors."""

import onnx

STANDARD = ("", "ai.onnx")
"""Names of the standard's domain."""

# Before 7, operators broadcast by attributes; onnxruntime promises nothing for them.
OLDEST_OPSET = 7
# The oldest opset that rules read; models of older ones are converted to it.
NATIVE_OPSET = 11

FLOAT_TYPES: tuple[int, ...] = (
    onnx.TensorProto.FLOAT16,
    onnx.TensorProto.FLOAT,
    onnx.TensorProto.DOUBLE,
)


def type_name(kind: int) -> str:
    """The name of an ONNX element type, as the standard's files write it: FLOAT, DOUBLE, INT64."""
    return str(onnx.TensorProto.DataType.Name(kind))


def plain_name(kind: int) -> str:
    """The name of an ONNX element type with its width: float32, float64, int64."""
    return str(onnx.helper.tensor_dtype_to_np_dtype(kind))
