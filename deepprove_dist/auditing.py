"""Whether keys are those of a model.

A verifying key speaks of relations between numbers, not of layers. From the integer model beside it all that
it says can be made again and compared: tables, relations, and the commitment to the weights. Against another
integer model file the digests are compared. Against an ONNX model the integer model is quantised again with
the formats that it records, compared number by number, and run beside the float model.
"""

from __future__ import annotations

from pathlib import Path

from deepprove_dist.errors import FormatError, InputError
from deepprove_dist.importing.load import ImportedModel, import_model
from deepprove_dist.keys import INTEGER_MODEL, VERIFYING_KEY, load_integer_model, make_pool
from deepprove_dist.model import file as model_file
from deepprove_dist.model.constants import FORMAT
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key import VerifyingKey
from deepprove_dist.prover import ProvingKey
from deepprove_dist.quantise.behaviour import strange_outputs
from deepprove_dist.quantise.comparison import differences as compare_graphs
from deepprove_dist.quantise.float_model import FloatModel
from deepprove_dist.samples import Samples, read_samples
from deepprove_dist.verifier import load_verifying_key


def audit(
    directory: str | Path,
    model: str | Path,
    threads: int | None = None,
    samples: str | Path | Samples | None = None,
) -> list[str]:
    """The differences between the keys in a folder and a model, ONNX or integer; none, if they fit.

    On ``samples`` (of the model's kind, by default random ones) an ONNX model and the keys' are both run.
    Raises OSError or InputError for files that cannot be read, and for samples beside an integer model.
    """
    folder, path = Path(directory), Path(model)
    integer = is_integer_model(path)
    if integer and samples is not None:
        raise InputError(f"samples are for an ONNX model; {path} is an integer model, compared as it is")
    verifying = load_verifying_key(folder / VERIFYING_KEY)
    integer_model = load_integer_model(folder / INTEGER_MODEL)
    differences = _compare_key(integer_model, verifying, threads)
    if not integer:
        return differences + _compare_onnx(integer_model, import_model(path), samples)
    if model_file.digest(load_integer_model(path)) != model_file.digest(integer_model):
        differences.append("the integer model beside the key is another one")
    return differences


def is_integer_model(path: Path) -> bool:
    """Whether a file begins as an integer model's does. Raises OSError."""
    with path.open("rb") as file:
        return FORMAT.encode() in file.read(64)


def _compare_onnx(
    model: IntegerModel, imported: ImportedModel, source: str | Path | Samples | None
) -> list[str]:
    graph = imported.graph
    differences = compare_graphs(model, graph)
    if differences:
        return differences
    if isinstance(source, str | Path):
        source = read_samples(Path(source), {name: graph.shapes[name] for name in graph.inputs})
    return strange_outputs(model, FloatModel(imported), source)


def _compare_key(model: IntegerModel, verifying: VerifyingKey, threads: int | None) -> list[str]:
    differences = []
    if model_file.digest(model) != verifying.model_digest:
        differences.append("the verifying key names another integer model")
    for part in verifying.other_parts(lower(model).system):
        differences.append(f"the {part} of the verifying key are not those of the integer model")
    if not differences:
        try:
            ProvingKey.load(model, verifying, make_pool(threads))
        except FormatError as error:
            differences.append(str(error))
    return differences
