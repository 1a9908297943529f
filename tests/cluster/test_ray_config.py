"""The shipped configurations of hosts and clouds pass Ray's own validator, and agree with each other."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.ray_config import CLOUDS, HOSTS, PINNED_RAY, TOP, load

GROUPS = ("cpu", "spot", "accelerator")
FILES = {"hosts": HOSTS, **CLOUDS}
anywhere = pytest.mark.parametrize("path", FILES.values(), ids=FILES)
clouds = pytest.mark.parametrize("cloud", CLOUDS)


def validate(config: dict[str, Any]) -> dict[str, Any]:
    """Ray's completion of a config; raises for what its schema does not know."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else Ray may write a token into the home
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    from ray.autoscaler._private.util import prepare_config, validate_config

    complete = prepare_config(config)
    validate_config(complete)
    assert isinstance(complete, dict)
    return complete


def read(cloud: str) -> dict[str, Any]:
    return load(CLOUDS[cloud].read_text())


def test_hosts() -> None:
    complete = validate(load(HOSTS.read_text()))
    assert complete["max_workers"] == 2
    assert complete["provider"]["type"] == "local"


@clouds
def test_groups_of_nodes(cloud: str) -> None:
    complete = validate(read(cloud))
    assert complete["provider"]["type"] == cloud
    groups = complete["available_node_types"]
    assert set(groups) == {"head", *GROUPS}
    assert groups["head"]["resources"]["CPU"] == 0
    assert all(groups[name]["labels"] == {"deepprove/group": name} for name in GROUPS)
    assert complete["max_workers"] == sum(groups[name]["max_workers"] for name in GROUPS)


@pytest.mark.parametrize(
    ("cloud", "is_spot"),
    [
        ("aws", lambda node: node.get("InstanceMarketOptions") == {"MarketType": "spot"}),
        ("gcp", lambda node: node.get("scheduling", {}).get("provisioningModel") == "SPOT"),
        ("azure", lambda node: node["azure_arm_parameters"].get("priority") == "Spot"),
    ],
)
def test_one_group_may_be_taken_away(cloud: str, is_spot: Any) -> None:
    groups = read(cloud)["available_node_types"]
    assert [name for name in groups if is_spot(groups[name]["node_config"])] == ["spot"]


@clouds
def test_clouds_share_what_hosts_do(cloud: str) -> None:
    hosts, here = load(HOSTS.read_text()), read(cloud)
    for field in ("file_mounts", "initialization_commands", "worker_start_ray_commands"):
        assert here[field] == hosts[field]
    assert [step for step in here["setup_commands"] if "venv/bin/pip" in step] == hosts["setup_commands"]
    (stop, head), (also_stop, host) = here["head_start_ray_commands"], hosts["head_start_ray_commands"]
    assert (stop, head) == (also_stop, host.replace(" RAY_enable_autoscaler_v2=0", ""))


@anywhere
def test_a_mistake_would_be_found(path: Path) -> None:
    with pytest.raises(Exception, match="min_worker"):
        validate({**load(path.read_text()), "min_worker": 1})


def test_the_pinned_ray_satisfies_the_package() -> None:
    (least,) = set(re.findall(r'"ray(?:\[default\])?>=([\d.]+)"', (TOP / "pyproject.toml").read_text()))
    assert _numbers(PINNED_RAY) >= _numbers(least)


@anywhere
def test_what_the_launcher_must_be_told(path: Path) -> None:
    config = load(path.read_text())
    (_, head), (_, worker) = config["head_start_ray_commands"], config["worker_start_ray_commands"]
    # Version 2 starts one host too few where they are listed.
    assert ("RAY_enable_autoscaler_v2=0" in head) == (config["provider"]["type"] == "local")
    assert "--dashboard-host=127.0.0.1" in head
    assert all(f"RAY_health_check_{name}" in head for name in ("period_ms=500", "timeout_ms=1000"))
    assert "--address=$RAY_HEAD_IP:6379" in worker
    # The launcher exports 1 before each of them.
    for command in (head, worker):
        assert command.index("RAY_USAGE_STATS_ENABLED=0") < command.index("ray start")
    assert "RAY_AUTH_MODE=token" in " ".join(config["initialization_commands"])
    assert os.fspath(Path("~/.ray/auth_token")) in config["file_mounts"]


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
