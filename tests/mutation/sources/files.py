"""The form of files: one encoding, exact types."""

from tests.mutation.mutants import Mutant, source

FORMS = (
    "test_canonical.py",
    "attacks/test_structure.py",
    "protocol/messages/test_proof.py",
    "protocol/key/test_key_file.py",
)

CANONICAL = source(
    "deepprove_dist/canonical.py",
    FORMS,
    Mutant("the format", "if header.format != form:", "if False:"),
    Mutant("the version", "if header.version != version:", "if False:"),
    Mutant("one encoding", "if encode(content) != data:", "if False:"),
    Mutant(
        "fields of a file that there are not",
        "class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):",
        "class File(msgspec.Struct, frozen=True):",
    ),
    Mutant(
        "bad bytes are a typed error",
        "except (DeepProveError, ValueError, RecursionError) as error:",
        "except (DeepProveError,) as error:",
        (*FORMS, "attacks/test_fuzz.py"),
    ),
    Mutant("elements are bytes", "if not isinstance(value, bytes):", "if False:"),
)

PROOF = source(
    "deepprove_dist/protocol/messages/proof.py",
    ("attacks/test_structure.py", "protocol/messages/test_proof.py"),
    Mutant(
        "the length of a context",
        "context: Annotated[bytes, Limit(max_length=MAX_CONTEXT)]",
        "context: bytes",
        ("attacks/test_limits.py",),
    ),
    Mutant(
        "the number of rounds",
        "Annotated[tuple[RoundProof, ...], Limit(max_length=MAX_ROUNDS)]",
        "tuple[RoundProof, ...]",
        ("attacks/test_limits.py",),
    ),
    Mutant(
        "the number of trees",
        "Annotated[tuple[Leaves, ...], Limit(max_length=MAX_TREES)]",
        "tuple[Leaves, ...]",
        ("attacks/test_limits.py",),
    ),
    Mutant(
        "the number of public tensors",
        "Annotated[tuple[bytes, ...], Limit(max_length=MAX_PUBLIC)]",
        "tuple[bytes, ...]",
        ("attacks/test_limits.py",),
    ),
    Mutant(
        "the length of the witness's root",
        'out-of-domain answer."""\n\n    root: Digest',
        'out-of-domain answer."""\n\n    root: bytes',
    ),
    Mutant(
        "the length of a round's root",
        'round polynomials."""\n\n    root: Digest',
        'round polynomials."""\n\n    root: bytes',
    ),
    Mutant("the length of the key's digest", "key_digest: Digest", "key_digest: bytes"),
    Mutant("public values are bytes", "Annotated[tuple[bytes, ...]", "Annotated[tuple[bytes | str, ...]"),
)

FILES = (CANONICAL, PROOF)
