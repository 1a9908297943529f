"""Fixing the batch axis: a proof's sample is one row, so the symbolic batch axis becomes 1.

It is an input's first axis, or one whose symbol says so. An axis without a size, with a symbol or with a
negative size (as Paddle writes it) is symbolic. Shapes that the file states for anything but inputs are
dropped and inferred again: they may name the symbolic axis, and nothing should depend on what they claim.
"""

from collections import Counter
from collections.abc import Iterable, Iterator

import onnx

from deepprove_dist.errors import Problem
from deepprove_dist.importing.rewriting.reasons import fixed_shapes

# The first version in which initializers need not be inputs too.
INITIALIZERS_ALONE = 4


def drop_constant_inputs(model: onnx.ModelProto) -> None:
    """Removes inputs that merely declare an initializer, as files of IR version 3 have them."""
    initializers = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in initializers]
    del model.graph.input[:]
    model.graph.input.extend(inputs)
    model.ir_version = max(model.ir_version, INITIALIZERS_ALONE)


def fix_batch_axis(model: onnx.ModelProto) -> tuple[Problem, ...]:
    """Gives the symbolic batch axis of every input the size 1; the problems are all other symbolic axes.

    Inputs without a shape stay as they are.
    """
    batches = _batch_symbols(model.graph)
    problems = [problem for value in model.graph.input for problem in _fixed(value, batches)]
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.ClearField("type")
    return tuple(problems)


def _fixed(value: onnx.ValueInfoProto, batches: set[str]) -> Iterator[Problem]:
    axes = value.type.tensor_type.shape.dim
    named = any(axis.dim_param in batches for axis in axes if axis.dim_param)
    for index, axis in enumerate(axes):
        if axis.HasField("dim_value") and axis.dim_value == 0:
            yield Problem(value.name, "graph input", f"axis {index} has size 0", "axes of size 1 and more")
        elif _symbolic(axis):
            if axis.dim_param in batches or (index == 0 and not named):
                axis.dim_value = 1
                continue
            reason = f"axis {index} is symbolic ('{_symbol(axis) or 'unknown'}')"
            yield Problem(value.name, "graph input", reason, "", fixed_shapes(value.name, _example(axes)))


def _example(axes: Iterable[onnx.TensorShapeProto.Dimension]) -> list[str]:
    """The sizes of axes as a user may state them: numbers, symbols in capitals, SIZE for others."""
    return [(axis.dim_param.upper() or "SIZE") if _symbolic(axis) else str(axis.dim_value) for axis in axes]


def _symbol(axis: onnx.TensorShapeProto.Dimension) -> str:
    return axis.dim_param or (str(axis.dim_value) if axis.HasField("dim_value") else "")


def _batch_symbols(graph: onnx.GraphProto) -> set[str]:
    """Symbols that mean the batch: those with its name, else those of first axes.

    Never one that an input has twice.
    """
    shapes = [value.type.tensor_type.shape.dim for value in graph.input]
    first = {shape[0].dim_param for shape in shapes if len(shape) and shape[0].dim_param}
    twice = {
        symbol
        for shape in shapes
        for symbol, count in Counter(axis.dim_param for axis in shape).items()
        if count > 1
    }
    symbols = {axis.dim_param for shape in shapes for axis in shape if axis.dim_param}
    named = {symbol for symbol in symbols if symbol.lower().startswith("batch") or symbol.lower() == "bs"}
    return (named or first) - twice


def _symbolic(axis: onnx.TensorShapeProto.Dimension) -> bool:
    return not axis.HasField("dim_value") or axis.dim_value < 0
