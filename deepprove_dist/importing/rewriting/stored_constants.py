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
    # The onnx package has no error of its own for this. A number that is no element type is a KeyError, a
    # type that is left undefined a TypeError, and all else a ValueError.
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"the constant '{tensor.name}' cannot be read: its data do not fit its type and its shape "
            f"{list(tensor.dims)}"
        ) from error
