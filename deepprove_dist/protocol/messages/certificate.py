"""The certificate of an epoch: a proof that its weights are those of an older one, and its one encoding."""

from __future__ import annotations

from deepprove_dist.canonical import Digest, File, Record, decode_file, encode
from deepprove_dist.kernels import Transcript
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.proof import MaskProof, OpeningProof, WitnessProof
from deepprove_dist.protocol.parameters import Schedule

FORMAT = "deepprove-dist certificate"
VERSION = 1

PROTOCOL = f"deepprove-dist certificate {VERSION}: weights of two epochs, WHIR over KoalaBear^5".encode()
"""What a transcript begins with: no challenge of a proof is one of a certificate."""


class CertificateStatement(Record, frozen=True):
    """What is certified: in a key's layout the weights of both epochs are the same.

    `schedule` is that of the certificate's opening. The new epoch's random rows follow from its `nonce` too.
    So two copies of a folder of keys make different epochs of one number. Verifiers have no use for it.
    """

    key_digest: Digest
    schedule: Schedule
    old: EpochWeights
    new: EpochWeights
    nonce: Digest


class CertificateContent(Record, frozen=True):
    """A statement and its proof. The witness has no tensors: it hides the opening."""

    statement: CertificateStatement
    witness: WitnessProof
    mask: MaskProof
    opening: OpeningProof


class CertificateFile(File, frozen=True):
    """What a file holds: a certificate, part by part."""

    statement: CertificateStatement
    witness: WitnessProof
    mask: MaskProof
    opening: OpeningProof


def dump(certificate: CertificateContent) -> bytes:
    """The certificate's file; equal certificates give equal bytes."""
    parts = (getattr(certificate, name) for name in CertificateContent.__struct_fields__)
    return encode(CertificateFile(FORMAT, VERSION, *parts))


def load(data: bytes) -> CertificateContent:
    """The certificate in a file. Raises FormatError for anything but the bytes of `dump`."""
    file = decode_file(data, CertificateFile, FORMAT, VERSION)
    return CertificateContent(*(getattr(file, name) for name in CertificateContent.__struct_fields__))


def start_transcript(statement: CertificateStatement) -> Transcript:
    """Protocol, schedule, key and both epochs, before anything is committed."""
    transcript = Transcript(PROTOCOL)
    transcript.absorb("parameters", encode(statement.schedule))
    transcript.absorb("key", statement.key_digest)
    transcript.absorb("epoch", bytes(statement.old))
    transcript.absorb("epoch", bytes(statement.new))
    transcript.absorb("nonce", statement.nonce)
    return transcript
