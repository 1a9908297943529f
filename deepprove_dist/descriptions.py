"""What is in a file or folder of this package, as `inspect` gives it."""

from __future__ import annotations

from dataclasses import dataclass

from deepprove_dist.modes import Mode


@dataclass(frozen=True)
class FileDescription:
    """A file: its path, what kind of file it is, and its size in bytes."""

    file: str
    kind: str
    bytes: int


@dataclass(frozen=True)
class TensorDescription:
    """An input or output of the statement: shape of one sample, range of integers, and their unit.

    A statement has a commitment to a hidden one.
    """

    tensor: str
    shape: tuple[int, ...]
    range: str
    scale: str
    hidden: bool


@dataclass(frozen=True)
class CodeDescription:
    """An error-correcting code of the opening, and the analysis that its queries rest on."""

    code: str
    rows: str
    rate: str
    queries: int
    analysis: str


@dataclass(frozen=True)
class KeyDescription(FileDescription):
    """A verifying key.

    Its proofs hide what `hides` says; `proofs` is how many an epoch of hidden weights allows. Who has seen
    `proofs_revealing_weights` proofs of a transparent key can compute all weights. `commitment_proofs` is how
    many proofs may be about one commitment to a hidden input or output. All are None where they do not apply.
    Digests are hexadecimal.
    """

    mode: Mode
    hides: str
    proofs: int | None
    digest: str
    integer_model: str
    weights: str
    security_bits: float
    required_bits: int
    proofs_revealing_weights: int | None
    commitment_proofs: int | None
    samples_in_a_proof: int
    tensors: int
    relations: int
    lookups: int
    weight_columns: int
    witness_columns: int
    public: tuple[TensorDescription, ...]
    codes: tuple[CodeDescription, ...]


@dataclass(frozen=True)
class PartDescription:
    """A part of a proof, or a file of a folder, and its size in bytes."""

    part: str
    bytes: int


@dataclass(frozen=True)
class ProofDescription(FileDescription):
    """A proof: what it is about, and the sizes of its parts in bytes. Nothing in it has been verified.

    `epoch` is that of its hidden weights; None where there are none.
    """

    key_digest: str
    epoch: int | None
    samples: int
    input_bytes: int
    output_bytes: int
    context: str
    parts: tuple[PartDescription, ...]


@dataclass(frozen=True)
class CertificateDescription(FileDescription):
    """A certificate: its key, the epochs that it joins, its queries into both. Digests are hexadecimal."""

    key_digest: str
    old_epoch: int
    new_epoch: int
    old_root: str
    new_root: str
    queries: int
    required_bits: int


@dataclass(frozen=True)
class OpeningDescription(FileDescription):
    """The opening of a commitment to a hidden input or output; `rows` of its matrix proofs have shown.

    Its integers are left out: `reveal` shows them.
    """

    name: str
    commitment: str
    samples: int
    shape: tuple[int, ...]
    rows: int
    rows_allowed: int


@dataclass(frozen=True)
class NodeDescription:
    """A node of an integer model."""

    operator: str
    name: str
    output: str


@dataclass(frozen=True)
class ModelDescription(FileDescription):
    """An integer model: its digest, weights and biases, and nodes."""

    digest: str
    parameters: int
    nodes: tuple[NodeDescription, ...]


@dataclass(frozen=True)
class EpochDescription:
    """A later epoch of a folder of keys: the one that certifies it, and the bytes of its certificate."""

    epoch: int
    certified_by: int
    bytes: int


@dataclass(frozen=True)
class FolderDescription:
    """A folder of keys.

    Attributes:
        file, kind: its path, and what it is.
        mode, hides: whether proofs hide anything, and what.
        epoch: that it counts proofs of; None for transparent keys.
        proofs: how many the epoch allows; None where their number does not matter.
        remaining: how many are left of them.
        problem: why the folder cannot prove as it is; empty where it can.
        digest: the verifying key's, hexadecimal.
        epochs: the later ones that the folder has certificates of.
        files: the folder's, with their sizes in bytes.
    """

    file: str
    kind: str
    mode: Mode
    hides: str
    epoch: int | None
    proofs: int | None
    remaining: int | None
    problem: str
    digest: str
    epochs: tuple[EpochDescription, ...]
    files: tuple[PartDescription, ...]


Description = (
    KeyDescription
    | ProofDescription
    | CertificateDescription
    | OpeningDescription
    | ModelDescription
    | FolderDescription
)
