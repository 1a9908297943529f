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
from deepprove_dist.protocol.parameters import error_terms, require_security
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


def _key(key: VerifyingKey) -> dict[str, Any]:
    initial = key.schedule.initial
    codes = [
        {
            "code": "weights and witness" if index == 0 else f"fold {index}",
            "rows": f"2^{code.log_rows}",
            "rate": f"1/{1 << code.log_inverse_rate}",
            "queries": code.queries,
        }
        for index, code in enumerate(key.schedule.codes)
    ]
    return {
        "digest": key.digest.hex(),
        "integer_model": key.model_digest.hex(),
        "weights": "public" if key.weights is None else f"committed, root {key.weights.root.hex()}",
        "security_bits": require_security(key.schedule, key.shape),
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
            {"operator": node.operator, "name": node.name, "output": node.output} for node in model.nodes
        ],
    }
