"""Facts of an ONNX graph: the shapes that are known, the names of tensors, the nodes that outputs need."""

from collections.abc import Iterator, Mapping

import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.standard import STANDARD

# No domain has an opset beyond it, and onnx takes no larger number.
NEWEST = 2**30


def static_shapes(model: onnx.ModelProto) -> Mapping[str, Shape]:
    """The known shapes of inputs and computed tensors by name."""
    shapes = {}
    for value in (*model.graph.input, *model.graph.value_info, *model.graph.output):
        tensor = value.type.tensor_type
        if tensor.HasField("shape") and all(size.HasField("dim_value") for size in tensor.shape.dim):
            shapes[value.name] = tuple(size.dim_value for size in tensor.shape.dim)
    return shapes


def tensor_names(model: onnx.ModelProto) -> frozenset[str]:
    """Names of all tensors of the main graph."""
    names = {name for node in model.graph.node for name in (*node.input, *node.output)}
    named = (*model.graph.input, *model.graph.output, *model.graph.initializer)
    return frozenset(names.union(value.name for value in named))


def drop_unused_nodes(model: onnx.ModelProto) -> None:
    """Removes the nodes that no output depends on."""
    graph = model.graph
    needed = {value.name for value in graph.output}
    kept: list[onnx.NodeProto] = []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(_reads(node))
    del graph.node[:]
    graph.node.extend(reversed(kept))


def all_nodes(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """The nodes of a graph, and of those inside of them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from all_nodes(inner)


def has_schema(node: onnx.NodeProto, model: onnx.ModelProto) -> bool:
    """Whether onnx knows a node's operator in the opset that the model is of."""
    domain = STANDARD[0] if node.domain in STANDARD else node.domain
    for opset in model.opset_import:
        if opset.domain == node.domain or (domain == STANDARD[0] and opset.domain in STANDARD):
            version = min(max(opset.version, 0), NEWEST)
            return bool(onnx.defs.has(node.op_type, version, domain))
    return False


def _reads(node: onnx.NodeProto) -> set[str]:
    """Names of tensors that a node reads, also in its subgraphs."""
    inner = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
    inner += [graph for attribute in node.attribute for graph in attribute.graphs]
    names = {name for graph in inner for other in graph.node for name in _reads(other)}
    return names.union(node.input, *({value.name for value in graph.output} for graph in inner))
