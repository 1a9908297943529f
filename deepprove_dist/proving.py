"""Inference and proofs of real inputs: from arrays to integers, to a proof that has been verified."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from types import MappingProxyType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, IntArray
from deepprove_dist.choices import require_kind
from deepprove_dist.errors import BudgetError, InputError, KindError
from deepprove_dist.hidden_tensors import openings_of, require_opened, require_openings
from deepprove_dist.memory import memory_limit, peak_rss_bytes
from deepprove_dist.model.inference import IntegerRunner
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.rows_by_input import rows_for
from deepprove_dist.openings import Opening
from deepprove_dist.proofs import Proof
from deepprove_dist.protocol.messages.statement import dequantise, require_context
from deepprove_dist.prover import Attempt, Prover
from deepprove_dist.prover import prove as prove_trace
from deepprove_dist.randomness.reservation import Reservation
from deepprove_dist.retry import without_faulty_workers
from deepprove_dist.samples import Samples
from deepprove_dist.samples.arrays import arrange_by_name
from deepprove_dist.samples.rounding import quantise_inputs
from deepprove_dist.timing import timed
from deepprove_dist.verifier import verify

Inputs = npt.ArrayLike | Mapping[str, npt.ArrayLike] | Samples
"""An array for a model of one input, arrays by input name, or samples, of which only the inputs count.

One sample has the input's shape, or is flat; several samples have one more axis in front."""

NO_OPENINGS: Mapping[str, Opening] = MappingProxyType({})

Progress = Callable[[str, float], None]
"""Called with the name of a step and the share of it that is done, from 0 to 1."""


class ReservesProofs(Protocol):
    """What gives a hiding proof its number: `KeyBudget`, or one that keeps the number for a retry."""

    def reserve(self) -> Reservation:
        """One proof, counted as used. Raises BudgetError, OSError."""

    @property
    def remaining(self) -> int | None:
        """How many proofs are left; None without a limit."""


@dataclass(frozen=True, repr=False, eq=False)
class InferenceResult:
    """What the integer model computes.

    Attributes:
        output: real values, float64 [samples, *shape], by name.
        output_integers: the integers that stand for them, int64 of the same shapes.
        inference_ms: milliseconds that the integer model took.
    """

    output: Mapping[str, FloatArray]
    output_integers: Mapping[str, npt.NDArray[np.int64]]
    inference_ms: float

    def __repr__(self) -> str:
        return f"InferenceResult({describe_tensors(self.output)})"


@dataclass(frozen=True, repr=False, eq=False)
class ProofResult(Proof):
    """A proof that has just been made, with what it proves and how long it took.

    Attributes:
        output: real values, float64 [samples, *shape], by name.
        output_integers: the integers that stand for them, int64 of the same shapes.
        inference_ms: milliseconds of the integer inference.
        proving_ms: milliseconds from the finished inference to the proof's bytes.
        self_check_ms: milliseconds in which the finished proof was verified.
        peak_rss_bytes: the most memory that this process has held.
        remaining: proofs that the keys can make after this one; None where their number does not matter.
        openings: of the commitments to hidden inputs and outputs, by name: as secret as these.
    """

    output: Mapping[str, FloatArray] = field(kw_only=True)
    output_integers: Mapping[str, npt.NDArray[np.int64]] = field(kw_only=True)
    inference_ms: float = field(kw_only=True)
    proving_ms: float = field(kw_only=True)
    self_check_ms: float = field(kw_only=True)
    peak_rss_bytes: int = field(kw_only=True)
    remaining: int | None = field(kw_only=True, default=None)
    openings: Mapping[str, Opening] = field(kw_only=True, default_factory=dict)

    def __repr__(self) -> str:
        size, time = f"{len(self):,} bytes", f"{self.proving_ms:.0f} ms"
        return f"ProofResult({size}, {describe_tensors(self.output)}, made in {time})"


def describe_tensors(tensors: Mapping[str, FloatArray]) -> str:
    """Names and shapes, for texts."""
    return ", ".join(f"{name} {list(array.shape)}" for name, array in tensors.items())


def infer(model: IntegerModel, inputs: Inputs, *, clamp: bool = False) -> InferenceResult:
    """Runs the integer model on real inputs, without a proof. Inputs and errors are those of `prove`."""
    integers = quantise_inputs(model, _arrange(model, inputs), clamp=clamp)
    runner = IntegerRunner(model, rows=rows_for(model, [tensor.name for tensor in model.outputs]))
    begin = time.perf_counter()
    outputs = runner.outputs(integers)
    inference_ms = milliseconds_since(begin)
    real = {tensor.name: tensor.scale.array * outputs[tensor.name] for tensor in model.outputs}
    return InferenceResult(real, outputs, inference_ms)


def prove(
    prover: Prover,
    inputs: Inputs,
    *,
    context: bytes = b"",
    clamp: bool = False,
    progress: Progress | None = None,
    budget: ReservesProofs | None = None,
    carry: bool = True,
    openings: Mapping[str, Opening] = NO_OPENINGS,
    memory: int | None = None,
) -> ProofResult:
    """Runs the integer model on real inputs and proves the result; see `ProvingKey.prove`.

    Raises MemoryLimitError for a proof that takes more than `memory` bytes, or than a share of the machine's.

    A hiding prover takes one proof of its `budget`, once the inputs are known to fit. With `carry` the proof
    has the certificates of its epoch. `openings` are of commitments to hidden inputs and outputs that the
    proof is to be about, by name.
    """
    step = progress or (lambda name, share: None)
    require_kind("prove", context, bytes, "a context of bytes")
    require_context(context)
    integers = quantise_inputs(prover.model, _arrange(prover.model, inputs), clamp=clamp)
    samples, most = len(next(iter(integers.values()))), prover.verifying.max_batch
    if samples > most:
        raise InputError(
            f"{samples} samples for keys that allow {most} in a proof: set up with max_batch={samples}"
        )
    prover.require_memory(samples, memory_limit(memory))
    require_openings(prover.verifying, openings, samples, integers)
    if prover.secret is None:
        budget = None
    elif budget is None:
        raise BudgetError("a hiding proof needs a budget to be counted in")
    for opening in openings.values():
        opening.show(prover.verifying.schedule.initial.rows_of_proof)
    reservation = None if budget is None else budget.reserve()
    # Before the proof is made: nothing that fails here may lose one.
    remaining = None if budget is None else budget.remaining

    def work(number: int) -> ProofResult:
        # Attempts that went wrong are seen by nobody, and the next one draws other random values.
        attempt = None if reservation is None else Attempt(reservation, number)
        return _prove(prover, integers, samples, context, step, attempt, openings, carry)

    result = without_faulty_workers(work, prover.backend.audit, prover.backend.attempt)
    return replace(result, remaining=remaining)


def _prove(
    prover: Prover,
    integers: Mapping[str, IntArray],
    samples: int,
    context: bytes,
    step: Progress,
    attempt: Attempt | None,
    openings: Mapping[str, Opening],
    carry: bool,
) -> ProofResult:
    """One attempt: inference, proof, and its verification."""
    begin = time.perf_counter()
    trace = prover.runner.run(integers)
    inference_ms = milliseconds_since(begin)
    require_opened(openings, trace.values)
    step("proof", 0.0)
    begin = time.perf_counter()
    with timed("proof", "whole") as call:
        seeds = {name: opening.seed for name, opening in openings.items()}
        hidden = prover.commit_hidden(trace, samples, attempt, seeds)
        content = prove_trace(prover, trace, samples, context, attempt, hidden, carry=carry)
        call.bytes = len(content)
    proving_ms = milliseconds_since(begin)
    step("proof", 1.0)
    begin = time.perf_counter()
    verify(prover.verifying, content, weights=prover.public_weights, epochs=prover.epochs)
    self_check_ms = milliseconds_since(begin)
    return ProofResult(
        content,
        output=dequantise(prover.verifying.outputs, trace.outputs),
        output_integers=trace.outputs,
        inference_ms=inference_ms,
        proving_ms=proving_ms,
        self_check_ms=self_check_ms,
        peak_rss_bytes=peak_rss_bytes(),
        openings=openings_of(prover.verifying, hidden, trace.values, openings),
    )


def _arrange(model: IntegerModel, inputs: Inputs) -> dict[str, FloatArray]:
    """Real inputs as float64 [samples, *shape] by name."""
    if isinstance(inputs, (str, PathLike)):
        raise KindError("an input is an array, not a path; read the file with keys.read_inputs(path)")
    values = inputs.inputs if isinstance(inputs, Samples) else inputs
    return arrange_by_name("input", values, {tensor.name: tensor.shape for tensor in model.inputs})


def milliseconds_since(begin: float) -> float:
    """Milliseconds since a reading of `time.perf_counter`."""
    return 1e3 * (time.perf_counter() - begin)
