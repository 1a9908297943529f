"""A program that starts a Ray cluster of several nodes on this machine, and ends it with its standard input.

Usage: python -m tests.faults.ray_nodes NODES, with the arguments of each node as JSON, the head's first. It
prints the cluster's address and the processes of its parts. It is a process of its own, since tests take the
cluster's control away.
"""

from __future__ import annotations

import json
import os
import sys

from ray.cluster_utils import Cluster

_QUICK = {
    "health_check_initial_delay_ms": 0,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 3,
}


def main() -> None:
    """Starts, says what there is, and waits."""
    head, *others = json.loads(sys.argv[1])
    common = {"include_dashboard": False, "object_store_memory": 80 << 20}
    cluster = Cluster(initialize_head=True, head_node_args={**common, **head, "_system_config": _QUICK})
    del common["include_dashboard"]
    for node in others:
        cluster.add_node(**common, **node)
    nodes = cluster.list_all_nodes()
    processes = [node.all_processes for node in nodes]
    fields = {
        "address": cluster.address,
        "control": processes[0]["gcs_server"][0].process.pid,
        "nodes": [of_node["raylet"][0].process.pid for of_node in processes],
        "folder": nodes[0].get_session_dir_path(),
    }
    print(json.dumps(fields), flush=True)
    sys.stdin.read()
    try:
        cluster.shutdown()
    finally:
        # What is dead already is not to be waited for.
        os._exit(0)


if __name__ == "__main__":
    main()
