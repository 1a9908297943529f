"""Each call of `prove` takes one proof of the budget; attempts after faulty workers draw other values."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from deepprove_dist import proving
from deepprove_dist.errors import BudgetError, ExecutionError, InputError, InputRangeError
from deepprove_dist.key_budget import KeyBudget
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.prover import Attempt, Prover, prove
from deepprove_dist.retry import ATTEMPTS
from deepprove_dist.timing import Trace, recording
from deepprove_dist.timing.chrome import chrome_trace
from tests.hiding_keys import PROVER, X, hiding_keys, transparent_keys


@dataclass
class FaultyBackend:
    """A backend whose audits name a worker."""

    backend: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.backend, name)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        yield

    def audit(self) -> tuple[str, ...]:
        return ("worker 1",)


def faulty(monkeypatch: pytest.MonkeyPatch, failures: int) -> tuple[Prover, list[tuple[Attempt, bytes]]]:
    """A prover whose first proofs are lost after they were made, and all of them with their attempts."""
    proofs: list[tuple[Attempt, bytes]] = []

    def lose(prover: Prover, *arguments: Any, **named: Any) -> bytes:
        content = prove(prover, *arguments, **named)
        proofs.append((arguments[3], content))
        if len(proofs) <= failures:
            raise ValueError("a worker answered wrongly")
        return content

    monkeypatch.setattr(proving, "prove_trace", lose)
    return replace(PROVER, backend=FaultyBackend(PROVER.backend)), proofs


def test_attempts_share_a_reservation_and_no_random_value(monkeypatch: pytest.MonkeyPatch) -> None:
    prover, proofs = faulty(monkeypatch, 2)
    budget = KeyBudget(5)
    proof = proving.prove(prover, X, budget=budget)
    attempts = [attempt for attempt, _ in proofs]
    assert [attempt.number for attempt in attempts] == [0, 1, 2]
    assert len({attempt.reservation for attempt in attempts}) == 1
    roots = {proof_file.load(content).witness.root for _, content in proofs}
    assert len(roots) == 3
    assert proof.content == proofs[-1][1]
    assert budget.remaining == proof.remaining == 4


def test_what_goes_on_failing_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    prover, proofs = faulty(monkeypatch, ATTEMPTS)
    budget = KeyBudget(5)
    with pytest.raises(ExecutionError, match="nothing is handed out"):
        proving.prove(prover, X, budget=budget)
    assert len(proofs) == ATTEMPTS
    assert budget.remaining == 4


def test_inputs_that_do_not_fit_use_nothing() -> None:
    keys = hiding_keys()
    for wrong, error in (
        (100 + X, InputRangeError),
        (np.zeros(3), InputError),
        (np.stack([X, X]), InputError),
    ):
        with pytest.raises(error):
            keys.prove(wrong)
    with pytest.raises(InputError, match="context"):
        keys.prove(X, context=bytes(1 << 17))
    assert keys.remaining == 1


def test_a_budget_that_is_gone_is_noticed_before_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = hiding_keys()
    keys.prove(X)
    monkeypatch.setattr(proving, "_prove", lambda *arguments: pytest.fail("work was begun"))
    with pytest.raises(BudgetError, match="Rekey"):
        keys.prove(X)


def test_two_proofs_of_one_statement_share_no_bytes_of_the_witness() -> None:
    one, two = (proof_file.load(hiding_keys().prove(X).content) for _ in range(2))
    assert one.statement == two.statement
    assert one.witness.root != two.witness.root
    assert one.witness.answer != two.witness.answer


def test_a_hiding_prover_needs_a_budget_and_another_takes_none() -> None:
    with pytest.raises(BudgetError, match="needs a budget"):
        proving.prove(PROVER, X)
    assert transparent_keys().prove(X).remaining is None


def test_logs_traces_and_errors_have_no_secret(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    prover, proofs = faulty(monkeypatch, 1)
    caplog.set_level(logging.DEBUG)
    with recording(Trace()) as trace:
        proving.prove(prover, X, budget=KeyBudget(2))
    text = caplog.text + chrome_trace(trace, []).decode()
    nonce = proofs[0][0].reservation.nonce
    for secret in (bytes(range(32)), nonce):
        assert secret.hex() not in text
        assert repr(secret) not in text
        assert repr(secret) not in repr(proofs[0][0])
