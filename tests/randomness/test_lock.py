"""One holder at a time: of threads, of processes, and where the file is taken away."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import pytest

from deepprove_dist.randomness.lock import locked


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock of the file that has this name."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path / "lock"):
        raise KeyError
    with locked(tmp_path / "lock"):
        pass


def test_threads_take_turns(tmp_path: Path) -> None:
    inside, most = 0, 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(20):
            with locked(tmp_path / "lock"):
                inside += 1
                most = max(most, inside)
                time.sleep(0)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_waiting_one_does_not_take_a_file_that_is_gone(tmp_path: Path) -> None:
    """It would hold the lock of a file without a name, and others that of the new one."""
    path, waiting = tmp_path / "lock", threading.Event()
    free = []

    def wait() -> None:
        waiting.set()
        with locked(path):
            free.append(is_free(path))

    thread = threading.Thread(target=wait)
    with locked(path):
        thread.start()
        waiting.wait()
        # Until it waits for the lock; too early is no harm, as it then finds the new file.
        time.sleep(0.05)
        path.unlink()
        path.touch()
    thread.join()
    assert free == [False]
    assert is_free(path)


def _hold(path: Path, ready: Event) -> None:
    with locked(path):
        ready.set()
        time.sleep(600)


def test_a_killed_process_holds_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_hold, args=(tmp_path / "lock", ready))
    process.start()
    assert ready.wait(60)
    assert not is_free(tmp_path / "lock")
    process.kill()
    process.join()
    with locked(tmp_path / "lock"):
        pass


def test_a_process_that_was_forked_meanwhile_does_not_keep_the_lock(tmp_path: Path) -> None:
    read, write = os.pipe()
    with locked(tmp_path / "lock"):
        child = os.fork()
        if child == 0:
            os.close(write)
            os.read(read, 1)
            os._exit(0)
    try:
        assert is_free(tmp_path / "lock")
    finally:
        os.close(write)
        os.close(read)
        os.waitpid(child, 0)


def test_a_folder_that_cannot_be_written_to_raises(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "missing" / "lock"):
        pass
