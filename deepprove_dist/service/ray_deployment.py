"""The process that deploys the service on a Ray cluster.

It reads what to deploy from its standard input. The last line of its output is the service's address; that of
its errors says why there is none.
"""

from __future__ import annotations

import os
import pickle
import sys
from dataclasses import replace

import ray
from ray import serve

from deepprove_dist.errors import ExecutionError, first_line
from deepprove_dist.execution.cluster.ray_joining import join, probe
from deepprove_dist.service.deployment import Deployment, Removal
from deepprove_dist.service.local_server import Listening
from deepprove_dist.service.ray_application import APPLICATION, create_serve_application


def main() -> None:
    """Does what standard input says; the last line of standard output is the service's address."""
    wanted = pickle.loads(sys.stdin.buffer.read())
    try:
        print(_deploy(wanted) if isinstance(wanted, Deployment) else _remove(wanted), flush=True)
    except ExecutionError as error:
        print(error, file=sys.stderr, flush=True)
        os._exit(1)
    # A Ray whose control is lost would let this process wait.
    os._exit(0)


def _deploy(deployment: Deployment) -> str:
    probe(deployment.address)
    node = join(deployment.address)
    settings, listening = deployment.settings, deployment.listening
    limits = settings.limits
    if deployment.cluster_memory and settings.cluster is not None:
        memory = int(ray.cluster_resources().get("memory", limits.memory_bytes))
        settings = replace(settings, limits=replace(limits, memory_bytes=memory))
    options = {
        "host": listening.host,
        "port": listening.port,
        "request_timeout_s": limits.wait_seconds + limits.body_seconds,
        "ssl_certfile": None if listening.certificate is None else str(listening.certificate.resolve()),
        "ssl_keyfile": None if listening.private_key is None else str(listening.private_key.resolve()),
    }
    try:
        serve.start(http_options=options)
        serve.run(create_serve_application(settings, node, deployment.runners), name=APPLICATION)
    except Exception as error:  # Ray raises a dozen kinds of them here
        raise ExecutionError(f"Ray Serve: {first_line(error)}") from error
    return _address(listening, node)


def _remove(removal: Removal) -> str:
    probe(removal.address)
    join(removal.address)
    try:
        serve.delete(APPLICATION)
    except Exception as error:  # as above
        raise ExecutionError(f"Ray Serve: {first_line(error)}") from error
    return "removed"


def _address(listening: Listening, node: str) -> str:
    scheme = "http" if listening.certificate is None else "https"
    return f"{scheme}://{node if listening.host == '0.0.0.0' else listening.host}:{listening.port}"


if __name__ == "__main__":
    main()
