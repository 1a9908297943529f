"""Why workers are lost, in one word each: for counting. The log has the whole reason."""

from __future__ import annotations

import re

_KINDS = (
    ("memory", r"^out of memory|: out of memory"),
    ("silent", r"^no sign of life|^its message stopped"),
    ("timeout", r"^no answer within"),
    ("node", r"^Ray has lost"),
    (
        "wrong",
        r"^wrong answer|^another answer|used other values|^its bytes are no answer",
    ),
    ("error", r"^it failed in|^an error on"),
    (
        "process",
        r"^its process|^the connection broke|^it ended|^it was given up|^the process that is connected",
    ),
)
KINDS = (*(kind for kind, _ in _KINDS), "other")


def loss_kind(reason: str) -> str:
    """One of KINDS."""
    return next((kind for kind, pattern in _KINDS if re.search(pattern, reason)), "other")
