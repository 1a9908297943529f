"""Workers who take their time, and some of whom fail in a way that was asked for."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from deepprove_dist.execution.calls.methods import Method
from deepprove_dist.execution.phases.state import WorkerState
from deepprove_dist.execution.phases.worker_api import METHODS
from deepprove_dist.execution.workers.worker import ProcessContext, Worker, methods_by_name


@dataclass(frozen=True)
class Options:
    """Attributes:
    address: of a Ray cluster; None for processes of this machine.
    pause: seconds that each call takes; a proof has some sixty calls.
    fault: what goes wrong in workers themselves: a name of FAULTS.
    flag: a file that exists once a fault that happens once has happened.
    """

    address: str | None = None
    workers: int = 4
    proofs: int = 2
    pause: float = 0.1
    call_timeout: float = 600.0
    placement_timeout: float = 60.0
    fault: str = ""
    flag: str = ""


def process_id(state: WorkerState) -> int:
    """The number of the worker's process."""
    return os.getpid()


class SlowWorker(Worker):
    """Takes a while for each call."""

    options: Options

    def call(self, method: Method, arguments: dict[str, Any]) -> Any:
        time.sleep(self.options.pause)
        answer = super().call(method, arguments)
        return FAULTS[self.options.fault](self, method.name, answer)


def _none(worker: SlowWorker, method: str, answer: Any) -> Any:
    return answer


def _once(worker: SlowWorker) -> bool:
    """Whether nobody was faulty before."""
    try:
        os.close(os.open(worker.options.flag, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


def _wrong(worker: SlowWorker, method: str, answer: Any) -> Any:
    if method == "commit_witness" and _once(worker):
        return [bytes(len(root)) for root in answer]
    return answer


def _hang(worker: SlowWorker, method: str, answer: Any) -> Any:
    if method == "fold_layer" and _once(worker):
        time.sleep(600)
    return answer


def _memory(worker: SlowWorker, method: str, answer: Any) -> Any:
    if method == "fold_layer" and _once(worker):
        raise MemoryError
    return answer


def _poison(worker: SlowWorker, method: str, answer: Any) -> Any:
    if method == "fold_layer":
        os._exit(1)
    return answer


FAULTS = {"": _none, "wrong": _wrong, "hang": _hang, "memory": _memory, "poison": _poison}


def slow_worker(options: Options, context: ProcessContext, rank: int) -> Worker:
    """A worker of this program."""
    methods = {**METHODS, **methods_by_name([process_id])}
    worker = SlowWorker(context, rank, WorkerState(context), methods)
    worker.options = options
    return worker
