"""What is wrong with a model that contradicts itself, in one sentence."""

import re

import onnx

from deepprove_dist.errors import ModelError

_AT_NODE = re.compile(r"\(op_type:(\w+), node name: (.*?)\): (?:\[\w+\] )?(.*)", re.DOTALL)


def require_consistent(model: onnx.ModelProto) -> None:
    """Raises ModelError, naming the node, where the shapes of a model cannot be inferred strictly."""
    try:
        onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    except onnx.shape_inference.InferenceError as error:
        raise contradiction(error) from error


def contradiction(error: Exception) -> ModelError:
    """The error for what shape inference says of a model."""
    text = str(error)
    if (match := _AT_NODE.search(text)) is not None:
        operator, name, why = match.groups()
        return ModelError(f"the model contradicts itself at {operator} '{name}': {one_line(why)}")
    return ModelError(f"the model contradicts itself: {one_line(text)}")


def one_line(text: str) -> str:
    """A text in one line, without a full stop."""
    return " ".join(text.split()).rstrip(".")
