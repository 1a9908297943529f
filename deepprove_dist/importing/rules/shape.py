"""Shape and Size: functions of shapes, which are known before the model runs."""

import onnx

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import unknown
from deepprove_dist.importing.rewriting.rule import Rule


def _rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
    """Of a known shape the node is constant, and no rule sees it."""
    raise unknown("what it computes from shapes")


RULES = tuple(
    Rule(
        operator,
        "of a tensor whose shape is known before the model runs",
        _rewrite,
        attributes,
        (onnx.TensorProto.INT64,),
        of_shape=True,
    )
    for operator, attributes in (("Shape", frozenset({"start", "end"})), ("Size", frozenset[str]()))
)
