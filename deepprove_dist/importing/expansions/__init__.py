"""One module for each family of ONNX operators that become other ONNX nodes before rules are asked.

To support an operator so, write a module here with a tuple ``EXPANSIONS``; nothing else lists it.
"""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import MappingProxyType
from typing import Any

import numpy.typing as npt
import onnx

from deepprove_dist.importing.expanding.evaluation import evaluate_node
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.learning import learn_shapes
from deepprove_dist.importing.expanding.scope import Scope
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.standard import STANDARD

MODULES = tuple(import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__))

EXPANSIONS: Mapping[tuple[str, str], Expansion] = MappingProxyType(
    {expansion.key: expansion for module in MODULES for expansion in getattr(module, "EXPANSIONS", ())}
)


def find_expansion(node: onnx.NodeProto) -> Expansion | None:
    """That of a node's operator, None without one."""
    domain = STANDARD[0] if node.domain in STANDARD else node.domain
    return EXPANSIONS.get((domain, node.op_type))


def expand_nodes(model: onnx.ModelProto, known: Mapping[str, npt.NDArray[Any]]) -> bool:
    """Expands the nodes of the main graph that can be; whether there were any. ``known``: its constants."""
    graph = model.graph
    if not any(map(find_expansion, graph.node)):
        return False
    scope = Scope.of(model, known, _expand, evaluate_node)
    kept: list[onnx.NodeProto] = []
    changed = False
    for node in graph.node:
        constants, stated, room = len(scope.constants), len(scope.stated), scope.room
        expanded = _expand(node, scope)
        if expanded is None:
            del scope.constants[constants:], scope.stated[stated:]
            scope.room = room
        changed |= expanded is not None
        nodes = [node] if expanded is None else expanded
        if changed:
            learn_shapes(scope, nodes, scope.stated[stated:])
        kept += nodes
    del graph.node[:]
    graph.node.extend(kept)
    graph.initializer.extend(scope.constants)
    graph.value_info.extend(scope.stated)
    return changed


def why_not_expanded(
    node: onnx.NodeProto, model: onnx.ModelProto, known: Mapping[str, npt.NDArray[Any]]
) -> UnsupportedNodeError | None:
    """Why a node that could be expanded is not; None where its expansion does not say."""
    expansion = find_expansion(node)
    try:
        if expansion is not None:
            expansion.expand(node, Scope.of(model, known, _expand, evaluate_node))
    except UnsupportedNodeError as error:
        return error
    except (ValueError, IndexError, KeyError):
        return UnsupportedNodeError("its attributes contradict each other")
    return None


def _expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
    expansion = find_expansion(node)
    try:
        return None if expansion is None else expansion.expand(node, scope)
    except (ValueError, IndexError, KeyError, UnsupportedNodeError):
        # A node that contradicts itself stays: shape inference, or its refusal, says what is wrong.
        return None
