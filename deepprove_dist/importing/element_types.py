"""The element types of ONNX tensors."""

import onnx

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
