"""A placement group for the workers in a cluster, or an error that says what is missing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
from ray.util import placement_group, remove_placement_group
from ray.util.placement_group import PlacementGroup

from deepprove_dist.errors import PlacementError
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

_TYPE = "accelerator_type:"


def reserve(config: ScalingConfig) -> PlacementGroup:
    """A placement group with a bundle for each worker. Raises PlacementError after the configured timeout."""
    labels = {"bundle_label_selector": [dict(config.labels)] * config.workers} if config.labels else {}
    group = placement_group([config.bundle] * config.workers, strategy=config.strategy, **labels)
    if not group.wait(config.placement_timeout):
        remove_placement_group(group)
        raise PlacementError(
            f"no place for {config} within {config.placement_timeout:g} s: "
            f"{describe_capacity(config, ray.nodes())}; in use now: {_in_use()}"
        )
    return group


def describe_capacity(config: ScalingConfig, nodes: list[Mapping[str, Any]]) -> str:
    """What the living nodes have, and how many of the workers would fit if nothing else ran."""
    alive = [node for node in nodes if node["Alive"]]
    fitting = sum(_fitting_workers(config, node) for node in alive)
    offers = "; ".join(_describe(node) for node in alive)
    return f"the cluster fits {min(fitting, config.workers)} of {config.workers}, and has {offers}"


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
    return f"{node['NodeManagerHostname']} {node['NodeManagerAddress']}: {', '.join(parts)}"


def _in_use() -> str:
    total, free = ray.cluster_resources(), ray.available_resources()
    return ", ".join(f"{total.get(name, 0) - free.get(name, 0):g} {name}s" for name in ("CPU", "GPU"))
