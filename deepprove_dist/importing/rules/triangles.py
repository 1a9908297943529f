"""Trilu: elements on one side of a diagonal; the others become 0."""

import numpy as np

from deepprove_dist.importing.rewriting.arranging import arrange, numbered
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import ALL_TYPES


def _trilu(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor = graph.tensor(node.input(0))
    diagonal = int(graph.required(node.input(1), "the diagonal").item()) if node.input(1) else 0
    # Numbered from 1, so that 0 is no element.
    places = numbered(graph.shape(tensor)) + 1
    kept = np.triu(places, diagonal) if node.attributes.get("upper", 1) else np.tril(places, diagonal)
    return arrange(graph, tensor, kept - 1)


RULES = (Rule("Trilu", "with a constant diagonal", _trilu, frozenset({"upper"}), since=14, types=ALL_TYPES),)
