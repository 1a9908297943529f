"""Reading a node's attributes as what they are."""

from deepprove_dist.errors import ModelError
from deepprove_dist.operators.node import Node


def integer(node: Node, key: str) -> int:
    """An attribute that is one integer. Raises ModelError for any other."""
    value = node.attributes.get(key)
    if not isinstance(value, int):
        raise ModelError(f"'{node.name}': the attribute '{key}' is an integer")
    return value


def integers(node: Node, key: str) -> tuple[int, ...]:
    """An attribute that is a list of integers. Raises ModelError for any other."""
    value = node.attributes.get(key)
    if not isinstance(value, tuple):
        raise ModelError(f"'{node.name}': the attribute '{key}' is a list of integers")
    return value
