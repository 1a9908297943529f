"""Why a node cannot be mapped, and what a user can do about it."""

from deepprove_dist.errors import ModelError

FLOAT_TENSORS = "float16, float32 and float64 tensors"
FIXED_SHAPES = "export the model with fixed shapes; only the batch axis may be left open"
CUT = (
    "export the model another way: torch.onnx.export with dynamo=False may choose other operators. "
    "Or cut out the part before such nodes with onnx.utils.extract_model"
)
AFTER_EVAL = "export the model for inference: call model.eval() first"


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
