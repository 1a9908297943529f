"""Ray's errors in a few words; texts of Ray 2.60, cut short."""

from __future__ import annotations

import pytest

NODE = "host 192.0.2.11"
CRASH = """The actor died unexpectedly before finishing this task.
The actor is dead because its worker process has died. Some common causes include: (1) the process was killed
by the OOM killer due to high memory usage, (2) ray stop --force was called"""
MEMORY = """1 worker(s) were killed due to the node running low on memory. Memory on the node (IP: 192.0.2.11,
ID: c17d) was 6.05GB used / 23.54GB limit (0.256945)
Refer to the documentation on how to address the out of memory issue: https://docs.ray.io/debug-memory.html"""
MISSING = """The actor died because of an error raised in its creation task, ray::RayActor.__init__()
ModuleNotFoundError: No module named 'deepprove_dist'"""
LOST = """The actor died unexpectedly before finishing this task.
The actor died because its node has died. Node Id: 3ac6d793"""


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("ActorDiedError", CRASH, f"its process on {NODE} was killed, or crashed"),
        (
            "OutOfMemoryError",
            MEMORY,
            f"out of memory: Ray ended its process, since {NODE} was short of it "
            "with 6.05GB of 23.54GB in use",
        ),
        ("ActorDiedError", MISSING, f"deepprove-dist is not installed on {NODE}"),
        ("ActorDiedError", LOST, f"Ray has lost {NODE}"),
    ],
)
def test_reasons(kind: str, text: str, expected: str) -> None:
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    from deepprove_dist.execution.cluster.ray_reasons import reason

    assert reason(type(kind, (Exception,), {})(text), NODE) == expected
