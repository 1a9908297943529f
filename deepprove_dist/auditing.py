"""Whether keys are those of a model.

A verifying key speaks of relations between numbers, not of layers. From the integer model beside it, all that
the key says can be made again and compared: tables, relations, and the commitment to the weights. Against
another integer model file the digests are compared. Against an ONNX model, set-up's work is done again
with the formats that the integer model records. All numbers are compared. Then both models run.

Hiding keys are made again with the secret in their folder. Without it the commitment to the weights, and the
digest that names the model, are compared with nothing: only whoever has the secret can tell.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Literal

from deepprove_dist.choices import require_path
from deepprove_dist.errors import FormatError, InputError
from deepprove_dist.formats import FileFormat, read_format
from deepprove_dist.importing.load import ImportedModel
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.importing.sources import ModelSource, import_source, require_source
from deepprove_dist.keys import (
    INTEGER_MODEL,
    VERIFYING_KEY,
    load_integer_model,
    load_secret,
    make_pool,
    require_keys,
)
from deepprove_dist.model import file as model_file
from deepprove_dist.model.hidden_names import HiddenNames
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.prover import Prover, hidden_digest
from deepprove_dist.quantise.behaviour import strange_outputs
from deepprove_dist.quantise.comparison import differences as compare_graphs
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.randomness.secret import SECRET_FILE, Secret
from deepprove_dist.samples.sources import SampleSource, gather_samples
from deepprove_dist.verifier import load_verifying_key

UNCHECKED = (
    f"the commitment to the weights, and the model's digest: without {SECRET_FILE} they tell nothing. "
    "So another model of the same shapes is possible"
)


@dataclass(frozen=True)
class AuditReport:
    """How keys and a model differ.

    Attributes:
        inputs: what both models ran on: the "samples" given, or "random" inputs, which show gross errors
            only. "none" where the model is an integer model, which is compared as it is.
        differences: one sentence each; none where the keys are those of the model.
        unchecked: what could not be compared, one sentence each: for hiding keys without their secret.
    """

    inputs: Literal["samples", "random", "none"]
    differences: tuple[str, ...]
    unchecked: tuple[str, ...] = ()

    @property
    def same(self) -> bool:
        """Whether the keys are those of the model, as far as the inputs show; all had to be comparable."""
        return not self.differences and not self.unchecked


def audit(
    folder: str | Path,
    model: ModelSource,
    *,
    outputs: Sequence[str] = (),
    shapes: Mapping[str, Sequence[int]] | None = None,
    output_form: str = "all",
    samples: SampleSource | None = None,
    threads: int | None = None,
) -> AuditReport:
    """Compares the keys in a folder with a model.

    Args:
        folder: where `ProvingKey.save` wrote the keys.
        model: an ONNX model, as `setup` takes it, or the path of an integer model.
        outputs, shapes, output_form: what `setup` was given of an ONNX model.
        samples: what an ONNX model and the keys' model are both run on, as `setup` takes them.
        threads: of this process; one for each core by default.

    Raises:
        OSError, InputError: for files that cannot be read, and for samples beside an integer model.

    Example:
        >>> audit("keys", "model.onnx", samples="held_out.npz").same
    """
    keys = require_keys(require_path("audit", folder, "the folder of the keys"))
    require_source("audit", model)
    other = _integer_model(model)
    if other is not None and samples is not None:
        raise InputError("samples are for an ONNX model; an integer model is compared as it is")
    integer_model = load_integer_model(keys / INTEGER_MODEL)
    verifying = load_verifying_key(keys / VERIFYING_KEY)
    secret = None
    if os.path.lexists(keys / SECRET_FILE):
        secret = load_secret(keys, verifying)
    differences = _compare_key(integer_model, verifying, secret, threads)
    unchecked = _unchecked(verifying, secret)
    if other is None:
        hidden = HiddenNames.of(verifying.system).outputs
        selection = ModelSelection.of(outputs, shapes, output_form, hidden)
        differences += _compare_onnx(integer_model, import_source(model, selection), samples)
        return AuditReport("random" if samples is None else "samples", tuple(differences), unchecked)
    if model_file.digest(other) != model_file.digest(integer_model):
        differences.append("the integer model beside the key is another one")
    return AuditReport("none", tuple(differences), unchecked)


def _integer_model(source: ModelSource) -> IntegerModel | None:
    """The integer model in a file; None for an ONNX model."""
    if isinstance(source, (str, PathLike)) and read_format(Path(source)) is FileFormat.INTEGER_MODEL:
        return load_integer_model(Path(source))
    return None


def _compare_onnx(model: IntegerModel, imported: ImportedModel, source: SampleSource | None) -> list[str]:
    graph = imported.graph
    differences = compare_graphs(model, graph)
    if differences:
        return differences
    shapes = {name: graph.shapes[name] for name in graph.inputs}
    samples = None if source is None else gather_samples(source, shapes)
    return strange_outputs(model, FloatModel(imported), samples)


def _unchecked(verifying: KeyContent, secret: Secret | None) -> tuple[str, ...]:
    if secret is not None or not verifying.schedule.initial.hiding:
        return ()
    if verifying.weights is None:
        return ()
    return (UNCHECKED,)


def _compare_key(
    model: IntegerModel, verifying: KeyContent, secret: Secret | None, threads: int | None
) -> list[str]:
    differences = []
    hidden = verifying.weights is not None and verifying.schedule.initial.hiding
    comparable = secret is not None or not hidden
    if comparable and hidden_digest(model, secret if hidden else None) != verifying.model_digest:
        differences.append("the verifying key names another integer model" + (", or another secret" * hidden))
    lowered = lower(model, rounded=hidden, hidden=HiddenNames.of(verifying.system))
    for part in verifying.other_parts(lowered.system):
        differences.append(f"the {part} of the verifying key are not those of the integer model")
    if not differences and (secret is not None or not verifying.schedule.initial.hiding):
        try:
            Prover.load(model, verifying, make_pool(threads), secret)
        except FormatError as error:
            differences.append(str(error))
    return differences
