"""The shipped ray-config.yaml passes Ray's own validator, as it is and with each cloud's section put in."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
TEXT = (TOP / "ray-config.yaml").read_text()
CLOUDS = ("AWS", "GCP", "Azure")


def load(text: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml", reason="needs Ray, which brings it")
    content = yaml.safe_load(text)
    assert isinstance(content, dict)
    return content


def section(cloud: str) -> dict[str, Any]:
    """What a commented section says."""
    (lines,) = re.findall(rf"^#: {cloud}\n(.*?)^#: end$", TEXT, re.MULTILINE | re.DOTALL)
    return load(re.sub(r"^# ", "", lines, flags=re.MULTILINE))


def validate(config: dict[str, Any]) -> dict[str, Any]:
    """Ray's completion of a config; raises for what its schema does not know."""
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")  # else Ray may write a token into the home
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    from ray.autoscaler._private.util import prepare_config, validate_config

    complete = prepare_config(config)
    validate_config(complete)
    assert isinstance(complete, dict)
    return complete


def test_own_hosts() -> None:
    complete = validate(load(TEXT))
    assert complete["max_workers"] == 2
    assert complete["provider"]["type"] == "local"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_clouds(cloud: str) -> None:
    parts = section(cloud)
    complete = validate({**load(TEXT), **parts})
    assert complete["provider"]["type"] == cloud.lower()
    groups = complete["available_node_types"]
    assert set(groups) == {"head", "cpu", "accelerator"}
    assert groups["head"]["resources"]["CPU"] == 0
    assert groups["cpu"]["labels"] == {"deepprove/group": "cpu"}
    assert {"provider", "auth", "head_node_type", "available_node_types", "max_workers"} == set(parts)


def test_a_mistake_would_be_found() -> None:
    with pytest.raises(Exception, match="min_worker"):
        validate({**load(TEXT), "min_worker": 1})


def test_the_pinned_ray_satisfies_the_package() -> None:
    (pinned,) = re.findall(r'"ray\[default\]==([\d.]+)"', TEXT)
    (least,) = set(re.findall(r'"ray(?:\[default\])?>=([\d.]+)"', (TOP / "pyproject.toml").read_text()))
    assert _numbers(pinned) >= _numbers(least)


def test_what_the_launcher_must_be_told() -> None:
    config = load(TEXT)
    (_, head), (_, worker) = config["head_start_ray_commands"], config["worker_start_ray_commands"]
    assert "RAY_enable_autoscaler_v2=0" in head
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
