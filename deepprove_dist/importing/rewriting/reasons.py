"""Why a node cannot be mapped, and what a user can do about it."""

from collections.abc import Sequence

from deepprove_dist.errors import ModelError

FLOAT_TENSORS = "float16, float32 and float64 tensors"
FIXED_SHAPES = (
    "export the model with fixed shapes, or state them with shapes={'INPUT': (SIZE, ...)}. "
    "Only the batch axis may be left open"
)
CUT = (
    "export the model another way: torch.onnx.export with dynamo=False may choose other operators. "
    "Or prove the part before such nodes with outputs=['TENSOR'], or cut it out with onnx.utils.extract_model"
)
PLAIN_SCORES = "state NONE as post_transform, and apply the function by operators of the standard"
AFTER_EVAL = "export the model for inference: call model.eval() first"


def fixed_shapes(name: str, sizes: Sequence[object]) -> str:
    """What to do where sizes of an input are open; those that are known are among ``sizes``."""
    stated = ", ".join(map(str, sizes))
    return (
        f"state them with shapes={{'{name}': ({stated})}}, or export with fixed shapes. "
        "Only the batch axis may be left open"
    )


class UnsupportedNodeError(ModelError):
    """Raised by a rule that cannot map its node.

    Attributes:
        reason: what is wrong, without the node's name.
        supported: what would be supported instead, or "" for what the rule says of its operator.
        advice: what to do, or "".
    """

    def __init__(self, reason: str, supported: str = "", advice: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.supported = supported
        self.advice = advice


class ConsequenceError(UnsupportedNodeError):
    """What mostly follows from another problem, such as a shape that is not known.

    It is reported only where there is no other problem.
    """


def unknown(what: str) -> ConsequenceError:
    """The error for a shape, type or value that is not known."""
    return ConsequenceError(
        f"{what} is not known before the model runs",
        "tensors whose shapes follow from those of the inputs",
        FIXED_SHAPES,
    )
