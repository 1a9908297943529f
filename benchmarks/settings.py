"""What a benchmark run is asked to do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepprove_dist.errors import InputError

CNN_SIZES = {"62k": 62_006, "264k": 264_031}
"""Parameters of the networks that are known by name."""


@dataclass(frozen=True)
class DenseConfig:
    """A multi-layer perceptron: `dense` hidden layers of `width` neurons."""

    dense: int
    width: int

    @property
    def name(self) -> str:
        """In file names and tables."""
        return f"d{self.dense}_w{self.width}"


@dataclass(frozen=True)
class CnnConfig:
    """A convolutional network of LeNet's shape with about `parameters` parameters."""

    parameters: int
    name: str = "cnn"


@dataclass(frozen=True)
class FileConfig:
    """A user's own model and the samples to prove."""

    model: Path
    input: Path

    @property
    def name(self) -> str:
        """In file names and tables."""
        return self.model.stem if self.model.stem != "model" else self.model.absolute().parent.name


Config = DenseConfig | CnnConfig | FileConfig


@dataclass(frozen=True)
class EzklSettings:
    """How EZKL is run; limits are for each step, in seconds and bytes (None: as much as there is)."""

    calibrate: bool
    check_mode: Literal["safe", "unsafe"]
    time_limit: float
    memory_limit: int | None


@dataclass(frozen=True)
class Settings:
    """All of a run; `batch` is the samples in one proof, `scaling` numbers of workers to compare."""

    configs: tuple[Config, ...]
    repeats: int
    samples: int
    output: Path
    ezkl: EzklSettings | None
    create_models: bool
    prove: bool
    workers: int
    batch: int
    scaling: tuple[int, ...]
    deepprove: tuple[Path, ...]
    show_accuracy: bool
    verbose: bool


def parse_configs(text: str) -> tuple[DenseConfig, ...]:
    """`dense,width` pairs joined by colons: "5,100:7,50". Raises InputError."""
    configs = []
    for pair in text.split(":"):
        parts = [part.strip() for part in pair.split(",")]
        if len(parts) != 2 or not all(part.isdecimal() and int(part) > 0 for part in parts):
            raise InputError(f"'{pair}' is no dense,width pair; pairs are joined by colons: 5,100:7,50")
        configs.append(DenseConfig(*map(int, parts)))
    return tuple(dict.fromkeys(configs))


def parse_parameters(text: str) -> int:
    """A network's size: "62k", "264k" or a number of parameters. Raises InputError."""
    if text in CNN_SIZES:
        return CNN_SIZES[text]
    digits, thousands = (text[:-1], 1000) if text.lower().endswith("k") else (text, 1)
    if not digits.isdecimal() or int(digits) == 0:
        raise InputError(f"'{text}' is no number of parameters; give 62k, 264k or a number")
    return int(digits) * thousands


def parse_workers(text: str) -> tuple[int, ...]:
    """Numbers of workers in increasing order: "1,2,4". Raises InputError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in parts):
        raise InputError(f"'{text}' is no list of numbers of workers; give 1,2,4")
    return tuple(sorted({int(part) for part in parts}))
