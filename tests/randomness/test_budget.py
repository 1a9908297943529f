"""No number is handed out twice, and none beyond the limit."""

from __future__ import annotations

import copy
import errno
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.queues import Queue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import pytest

from deepprove_dist.errors import BudgetError, ChoiceError, DeepProveError
from deepprove_dist.randomness.budget import MAX_BLOCK, ProofBudget
from deepprove_dist.randomness.counter import COUNTER_FILE, read_counter
from tests.randomness.keys_folder import make_folder, reserve_numbers


@pytest.fixture(name="folder")
def new_folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "keys")


def used(folder: Path) -> int:
    counter = read_counter(folder)
    assert counter is not None
    return counter.used


def test_numbers_rise_from_zero_and_are_on_disk_first(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    assert budget.remaining == 100
    for number in range(3):
        (reservation,) = budget.reserve()
        assert (reservation.epoch, reservation.number) == (0, number)
        assert used(folder) == number + 1
    assert reserve_numbers(budget, 4) == [3, 4, 5, 6]
    assert budget.remaining == 93
    assert reserve_numbers(ProofBudget.open(folder, 100, 0)) == [7]


def test_at_the_end_the_error_says_what_to_do(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    budget.reserve(98)
    with pytest.raises(BudgetError, match=r"100 proofs in epoch 0, and only 2 of them are left; rekey makes"):
        budget.reserve(3)
    assert reserve_numbers(budget, 2) == [98, 99]
    assert budget.remaining == 0
    for _ in range(2):
        with pytest.raises(BudgetError, match="has none left; rekey makes the next epoch"):
            budget.reserve()
    assert used(folder) == 100
    assert isinstance(BudgetError(""), DeepProveError)


def test_without_a_limit_there_is_a_counter_still(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys", None)
    budget = ProofBudget.open(folder, None, 0, block=5)
    assert budget.remaining is None
    assert reserve_numbers(budget, 2) == [0, 1]
    assert used(folder) == 5
    assert reserve_numbers(budget, 7) == [*range(2, 9)]
    assert budget.remaining is None


def test_a_block_is_reserved_at_once_and_is_at_most_a_sixteenth(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys", 160)
    budget = ProofBudget.open(folder, 160, 0, block=1000)
    assert reserve_numbers(budget) == [0]
    assert used(folder) == 10
    assert budget.remaining == 159
    other = ProofBudget.open(folder, 160, 0)
    assert other.remaining == 150
    assert reserve_numbers(budget, 9) == [*range(1, 10)]
    assert used(folder) == 10
    assert reserve_numbers(budget) == [10]
    assert used(folder) == 19
    # More than a block, and what is left of the one before.
    assert reserve_numbers(budget, 20) == [*range(11, 31)]
    assert used(folder) == 31
    budget.reserve(117)
    assert used(folder) == 148
    assert reserve_numbers(budget) == [148]
    assert used(folder) == 149


def test_a_lost_block_is_used(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0, block=6)
    assert reserve_numbers(budget) == [0]
    del budget
    assert reserve_numbers(ProofBudget.open(folder, 100, 0)) == [6]


def test_a_closed_budget_gives_back_what_it_has_not_used(folder: Path) -> None:
    with ProofBudget.open(folder, 100, 0, block=6) as budget:
        assert reserve_numbers(budget, 2) == [0, 1]
        assert used(folder) == 6
    assert used(folder) == 2
    # It may go on afterwards.
    assert reserve_numbers(budget) == [2]
    budget.close()
    before = (folder / COUNTER_FILE).stat().st_ino
    budget.close()
    assert used(folder) == 3
    # Nothing to give back is nothing to write.
    assert (folder / COUNTER_FILE).stat().st_ino == before


def test_nothing_is_given_back_once_others_have_reserved(folder: Path) -> None:
    first, second = (ProofBudget.open(folder, 100, 0, block=6) for _ in range(2))
    assert reserve_numbers(first) == [0]
    assert reserve_numbers(second) == [6]
    before = (folder / COUNTER_FILE).stat().st_ino
    first.close()
    assert used(folder) == 11
    assert (folder / COUNTER_FILE).stat().st_ino == before
    second.close()
    assert used(folder) == 7


def test_an_older_block_is_given_back_after_the_one_that_followed(folder: Path) -> None:
    first, second = (ProofBudget.open(folder, 100, 0, block=6) for _ in range(2))
    assert reserve_numbers(first) == [0]
    assert reserve_numbers(second) == [6]
    # Only numbers right below the top are given back: 6 was handed out.
    second.close()
    first.close()
    assert used(folder) == 7


def test_only_the_top_of_two_blocks_is_given_back(folder: Path) -> None:
    first, second = (ProofBudget.open(folder, 100, 0, block=6) for _ in range(2))
    first.reserve()
    second.reserve()
    # Five numbers of the first block, and five of a second.
    assert reserve_numbers(first, 1) == [1]
    assert reserve_numbers(first, 5) == [2, 3, 4, 5, 11]
    assert used(folder) == 16
    first.close()
    assert used(folder) == 12


def test_an_error_inside_closes_too(folder: Path) -> None:
    def fail() -> None:
        with ProofBudget.open(folder, 100, 0, block=6) as budget:
            budget.reserve()
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert used(folder) == 1


def test_a_failed_close_leaves_numbers_used(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = ProofBudget.open(folder, 100, 0, block=6)
    budget.reserve()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match="No space left"):
            budget.close()
    assert used(folder) == 6
    assert reserve_numbers(budget) == [6]


def _full(_: int) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_hands_out_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match="No space left"):
            budget.reserve()
    assert used(folder) == 0
    assert reserve_numbers(budget) == [0]


def test_a_folder_that_was_not_synced_hands_out_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    calls = []

    def fail_second(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 2:
            _full(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail_second)
        with pytest.raises(OSError, match="No space left"):
            budget.reserve()
    assert reserve_numbers(budget) == [1]


def test_epochs_go_forward_only(folder: Path) -> None:
    old = ProofBudget.open(folder, 100, 0, block=6)
    assert reserve_numbers(old) == [0]
    with pytest.raises(BudgetError, match="epoch 0 already"):
        ProofBudget.begin(folder, 100, 0)
    ProofBudget.begin(folder, 10, 1)
    ProofBudget.begin(folder, 10, 1)
    new = ProofBudget.open(folder, 10, 1)
    assert reserve_numbers(new) == [0]
    for epoch in (0, 1):
        with pytest.raises(BudgetError, match="epoch 1 already"):
            ProofBudget.begin(folder, 10, epoch)
    with pytest.raises(BudgetError, match="10 proofs in epoch 1, and the key is for 100 proofs in epoch 0"):
        ProofBudget.open(folder, 100, 0)
    # What is left of its block is still its own, and nothing of it goes to the new epoch.
    assert reserve_numbers(old) == [1]
    with pytest.raises(BudgetError):
        old.close()
    assert used(folder) == 1


def test_a_budget_of_another_limit_is_refused(folder: Path) -> None:
    for limit in (99, 101, None):
        with pytest.raises(BudgetError, match="counts 100 proofs in epoch 0"):
            ProofBudget.open(folder, limit, 0)
    with pytest.raises(BudgetError, match="already"):
        ProofBudget.begin(folder, 101, 0)


def test_a_missing_counter_does_not_begin_at_zero(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    (folder / COUNTER_FILE).unlink()
    refused: list[Callable[[], object]] = [
        budget.reserve,
        lambda: budget.remaining,
        lambda: ProofBudget.open(folder, 100, 0),
        lambda: ProofBudget.adopt(folder),
    ]
    for call in refused:
        with pytest.raises(BudgetError, match="nobody knows how many proofs were made, and rekey"):
            call()


@pytest.mark.parametrize(
    "call",
    [
        lambda folder: ProofBudget.open(folder, 0, 0),
        lambda folder: ProofBudget.open(folder, -1, 0),
        lambda folder: ProofBudget.open(folder, 100, -1),
        lambda folder: ProofBudget.open(folder, 100, 0, block=0),
        lambda folder: ProofBudget.open(folder, 100, 0, block=MAX_BLOCK + 1),
        lambda folder: ProofBudget.begin(folder, 0, 1),
        lambda folder: ProofBudget.open(folder, 100, 0).reserve(0),
        lambda folder: ProofBudget.open(folder, 100, 0).reserve(MAX_BLOCK + 1),
    ],
)
def test_numbers_out_of_range_are_refused(folder: Path, call: Callable[[Path], object]) -> None:
    with pytest.raises(ChoiceError):
        call(folder)


@pytest.mark.parametrize("write", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_budget_is_not_copied(folder: Path, write: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        write(ProofBudget.open(folder, 100, 0))


def test_a_relative_folder_stays_the_same_one(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    budget = ProofBudget.open(Path("keys"), 100, 0)
    monkeypatch.chdir("/")
    assert reserve_numbers(budget) == [0]


@pytest.mark.parametrize("block", [1, 7])
def test_threads_get_distinct_numbers(folder: Path, block: int) -> None:
    shared = ProofBudget.open(folder, 100, 0, block=block)
    budgets = [shared, shared, ProofBudget.open(folder, 100, 0, block=block), shared]
    begin = threading.Barrier(len(budgets))

    def work(budget: ProofBudget) -> list[int]:
        begin.wait()
        return [number for _ in range(10) for number in reserve_numbers(budget)]

    with ThreadPoolExecutor(len(budgets)) as threads:
        numbers = [number for part in threads.map(work, budgets) for number in part]
    assert len({*numbers}) == len(numbers) == 40


def _reserve_all(folder: Path, block: int, begin: Barrier) -> list[int]:
    budget = ProofBudget.open(folder, 100, 0, block=block)
    numbers: list[int] = []
    begin.wait(120)
    try:
        while True:
            numbers += reserve_numbers(budget)
    except BudgetError:
        return numbers


def _put(folder: Path, block: int, begin: Barrier, queue: Queue[list[int]]) -> None:
    queue.put(_reserve_all(folder, block, begin))


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_share_the_whole_budget(folder: Path, method: str) -> None:
    context: Any = multiprocessing.get_context(method)
    begin, queue = context.Barrier(2), context.Queue()
    processes = [context.Process(target=_put, args=(folder, block, begin, queue)) for block in (1, 4)]
    for process in processes:
        process.start()
    numbers = [number for _ in processes for number in queue.get(timeout=120)]
    for process in processes:
        process.join()
    assert sorted(numbers) == [*range(100)]


def test_a_forked_process_has_nothing_of_the_block(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0, block=6)
    assert reserve_numbers(budget) == [0]
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            numbers = reserve_numbers(budget, 2)
            budget.close()
            os.write(write, bytes(numbers))
        finally:
            os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as file:
        assert [*file.read()] == [6, 7]
    assert reserve_numbers(budget, 2) == [1, 2]


def test_a_fork_while_a_thread_reserves_does_not_stop_the_child(folder: Path) -> None:
    budget = ProofBudget.open(folder, 100, 0)
    with budget._reserved.lock:
        child = os.fork()
        if child == 0:
            try:
                status = reserve_numbers(budget)[0]
            except BaseException:
                status = 99
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert reserve_numbers(budget) == [1]


@pytest.mark.parametrize("call", ["fsync", "close", "open", "rename", "unlink"])
@pytest.mark.parametrize("count", range(1, 7))
def test_a_crash_at_any_point_hands_out_nothing_twice(folder: Path, call: str, count: int) -> None:
    """A process ends without a word before its call number `count` of the system, then another goes on."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        _crash(call, count)
        budget = ProofBudget.open(folder, 100, 0, block=2)
        for _ in range(4):
            os.write(write, bytes(reserve_numbers(budget)))
        budget.close()
        os._exit(0)
    os.close(write)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as file:
        numbers = [*file.read()]
    numbers += reserve_numbers(ProofBudget.open(folder, 100, 0), 3)
    assert len({*numbers}) == len(numbers)
    assert numbers == sorted(numbers)


def _crash(call: str, count: int) -> None:
    """Ends this process before a call."""
    left = count

    def ending(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            nonlocal left
            left -= 1
            if left == 0:
                os._exit(1)
            return function(*arguments, **named)

        return call

    if call == "rename":
        Path.replace = ending(Path.replace)  # type: ignore[method-assign, assignment]
    elif call == "unlink":
        Path.unlink = ending(Path.unlink)  # type: ignore[method-assign, assignment]
    else:
        setattr(os, call, ending(getattr(os, call)))


_RUN = """
import sys
from pathlib import Path
from deepprove_dist.randomness.budget import ProofBudget
budget = ProofBudget.open(Path(sys.argv[1]), None, 0, block=3)
while True:
    print(budget.reserve()[0].number, flush=True)
"""


def test_killed_processes_hand_out_nothing_twice(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "keys", None)
    numbers: list[int] = []
    for lines in (1, 5, 40, 41, 42):
        run = subprocess.Popen([sys.executable, "-c", _RUN, str(folder)], stdout=subprocess.PIPE, text=True)
        assert run.stdout is not None
        shown = [run.stdout.readline() for _ in range(lines)]
        run.send_signal(signal.SIGKILL)
        shown += run.stdout.readlines()
        run.stdout.close()
        run.wait()
        # A last line may have been cut off.
        numbers += [int(line) for line in shown if line.endswith("\n")]
    assert len({*numbers}) == len(numbers) > 120
    assert max(numbers) < used(folder)
