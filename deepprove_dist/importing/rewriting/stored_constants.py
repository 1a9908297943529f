"""Reading the constants of a file, whose data may not fit what the file says of them."""

from typing import Any

import numpy.typing as npt
import onnx
from onnx import numpy_helper

from deepprove_dist.errors import ModelError


def read_constant(tensor: onnx.TensorProto) -> npt.NDArray[Any]:
    """The values of a constant. Raises ModelError, naming it, where type, shape and data do not fit."""
    try:
        return numpy_helper.to_array(tensor)
    except (ArithmeticError, LookupError, TypeError, ValueError, NotImplementedError, MemoryError) as error:
        raise ModelError(
            f"the constant '{tensor.name}' cannot be read: its data do not fit its type and its shape "
            f"{list(tensor.dims)}"
        ) from error
