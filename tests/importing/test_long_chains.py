"""Long chains of nodes are imported in time that grows as they do, and without deep recursion."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from deepprove_dist.importing import expansions, folding
from deepprove_dist.importing.load import import_proto
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode

LENGTH = 2000


def chain(link: Callable[[str, str], list[onnx.NodeProto]], length: int = LENGTH) -> onnx.ModelProto:
    """A model of so many links; the first one reads the truth values "b" as numbers."""
    nodes = [helper.make_node("Cast", ["b"], ["t0"], to=TensorProto.FLOAT)]
    for number in range(length):
        nodes += link(f"t{number}", f"t{number + 1}")
    nodes.append(helper.make_node("Add", [f"t{length}", "x"], ["y"]))
    inputs = [
        helper.make_tensor_value_info("b", TensorProto.BOOL, [1, 4]),
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4]),
    ]
    weights = [numpy_helper.from_array(np.full(4, 0.5, np.float32), "w")]
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])
    graph = helper.make_graph(nodes, "chain", inputs, [output], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


LINKS: dict[str, Callable[[str, str], list[onnx.NodeProto]]] = {
    "sums with a constant": lambda before, after: [helper.make_node("Add", [before, "w"], [after])],
    "sums with an input": lambda before, after: [helper.make_node("Add", [before, "x"], [after])],
    "choices": lambda before, after: [helper.make_node("Where", ["b", before, "x"], [after])],
    "copies": lambda before, after: [helper.make_node("Identity", [before], [after])],
}


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_chains_that_begin_at_truth_values(
    link: Callable[[str, str], list[onnx.NodeProto]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """How often rules look at a node does not grow with the chain."""
    looks = 0
    original = GraphBuilder.origin

    def counted(self: GraphBuilder, name: str) -> OnnxNode | None:
        nonlocal looks
        looks += 1
        return original(self, name)

    monkeypatch.setattr(GraphBuilder, "origin", counted)
    import_proto(chain(link))
    assert looks < 1000 * LENGTH


def test_nodes_of_another_domain_are_written_out_in_few_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    passes = 0
    original = expansions.expand_nodes

    def counted(model: onnx.ModelProto, known: dict[str, np.ndarray]) -> bool:
        nonlocal passes
        passes += 1
        return original(model, known)

    monkeypatch.setattr(folding, "expand_nodes", counted)
    import_proto(
        chain(
            lambda before, after: [
                helper.make_node("BiasGelu", [before, "w"], [after], domain="com.microsoft")
            ],
            length=100,
        )
    )
    assert passes < 5
