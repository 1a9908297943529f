"""What an operator chose, and the parts of a service that follow from it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from deepprove_dist.errors import ChoiceError, ExecutionError, first_line
from deepprove_dist.execution.cluster.open_worker_group import ClusterOptions, open_worker_group
from deepprove_dist.metrics.sink import NO_METRICS, MetricSink
from deepprove_dist.service.artifacts import Artifacts
from deepprove_dist.service.clients import Clients
from deepprove_dist.service.events import Observer, log_event
from deepprove_dist.service.hand_over import HandOver
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.loaded_keys import LoadedKeys
from deepprove_dist.service.runner import Finished, Runner, RunnerOptions
from deepprove_dist.service.served_key import open_keys
from deepprove_dist.service.store import JobStore
from deepprove_dist.service.submission_checks import SubmissionLimits
from deepprove_dist.service.waiting import Waiters

TOKENS, DATABASE, ARTIFACTS, LOCK = "tokens", "jobs.sqlite", "artifacts", "service.lock"


@dataclass(frozen=True)
class ServiceSettings:
    """Attributes:
    keys: folders, or NAME=FOLDER.
    state: a folder for what is not said to be elsewhere: tokens, jobs, artifacts.
    database: SQLAlchemy's address of the jobs; None for a file in `state`.
    artifacts: fsspec's address of inputs and proofs; None for a folder in `state`.
    tokens: the file of clients; None for one in `state`, which is written where it is missing.
    cluster: workers of a key; None where the runner's process does all.
    max_groups: keys that may have workers at once.
    share_small: workers prove small networks as well.
    threads: of the runner's process.
    limits, options: of submissions, and of runners.
    drain_seconds: that the proof in progress may take after the service was told to end.
    """

    keys: tuple[str, ...]
    state: Path
    database: str | None = None
    artifacts: str | None = None
    tokens: Path | None = None
    cluster: ClusterOptions | None = None
    max_groups: int | None = None
    share_small: bool = False
    threads: int | None = None
    limits: SubmissionLimits = field(default_factory=SubmissionLimits)
    options: RunnerOptions = field(default_factory=RunnerOptions)
    drain_seconds: float = 60.0

    @property
    def token_file(self) -> Path:
        """Where the clients are."""
        return self.state / TOKENS if self.tokens is None else self.tokens

    @property
    def private_store(self) -> bool:
        """The jobs are in a file of the state folder: one service has them."""
        return self.database is None

    def prepare(self) -> bool:
        """Makes the state folder, and a token where there is none; whether it made one. Raises OSError."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self.tokens is not None or self.token_file.exists():
            return False
        Clients.generate(self.token_file)
        return True

    def absolute(self) -> ServiceSettings:
        """The same, for a process in another folder."""
        tokens = None if self.tokens is None else self.tokens.resolve()
        keys = tuple(f"{name}{equals}{Path(path).resolve()}" for name, equals, path in map(_split, self.keys))
        return replace(self, keys=keys, state=self.state.resolve(), tokens=tokens)


@dataclass(frozen=True)
class ServiceParts:
    """What a process of the service has in common with others of it."""

    settings: ServiceSettings
    store: JobStore
    artifacts: Artifacts
    clients: Clients

    @classmethod
    def open(cls, settings: ServiceSettings) -> ServiceParts:
        """Opens store, artifacts and the file of clients.

        Raises ChoiceError for addresses that are none, or whose drivers are not installed. Raises
        ExecutionError for a database that does not answer, and as `Clients.load` does.
        """
        clients = Clients.load(settings.token_file)
        file = settings.state.resolve() / DATABASE
        if settings.private_store:
            # SQLite would let others read it where the folder does.
            os.close(os.open(file, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        try:
            store = JobStore(settings.database or f"sqlite:///{file}")
        except (ArgumentError, ImportError) as error:
            raise ChoiceError(f"--database: {first_line(error)}") from error
        except SQLAlchemyError as error:
            raise ExecutionError(f"the job store does not answer: {first_line(error)}") from error
        try:
            artifacts = Artifacts(settings.artifacts or str(settings.state.resolve() / ARTIFACTS))
        except (ValueError, ImportError) as error:
            raise ChoiceError(f"--artifacts: {error}") from error
        return cls(settings, store, artifacts, clients)

    def jobs(
        self,
        notify: Callable[[], None] = lambda: None,
        observe: Observer = log_event,
        waiters: Waiters | None = None,
        hand_over: HandOver | None = None,
    ) -> JobService:
        """What the HTTP application asks for; see JobService."""
        served = open_keys(self.settings.keys)
        limits = replace(self.settings.limits, rekeys=self.settings.options.auto_rekey)
        return JobService(served, self.store, self.artifacts, limits, observe, notify, waiters, hand_over)

    def runner(
        self,
        observe: Observer = log_event,
        metrics: MetricSink = NO_METRICS,
        leaving: Callable[[], Collection[str]] = tuple,
        hand_over: HandOver | None = None,
        finished: Finished = lambda job, proof: None,
    ) -> Runner:
        """What proves; see Runner. `metrics` has those of its workers."""
        settings, cluster = self.settings, self.settings.cluster
        loaded = LoadedKeys(
            settings.limits.memory_bytes,
            threads=settings.threads,
            open_group=None if cluster is None else lambda: open_worker_group(cluster, metrics=metrics),
            max_groups=settings.max_groups,
            share_small=settings.share_small,
        )
        served = open_keys(settings.keys)
        return Runner(
            *(self.store, self.artifacts, served, loaded, settings.options, observe, leaving),
            hand_over=hand_over,
            finished=finished,
        )


def _split(text: str) -> tuple[str, str, str]:
    name, equals, path = text.partition("=")
    return (name, equals, path) if equals else (Path(text).resolve().name, "=", text)
