"""The errors that this package raises: one tree, so that a caller can catch all of them by its root."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

from deepprove_dist.checks import Check


class DeepProveError(Exception):
    """Root of every error that the package raises on purpose; its text is one clear sentence for a user.

    Errors can be pickled, so that pools of processes hand them on.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.args, vars(self))


def _restored(kind: type[DeepProveError], args: tuple[Any, ...], fields: dict[str, Any]) -> DeepProveError:
    """The error with these arguments of `Exception`; its kind may ask for others."""
    error = kind.__new__(kind, *args)
    vars(error).update(fields)
    return error


class InputError(DeepProveError):
    """A file or value given by the user cannot be read, or does not fit what it is given for."""


class ChoiceError(InputError, ValueError):
    """A choice that there is not: a misspelt name, or a number out of range; the text says what there is."""


class KindError(InputError, TypeError):
    """An object of another class than a function takes; the text says which, and where to get one."""


class FormatError(InputError):
    """Bytes that are no file of this package, of another version, or not in canonical form."""


class KernelError(DeepProveError):
    """The compiled kernels are missing, or were built for a CPU that can do more than this one."""


class MissingPackageError(InputError):
    """An optional package that was asked for is not installed; the text says how to get it."""


class SecretError(InputError):
    """A prover's secret that is not as it has to be: others may read it, or there is one already."""


class BudgetError(DeepProveError):
    """A key may make no further proofs, or cannot tell how many it has made; the text says what to do."""


class CopiedKeysError(BudgetError):
    """A folder of keys that is not where its counter was begun, so that another copy may count as well."""


class SecurityError(DeepProveError):
    """Parameters that do not reach the security level, or that the protocol does not allow."""


class MemoryLimitError(DeepProveError):
    """A proof that would take more memory than it may; nothing has been begun.

    Attributes:
        needed: bytes that it takes.
        limit: bytes that it may take.
    """

    def __init__(self, needed: int, limit: int) -> None:
        super().__init__(
            f"a proof needs {_gigabytes(needed)} of memory, and may take {_gigabytes(limit)}. Allow more "
            "(memory), share it among workers, or prove a smaller part of the model"
        )
        self.needed, self.limit = needed, limit


class VerificationError(DeepProveError):
    """A proof is not valid, or does not say what the caller expects.

    Attributes:
        check: the check that failed; its name is stable across versions.
        message: what is wrong, for a person.
        subject: the tensor, relation or tree that the check is about, if it is about one.
        round: the round of a sumcheck, or the layer of a fraction tree, from 0.
        index: the index of a value, from 0.
        expected: the number that the key or the caller asks for.
        actual: the number that the proof has.
    """

    def __init__(
        self,
        check: Check,
        message: str,
        *,
        subject: str | None = None,
        round: int | None = None,
        index: int | None = None,
        expected: int | None = None,
        actual: int | None = None,
    ) -> None:
        super().__init__(f"{check}: {message}" if subject is None else f"{check} ({subject}): {message}")
        self.check, self.message, self.subject = check, message, subject
        self.round, self.index, self.expected, self.actual = round, index, expected, actual


class ModelError(InputError):
    """A model, ONNX or integer, that cannot be read or contradicts itself."""


@dataclass(frozen=True)
class Problem:
    """One part of an ONNX model that is not supported: where it is, why, what would be, what to do.

    One of the last two may be empty.
    """

    node: str
    operator: str
    reason: str
    supported: str
    advice: str = ""


class UnsupportedModelError(ModelError):
    """A well-formed ONNX model with parts that are not supported; ``problems`` lists all of them."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        lines = ["the model is not supported:"]
        # What is supported is said once for all nodes that it answers, or a large model would bury it.
        for answer in dict.fromkeys((problem.supported, problem.advice) for problem in problems):
            alike = [problem for problem in problems if (problem.supported, problem.advice) == answer]
            lines += [f"- {problem.operator} '{problem.node}': {problem.reason}" for problem in alike]
            texts = zip(("Supported", "What to do"), answer, strict=True)
            lines += [f"  {title}: {text}" for title, text in texts if text]
        super().__init__("\n".join(lines))


class SamplesError(InputError):
    """Samples that cannot be read, or do not fit the model's inputs."""


class InputRangeError(SamplesError):
    """An input value outside the range that the model was quantised for.

    `problem` says which value, and the range. `clamps` says whether the call that raised the error can move
    such values to the end of the range.
    """

    def __init__(self, problem: str, *, clamps: bool = False) -> None:
        advice = "; pass clamp=True to move it to the end of the range, or calibrate on more samples"
        super().__init__(problem + advice if clamps else problem)


class QuantisationError(DeepProveError):
    """A float model that cannot be turned into integers within the field's bounds."""


class Cause(str, Enum):
    """Why an integer model is less exact than it should be."""

    OUTLIER = "outlier"
    BOUND = "worst-case bound"
    FEW_SAMPLES = "few samples"
    DEAD_TENSOR = "dead tensor"
    CONSTANT_INPUT = "constant input"
    UNLIKE_CHANNELS = "one scale for unlike channels"
    CLIPPING = "clipped range"
    FEW_BITS = "few activation bits"
    COARSE_TABLES = "coarse tables"
    AMPLIFICATION = "amplified rounding"
    UNDEFINED = "undefined function"
    CONVENTION = "two conventions"


@dataclass(frozen=True)
class AccuracyWarning:
    """Something that makes an integer model less exact: at which layer or tensor, why, and what helps.

    ``message`` is one sentence that says so with numbers; ``remedy`` is another one.
    """

    layer: str
    cause: Cause
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}"


class AccuracyError(QuantisationError):
    """An integer model that is too far from its float model; ``warnings`` says where, why and what helps."""

    def __init__(self, warnings: tuple[AccuracyWarning, ...]) -> None:
        self.warnings = warnings
        lines = ["the integer model is too inexact, and no keys were made:"]
        lines += [f"- {warning}" for warning in warnings]
        lines.append("To make keys anyway, pass accept_error=True.")
        super().__init__("\n".join(lines))


class ExecutionError(DeepProveError):
    """Workers could not be started or reached, or did not do what they were asked for."""


class PlacementError(ExecutionError):
    """The cluster has no place for a worker; the text says what is missing and what there is."""


class WorkerError(ExecutionError):
    """A worker answered a call with an error."""


class PeerError(WorkerError):
    """A worker could not fetch from another one what that one keeps; the text names it."""


class WorkerLost(ExecutionError):
    """Workers died, or did not answer in time.

    Attributes:
        reasons: why, by rank.
        answers: of the ranks that did answer.
    """

    def __init__(self, reasons: dict[int, str], answers: dict[int, bytes]) -> None:
        super().__init__("; ".join(f"worker {rank}: {why}" for rank, why in sorted(reasons.items())))
        self.reasons = reasons
        self.answers = answers


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
