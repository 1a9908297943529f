"""The Ray session that workers run in: an existing one, one at an address, or a local one of this run."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import ray

from deepprove_dist.cpu import default_threads
from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.ray_authentication import MODE
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig

#: Ray refuses less; calls do not pass through the object store.
_OBJECT_STORE_BYTES = 80 << 20
_CONNECT_SECONDS = 10.0


@contextmanager
def ray_session(address: str | None, config: ScalingConfig) -> Iterator[None]:
    """A session within the block; one that was there before stays.

    Raises ExecutionError where there is no cluster at the address, or it does not let us in.
    """
    if ray.is_initialized():
        yield
        return
    if address is None:
        _start(config)
    else:
        _join(address)
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str) -> None:
    _require_listener(address)
    mode = os.environ.get(MODE)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # Ray raises a dozen kinds of them here
        raise ExecutionError(
            f"no Ray cluster at {address} with {MODE}={mode} ({_first_line(error)}). One with token "
            f"authentication needs its token in ~/.ray/auth_token, and {MODE}=token"
        ) from error


def _require_listener(address: str) -> None:
    """Raises ExecutionError unless something listens there: Ray would go on trying for ten minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _CONNECT_SECONDS).close()
    except OSError as error:
        raise ExecutionError(f"no Ray cluster at {address}: {error}") from error


def _start(config: ScalingConfig) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address="local",
            # Workers on one machine may be more than its cores.
            num_cpus=max(config.workers * config.cpus_per_worker, default_threads()),
            object_store_memory=_OBJECT_STORE_BYTES,
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
    except Exception as error:
        raise ExecutionError(f"Ray did not start on this machine: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
