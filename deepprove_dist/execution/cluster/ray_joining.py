"""Connecting to a Ray cluster, or the true reason why not."""

from __future__ import annotations

import os

import ray

from deepprove_dist.errors import ExecutionError, first_line
from deepprove_dist.execution.cluster.ray_authentication import MODE, token_source

_ANSWER_SECONDS = 5.0


def probe(address: str) -> None:
    """Asks the cluster's control one question: its refusal comes at once, that of `ray.init` after 20 s.

    Raises ExecutionError where there is no cluster, or it does not let us in.
    """
    from ray._private.services import canonicalize_bootstrap_address
    from ray._raylet import GcsClient  # type: ignore[attr-defined]  # compiled

    try:
        control = canonicalize_bootstrap_address(address)
        if control is None:
            raise ExecutionError(f"no Ray cluster at {address}: this machine belongs to none")
        GcsClient(address=control).get_all_node_info(timeout=_ANSWER_SECONDS)
    except Exception as error:  # Ray raises a dozen kinds of them here
        raise ExecutionError(_refusal(address, error)) from error


def join(address: str) -> str:
    """Connects this process to the cluster at an address; returns this node's address.

    Raises ExecutionError where that does not succeed, as on a machine that is not a node of it.
    """
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except Exception as error:  # as above
        raise ExecutionError(_refusal(address, error)) from error
    return str(ray.util.get_node_ip_address())


def _refusal(address: str, error: Exception) -> str:
    text = str(error)
    if type(error).__name__ == "AuthenticationError" or "Unauthenticated" in text:
        if os.environ.get(MODE) != "token":
            return (
                f"the Ray cluster at {address} asks for its token, and there is none here. "
                f"Put it into ~/.ray/auth_token, and set {MODE}=token"
            )
        return f"the token is wrong: the Ray cluster at {address} has another one than {token_source()}"
    if isinstance(error, ExecutionError):
        return text
    return f"no Ray cluster at {address}: {first_line(error)}"
