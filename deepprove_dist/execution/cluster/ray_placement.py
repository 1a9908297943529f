"""A placement group for the workers in a cluster, or an error that says what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import ray
from ray.experimental.internal_kv import _internal_kv_get
from ray.util import placement_group
from ray.util.placement_group import PlacementGroup, placement_group_table

from deepprove_dist.errors import PlacementError
from deepprove_dist.execution.cluster.ray_moves import BundleMoves
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

_TYPE = "accelerator_type:"
_AUTOSCALER_STATUS = "__autoscaling_status"


def reserve(config: ScalingConfig) -> PlacementGroup:
    """A placement group with a bundle for each worker, which the cluster places when it has room."""
    labels = {"bundle_label_selector": [dict(config.labels)] * config.workers} if config.labels else {}
    return placement_group([config.bundle] * config.workers, strategy=config.strategy, **labels)


def await_room(group: PlacementGroup, config: ScalingConfig, seconds: float) -> tuple[int, str]:
    """How many nodes the bundles are on; 0 where they have no place in that time, and what is missing.

    Raises PlacementError at once where the nodes are too small, or too few, and nothing adds others.
    """
    if group.wait(seconds):
        return len(set(_nodes_of(group).values())), ""
    nodes = ray.nodes()
    missing = f"{describe_capacity(config, nodes)}; in use now: {_in_use()}"
    if _fitting(config, nodes) < config.workers and not _adds_nodes():
        raise PlacementError(f"no place for {config}, ever: {missing}")
    return 0, missing


def await_place(group: PlacementGroup, bundle: int, config: ScalingConfig, moves: BundleMoves) -> str:
    """The name of the node that a bundle is on; Ray moves one whose node is gone, if there is room.

    `moves` knows from call to call which bundles have none. Raises PlacementError where the time is over.
    """
    while True:
        names = {node["NodeID"]: _name(node) for node in ray.nodes() if node["Alive"]}
        nodes = {number: names[node] for number, node in _nodes_of(group).items() if node in names}
        moves.look(range(config.workers), nodes)
        if bundle in nodes:
            return nodes[bundle]
        if moves.overdue(bundle):
            raise PlacementError(f"{describe_capacity(config, ray.nodes())}; in use now: {_in_use()}")
        time.sleep(0.1)


def _nodes_of(group: PlacementGroup) -> dict[int, str]:
    """The identifiers of nodes by bundle."""
    return dict(placement_group_table(group)["bundles_to_node_id"])


def _adds_nodes() -> bool:
    """Whether an autoscaler may start nodes: then the types of nodes have names in its report."""
    status = json.loads(_internal_kv_get(_AUTOSCALER_STATUS) or "{}")
    report = status.get("autoscaler_report") or {}
    types = [*(report.get("active_nodes") or ()), *(report.get("idle_nodes") or ())]
    return any(not name.startswith("node_") for name in types)


def describe_capacity(config: ScalingConfig, nodes: list[Mapping[str, Any]]) -> str:
    """What the living nodes have, and how many of the workers would fit if nothing else ran."""
    alive = [node for node in nodes if node["Alive"]]
    fitting = _fitting(config, alive)
    if not alive:
        return "no node of the cluster is alive"
    offers = "; ".join(_describe(node) for node in alive)
    return f"the cluster fits {min(fitting, config.workers)} of {config.workers}, and has {offers}"


def _fitting(config: ScalingConfig, nodes: list[Mapping[str, Any]]) -> int:
    return sum(_fitting_workers(config, node) for node in nodes if node["Alive"])


def _fitting_workers(config: ScalingConfig, node: Mapping[str, Any]) -> int:
    # Selectors may be more than values ("in(a,b)", "!a"): those are not counted as missing.
    wanted = {name: value for name, value in config.labels.items() if not set(value) & set("(!")}
    labels = node.get("Labels", {})
    if any(labels.get(name) != value for name, value in wanted.items()):
        return 0
    resources = node["Resources"]
    return min(int(resources.get(name, 0) / amount + 1e-9) for name, amount in config.bundle.items())


def _describe(node: Mapping[str, Any]) -> str:
    resources = node["Resources"]
    types = [name.removeprefix(_TYPE) for name in resources if name.startswith(_TYPE)]
    labels = [f"{name}={value}" for name, value in node.get("Labels", {}).items() if name != "ray.io/node-id"]
    parts = [f"{resources.get('CPU', 0):g} CPUs", f"{resources.get('GPU', 0):g} GPUs"]
    parts += [f"accelerator type {', '.join(types)}"] if types else []
    parts += [f"labels {', '.join(labels)}"] if labels else []
    return f"{_name(node)}: {', '.join(parts)}"


def _name(node: Mapping[str, Any]) -> str:
    return f"{node['NodeManagerHostname']} {node['NodeManagerAddress']}"


def _in_use() -> str:
    total, free = ray.cluster_resources(), ray.available_resources()
    return ", ".join(f"{total.get(name, 0) - free.get(name, 0):g} {name}s" for name in ("CPU", "GPU"))
