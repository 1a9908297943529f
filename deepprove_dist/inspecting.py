"""What the files of this package hold."""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.choices import require_path
from deepprove_dist.descriptions import (
    CertificateDescription,
    CodeDescription,
    Description,
    EpochDescription,
    FileDescription,
    FolderDescription,
    KeyDescription,
    ModelDescription,
    NodeDescription,
    OpeningDescription,
    PartDescription,
    ProofDescription,
    TensorDescription,
)
from deepprove_dist.epochs import certificate_path, list_epochs
from deepprove_dist.errors import BudgetError, FormatError, SecretError
from deepprove_dist.formats import FileFormat, read_format
from deepprove_dist.keys import VERIFYING_KEY, load_budget, require_keys
from deepprove_dist.model import file as model_file
from deepprove_dist.modes import hides, mode_of
from deepprove_dist.openings import Opening
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages import certificate as certificate_file
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.parameters import code_regimes, proofs_revealing_weights, require_security
from deepprove_dist.protocol.system.names import as_name
from deepprove_dist.verifier import load_verifying_key


def inspect(path: str | Path) -> Description:
    """What a verifying key, a proof, a certificate, an opening, a model or a folder of keys holds.

    Raises:
        OSError: where the file cannot be read.
        FormatError: for other files.

    Example:
        >>> inspect("keys/verifying.key").security_bits
    """
    path = require_path("inspect", path, "the path of a file of this package")
    if path.is_dir():
        return _describe_folder(path)
    form = read_format(path)
    if form is None:
        advice = "; an ONNX file goes to estimate or setup" if path.suffix == ".onnx" else ""
        raise FormatError(f"{path}: neither a key, a proof nor an integer model of this package{advice}")
    if form is FileFormat.OPENING:
        return _describe_opening(path)
    data = path.read_bytes()
    file = FileDescription(str(path), form.kind, len(data))
    if form is FileFormat.VERIFYING_KEY:
        return _describe_key(file, data)
    if form is FileFormat.CERTIFICATE:
        return _describe_certificate(file, data)
    return _describe_proof(file, data) if form is FileFormat.PROOF else _describe_model(file, data)


def _describe_folder(path: Path) -> FolderDescription:
    key = load_verifying_key(require_keys(path) / VERIFYING_KEY)
    budget, problem = None, ""
    try:
        budget = load_budget(path, key)
        remaining = None if budget is None else budget.remaining
    except (BudgetError, SecretError) as error:
        remaining, problem = None, str(error)
    return FolderDescription(
        str(path),
        "folder of keys",
        mode_of(key),
        hides(key),
        None if budget is None else budget.epoch,
        key.schedule.initial.proofs,
        remaining,
        problem,
        key.digest.hex(),
        tuple(_describe_epoch(path, number) for number in list_epochs(path)),
        tuple(
            PartDescription(item.name, item.stat().st_size)
            for item in sorted(path.iterdir())
            if item.is_file()
        ),
    )


def _describe_epoch(folder: Path, number: int) -> EpochDescription:
    data = certificate_path(folder, number).read_bytes()
    return EpochDescription(number, certificate_file.load(data).statement.old.number, len(data))


def _describe_key(file: FileDescription, data: bytes) -> KeyDescription:
    key = key_file.load(data)
    initial = key.schedule.initial
    return KeyDescription(
        **vars(file),
        mode=mode_of(key),
        hides=hides(key),
        proofs=initial.proofs,
        digest=key.digest.hex(),
        integer_model=key.model_digest.hex(),
        weights="public" if key.weights is None else f"committed, root {key.weights.root.hex()}",
        security_bits=require_security(key.schedule, key.shape),
        required_bits=key.schedule.security_bits,
        proofs_revealing_weights=proofs_revealing_weights(initial),
        commitment_proofs=initial.commitment_proofs,
        samples_in_a_proof=key.max_batch,
        tensors=len(key.system.tensors),
        relations=len(key.system.relations),
        lookups=len(key.system.lookups),
        weight_columns=initial.weight_columns,
        witness_columns=initial.witness_columns,
        public=tuple(
            TensorDescription(t.name, t.shape, f"[{t.lo}, {t.hi}]", str(t.scale), key.system.is_hidden(t))
            for t in key.system.public
        ),
        codes=_describe_codes(key),
    )


def _describe_codes(key: KeyContent) -> tuple[CodeDescription, ...]:
    regimes = code_regimes(key.schedule, key.shape)
    return tuple(
        CodeDescription(
            "weights and witness" if index == 0 else f"fold {index}",
            f"2^{code.log_rows}",
            f"1/{1 << code.log_inverse_rate}",
            code.queries,
            str(regime),
        )
        for index, (code, regime) in enumerate(zip(key.schedule.codes, regimes, strict=True))
    )


def _describe_proof(file: FileDescription, data: bytes) -> ProofDescription:
    proof = proof_file.load(data)
    statement, opening, relations = proof.statement, proof.opening, proof.relations
    sizes = {
        "relations": sum(len(bytes(v)) for v in (relations.sums, relations.rounds, relations.finals)),
        "lookups": len(bytes(proof.fractions)),
        "opened rows": sum(len(bytes(leaves.rows)) for leaves in opening.leaves),
        "Merkle paths": sum(len(leaves.nodes) for leaves in opening.leaves),
        "final vector": len(bytes(opening.final)),
        "certificates": sum(map(len, proof.certificates)),
    }
    return ProofDescription(
        **vars(file),
        key_digest=statement.key_digest.hex(),
        epoch=None if statement.epoch is None else statement.epoch.number,
        samples=statement.batch,
        input_bytes=sum(map(len, statement.inputs)),
        output_bytes=sum(map(len, statement.outputs)),
        context=statement.context.hex(),
        parts=tuple(PartDescription(part, size) for part, size in sizes.items()),
    )


def _describe_opening(path: Path) -> OpeningDescription:
    opening = Opening.load(path)
    return OpeningDescription(
        str(path),
        FileFormat.OPENING.kind,
        path.stat().st_size,
        name=as_name(opening.name),
        commitment=opening.commitment.digest.hex(),
        samples=len(opening.integers),
        shape=opening.integers.shape[1:],
        rows=opening.rows,
        rows_allowed=opening.rows_allowed,
    )


def _describe_certificate(file: FileDescription, data: bytes) -> CertificateDescription:
    statement = certificate_file.load(data).statement
    return CertificateDescription(
        **vars(file),
        key_digest=statement.key_digest.hex(),
        old_epoch=statement.old.number,
        new_epoch=statement.new.number,
        old_root=statement.old.root.hex(),
        new_root=statement.new.root.hex(),
        queries=statement.schedule.initial.queries,
        required_bits=statement.schedule.security_bits,
    )


def _describe_model(file: FileDescription, data: bytes) -> ModelDescription:
    model = model_file.load(data)
    nodes = (NodeDescription(node.operator, as_name(node.name), as_name(node.output)) for node in model.nodes)
    return ModelDescription(
        **vars(file),
        digest=model_file.digest(model).hex(),
        parameters=sum(values.size for values in model.constants.values()),
        nodes=tuple(nodes),
    )
