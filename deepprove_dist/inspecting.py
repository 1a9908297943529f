"""What the files of this package say about themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from deepprove_dist.errors import FormatError
from deepprove_dist.model import constants
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol import key_file
from deepprove_dist.protocol import proof as proof_file
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.protocol.names import as_name
from deepprove_dist.protocol.parameters import (
    HASH_COLLISION_BITS,
    Johnson,
    code_regimes,
    error_terms,
    largest_round_bits,
    proofs_revealing_weights,
    refereed_bits,
    require_security,
)
from deepprove_dist.protocol.proof import Proof


def inspect_file(path: str | Path) -> dict[str, Any]:
    """What a key, proof or integer model holds, by name. Raises OSError, or FormatError for other files."""
    path = Path(path)
    data = path.read_bytes()
    # Every file begins with its format, within the first bytes of its map.
    forms: dict[str, Callable[[], dict[str, Any]]] = {
        key_file.FORMAT: lambda: _key(key_file.load(data)),
        proof_file.FORMAT: lambda: _proof(proof_file.load(data)),
        constants.FORMAT: lambda: _model(model_file.load(data)),
    }
    for form, describe in forms.items():
        if form.encode() in data[:64]:
            kind = form.removeprefix("deepprove-dist ")
            return {"file": str(path), "kind": kind, "bytes": len(data), **describe()}
    raise FormatError(f"{path}: neither a key, a proof nor an integer model of this package")


def security_terms(key: VerifyingKey) -> list[tuple[str, float, str]]:
    """Every error term of a key's protocol: name, bits, and where it comes from."""
    return [(term.name, term.bits, term.detail) for term in error_terms(key.schedule, key.shape)]


def security_summary(key: VerifyingKey) -> dict[str, Any]:
    """The level of a key, the sum of its errors in bits, and what that sum rests on.

    `total_bits_by_older_count` has the refereed count of eprint 2020/654 in place of that of a preprint.
    """
    largest = largest_round_bits(error_terms(key.schedule, key.shape))
    older = refereed_bits(key.schedule, key.shape)
    return {
        "required_bits": key.schedule.security_bits,
        "total_bits": require_security(key.schedule, key.shape),
        "largest_round_bits": largest,
        "total_bits_by_older_count": older,
        "hash_collision_bits": HASH_COLLISION_BITS,
        "rests_on": _foundations(key, largest, older),
    }


def _foundations(key: VerifyingKey, largest: float, older: float) -> list[str]:
    sentences = [
        "The sum is over all errors of the interactive protocol, under proven bounds, without grinding.",
        "BLAKE3 is taken for a random oracle: after Q hashes a false proof is accepted with a chance of "
        f"about Q * 2^-{largest:.2f}, Q times the largest round.",
        f"Digests have 32 bytes: a collision of hashes takes about 2^{HASH_COLLISION_BITS} of them.",
    ]
    johnson = [isinstance(regime, Johnson) for regime in code_regimes(key.schedule, key.shape)]
    if any(johnson):
        sentences.append(
            f"{_codes(johnson.count(True))} in the Johnson regime: this rests on two preprints, eprint "
            "2025/2055 and 2025/2110; by the older, refereed count of eprint 2020/654 the key has "
            f"{older:.2f} bits."
        )
    if not all(johnson):
        sentences.append(
            f"{_codes(johnson.count(False))} in the regime of unique decoding: eprint 2020/654, Theorem 4.1, "
            "refereed."
        )
    return sentences


def _codes(count: int) -> str:
    return "One code is" if count == 1 else f"{count} codes are"


def _key(key: VerifyingKey) -> dict[str, Any]:
    initial, regimes = key.schedule.initial, code_regimes(key.schedule, key.shape)
    codes = [
        {
            "code": "weights and witness" if index == 0 else f"fold {index}",
            "rows": f"2^{code.log_rows}",
            "rate": f"1/{1 << code.log_inverse_rate}",
            "queries": code.queries,
            "analysis": str(regime),
        }
        for index, (code, regime) in enumerate(zip(key.schedule.codes, regimes, strict=True))
    ]
    return {
        "digest": key.digest.hex(),
        "integer_model": key.model_digest.hex(),
        "weights": "public" if key.weights is None else f"committed, root {key.weights.root.hex()}",
        "security_bits": require_security(key.schedule, key.shape),
        "required_bits": key.schedule.security_bits,
        "proofs_revealing_weights": proofs_revealing_weights(initial),
        "samples_in_a_proof": key.max_batch,
        "tensors": len(key.system.tensors),
        "relations": len(key.system.relations),
        "lookups": len(key.system.lookups),
        "weight_columns": initial.weight_columns,
        "witness_columns": initial.witness_columns,
        "public": [
            {"tensor": t.name, "shape": list(t.shape), "range": f"[{t.lo}, {t.hi}]", "scale": str(t.scale)}
            for t in key.system.public
        ],
        "codes": codes,
    }


def _proof(proof: Proof) -> dict[str, Any]:
    statement, opening = proof.statement, proof.opening
    return {
        "key_digest": statement.key_digest.hex(),
        "samples": statement.batch,
        "input_bytes": sum(map(len, statement.inputs)),
        "output_bytes": sum(map(len, statement.outputs)),
        "context": statement.context.hex(),
        "parts": [
            {"part": "relations", "bytes": sum(len(bytes(v)) for v in vars(proof.relations).values())},
            {"part": "lookups", "bytes": len(bytes(proof.fractions))},
            {"part": "opened rows", "bytes": sum(len(bytes(item.rows)) for item in opening.leaves)},
            {"part": "Merkle paths", "bytes": sum(len(item.nodes) for item in opening.leaves)},
            {"part": "final vector", "bytes": len(bytes(opening.final))},
        ],
    }


def _model(model: IntegerModel) -> dict[str, Any]:
    return {
        "digest": model_file.digest(model).hex(),
        "parameters": sum(values.size for values in model.constants.values()),
        "nodes": [
            {"operator": node.operator, "name": as_name(node.name), "output": as_name(node.output)}
            for node in model.nodes
        ],
    }
