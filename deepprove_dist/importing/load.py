"""From an ONNX file to a float graph.

The steps: read, check, inline functions, raise the opset, fix the batch axis, fold constants, apply rules.
"""

from dataclasses import dataclass
from math import prod
from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import inliner

from deepprove_dist.errors import AccuracyWarning, ModelError, Problem, UnsupportedModelError
from deepprove_dist.importing.batch import drop_constant_inputs, fix_batch_axis
from deepprove_dist.importing.checking import broken, check_model, is_shapeless
from deepprove_dist.importing.contradiction import contradiction
from deepprove_dist.importing.expanding.evaluation import MOST_VALUES
from deepprove_dist.importing.expanding.padding import state_pads
from deepprove_dist.importing.expanding.plain_outputs import make_plain
from deepprove_dist.importing.expanding.sorted_elements import sort_elements
from deepprove_dist.importing.folding import fold_constants
from deepprove_dist.importing.inside_data import load_model
from deepprove_dist.importing.mapping import ModelMapping, name_nodes, stated_nodes
from deepprove_dist.importing.opset import raise_opset
from deepprove_dist.importing.regrouping.attention import cut_attention
from deepprove_dist.importing.regrouping.averages import join_averages
from deepprove_dist.importing.regrouping.layers import cut_layers
from deepprove_dist.importing.rewriting.onnx_graph import drop_unused_nodes, tensor_names
from deepprove_dist.importing.rewriting.reasons import fixed_shapes
from deepprove_dist.importing.rewriting.stored_constants import load_small_constants, outside_tensors
from deepprove_dist.importing.selection import ModelSelection
from deepprove_dist.operators.float_graph import FloatGraph
from deepprove_dist.protocol.system.names import require_public_name

# What onnx raises for a model that breaks the standard.
_INVALID = (
    onnx.checker.ValidationError,
    onnx.shape_inference.InferenceError,
    OSError,
    ValueError,
    RuntimeError,
)
# What a damaged model makes of code that takes it as it says.
_CONTRADICTORY = (*_INVALID, ArithmeticError, AttributeError, LookupError, TypeError)

ALL = ModelSelection()
"""All that the file states."""


@dataclass(frozen=True)
class ImportedModel:
    """What an ONNX model means, ``graph``, and the model to run in float, ``onnx``.

    ``left_out`` are outputs of the file that are not proven: constants, texts, and what was not chosen.

    The model to run has functions inlined, an opset that rules read, batch 1 and names for all nodes. Nodes
    that no output needs are dropped. It is not folded: a float run checks the folding too.

    ``warnings`` are about nodes that engines do not compute alike.
    """

    onnx: onnx.ModelProto
    graph: FloatGraph
    left_out: tuple[str, ...] = ()
    warnings: tuple[AccuracyWarning, ...] = ()


def import_model(path: Path) -> ImportedModel:
    """Imports an ONNX file, with its external data files if it has any.

    Raises ModelError for a file that is no valid ONNX model, and what ``import_proto`` raises.
    """
    return import_proto(read_model(path))


def read_model(path: Path) -> onnx.ModelProto:
    """Reads and checks an ONNX file, with its external data files if it has any.

    Large constants stay in these files, and are mapped into memory where they are looked at.

    Raises ModelError for a file that is no valid ONNX model, or that is not there.
    """
    model: onnx.ModelProto | None = None
    try:
        model = load_model(path)
        if not model.HasField("graph"):
            raise DecodeError
        load_small_constants(model, path.parent)
        check_model(model, path)
    except (DecodeError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: not an ONNX model, or a damaged one") from error
    except _INVALID as error:
        raise broken(error, str(path), model) from error
    return model


def copy_checked(source: onnx.ModelProto) -> onnx.ModelProto:
    """A checked copy of a model in memory, for ``import_proto``.

    Raises ModelError for a model that is not valid, or keeps tensors in other files.
    """
    model = onnx.ModelProto()
    model.CopyFrom(source)
    for tensor in outside_tensors(model):
        raise ModelError(
            f"the model keeps '{tensor.name}' in another file: give the path of the model's file"
        )
    try:
        check_model(model, model)
    except _INVALID as error:
        raise broken(error, model=model) from error
    return model


def import_proto(model: onnx.ModelProto, selection: ModelSelection = ALL) -> ImportedModel:
    """Imports a checked ONNX model, or the part of it that was chosen.

    Raises UnsupportedModelError with everything in the model that is not supported. Raises ModelError for a
    model that contradicts itself or is too large.
    """
    fixed, mapping = map_model(model, selection)
    names = tensor_names(fixed)
    graph = join_averages(cut_attention(cut_layers(mapping.float_graph(), names), names), names)
    left_out = tuple(value.name for value in model.graph.output if value.name not in graph.outputs)
    return ImportedModel(fixed, graph, left_out, mapping.warnings)


def map_model(
    model: onnx.ModelProto, selection: ModelSelection = ALL
) -> tuple[onnx.ModelProto, ModelMapping]:
    """The model to run in float, and what becomes of each of its nodes.

    Raises ModelError for a model that contradicts itself or is too large. Raises UnsupportedModelError where
    problems leave nothing to map.
    """
    if model.ByteSize() > onnx.checker.MAXIMUM_PROTOBUF:
        raise ModelError("models above 2 GB are not supported")
    if not model.graph.output:
        raise ModelError("the model has no output")
    if not model.opset_import:
        raise ModelError(
            "the model does not say which opset its nodes are of: set its opset_import, "
            "as [onnx.helper.make_opsetid('', 17)]"
        )
    problems = _sparse(model)
    try:
        # A copy, which may be changed.
        inlined = inliner.inline_local_functions(model, convert_version=True)
        drop_constant_inputs(inlined)
        make_plain(inlined)
        selection.fix_shapes(inlined.graph)
        selection.cut(inlined)
        problems += _shapeless_inputs(inlined)
        for value in (*inlined.graph.input, *inlined.graph.output):
            require_public_name(value.name)
        fixed, outdated = raise_opset(inlined)
        if not outdated:
            selection.form.apply(fixed)
        problems += outdated + fix_batch_axis(fixed)
        # Shapes that nothing can hold would keep what reads them busy for hours.
        if large := _too_large(fixed.graph):
            raise UnsupportedModelError(problems + large)
        name_nodes(fixed)
        drop_unused_nodes(fixed)
        state_pads(fixed)
        sort_elements(fixed)
        folded = fold_constants(fixed)
    except _CONTRADICTORY as error:
        if problems:
            raise UnsupportedModelError(problems) from error
        raise contradiction(error) from error
    names = tensor_names(fixed)
    return fixed, ModelMapping(
        folded,
        problems,
        readable=not outdated,
        reserved=names,
        hidden=selection.hidden,
        stated=stated_nodes(fixed),
    )


def _shapeless_inputs(model: onnx.ModelProto) -> tuple[Problem, ...]:
    problems = []
    for value in model.graph.input:
        if is_shapeless(value):
            advice = fixed_shapes(value.name, ("SIZE", "..."))
            problems.append(Problem(value.name, "graph input", "it has no shape", "", advice))
        elif not value.type.HasField("tensor_type"):
            problems.append(Problem(value.name, "graph input", "it is no tensor", "inputs that are tensors"))
    return tuple(problems)


def _too_large(graph: onnx.GraphProto) -> tuple[Problem, ...]:
    sizes = {value.name: prod(a.dim_value for a in value.type.tensor_type.shape.dim) for value in graph.input}
    return tuple(
        Problem(name, "graph input", f"it has {size} values", f"inputs of at most {MOST_VALUES} values")
        for name, size in sizes.items()
        if size > MOST_VALUES
    )


def _sparse(model: onnx.ModelProto) -> tuple[Problem, ...]:
    return tuple(
        Problem(
            tensor.values.name, "initializer", "it is sparse", "dense tensors", "store it as a dense tensor"
        )
        for tensor in model.graph.sparse_initializer
    )
