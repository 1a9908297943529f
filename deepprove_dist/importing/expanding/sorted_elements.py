"""TopK whose elements may come in any order: here they are in the order of their values.

onnxruntime gives another order, of its heap. So the model to run in float is changed too.
"""

import onnx

from deepprove_dist.importing.rewriting.onnx_graph import all_nodes


def sort_elements(model: onnx.ModelProto) -> None:
    """Lets each TopK of a model, and of the graphs inside it, sort what it takes."""
    for node in all_nodes(model.graph):
        if node.op_type == "TopK":
            kept = [attribute for attribute in node.attribute if attribute.name != "sorted"]
            del node.attribute[:]
            node.attribute.extend(kept)
