"""Refusals of what a node may have and an expansion does not state: inputs and attributes by name."""

from collections.abc import Mapping

from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError


def refuse_inputs(new: NodeReplacement, names: Mapping[int, str]) -> None:
    """Raises UnsupportedNodeError for a node that has one of these inputs; each has a name in words."""
    for index, name in names.items():
        if new.input(index):
            raise UnsupportedNodeError(f"it has {name}", f"the operator without {name}")


def refuse_attributes(new: NodeReplacement, *names: str) -> None:
    """Raises UnsupportedNodeError where one of these attributes is not zero."""
    for name in names:
        if new.attributes.get(name, 0):
            raise UnsupportedNodeError(f"its attribute {name} is set", f"the operator without {name}")
