"""The phases of the proof in progress, and how it is stopped between two of them.

Timed calls are nested, as are the phases: the time of one does not count for those around it.
"""

from __future__ import annotations

from enum import Enum

from deepprove_dist.timing.spans import Span, Trace

SELF_CHECK = "self-check"
INFERENCE = "inference"
_LABELS = {"inference": INFERENCE, "verifying": SELF_CHECK, "verification": SELF_CHECK}
"""Timed calls of these names or phases are not told apart."""


class StopReason(Enum):
    """Why a proof in progress is not wanted any more."""

    CANCELLED = "its client has cancelled it"
    DEADLINE = "its deadline has come"
    TIMEOUT = "it took longer than the service allows"
    DRAINING = "the service ends"
    LEASE_LOST = "another runner has it"


class JobStopped(BaseException):
    """The proof in progress was stopped; no error of the work, so that nothing takes it for one."""

    def __init__(self, reason: StopReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class JobTrace(Trace):
    """A trace that another thread may look at, and stop.

    Attributes:
        stop: once set, the proof ends with JobStopped where its next timed call begins.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stop: StopReason | None = None
        self._labels: list[str] = []
        self._seconds: dict[str, float] = {}
        self._since = 0.0

    @property
    def running(self) -> str | None:
        """The innermost phase that runs."""
        labels = self._labels
        return labels[-1] if labels else None

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by phase so far, in the order in which they began."""
        return dict(self._seconds)

    def require_wanted(self) -> None:
        """Raises JobStopped where the proof is not wanted any more."""
        if self.stop is not None:
            raise JobStopped(self.stop)

    def begin(self, name: str, phase: str) -> float:
        """See Trace. Raises JobStopped."""
        self.require_wanted()
        now = self._charge()
        label = _LABELS.get(name) or _LABELS.get(phase, name)
        self._seconds.setdefault(label, 0.0)
        self._labels.append(label)
        return now

    def add(self, span: Span) -> None:
        """See Trace."""
        if span.kind == "call":
            self._charge()
            self._labels.pop()

    def _charge(self) -> float:
        """Gives the time since the last call to what has run; the time now."""
        now = self.now()
        if self._labels:
            self._seconds[self._labels[-1]] += now - self._since
        self._since = now
        return now
