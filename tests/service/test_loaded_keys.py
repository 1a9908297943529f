from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import deepprove_dist as dp
from deepprove_dist.errors import FormatError, MemoryLimitError
from deepprove_dist.execution.group.in_process import InProcessExecutor
from deepprove_dist.execution.group.worker_group import WorkerGroup
from deepprove_dist.execution.phases.worker_api import create_worker
from deepprove_dist.protocol.parameters import PROCESS_BYTES
from deepprove_dist.service.loaded_keys import LoadedKeys, worker_report
from deepprove_dist.service.served_key import ServedKey
from tests.hiding_keys import X, transparent_keys


class Groups:
    """Starts groups of two workers in this process; counts those that are there."""

    there = 0

    @contextmanager
    def open(self) -> Iterator[WorkerGroup]:
        self.there += 1
        try:
            yield WorkerGroup(InProcessExecutor(2, create_worker))
        finally:
            self.there -= 1


@pytest.fixture
def keys(tmp_path: Path) -> list[ServedKey]:
    """Three folders of one key."""
    for name in "abc":
        transparent_keys().save(tmp_path / name)
    return [ServedKey.open(name, tmp_path / name) for name in "abc"]


def test_a_key_stays_loaded(keys: list[ServedKey]) -> None:
    loaded = LoadedKeys(1 << 40, threads=1)
    assert loaded.get(keys[0]) is loaded.get(keys[0])
    assert loaded.names == ("a",)


def test_the_key_that_was_used_least_recently_gives_way(keys: list[ServedKey]) -> None:
    a, b, c = keys
    loaded = LoadedKeys(PROCESS_BYTES + 2 * a.price.memory_bytes, threads=1)
    for served in (a, b, a):
        loaded.get(served)
    assert loaded.names == ("b", "a")
    loaded.get(c)
    assert loaded.names == ("a", "c")


def test_a_key_that_is_too_large_alone_is_refused(keys: list[ServedKey]) -> None:
    loaded = LoadedKeys(1, threads=1)
    with pytest.raises(MemoryLimitError):
        loaded.get(keys[0])
    assert loaded.names == ()


def test_small_networks_have_no_workers_unless_asked_for(keys: list[ServedKey]) -> None:
    groups = Groups()
    alone = LoadedKeys(1 << 40, threads=1, open_group=groups.open)
    assert alone.get(keys[0]).group is None
    assert worker_report(alone.get(keys[0])) == []
    shared = LoadedKeys(1 << 40, threads=1, open_group=groups.open, share_small=True)
    assert len(worker_report(shared.get(keys[0]))) == 2
    assert shared.get(keys[0]).keys.prove(X).content == transparent_keys().prove(X).content
    shared.close()
    assert groups.there == 0


def test_keys_with_workers_give_way_to_each_other(keys: list[ServedKey]) -> None:
    groups = Groups()
    loaded = LoadedKeys(1 << 40, threads=1, open_group=groups.open, max_groups=2, share_small=True)
    for served in keys:
        loaded.get(served)
        assert groups.there <= 2
    assert loaded.names == ("b", "c")


def test_workers_end_where_the_key_cannot_be_loaded(keys: list[ServedKey]) -> None:
    groups = Groups()
    loaded = LoadedKeys(1 << 40, threads=1, open_group=groups.open, share_small=True)
    (keys[0].folder / "model.integer").write_bytes(b"damaged")
    with pytest.raises(FormatError):
        loaded.get(keys[0])
    assert groups.there == 0
    assert loaded.names == ()


def test_a_key_that_was_rekeyed_is_loaded_again(folders: dict[str, Path]) -> None:
    served, loaded = ServedKey.open("hiding", folders["hiding"]), LoadedKeys(1 << 40, threads=1)
    first = loaded.get(served)
    dp.ProvingKey.rekey_folder(folders["hiding"], threads=1)
    assert not loaded.is_current(served)
    second = loaded.get(served)
    assert (first.epoch, second.epoch) == (0, 1)
    assert loaded.is_current(served)
    assert served.content.digest == second.keys.prover.verifying.digest
