"""How many workers a cluster is asked for, each with one node's CPUs or one accelerator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from deepprove_dist.choices import require_choice, require_count, require_number
from deepprove_dist.errors import ChoiceError

Strategy = Literal["SPREAD", "PACK", "STRICT_SPREAD", "STRICT_PACK"]

MAX_WORKERS = 1024


@dataclass(frozen=True)
class ScalingConfig:
    """Workers and what each of them needs.

    Attributes:
        workers: how many.
        cpus_per_worker: CPUs of each; its kernels run as many threads.
        gpus_per_worker: accelerators of each, also a part of one.
        accelerator_type: name of the accelerator that the worker's node must have ("H100").
        labels: the node's labels must have these values, in Ray's selector language.
        strategy: how workers are spread over nodes, in Ray's words.
        placement_timeout: seconds that all workers together may take to be placed.
        replacement_timeout: seconds that a new worker for a lost one may take to start, once it has a place.

    Raises ChoiceError for a value that is not allowed.
    """

    workers: int
    cpus_per_worker: int = 1
    gpus_per_worker: float = 0.0
    accelerator_type: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    strategy: Strategy = "SPREAD"
    placement_timeout: float = 60.0
    replacement_timeout: float = 30.0

    def __post_init__(self) -> None:
        require_count("workers", self.workers, 1, MAX_WORKERS)
        require_count("cpus_per_worker", self.cpus_per_worker)
        require_number("gpus_per_worker", self.gpus_per_worker, positive=False)
        require_choice("strategy", self.strategy, get_args(Strategy))
        require_number("placement_timeout", self.placement_timeout, positive=True)
        require_number("replacement_timeout", self.replacement_timeout, positive=True)
        _require_text("accelerator_type", "H100" if self.accelerator_type is None else self.accelerator_type)
        for name, value in self.labels.items():
            _require_text("a label", name)
            _require_text(f"label {name}", value)

    @property
    def accelerator_resources(self) -> dict[str, float]:
        """Ray's resource for the accelerator's type: a small part of it ties a worker to such a node."""
        return {} if self.accelerator_type is None else {f"accelerator_type:{self.accelerator_type}": 0.001}

    @property
    def bundle(self) -> dict[str, float]:
        """The resources of one worker, under Ray's names."""
        gpus = {"GPU": self.gpus_per_worker} if self.gpus_per_worker else {}
        return {"CPU": float(self.cpus_per_worker), **gpus, **self.accelerator_resources}

    def __str__(self) -> str:
        needs = [counted(self.cpus_per_worker, "CPU")]
        if self.gpus_per_worker:
            needs.append(counted(self.gpus_per_worker, "accelerator"))
        if self.accelerator_type is not None:
            needs.append(f"type {self.accelerator_type}")
        needs += [f"node label {name}={value}" for name, value in self.labels.items()]
        return f"{counted(self.workers, 'worker')} (each: {', '.join(needs)})"


def _require_text(name: str, value: object) -> None:
    if not isinstance(value, str) or not value:
        raise ChoiceError(f"{name} is a text, not {value!r}")


def counted(number: float, name: str) -> str:
    """A number with its noun, in the plural where it is not one."""
    return f"{number:g} {name}{'' if number == 1 else 's'}"
