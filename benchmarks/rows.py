"""A row for each sample of each run, whoever made the proof: its columns, writing and reading it.

A sample that fails is a row with its error; it counts as wrong, and none is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from deepprove_dist.errors import FormatError


@dataclass(frozen=True)
class Row:
    """What one sample cost; None for what was not measured. Times in milliseconds, sizes as they are named.

    With several samples in one proof, inference, proving, verifying and proof size are the sample's share.
    `setup_ms` makes the keys; `preparation_ms` is what goes before: quantising, or settings, calibration and
    circuit. `correct` compares the answer with the label.
    """

    config: str
    run: int
    sample: int
    setup_ms: float | None = None
    inference_ms: float | None = None
    proving_ms: float | None = None
    verifying_ms: float | None = None
    correct: bool | None = None
    proof_kb: float | None = None
    ezkl_full_proving_ms: float | None = None
    verified: bool | None = None
    preparation_ms: float | None = None
    srs_ms: float | None = None
    proving_key_kb: float | None = None
    verifying_key_kb: float | None = None
    peak_memory_mb: float | None = None
    workers: int | None = None
    batch: int | None = None
    security_bits: float | None = None
    threads: int | None = None
    runtime: str = ""
    error: str = ""


NAMES = {
    "setup_ms": "setup (ms)",
    "inference_ms": "inference (ms)",
    "proving_ms": "proving (ms)",
    "verifying_ms": "verifying (ms)",
    "correct": "accuracy (bool)",
    "proof_kb": "proof size (KB)",
    "ezkl_full_proving_ms": "ezkl_full_proving (ms)",
    "verified": "verified (bool)",
    "preparation_ms": "preparation (ms)",
    "srs_ms": "srs (ms)",
    "proving_key_kb": "proving key (KB)",
    "verifying_key_kb": "verifying key (KB)",
    "peak_memory_mb": "peak memory (MB)",
    "security_bits": "security (bits)",
}
"""Names of columns, where they are not the field's own."""

COMMON = (
    *("config", "run", "sample", "setup_ms", "inference_ms", "proving_ms", "verifying_ms"),
    *("correct", "proof_kb"),
)
FURTHER = (
    *("verified", "preparation_ms", "proving_key_kb", "verifying_key_kb", "peak_memory_mb"),
    *("workers", "batch", "security_bits", "threads"),
)
ZKML = (*COMMON, *FURTHER, "error")
EZKL = (*COMMON, "ezkl_full_proving_ms", *FURTHER, "srs_ms", "error")
PYTORCH = (*COMMON, "threads", "runtime", "error")


def header(columns: Iterable[str]) -> list[str]:
    """The first line of a file with these fields."""
    return [NAMES.get(column, column) for column in columns]


RowWriter = Callable[[Row], None]
"""Takes rows as they are measured."""


@contextmanager
def writing(path: Path, columns: tuple[str, ...]) -> Iterator[RowWriter]:
    """A new CSV file; each row is on disk when it has been measured."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header(columns))

        def write(row: Row) -> None:
            writer.writerow([_text(getattr(row, column)) for column in columns])
            file.flush()

        yield write


def read_foreign(path: Path, config: str) -> list[Row]:
    """Rows of another program's file, of the columns that it shares with ours; others are not looked at.

    `config` is for a file that does not name its model. Raises OSError or FormatError.
    """
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        shared = [column for column in COMMON if NAMES.get(column, column) in (reader.fieldnames or ())]
        if "proving_ms" not in shared:
            raise FormatError(f"{path}: there is no column '{NAMES['proving_ms']}'")
        try:
            return [_parsed(config, number, line) for number, line in enumerate(reader)]
        except ValueError as error:
            raise FormatError(f"{path}: {error}") from error


def _parsed(config: str, number: int, line: dict[str, str]) -> Row:
    def value(column: str) -> float | None:
        text = line.get(NAMES.get(column, column)) or ""
        return float(text) if text.strip() else None

    correct = value("correct")
    return Row(
        line.get("config") or config,
        int(value("run") or 0),
        number if value("sample") is None else int(value("sample") or 0),
        setup_ms=value("setup_ms"),
        inference_ms=value("inference_ms"),
        proving_ms=value("proving_ms"),
        verifying_ms=value("verifying_ms"),
        correct=None if correct is None else bool(correct),
        proof_kb=value("proof_kb"),
    )


def _text(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return int(value)
    # A microsecond, and a byte of a KB, are as much as any of these figures means.
    return f"{value:.3f}" if isinstance(value, float) else value
