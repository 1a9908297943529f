"""Loop with a constant trip count: one copy of the body a step.

The condition after a step has to be constant too. What a body computes from constants alone is computed as
the loop is written out: a comparison of the step's index, for one.
"""

import numpy as np
import onnx

from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.scope import Scope, attribute_graph
from deepprove_dist.importing.expanding.stacking import identities, require_room, stacked
from deepprove_dist.importing.rewriting.stored_constants import read_constant

# Beside the values that steps hand on, a body reads its step's index and the condition.
LEAD = 2


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    """The steps one after the other; None where their number is computed, or too large."""
    body = attribute_graph(node, "body")
    limit, going = (scope.known.get(name) if name else None for name in (*node.input, "", "")[:LEAD])
    stated = [name for name in node.input[:LEAD] if name]
    if body is None or len(body.input) != max(len(node.input), LEAD) or not scope.known.keys() >= set(stated):
        return None
    carried = list(node.input[LEAD:])
    kept: list[onnx.NodeProto] = []
    stacks: list[list[str]] = [[] for _ in body.output[1 + len(carried) :]]
    condition = True if going is None else bool(going.item())
    steps = None if limit is None else max(int(limit.item()), 0)
    if condition and _never_stops(body, scope):
        require_room(scope, steps, body)
    step = 0
    while condition and (steps is None or step < steps):
        require_room(scope, 1, body, step)
        prefix = f"{node.name}/{step}"
        index = scope.constant(f"{prefix}/index", np.array(step, np.int64))
        before = scope.constant(f"{prefix}/condition", np.array(True))
        nodes, outputs = scope.instantiate(body, (index, before, *carried), prefix)
        kept += scope.simplified(nodes)
        after = scope.known.get(outputs[0])
        if after is None:
            return None
        condition = bool(after.item())
        carried = outputs[1 : 1 + len(carried)]
        for stack, tensor in zip(stacks, outputs[1 + len(carried) :], strict=True):
            stack.append(tensor)
        step += 1
    return _with_outputs(node, scope, kept, carried, stacks)


def _never_stops(body: onnx.GraphProto, scope: Scope) -> bool:
    """Whether the condition after a step is that before it, or a constant that is true."""
    sources = {node.output[0]: node for node in body.node if node.op_type in ("Identity", "Constant")}
    constants = {tensor.name: read_constant(tensor) for tensor in body.initializer}
    name = body.output[0].name
    while name in sources and sources[name].op_type == "Identity":
        name = sources[name].input[0]
    if name in sources:
        return any(
            bool(read_constant(attribute.t).any())
            for attribute in sources[name].attribute
            if attribute.name == "value"
        )
    value = constants.get(name, scope.known.get(name))
    return name == body.input[1].name or (value is not None and bool(value.any()))


def _with_outputs(
    node: onnx.NodeProto,
    scope: Scope,
    kept: list[onnx.NodeProto],
    carried: list[str],
    stacks: list[list[str]],
) -> list[onnx.NodeProto] | None:
    kept += identities(carried, node.output[: len(carried)])
    for stack, target in zip(stacks, node.output[len(carried) :], strict=False):
        if target:
            kept += stacked(scope, stack, 0, target)
    return kept


EXPANSIONS = (Expansion("Loop", "with trip counts and conditions known before the model runs", _expand),)
