"""Folders of keys, as far as budgets look at them."""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.randomness.secret import SECRET_FILE, Secret


def make_folder(path: Path, limit: int | None = 100, epoch: int = 0) -> Path:
    """A new folder with a secret and a counter."""
    path.mkdir(parents=True)
    Secret.generate().save(path / SECRET_FILE)
    ProofBudget.begin(path, limit, epoch)
    return path


def reserve_numbers(budget: ProofBudget, count: int = 1) -> list[int]:
    """The numbers of new reservations."""
    return [reservation.number for reservation in budget.reserve(count)]
