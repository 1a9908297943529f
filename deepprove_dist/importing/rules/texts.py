"""Operators of ai.onnx.ml that read or make texts or maps, which no statement holds."""

from deepprove_dist.importing.rewriting.rule import Refusal

REFUSALS = tuple(
    Refusal(
        operator,
        "it reads or makes texts or maps",
        "tensors of numbers",
        "encode texts before the model, and give it the numbers",
    )
    for operator in ("CastMap", "CategoryMapper", "DictVectorizer")
)
