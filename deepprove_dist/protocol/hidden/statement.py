"""What a statement says of inputs and outputs: integers, or the commitments to hidden ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from deepprove_dist.arrays import IntArray
from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.protocol.claims.public import PublicValues
from deepprove_dist.protocol.messages.commitment import STATEMENT_BYTES, Commitment, CommitmentSizes
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.public_integers import (
    PublicIntegers,
    decode_tensor,
    encode_tensor,
    most_bytes,
)
from deepprove_dist.protocol.messages.statement import require_tensors
from deepprove_dist.protocol.parameters import InitialCode
from deepprove_dist.protocol.system.system import PublicTensor, System


def commitment_sizes(system: System, code: InitialCode) -> tuple[CommitmentSizes, ...]:
    """The sizes of each commitment, in the order of `System.hidden`; the system has a number of samples."""
    pairs = zip(system.hidden, code.hidden, strict=True)
    return tuple(
        CommitmentSizes.of(code, matrix, system.tensors[public.tensor].shape) for public, matrix in pairs
    )


def most_statement_bytes(system: System, public: PublicTensor, batch: int) -> int:
    """Bytes that no input or output exceeds in a statement for `batch` samples."""
    return STATEMENT_BYTES if system.is_hidden(public) else most_bytes(public, batch)


def encode_public(
    system: System, publics: tuple[PublicTensor, ...], values: Mapping[str, IntArray], data: Iterator[bytes]
) -> tuple[bytes, ...]:
    """All inputs, or all outputs, as a statement has them; `data` has hidden ones' commitments, in order."""
    return tuple(
        next(data) if system.is_hidden(public) else encode_tensor(public, values[public.name])
        for public in publics
    )


@dataclass(frozen=True)
class DecodedStatement:
    """The integers of a statement, by name, and its commitments, in the order of `System.hidden`."""

    inputs: Mapping[str, PublicIntegers]
    outputs: Mapping[str, PublicIntegers]
    commitments: tuple[Commitment, ...]

    @property
    def values(self) -> PublicValues:
        """What claims bind."""
        inputs, outputs = (
            {name: integers.vector for name, integers in tensors.items()}
            for tensors in (self.inputs, self.outputs)
        )
        return PublicValues(inputs, outputs, self.commitments)


def decode_statement(system: System, code: InitialCode, statement: StatementBytes) -> DecodedStatement:
    """What a statement says; the system is that of the statement's batch.

    Raises VerificationError for other numbers of tensors or elements, and for what is no commitment. It is
    raised too for integers out of range or in another form.
    """
    sizes, commitments = iter(commitment_sizes(system, code)), list[Commitment]()

    def decode(publics: tuple[PublicTensor, ...], data: tuple[bytes, ...]) -> dict[str, PublicIntegers]:
        require_tensors(publics, data)
        integers = {}
        for public, item in zip(publics, data, strict=True):
            if system.is_hidden(public):
                commitments.append(_decode_commitment(public, next(sizes), item))
            else:
                integers[public.name] = decode_tensor(public, statement.batch, item)
        return integers

    inputs = decode(system.inputs, statement.inputs)
    outputs = decode(system.outputs, statement.outputs)
    return DecodedStatement(inputs, outputs, tuple(commitments))


def _decode_commitment(public: PublicTensor, sizes: CommitmentSizes, data: bytes) -> Commitment:
    try:
        return Commitment.of_statement(sizes, data)
    except FormatError as error:
        raise VerificationError(Check.COMMITMENT, str(error), subject=public.name) from error
