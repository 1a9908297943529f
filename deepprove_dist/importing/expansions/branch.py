"""If on a constant: the branch that is taken stands in place of the node."""

import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.scope import Scope, attribute_graph
from deepprove_dist.importing.expanding.stacking import identities


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The nodes of the branch that is taken; None where the condition is computed."""
    condition = scope.known.get(node.input[0])
    if condition is None or condition.size != 1:
        return None
    branch = attribute_graph(node, "then_branch" if condition.item() else "else_branch")
    if branch is None or branch.input or len(branch.output) != len(node.output):
        return None
    nodes, outputs = scope.instantiate(branch, (), node.name)
    return scope.simplified([*nodes, *identities(outputs, node.output)])


EXPANSIONS = (Expansion("If", "on a condition that is known before the model runs", _expand),)
