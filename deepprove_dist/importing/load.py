"""From an ONNX file to a float graph: read, check, inline functions, fix the batch axis, fold constants, map
by rules.
"""

from dataclasses import dataclass
from pathlib import Path

import onnx
from onnx import inliner

from deepprove_dist.errors import ModelError
from deepprove_dist.importing.batch import fix_batch_axis
from deepprove_dist.importing.float_graph import FloatGraph
from deepprove_dist.importing.folding import fold_constants
from deepprove_dist.importing.mapping import to_float_graph
from deepprove_dist.protocol.names import require_public_name

OLDEST_OPSET = 11

# What onnx raises for a model that breaks the standard.
_INVALID = (
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
    OSError,
    ValueError,
    RuntimeError,
)


@dataclass(frozen=True)
class ImportedModel:
    """What an ONNX model means, ``graph``, and the model to run in float, ``onnx``.

    The latter has functions inlined and batch 1, but is not folded: a float run checks the folding too.
    """

    onnx: onnx.ModelProto
    graph: FloatGraph


def import_model(path: Path) -> ImportedModel:
    """Imports an ONNX file, with its external data files if it has any.

    Raises ModelError for a file that is no valid ONNX model, and what ``import_proto`` raises.
    """
    try:
        onnx.checker.check_model(path)
        model = onnx.load(path)
    except _INVALID as error:
        raise ModelError(f"{path}: {error}") from error
    return import_proto(model)


def import_proto(model: onnx.ModelProto) -> ImportedModel:
    """Imports a checked ONNX model.

    Raises ModelError for an opset, a size or an input out of reach, UnsupportedModelError with every
    unsupported node of the model.
    """
    _check(model)
    try:
        fixed = fix_batch_axis(inliner.inline_local_functions(model, convert_version=True))
        folded = fold_constants(fixed)
    except _INVALID as error:
        raise ModelError(f"shapes cannot be inferred: {error}") from error
    return ImportedModel(fixed, to_float_graph(folded))


def _check(model: onnx.ModelProto) -> None:
    if model.ByteSize() > onnx.checker.MAXIMUM_PROTOBUF:
        raise ModelError("models above 2 GB are not supported")
    newest = onnx.defs.onnx_opset_version()
    for opset in model.opset_import:
        if opset.domain in ("", "ai.onnx") and not OLDEST_OPSET <= opset.version <= newest:
            raise ModelError(
                f"the model uses opset {opset.version}; supported are {OLDEST_OPSET} to {newest}"
            )
    if model.graph.sparse_initializer:
        names = [tensor.values.name for tensor in model.graph.sparse_initializer]
        raise ModelError(f"sparse initializers {names} are not supported; store them as dense tensors")
    for value in (*model.graph.input, *model.graph.output):
        require_public_name(value.name)
