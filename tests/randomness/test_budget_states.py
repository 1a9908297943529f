"""Any order of what provers do to one counter: they reserve, close, crash, run out of disk, rekey."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from deepprove_dist.errors import BudgetError
from deepprove_dist.randomness.budget import ProofBudget
from deepprove_dist.randomness.counter import read_counter
from tests.randomness.keys_folder import make_folder

PROVERS = 3


class Provers(RuleBasedStateMachine):
    """Some provers of one folder, with budgets of their own."""

    @initialize(limit=st.none() | st.integers(1, 60))
    def begin(self, limit: int | None) -> None:
        self.parent = Path(tempfile.mkdtemp())
        self.folder = make_folder(self.parent / "keys", limit)
        self.limit, self.epoch = limit, 0
        self.budgets: dict[int, ProofBudget] = {}
        self.handed: set[tuple[int, int]] = set()

    @rule(prover=st.integers(1, PROVERS), block=st.integers(1, 20))
    def start(self, prover: int, block: int) -> None:
        """A prover that was there before has crashed: nothing of it is closed."""
        self.budgets[prover] = ProofBudget.open(self.folder, self.limit, self.epoch, block=block)

    @precondition(lambda self: self.budgets)
    @rule(data=st.data(), count=st.integers(1, 8))
    def reserve(self, data: st.DataObject, count: int) -> None:
        budget = self.choose(data)
        remaining = self.remaining(budget)
        try:
            reservations = budget.reserve(count)
        except BudgetError:
            # An older epoch gives what is left of its block, and nothing else.
            assert remaining is not None
            assert remaining < count
            return
        assert len(reservations) == count
        for reservation in reservations:
            number = reservation.epoch, reservation.number
            assert number not in self.handed
            assert self.limit is None or reservation.number < self.limit or number[0] < self.epoch
            self.handed.add(number)
        if remaining is not None and remaining >= 0:
            assert self.remaining(budget) == remaining - count

    @precondition(lambda self: self.budgets)
    @rule(data=st.data(), call=st.integers(1, 3), close=st.booleans())
    def fail(self, data: st.DataObject, call: int, close: bool) -> None:
        """The disk is full at some point of a change."""
        budget, calls = self.choose(data), []

        def full(_: int) -> None:
            calls.append(0)
            if len(calls) == call:
                raise OSError("full")

        with patch.object(os, "fsync", full):
            try:
                if close:
                    budget.close()
                else:
                    self.handed |= self.reserve_two(budget)
            except (OSError, BudgetError):
                pass

    def reserve_two(self, budget: ProofBudget) -> set[tuple[int, int]]:
        numbers = {(reservation.epoch, reservation.number) for reservation in budget.reserve(2)}
        assert not self.handed & numbers
        return numbers

    @precondition(lambda self: self.budgets)
    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        budget = self.choose(data)
        if budget._epoch == self.epoch:
            budget.close()
            return
        if budget._reserved.numbers:
            with pytest.raises(BudgetError, match="the key is for"):
                budget.close()

    @rule(limit=st.none() | st.integers(1, 60))
    def rekey(self, limit: int | None) -> None:
        self.epoch, self.limit = self.epoch + 1, limit
        ProofBudget.begin(self.folder, limit, self.epoch)

    @rule()
    def move(self) -> None:
        """A copy goes on, and nobody uses the first folder any more."""
        target = self.parent / "copy"
        shutil.copytree(self.folder, target)
        with pytest.raises(BudgetError, match="was copied"):
            ProofBudget.open(target, self.limit, self.epoch)
        ProofBudget.adopt(target)
        shutil.rmtree(self.folder)
        target.rename(self.folder)

    @invariant()
    def nothing_handed_out_is_free(self) -> None:
        if not hasattr(self, "handed"):
            return
        counter = read_counter(self.folder)
        assert counter is not None
        numbers = [number for epoch, number in self.handed if epoch == counter.epoch]
        assert max(numbers, default=-1) < counter.used
        assert counter.limit is None or counter.used <= counter.limit

    def choose(self, data: st.DataObject) -> ProofBudget:
        return self.budgets[data.draw(st.sampled_from(sorted(self.budgets)))]

    def remaining(self, budget: ProofBudget) -> int | None:
        """What a budget may hand out; of an older epoch what is left of its block."""
        return len(budget._reserved.numbers) if budget._epoch != self.epoch else budget.remaining

    def teardown(self) -> None:
        if hasattr(self, "parent"):
            shutil.rmtree(self.parent)


TestProvers = Provers.TestCase
TestProvers.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
