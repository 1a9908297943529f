"""How long bundles of a placement group have been without a living node.

Ray moves all bundles of a lost node at once, where there is room. So the time that each of them has for it
is counted from the same moment: a node that had sixteen workers is not waited for sixteen times.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

MOVE_SECONDS = 3.0
"""Within which Ray moves a bundle, if there is room for it."""

_KEEP_SECONDS = 10.0


class BundleMoves:
    """Since when bundles have no node; `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since: dict[int, float] = {}
        self._looked = 0.0

    def look(self, bundles: Collection[int], placed: Collection[int]) -> None:
        """Takes note of which of all bundles are on a living node now."""
        now = self._clock()
        if now > self._looked + _KEEP_SECONDS:
            # Bundles may have had a node meanwhile.
            self._since.clear()
        self._looked = now
        self._since = {bundle: self._since.get(bundle, now) for bundle in set(bundles) - set(placed)}

    def overdue(self, bundle: int) -> bool:
        """Whether a bundle has been without a node for longer than a move takes."""
        since = self._since.get(bundle)
        return since is not None and self._clock() - since > MOVE_SECONDS
