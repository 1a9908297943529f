"""Signs of life: a process sends one every two seconds while it has a request of the coordinator.

A sign says whether the process computes, or waits for what other processes publish. A process without a sign
for ten seconds is frozen, or cut off: a busy one sends them from a thread of its own. Signs are messages of
one byte; answers are longer.
"""

from __future__ import annotations

INTERVAL_SECONDS = 2.0
SILENCE_SECONDS = 10.0

COMPUTING, WAITING = b"\x00", b"\x01"
SIGNS = (COMPUTING, WAITING)
