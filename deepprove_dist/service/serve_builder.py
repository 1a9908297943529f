"""The service for Ray Serve's own configuration files, as KubeRay takes them: built from plain arguments.

The keys are on the head, on a volume for example. Gateway and provers run there, workers anywhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ray
from pydantic import BaseModel, ConfigDict, Field

from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.service.ray_application import create_serve_application
from deepprove_dist.service.runner import RunnerOptions
from deepprove_dist.service.settings import ServiceSettings
from deepprove_dist.service.submission_checks import SubmissionLimits

HEAD = "__internal_head__"
"""How Ray's resource of the head's node is called, after `node:`."""

_HOUR = 3600.0


class ServeArguments(BaseModel):
    """What `args` of the application says; the options of `deepprove-dist serve`, with its meanings.

    Attributes:
        keys: folders, or NAME=FOLDER.
        state: folder of tokens, jobs and proofs.
        workers: of each key; 0 for none.
        runners: the least and the largest number of provers.
    """

    model_config = ConfigDict(extra="forbid")

    keys: list[str] = Field(min_length=1)
    state: str
    database: str | None = None
    artifacts: str | None = None
    tokens: str | None = None
    workers: int = Field(default=0, ge=0)
    cpus_per_worker: int = Field(default=1, ge=1)
    node_labels: dict[str, str] = Field(default_factory=dict)
    placement_timeout: float = Field(default=60.0, gt=0)
    threads: int = Field(default=1, ge=1)
    share_small: bool = False
    auto_rekey: bool = False
    keep_hours: float = Field(default=168.0, gt=0)
    job_timeout: float = Field(default=3600.0, gt=0)
    drain_timeout: float = Field(default=60.0, gt=0)
    runners: tuple[int, int] = (1, 1)

    def settings(self, memory_bytes: int) -> ServiceSettings:
        """The same as settings, within so much memory."""
        workers = None
        if self.workers:
            config = ScalingConfig(
                self.workers,
                cpus_per_worker=self.cpus_per_worker,
                labels=self.node_labels,
                placement_timeout=self.placement_timeout,
            )
            workers = ClusterOptions(config)
        return ServiceSettings(
            tuple(self.keys),
            Path(self.state),
            self.database,
            self.artifacts,
            None if self.tokens is None else Path(self.tokens),
            workers,
            share_small=self.share_small,
            threads=self.threads,
            limits=SubmissionLimits(
                memory_bytes=memory_bytes, job_seconds=self.job_timeout, workers=self.workers or 1
            ),
            options=RunnerOptions(self.job_timeout, self.keep_hours * _HOUR, self.auto_rekey),
            drain_seconds=self.drain_timeout,
        )


def build(arguments: dict[str, Any]) -> Any:
    """The application; Serve calls this in a process of the cluster. Raises pydantic's errors."""
    memory = int(ray.cluster_resources().get("memory", SubmissionLimits().memory_bytes))
    chosen = ServeArguments.model_validate(arguments)
    return create_serve_application(chosen.settings(memory), HEAD, chosen.runners)
