"""Whether keys are those of a model.

A verifying key speaks of relations between numbers, not of layers. From the integer model beside it all that
it says can be made again and compared: tables, relations, and the commitment to the weights. Against another
integer model file the digests are compared; against an ONNX model, layer by layer, whether the integers can
be its weights and activations.
"""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.errors import FormatError
from deepprove_dist.importing.load import import_model
from deepprove_dist.keys import INTEGER_MODEL, VERIFYING_KEY, load_integer_model, make_pool
from deepprove_dist.lowering.lower import lower
from deepprove_dist.model import file as model_file
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.prover import ProvingKey
from deepprove_dist.quantise.comparison import differences as compare_graphs
from deepprove_dist.verifier import load_verifying_key


def audit(directory: str | Path, model: str | Path, threads: int | None = None) -> list[str]:
    """The differences between the keys in a folder and a model, ONNX or integer; none, if they fit.

    Raises OSError or InputError for files that cannot be read.
    """
    folder, path = Path(directory), Path(model)
    verifying = load_verifying_key(folder / VERIFYING_KEY)
    integer_model = load_integer_model(folder / INTEGER_MODEL)
    differences = _compare_key(integer_model, verifying, threads)
    if path.suffix == ".onnx":
        return differences + compare_graphs(integer_model, import_model(path).graph)
    if model_file.digest(load_integer_model(path)) != model_file.digest(integer_model):
        differences.append("the integer model beside the key is another one")
    return differences


def _compare_key(model: IntegerModel, verifying: VerifyingKey, threads: int | None) -> list[str]:
    differences = []
    if model_file.digest(model) != verifying.model_digest:
        differences.append("the verifying key names another integer model")
    again = lower(model).system
    for part in ("tensors", "inputs", "outputs", "tables", "relations", "lookups"):
        if getattr(again, part) != getattr(verifying.system, part):
            differences.append(f"the {part} of the verifying key are not those of the integer model")
    if not differences:
        try:
            ProvingKey.load(model, verifying, make_pool(threads))
        except FormatError as error:
            differences.append(str(error))
    return differences
