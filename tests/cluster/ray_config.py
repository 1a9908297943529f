"""The shipped configurations of clusters, as their tests read them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).parents[2]
HOSTS = TOP / "ray-config.yaml"
CLOUDS = {name: TOP / "cluster" / f"{name}.yaml" for name in ("aws", "gcp", "azure")}
(PINNED_RAY,) = re.findall(r'"ray\[default\]==([\d.]+)"', HOSTS.read_text())


def load(text: str) -> dict[str, Any]:
    """What a file in YAML says."""
    yaml = pytest.importorskip("yaml", reason="needs Ray, which brings it")
    content = yaml.safe_load(text)
    assert isinstance(content, dict)
    return content
