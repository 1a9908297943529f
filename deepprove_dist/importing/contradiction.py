"""What is wrong with a model that contradicts itself, in one sentence."""

import re

import onnx

from deepprove_dist.errors import ModelError

# Of several errors the first: others follow from it.
_AT_NODE = re.compile(
    r"\(op_type:(\w*), node name: (.*?)\): (?:\[\w+\] )?(.*?)(?=\s*\(op_type:|$)(?s:.*)", re.DOTALL
)
# How onnx begins what it says: "[ShapeInferenceError] Inference error(s): ".
_PREFIX = re.compile(r"\[\w+\] ?|Inference error\(s\): ?|\S+\.(?:cc|h):\d+:? ?|Assertion .*? failed: ?")


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
        return ModelError(f"the model contradicts itself at {operator} '{name}': {plain(why)}")
    if isinstance(error, (onnx.shape_inference.InferenceError, onnx.checker.ValidationError)):
        return ModelError(f"the model contradicts itself: {plain(text)}")
    return ModelError(
        "the model contradicts itself; onnx.checker.check_model(path, full_check=True) may say where"
    )


def plain(text: str) -> str:
    """What onnx says, in one line, without the names of its errors and files."""
    return one_line(_PREFIX.sub("", text))


def one_line(text: str) -> str:
    """A text in one line, without a full stop."""
    return " ".join(text.split()).rstrip(".")
