"""ONNX's cases that are not tried: what they need is not what proofs are for."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import onnx
from onnx import TensorProto

from deepprove_dist.importing.rewriting.standard import OLDEST_OPSET

_TRAINING = "training"
_SEQUENCES = "sequences or optional values"
_TEXTS = "texts"
_RANDOM = "random outputs"
_SHAPES = "outputs whose shapes depend on values"
_IMAGES = "files of images"

_OPERATORS = {
    **dict.fromkeys(("Adam", "Adagrad", "Momentum", "Gradient"), _TRAINING),
    **dict.fromkeys(("Bernoulli", "RandomNormalLike", "RandomUniformLike", "Multinomial"), _RANDOM),
    **dict.fromkeys(("NonZero", "Unique", "NonMaxSuppression"), _SHAPES),
    **dict.fromkeys(("StringSplit", "StringConcat", "StringNormalizer", "RegexFullMatch"), _TEXTS),
    **dict.fromkeys(("OptionalHasElement", "OptionalGetElement", "SplitToSequence"), _SEQUENCES),
    "ImageDecoder": _IMAGES,
}
_TYPES = {
    TensorProto.STRING: _TEXTS,
    TensorProto.COMPLEX64: "complex numbers",
    TensorProto.COMPLEX128: "complex numbers",
    TensorProto.BFLOAT16: "bfloat16",
    **dict.fromkeys(
        (
            getattr(TensorProto, name)
            for name in (
                *("FLOAT8E4M3FN", "FLOAT8E4M3FNUZ", "FLOAT8E5M2", "FLOAT8E5M2FNUZ", "FLOAT8E8M0"),
                *("FLOAT4E2M1", "INT2", "UINT2"),
            )
            if hasattr(TensorProto, name)
        ),
        "floats of 4 or 8 bits, integers of 2",
    ),
}


def out_of_scope(model: onnx.ModelProto, name: str, operator: str) -> str:
    """Why a case is not tried, and "" for one that is. ``operator`` is that of the case."""
    if "training" in name:
        return _TRAINING
    if any(item.domain in ("", "ai.onnx") and item.version < OLDEST_OPSET for item in model.opset_import):
        return f"opsets before {OLDEST_OPSET}"
    operators = (operator, *(node.op_type for node in model.graph.node))
    reasons = (_OPERATORS.get(item, "") for item in operators)
    return next(filter(None, chain(reasons, map(_why_value, _values(model)))), "")


def _why_value(value: onnx.ValueInfoProto) -> str:
    if not value.type.HasField("tensor_type"):
        return _SEQUENCES
    return _TYPES.get(value.type.tensor_type.elem_type, "")


def _values(model: onnx.ModelProto) -> Iterator[onnx.ValueInfoProto]:
    yield from model.graph.input
    yield from model.graph.output
