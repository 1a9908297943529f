"""Names of integer tensors: unique, and those of the ONNX outputs for the outputs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from deepprove_dist.model.integer_model import Node, Shape


class Names:
    """Hands out names, each once."""

    def __init__(self, taken: Sequence[str]) -> None:
        self._taken = set(taken)

    def fresh(self, preferred: str) -> str:
        """The preferred name, or with a number after it if it is taken."""
        name, count = preferred, 1
        while name in self._taken:
            name, count = f"{preferred}.{count}", count + 1
        self._taken.add(name)
        return name


def name_outputs(
    nodes: Sequence[Node],
    outputs: Mapping[str, str],
    inputs: Sequence[str],
    shapes: Mapping[str, Shape],
    names: Names,
) -> tuple[tuple[Node, ...], Mapping[str, str]]:
    """Nodes in which the tensor ``outputs[o]`` is called o, and the renaming that led there.

    A tensor that is an input, or several outputs at once, is reached through a view; ``shapes`` are the
    outputs'.
    """
    extended = list(nodes)
    renamed: dict[str, str] = {}
    for output, tensor in outputs.items():
        if tensor in renamed or (tensor in inputs and tensor != output):
            view = names.fresh(output)
            extended.append(Node("reshape", output, (tensor,), view, {"shape": shapes[output]}))
            renamed[view] = output
        elif tensor not in inputs:
            renamed[tensor] = output
    for node in extended:
        if node.output in outputs and node.output not in renamed:
            renamed[node.output] = names.fresh(node.output)
    return tuple(_rename(node, renamed) for node in extended), renamed


def _rename(node: Node, renamed: Mapping[str, str]) -> Node:
    inputs = tuple(renamed.get(name, name) for name in node.inputs)
    return replace(node, inputs=inputs, output=renamed.get(node.output, node.output))
