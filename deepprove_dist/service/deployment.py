"""What is to be deployed on a Ray cluster, and the process that does it: Ray's text stays off the screen."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from dataclasses import dataclass, replace

from deepprove_dist.errors import ExecutionError
from deepprove_dist.execution.cluster.ray_authentication import authentication
from deepprove_dist.execution.cluster.ray_launcher import require_listener
from deepprove_dist.execution.processes.import_path import import_path
from deepprove_dist.service.local_server import Listening
from deepprove_dist.service.settings import ServiceSettings

_PROCESS = "deepprove_dist.service.ray_deployment"
_DEPLOY_SECONDS = 300.0


@dataclass(frozen=True)
class Deployment:
    """Attributes:
    settings: of the service; without a limit on memory it is the cluster's.
    listening: where Serve's proxies listen.
    address: of the cluster.
    runners: the least and the largest number of provers.
    cluster_memory: the limit on memory is what the cluster has.
    """

    settings: ServiceSettings
    listening: Listening
    address: str
    runners: tuple[int, int] = (1, 1)
    cluster_memory: bool = True


@dataclass(frozen=True)
class Removal:
    """The end of the service on the cluster at an address."""

    address: str


def remove(removal: Removal) -> None:
    """Ends the service on a cluster, once the proof in progress is finished. Jobs stay in the store.

    Raises ExecutionError where there is no cluster.
    """
    require_listener(removal.address)
    _ask(removal)


def deploy(deployment: Deployment) -> str:
    """Starts the service, or changes the one that runs; its address, once it takes jobs.

    Raises ExecutionError where there is no cluster, or the service does not start.
    """
    require_listener(deployment.address)
    return _ask(replace(deployment, settings=deployment.settings.absolute()))


def _ask(wanted: Deployment | Removal) -> str:
    """The last line that the process writes, which does what is wanted."""
    try:
        run = subprocess.run(
            [sys.executable, "-m", _PROCESS],
            input=pickle.dumps(wanted),
            capture_output=True,
            timeout=_DEPLOY_SECONDS,
            env={**os.environ, **authentication(), **import_path(), "RAY_USAGE_STATS_ENABLED": "0"},
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ExecutionError(f"Ray Serve did not answer within {_DEPLOY_SECONDS:g} s") from error
    lines = run.stdout.decode(errors="replace").strip().splitlines()
    if run.returncode != 0 or not lines:
        errors = run.stderr.decode(errors="replace").strip().splitlines()
        raise ExecutionError((errors or ["the process that talks to Ray Serve ended without a word"])[-1])
    return lines[-1]
