"""The process that is connected to Ray: it reserves slots, starts actors, and says which have ended.

It is a process of its own. Ray ends the process that is connected to it when its control is gone. It also
waits for as long as it likes, and writes to the screen. Here nothing of this reaches the coordinator. The
pipe to the coordinator carries calls by name and their results, and what has ended.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection
from multiprocessing.connection import Connection
from threading import Timer
from typing import Any

import ray
from ray.util import remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from deepprove_dist.errors import DeepProveError, ExecutionError, first_line
from deepprove_dist.execution.cluster.ray_actor import actor
from deepprove_dist.execution.cluster.ray_files import spread
from deepprove_dist.execution.cluster.ray_joining import join, probe
from deepprove_dist.execution.cluster.ray_metrics import RayMetrics
from deepprove_dist.execution.cluster.ray_moves import BundleMoves
from deepprove_dist.execution.cluster.ray_placement import await_place, await_room, describe_capacity, reserve
from deepprove_dist.execution.cluster.ray_reasons import death
from deepprove_dist.execution.cluster.scaling_config import ScalingConfig
from deepprove_dist.execution.processes.launcher import Start, Stored
from deepprove_dist.metrics.sink import MetricBatch

CLOSE_SECONDS = 5.0
_POLL_SECONDS = 0.1


class RayDriver:
    """What the coordinator calls, by name."""

    def __init__(self, config: ScalingConfig) -> None:
        self._config = config
        self._group: Any = None
        self._moves = BundleMoves()
        self._actors: dict[int, Any] = {}
        self._serving: dict[Any, int] = {}
        self._nodes: dict[int, str] = {}
        self._metrics = RayMetrics()

    def begin(self) -> None:
        """Answers that this process is there."""

    def probe(self, address: str) -> None:
        """Asks the control of the cluster at an address one question. Raises ExecutionError."""
        probe(address)

    def join(self, address: str) -> str:
        """Connects to the cluster at an address; this node's address. Raises ExecutionError."""
        return join(address)

    def reserve(self) -> None:
        """Asks for slots for all workers."""
        self._group = reserve(self._config)

    def await_room(self, seconds: float) -> tuple[int, str]:
        """The nodes that have slots for all workers; 0 after so many seconds, and what is missing.

        Raises PlacementError where no time would help.
        """
        return await_room(self._group, self._config, seconds)

    def start(self, slot: int, start: Start) -> None:
        """Starts an actor in a slot. Raises PlacementError where that has no node."""
        config = self._config
        self._nodes[start.number] = await_place(self._group, slot, config, self._moves)
        strategy = PlacementGroupSchedulingStrategy(self._group, placement_group_bundle_index=slot)
        worker = actor(
            # The slot has the CPUs. A frozen process keeps its part of them until Ray has ended it.
            num_cpus=0,
            num_gpus=config.gpus_per_worker,
            resources=config.accelerator_resources,
            scheduling_strategy=strategy,
        ).remote(start)
        self._actors[start.number] = worker
        self._serving[worker.serve.remote()] = start.number

    def store(self, content: bytes, digest: bytes, processes: Collection[int]) -> Stored:
        """Brings a file to processes. Raises as Launcher does."""
        actors = {process: self._actors[process] for process in processes if process in self._actors}
        return spread(content, digest, actors, self._nodes)

    def end(self, process: int) -> None:
        """See Launcher."""
        worker = self._actors.pop(process, None)
        if worker is not None:
            self._serving = {call: number for call, number in self._serving.items() if number != process}
            ray.kill(worker)

    def record(self, batch: MetricBatch) -> None:
        """Puts values into Ray's metrics."""
        batch.replay(self._metrics)

    def capacity(self) -> str:
        """See Launcher."""
        return describe_capacity(self._config, ray.nodes())

    def close(self) -> None:
        """Ends all actors, gives their slots back, and leaves the cluster."""
        for process in list(self._actors):
            self.end(process)
        if self._group is not None:
            remove_placement_group(self._group)
        ray.shutdown()

    def ended(self) -> dict[int, str]:
        """Processes that have ended since this was last asked, and why."""
        if not self._serving:
            return {}
        done, _ = ray.wait(list(self._serving), num_returns=len(self._serving), timeout=0)
        numbers = {call: self._serving.pop(call) for call in done}
        return {number: death(call, self._nodes[number]) for call, number in numbers.items()}


def main() -> None:
    """Serves the coordinator at the other end of a pipe, and leaves the cluster when that ends."""
    pipe: Connection[Any, Any] = Connection(int(sys.argv[1]))
    try:
        # The process that started this one made the pipe.
        driver = RayDriver(pipe.recv())
        while True:
            if pipe.poll(_POLL_SECONDS):
                pipe.send(_answer(driver, *pipe.recv()))
            for process, why in driver.ended().items():
                pipe.send(("ended", process, why))
    except (EOFError, OSError):
        pass
    # A cluster whose control is gone would let this process wait.
    Timer(CLOSE_SECONDS, os._exit, (1,)).start()
    driver.close()
    os._exit(0)


def _answer(driver: RayDriver, number: int, method: str, arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    try:
        return "answer", number, getattr(driver, method)(*arguments), None
    except (DeepProveError, OSError) as error:
        return "answer", number, None, error
    except Exception as error:  # Ray raises a dozen kinds of them
        return "answer", number, None, ExecutionError(f"Ray: {first_line(error)}")


if __name__ == "__main__":
    main()
