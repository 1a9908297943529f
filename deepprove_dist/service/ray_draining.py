"""Ray's notices that nodes will go away: spot instances that are reclaimed, and nodes that are scaled down.

Ray places nothing on such a node any more. What runs there may go on until the notice's deadline.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Any

import ray

logger = logging.getLogger(__name__)

_LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 5.0


class LeavingNodes:
    """The nodes with such a notice; a thread looks for them."""

    def __init__(self, context: Any) -> None:
        """`context` is Ray's runtime context of this process."""
        self.addresses: frozenset[str] = frozenset()
        self._node, self._control = context.get_node_id(), context.gcs_address
        self._ended = threading.Event()

    def start(self, leave: Callable[[], object]) -> None:
        """Begins to look; `leave` is called once where this process's node has a notice."""
        threading.Thread(target=self._look, args=(leave,), name="leaving nodes", daemon=True).start()

    def stop(self) -> None:
        """Looks no longer."""
        self._ended.set()

    def _look(self, leave: Callable[[], object]) -> None:
        while not self._ended.wait(_LOOK_SECONDS):
            try:
                leaving = self._draining()
                nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes()}
            except Exception as error:  # Ray raises a dozen kinds of them where its control is lost
                logger.warning("Ray does not say which nodes leave: %s", error)
                continue
            # Workers on this node stay: it finishes one more proof, and its group ends with it.
            others = frozenset(nodes[node] for node in leaving if node in nodes and node != self._node)
            if others - self.addresses:
                logger.info("nodes leave: %s", ", ".join(sorted(others)))
            self.addresses = others
            if self._node in leaving:
                logger.warning("this node leaves: no further job is begun")
                leave()
                return

    def _draining(self) -> frozenset[str]:
        """Ids of nodes, hexadecimal."""
        from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled

        return frozenset(GcsClient(address=self._control).get_draining_nodes(timeout=_ANSWER_SECONDS))
