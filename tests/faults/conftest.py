"""Keys, the proof that one process makes of them, and a cluster that scenarios leave as it was."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepprove_dist as dp
from tests.faults.prover import MODEL, X
from tests.faults.running import Program, RayCluster, proving, ray_cluster
from tests.faults.slow_worker import Options

Measured = Callable[[str, str, float, str], None]

LARGER = MODEL.parent / "digits_cnn264k"
ROWS = 16384
"""Samples that are too many for a job's row: they are a file."""


@dataclass(frozen=True)
class Keys:
    """A folder of keys, and what its proof is."""

    folder: Path
    proof: str


@dataclass(frozen=True)
class LongJobs:
    """Keys whose proofs take seconds.

    Attributes:
        body, index: what is submitted.
        proof: what comes of it.
    """

    folder: Path
    body: bytes
    index: str
    proof: bytes


@dataclass(frozen=True)
class Setting:
    """What a scenario has.

    Attributes:
        where: its workers run, "local" or "ray".
        address: of their cluster; None for processes of this machine.
        folder: for its files.
        write: see `measured`.
    """

    where: str
    address: str | None
    keys: Keys
    folder: Path
    write: Measured

    def proving(self, **options: Any) -> AbstractContextManager[Program]:
        """A prover with these options."""
        return proving(self.keys.folder, Options(self.address, **options), self.folder / "log")

    def measured(self, scenario: str, seconds: float, outcome: str) -> None:
        """Writes a line of results."""
        self.write(scenario, self.where, seconds, outcome)


@pytest.fixture
def setting(request: pytest.FixtureRequest, keys: Keys, tmp_path: Path, measured: Measured) -> Setting:
    """The parameter is "local" or "ray"."""
    address = request.getfixturevalue("two_nodes").address if request.param == "ray" else None
    return Setting(request.param, address, keys, tmp_path, measured)


everywhere = pytest.mark.parametrize("setting", ["local", "ray"], indirect=True)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("faults") / "keys"
    keys = dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", transparent=True)
    keys.save(folder)
    return Keys(folder, keys.prove(X).content.hex())


@pytest.fixture(scope="session")
def two_nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RayCluster]:
    """A head without CPUs, and two nodes of four."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'deepprove-dist[ray]'")
    nodes = [{"num_cpus": 0}, {"num_cpus": 4}, {"num_cpus": 4}]
    with ray_cluster(nodes, tmp_path_factory.mktemp("ray") / "log") as cluster:
        yield cluster


@pytest.fixture(scope="session")
def measured() -> Measured:
    """Writes a line of results into the file that the variable FAULT_RESULTS names, if it is set."""

    def write(scenario: str, where: str, seconds: float, outcome: str) -> None:
        if path := os.environ.get("FAULT_RESULTS"):
            with Path(path).open("a", newline="") as file:
                csv.writer(file).writerow([scenario, where, f"{seconds:.1f}", outcome])

    return write


@pytest.fixture
def folder(keys: Keys) -> str:
    """The keys, and the name that clients call them by."""
    return f"iris={keys.folder}"


@pytest.fixture(scope="session")
def expected(keys: Keys) -> Callable[[str], bytes]:
    """The proof that this process makes for a context."""
    loaded = dp.ProvingKey.load(keys.folder)
    x = loaded.read_inputs(MODEL / "input.json")
    return lambda context: loaded.prove(x, context=context.encode()).content


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keys for so many samples that their proof takes seconds, and that a job's samples are a file."""
    folder = tmp_path_factory.mktemp("faults") / "many"
    dp.setup(MODEL / "model.onnx", MODEL / "calibration.npz", transparent=True, max_batch=ROWS).save(folder)
    return folder


@pytest.fixture(scope="session")
def long(tmp_path_factory: pytest.TempPathFactory) -> LongJobs:
    """A proof that is not over before a test can interrupt it: a service looks each second."""
    x = np.tile(np.load(LARGER / "test.npz")["x"], (2, 1, 1, 1))
    keys = dp.setup(LARGER / "model.onnx", LARGER / "calibration.npz", transparent=True, max_batch=512)
    keys.save(folder := tmp_path_factory.mktemp("faults") / "long")
    np.savez_compressed(body := BytesIO(), x=x)
    return LongJobs(folder, body.getvalue(), f"0:{len(x)}", keys.prove(x).content)
