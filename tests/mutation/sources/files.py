"""The form of files: one encoding, exact types."""

from tests.mutation.mutants import Mutant, source

FORMS = (
    "test_canonical.py",
    "attacks/test_structure.py",
    "protocol/test_proof.py",
    "protocol/test_key_file.py",
)

CANONICAL = source(
    "deepprove_dist/canonical.py",
    FORMS,
    Mutant("names in maps are texts", "strict_map_key=True", "strict_map_key=False"),
    Mutant(
        "bad bytes are a typed error",
        "(ValueError, TypeError, RecursionError) as error",
        "(TypeError,) as error",
        (*FORMS, "attacks/test_fuzz.py"),
    ),
    Mutant("the format", ' or content.get("format") != form:', ":"),
    Mutant("a map", "not isinstance(content, dict) or content", "content"),
    Mutant("the version", 'content.get("version") != version', "False"),
    Mutant("one encoding", "if data != again:", "if False:"),
    Mutant(
        "the keys of a record",
        "not isinstance(value, dict) or list(value) != list(types)",
        "not isinstance(value, dict)",
    ),
    Mutant("the order of keys of a record", "list(value) != list(types)", "set(value) != set(types)"),
    Mutant("a record is a map", "not isinstance(value, dict) or list(value)", "list(value)"),
    Mutant("the number of fields", " or len(value) != len(types)", ""),
    Mutant("fields are a list", "not isinstance(value, list) or len(value)", "len(value)"),
    Mutant("exact types", "type(value) is not kind and", "not isinstance(value, kind) and"),
    Mutant("types", "type(value) is not kind and kind is not object", "False"),
    Mutant("a list of items", "for item in typed(value, list))", "for item in value)"),
)

PROOF = source(
    "deepprove_dist/protocol/proof.py",
    ("attacks/test_structure.py", "protocol/test_proof.py"),
    Mutant(
        "the length of a context", "if len(context) > MAX_CONTEXT:", "if False:", ("attacks/test_limits.py",)
    ),
    Mutant("the number of rounds", "len(rounds) > MAX_ROUNDS or ", "", ("attacks/test_limits.py",)),
    Mutant("the number of trees", " or len(leaves) > MAX_TREES", "", ("attacks/test_limits.py",)),
    Mutant(
        "the number of public tensors",
        "if len(items) > MAX_PUBLIC:",
        "if False:",
        ("attacks/test_limits.py",),
    ),
    Mutant("one encoding", "    require_canonical(data, dump(proof))\n", ""),
    Mutant("the length of a digest", "if len(value) != DIGEST_BYTES:", "if False:"),
    Mutant("the length of the witness's root", "            _digest(root),\n", "            root,\n"),
    Mutant("the length of a round's root", "return RoundProof(_digest(root),", "return RoundProof(root,"),
    Mutant(
        "the length of the key's digest",
        "return StatementBytes(_digest(digest),",
        "return StatementBytes(digest,",
    ),
    Mutant("public values are bytes", "lambda value: typed(value, bytes)", "lambda value: value"),
    Mutant(
        "elements that are no elements are a typed error",
        "except ValueError as error:",
        "except KeyError as error:",
    ),
)

FILES = (CANONICAL, PROOF)
