"""Ray's errors in a few words: why a process has ended."""

from __future__ import annotations

from typing import Any

import ray


def death(call: Any, node: str) -> str:
    """Why the long call of an actor on a node has ended."""
    try:
        ray.get(call, timeout=1)
    except Exception as error:  # whatever ended the call is the reason
        return _reason(error, node)
    return "it ended"


def _reason(error: Exception, node: str) -> str:
    text = str(error)
    if isinstance(error, ray.exceptions.OutOfMemoryError) or "OutOfMemory" in text or "OOM" in text:
        return f"out of memory: {node} was short of it, and Ray's memory monitor ended the process"
    if "No module named 'deepprove_dist'" in text or "No module named 'numpy'" in text:
        return f"deepprove-dist is not installed on {node}"
    if "node" in text.lower() and ("died" in text or "dead" in text or "terminated" in text):
        return f"Ray has lost {node}"
    if isinstance(error, ray.exceptions.RayTaskError) or "creation task" in text:
        return f"an error on {node}: {text.strip().splitlines()[-1]}"
    return f"its process on {node} ended ({type(error).__name__})"


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
