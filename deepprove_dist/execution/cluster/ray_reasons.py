"""Ray's errors in a few words: why a process has ended."""

from __future__ import annotations

import re
from typing import Any

import ray

_MEMORY = re.compile(r"was ([\d.]+ ?.?B) used / ([\d.]+ ?.?B) limit")
_PACKAGE = re.compile(r"No module named '(deepprove_dist|numpy|msgspec)\b")


def death(call: Any, node: str) -> str:
    """Why the long call of an actor on a node has ended."""
    try:
        ray.get(call, timeout=1)
    except Exception as error:  # whatever ended the call is the reason
        return reason(error, node)
    return "it ended"


def reason(error: Exception, node: str) -> str:
    """Why an actor on a node has ended, from Ray's error.

    Ray's text about any crash speaks of memory, so what counts is the kind of the error.
    """
    text, kind = str(error).strip(), type(error).__name__
    if kind == "OutOfMemoryError":
        used = _MEMORY.search(text)
        amount = f" with {used[1]} of {used[2]} in use" if used else ""
        return f"out of memory: Ray ended its process, since {node} was short of it{amount}"
    if _PACKAGE.search(text):
        return f"deepprove-dist is not installed on {node}"
    if isinstance(error, ray.exceptions.RayTaskError) or getattr(error, "_actor_init_failed", False):
        return f"an error on {node}: {text.splitlines()[-1]}"
    if kind == "NodeDiedError" or re.search(
        r"\bnode\b.*\b(died|dead|terminated|drained)\b", text, re.IGNORECASE
    ):
        return f"Ray has lost {node}"
    return f"its process on {node} was killed, or crashed"
