"""Folders of small keys, and the parts of a service around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.prover import Prover
from deepprove_dist.proving_key import ProvingKey
from deepprove_dist.randomness.secret import Secret
from deepprove_dist.service.application import create_application
from deepprove_dist.service.artifacts import Artifacts
from deepprove_dist.service.clients import Clients, ServiceClient
from deepprove_dist.service.events import JobEvent
from deepprove_dist.service.job import Job, Submission
from deepprove_dist.service.job_service import JobService
from deepprove_dist.service.loaded_keys import LoadedKeys
from deepprove_dist.service.runner import Runner, RunnerOptions
from deepprove_dist.service.sample_body import encode_inputs
from deepprove_dist.service.served_key import ServedKey, open_keys
from deepprove_dist.service.store import JobStore, Kept
from deepprove_dist.setup_options import Options
from tests.hiding_keys import POOL, X, transparent_keys
from tests.model.small_model import small_model
from tests.service import interface

ALICE, BOB = ServiceClient("alice", b"", 9), ServiceClient("bob", b"", 3)
SAMPLES = {"x": X[np.newaxis]}
INPUTS = encode_inputs(SAMPLES)
ROOM = 1 << 40


@cache
def hiding_prover() -> Prover:
    """Of keys that hide, and may make three proofs at least."""
    return Prover.generate(small_model(), Options(hiding=True, proofs=3), POOL, Secret(bytes(range(32))))


def save_hiding_keys(folder: Path) -> None:
    """Writes new keys of `hiding_prover`."""
    prover = hiding_prover()
    ProvingKey(prover, budget=KeyBudget(prover.verifying.schedule.initial.proofs)).save(folder)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    """Keys in folders: "plain" ones, and "hiding" ones."""
    transparent_keys().save(tmp_path / "plain")
    save_hiding_keys(tmp_path / "hiding")
    return {name: tmp_path / name for name in ("plain", "hiding")}


@dataclass
class Parts:
    """A store with its clock, artifacts, keys, the events that were seen, and jobs that were handed over."""

    folder: Path
    served: dict[str, ServedKey]
    now: float = 1000.0
    events: list[JobEvent] = field(default_factory=list)
    handed: list[tuple[Job, bytes | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = JobStore(f"sqlite:///{self.folder / 'jobs.sqlite'}", lambda: self.now)
        self.artifacts = Artifacts(str(self.folder / "artifacts"), patience=0.5)

    def runner(self, options: RunnerOptions | None = None, loaded: LoadedKeys | None = None) -> Runner:
        """One that was not started."""
        loaded = loaded or LoadedKeys(ROOM, threads=1)
        return Runner(
            *(self.store, self.artifacts, self.served, loaded, options, self.events.append),
            clock=lambda: self.now,
        )

    def proof(self, job: Job) -> bytes:
        """The proof of a job that is done, wherever it is."""
        return self.store.proof(job) or self.artifacts.read(job.proof or "")

    def submit(self, key: str = "plain", client: str = "alice", **more: object) -> str:
        """The id of a new job for the sample of the small model."""
        submission = Submission(client, key, INPUTS, **more)  # type: ignore[arg-type]
        return self.store.submit(submission, lambda job: Kept(INPUTS))[0].id


@pytest.fixture
def parts(tmp_path: Path, folders: dict[str, Path]) -> Iterator[Parts]:
    parts = Parts(tmp_path, open_keys([f"{name}={folder}" for name, folder in folders.items()]))
    yield parts
    parts.store.close()


@pytest.fixture
def jobs(parts: Parts) -> JobService:
    return JobService(parts.served, parts.store, parts.artifacts, observe=parts.events.append)


@pytest.fixture
def http(jobs: JobService, tmp_path: Path) -> Iterator[TestClient]:
    file = tmp_path / "tokens"
    file.write_text(f"alice {'a' * 20}\nbob {'b' * 20} 3\n")
    file.chmod(0o600)
    with TestClient(create_application(jobs, Clients.load(file)), headers=interface.ALICE) as client:
        yield client


@pytest.fixture
def runner(parts: Parts) -> Runner:
    return parts.runner()
