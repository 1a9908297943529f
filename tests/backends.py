"""The backend of a key, as what it is: tests look into it, provers only use it."""

from __future__ import annotations

from deepprove_dist.execution.cluster_backend import ClusterBackend
from deepprove_dist.protocol.argument.local_backend import LocalBackend
from deepprove_dist.prover import Prover


def local(key: Prover) -> LocalBackend:
    """Of a key in this process."""
    assert isinstance(key.backend, LocalBackend)
    return key.backend


def cluster(key: Prover) -> ClusterBackend:
    """Of a key that is with workers."""
    assert isinstance(key.backend, ClusterBackend)
    return key.backend
