"""One small Ray cluster for all tests that need Ray; skipped where it is not installed."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator
from typing import Any

import pytest

_STORE = 80 << 20


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two nodes with declared accelerators, four CPUs each, and a session that is connected to them.

    Node a has four GPUs of type H100, node b none; label zone is the node's name. Lost nodes are noticed in
    two seconds.
    """
    # Before Ray is imported: it reads its variables then.
    if "RAY_AUTH_MODE" not in os.environ and "ray" not in sys.modules:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # Workers inherit it.
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))
    ray = pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    from ray.cluster_utils import Cluster

    quick = {
        "health_check_initial_delay_ms": 0,
        "health_check_period_ms": 500,
        "health_check_timeout_ms": 1000,
        "health_check_failure_threshold": 3,
    }
    head = {"num_cpus": 0, "include_dashboard": False, "object_store_memory": _STORE, "_system_config": quick}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        accelerators = {"num_gpus": 4, "resources": {"accelerator_type:H100": 1}}
        add_node(cluster, "a", **accelerators)
        add_node(cluster, "b")
        ray.init(address=cluster.address, log_to_driver=False, logging_level="ERROR")
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def add_node(cluster: Any, zone: str, **more: Any) -> Any:
    """A node of four CPUs."""
    labels = {"zone": zone}
    return cluster.add_node(num_cpus=4, labels=labels, object_store_memory=_STORE, **more)
