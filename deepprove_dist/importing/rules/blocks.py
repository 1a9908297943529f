"""DepthToSpace and SpaceToDepth: blocks of positions become channels, and back."""

from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.selecting import reshaped
from deepprove_dist.importing.rewriting.standard import ALL_TYPES
from deepprove_dist.operators.transpose import FloatTranspose


def _depth_to_space(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor, block = graph.tensor(node.input(0)), node.attributes["blocksize"]
    images, channels, *spatial = graph.shape(tensor)
    mode = _mode(node)
    inner, blocks = channels // block**2, (block, block)
    parts = (*blocks, inner) if mode == "DCR" else (inner, *blocks)
    cut = reshaped(graph, tensor, (images, *parts, *spatial))
    order = (0, 3, 4, 1, 5, 2) if mode == "DCR" else (0, 1, 4, 2, 5, 3)
    moved = graph.add(FloatTranspose, cut, order)
    return reshaped(graph, moved, (images, inner, *(block * size for size in spatial)))


def _space_to_depth(node: OnnxNode, graph: GraphBuilder) -> str:
    tensor, block = graph.tensor(node.input(0)), node.attributes["blocksize"]
    images, channels, height, width = graph.shape(tensor)
    rows, columns = height // block, width // block
    cut = reshaped(graph, tensor, (images, channels, rows, block, columns, block))
    order = (0, 3, 5, 1, 2, 4) if _mode(node) == "DCR" else (0, 1, 3, 5, 2, 4)
    moved = graph.add(FloatTranspose, cut, order)
    return reshaped(graph, moved, (images, block * block * channels, rows, columns))


def _mode(node: OnnxNode) -> str:
    """DCR: a block's positions vary slowest among channels, CRD: fastest."""
    mode: str = node.attributes.get("mode", b"DCR").decode()
    if mode not in ("DCR", "CRD"):
        raise UnsupportedNodeError(f"its mode is '{mode}'", "the modes DCR and CRD")
    return mode


RULES = (
    Rule("DepthToSpace", "of images", _depth_to_space, frozenset({"blocksize", "mode"}), types=ALL_TYPES),
    Rule("SpaceToDepth", "of images", _space_to_depth, frozenset({"blocksize", "mode"}), types=ALL_TYPES),
)
