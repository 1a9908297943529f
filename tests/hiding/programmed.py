"""A transcript whose oracle is programmed: what is absorbed under some labels does not enter its challenges.

A simulator knows challenges before it makes the messages that they are drawn after. In the model of a random
oracle it programs the answers. Here a planned message takes the place of the real one, on both sides.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from deepprove_dist.kernels import Extension, ExtensionVector, Transcript
from deepprove_dist.protocol.argument import local_backend
from deepprove_dist.protocol.argument import prove as argument_prove
from deepprove_dist.protocol.argument import verify as argument_verify
from deepprove_dist.protocol.certificate import prove as certificate_prove
from deepprove_dist.protocol.certificate import verify as certificate_verify
from deepprove_dist.protocol.lookup import verify as lookup_verify
from deepprove_dist.protocol.messages import certificate
from deepprove_dist.protocol.messages.certificate import CertificateStatement
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.protocol.opening import prove as opening_prove
from deepprove_dist.protocol.opening import verify as opening_verify
from deepprove_dist.protocol.products import prove as products_prove
from deepprove_dist.protocol.products import verify as products_verify
from deepprove_dist.protocol.relations import prove as relations_prove
from deepprove_dist.protocol.relations import verify as relations_verify

FROZEN = (
    "witness/root",
    "witness/answer",
    "contraction/sums",
    "sumcheck/finals",
    "products/finals",
    "mask/value",
    "mask/sigma",
    "opening/root",
    "opening/tail",
    "opening/answer",
    "opening/final",
)
"""Messages that are absorbed outside of kernels."""

KERNELS = (
    (relations_prove, "sumcheck_prove"),
    (products_prove, "sumcheck_prove"),
    (relations_verify, "sumcheck_verify"),
    (products_verify, "sumcheck_verify"),
    (lookup_verify, "fraction_verify"),
    (opening_verify, "verify_rounds"),
    (local_backend.LocalRun, "prove_fractions"),
    (opening_prove.LocalMatrices, "bind_columns"),
    (opening_prove.LocalFoldedVector, "rounds"),
)
"""What takes a transcript of kernels, and how modules name it."""


class Programmed:
    """Wraps a transcript. Methods are those of `Transcript`.

    `planned` are bytes that are absorbed in the place of what is sent, by label. After a label in `frozen`
    challenges begin again from the label, so that they depend on nothing that was sent before.
    `drawn` are challenges by label that are taken in the place of what is drawn.
    """

    def __init__(
        self,
        real: Transcript,
        planned: Mapping[str, bytes] | None = None,
        frozen: Collection[str] = (),
        drawn: Mapping[str, Extension] | None = None,
    ) -> None:
        self.real, self.planned, self.frozen, self.drawn = real, planned or {}, frozen, drawn or {}

    def copy(self) -> Programmed:
        return Programmed(self.real.copy(), self.planned, self.frozen, self.drawn)

    def absorb(self, label: str, data: bytes) -> None:
        self.real.absorb(label, self.planned.get(label, data))
        self._freeze(label)

    def absorb_extension(self, label: str, values: ExtensionVector) -> None:
        if label in self.planned:
            self.real.absorb(label, self.planned[label])
        else:
            self.real.absorb_extension(label, values)
        self._freeze(label)

    def challenge(self, label: str) -> Extension:
        value = self.real.challenge(label)
        return self.drawn.get(label, value)

    def challenges(self, label: str, count: int) -> ExtensionVector:
        return self.real.challenges(label, count)

    def indices(self, label: str, count: int, bits: int) -> list[int]:
        return self.real.indices(label, count, bits)

    def _freeze(self, label: str) -> None:
        if label in self.frozen:
            self.real = Transcript(b"frozen after " + label.encode())


def unwrapping(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with the transcript in the place of one that is programmed."""

    def call(*arguments: Any) -> Any:
        return function(*(a.real if isinstance(a, Programmed) else a for a in arguments))

    return call


@contextmanager
def programmed(
    planned: Mapping[str, bytes] | None = None,
    frozen: Collection[str] = (),
    drawn: Mapping[str, Extension] | None = None,
) -> Iterator[None]:
    """Proofs are made and verified with transcripts like that."""

    def start(security: bytes, statement: StatementBytes) -> Programmed:
        return Programmed(start_transcript(security, statement), planned, frozen, drawn)

    def certify(statement: CertificateStatement) -> Programmed:
        return Programmed(certificate.start_transcript(statement), planned, frozen, drawn)

    with ExitStack() as stack:
        for module in (argument_prove, argument_verify):
            stack.enter_context(patch.object(module, "start_transcript", start))
        for module in (certificate_prove, certificate_verify):
            stack.enter_context(patch.object(module, "start_transcript", certify))
        for owner, name in KERNELS:
            stack.enter_context(patch.object(owner, name, unwrapping(getattr(owner, name))))
        yield
