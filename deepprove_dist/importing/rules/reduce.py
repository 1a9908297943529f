"""Reductions over any axes: a pool whose window is all of the reduced axes.

Where these are spatial axes, one pool does it. Otherwise the tensor is first arranged so that they are. A
function may come before the pool, and one after it. Sums of integers are exact.
"""

from collections.abc import Callable
from math import prod

import numpy as np
import onnx

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.functions import apply
from deepprove_dist.importing.rewriting.maxima import add_max_pool
from deepprove_dist.importing.rewriting.onnx_node import OnnxNode
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.importing.rewriting.rule import Rule
from deepprove_dist.importing.rewriting.standard import FLOAT_TYPES, SUMMED_TYPES, TRUTH_TYPES
from deepprove_dist.importing.rewriting.windows import single_window
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.pointwise import IDENTITY, Function, call
from deepprove_dist.operators.reshape import FloatReshape
from deepprove_dist.operators.sum_pool import FloatAveragePool
from deepprove_dist.operators.transpose import FloatTranspose
from deepprove_dist.operators.window import Window

X = IDENTITY

# The standard has extremes of no integers of 16 bits.
COMPARED_TYPES = (
    *SUMMED_TYPES,
    onnx.TensorProto.UINT32,
    onnx.TensorProto.UINT64,
    onnx.TensorProto.INT8,
    onnx.TensorProto.UINT8,
    *TRUTH_TYPES,
)

# A pool's input is [batch, channels, *spatial]: two axes, and then one or two more.
LEAD = AXES = 2

Pool = Callable[[GraphBuilder, str, Window], str]


def _mean(graph: GraphBuilder, tensor: str, window: Window) -> str:
    return graph.add(FloatAveragePool, tensor, window, _per_position(graph, tensor, window, window.kernel))


def _sum(graph: GraphBuilder, tensor: str, window: Window) -> str:
    ones = (1,) * window.rank
    return graph.add(FloatAveragePool, tensor, window, _per_position(graph, tensor, window, ones))


def _max(graph: GraphBuilder, tensor: str, window: Window) -> str:
    return add_max_pool(graph, tensor, window)


def _per_position(graph: GraphBuilder, tensor: str, window: Window, values: Shape) -> tuple[Shape, ...]:
    """For each spatial axis its value at each position of the output."""
    positions = window.output(graph.shape(tensor)[LEAD:])
    return tuple((value,) * count for value, count in zip(values, positions, strict=True))


def _reduction(
    operator: str,
    pool: Pool,
    before: Function = X,
    after: Function = X,
    types: tuple[int, ...] = FLOAT_TYPES,
) -> Rule:
    """The rule of ``after(pool(before(x)))`` over some axes.

    Of integers it is a sum, and what comes after is cut off towards zero, as onnxruntime does.
    """

    def rewrite(node: OnnxNode, graph: GraphBuilder) -> str:
        tensor, shape = graph.tensor(node.input(0)), graph.shape(node.input(0))
        axes = reduced_axes(node, graph, len(shape))
        if before != X:
            tensor = apply(graph, tensor, before)
        if axes:
            is_whole_sum = pool != _max and graph.type(node.output) not in FLOAT_TYPES
            pooled = _whole_sum(graph, tensor, axes) if is_whole_sum else _pooled(graph, tensor, axes, pool)
            keepdims = node.attributes.get("keepdims", 1)
            tensor = _reshaped(graph, pooled, _reduced(shape, axes, keepdims))
        if graph.type(node.output) in FLOAT_TYPES or pool == _max:
            return tensor if after == X else apply(graph, tensor, after)
        count = prod(shape[axis] for axis in axes) if pool == _mean else 1
        whole = after if count == 1 else after / count
        return tensor if whole == X else apply(graph, tensor, call(np.trunc, whole))

    attributes = frozenset({"axes", "keepdims", "noop_with_empty_axes"})
    return Rule(operator, "over constant axes", rewrite, attributes, types)


def _whole_sum(graph: GraphBuilder, tensor: str, axes: tuple[int, ...]) -> str:
    """Sums of integers, which are exact: a layer with the weights 1."""
    shape = graph.shape(tensor)
    others = tuple(axis for axis in range(len(shape)) if axis not in axes)
    size, order = prod(shape[axis] for axis in axes), (*others, *axes)
    moved = tensor if order == tuple(range(len(shape))) else graph.add(FloatTranspose, tensor, order)
    rows = _reshaped(graph, moved, (*(shape[axis] for axis in others), size))
    return graph.add(FloatDense, rows, np.ones((1, size)), np.zeros(1))


def summed(graph: GraphBuilder, tensor: str, axes: tuple[int, ...]) -> str:
    """The sum over some axes, which the result lacks."""
    pooled = _pooled(graph, tensor, axes, _sum) if axes else tensor
    return _reshaped(graph, pooled, _reduced(graph.shape(tensor), axes, keepdims=False))


def largest(graph: GraphBuilder, tensor: str, axes: tuple[int, ...]) -> str:
    """The maximum over some axes, which keep the size 1."""
    return _reshaped(
        graph, _pooled(graph, tensor, axes, _max), _reduced(graph.shape(tensor), axes, keepdims=True)
    )


def reduced_axes(node: OnnxNode, graph: GraphBuilder, rank: int) -> tuple[int, ...]:
    """The reduced axes in order, counted from 0; all axes where the node states none."""
    stated = node.attributes.get("axes", ())
    if node.input(1):
        stated = graph.required(node.input(1), "the list of axes").reshape(-1).tolist()
    if not stated:
        return () if node.attributes.get("noop_with_empty_axes", 0) else tuple(range(rank))
    if not all(-rank <= axis < rank for axis in stated):
        raise UnsupportedNodeError(f"its axes {list(stated)} are not all axes of a tensor of rank {rank}")
    return tuple(sorted({axis % rank for axis in stated}))


def _reduced(shape: Shape, axes: tuple[int, ...], keepdims: bool) -> Shape:
    """The shape where the axes are reduced, to size 1 if they are kept."""
    if keepdims:
        return tuple(1 if axis in axes else size for axis, size in enumerate(shape))
    return tuple(size for axis, size in enumerate(shape) if axis not in axes)


def _pooled(graph: GraphBuilder, tensor: str, axes: tuple[int, ...], pool: Pool) -> str:
    """The tensor with its axes reduced to size 1, which may be in another order then."""
    shape = graph.shape(tensor)
    if not (LEAD < len(shape) <= LEAD + AXES and min(axes) >= LEAD):
        tensor = _with_spatial(graph, tensor, axes)
        shape = graph.shape(tensor)
        axes = tuple(range(LEAD, len(shape)))
    kernel = tuple(size if axis in axes else 1 for axis, size in enumerate(shape))[LEAD:]
    return pool(graph, tensor, single_window(kernel))


def _with_spatial(graph: GraphBuilder, tensor: str, axes: tuple[int, ...]) -> str:
    """The tensor arranged so that the given axes are its spatial ones."""
    shape = graph.shape(tensor)
    others = tuple(axis for axis in range(len(shape)) if axis not in axes)
    order = (*others, *axes)
    long = [axis for axis in order if shape[axis] > 1]
    if long != sorted(long):
        tensor = graph.add(FloatTranspose, tensor, order)
    lead, spatial = (_at_most_two([shape[axis] for axis in group]) for group in (others, axes))
    return _reshaped(graph, tensor, (*(1,) * (LEAD - len(lead)), *lead, *(spatial or (1,))))


def _at_most_two(sizes: list[int]) -> Shape:
    """The sizes without ones, or their product where there are more than a pool has axes for."""
    long = tuple(size for size in sizes if size > 1)
    return long if len(long) <= AXES else (prod(long),)


def _reshaped(graph: GraphBuilder, tensor: str, shape: Shape) -> str:
    return tensor if graph.shape(tensor) == shape else graph.add(FloatReshape, tensor, shape)


RULES = (
    _reduction("ReduceL1", _sum, before=call(np.absolute, X), types=SUMMED_TYPES),
    _reduction("ReduceL2", _sum, before=X * X, after=call(np.sqrt, X), types=SUMMED_TYPES),
    _reduction("ReduceLogSum", _sum, after=call(np.log, X)),
    _reduction("ReduceMax", _max, types=COMPARED_TYPES),
    _reduction("ReduceMean", _mean, types=SUMMED_TYPES),
    _reduction("ReduceMin", _max, before=X * -1, after=X * -1, types=COMPARED_TYPES),
    _reduction("ReduceSum", _sum, types=SUMMED_TYPES),
    _reduction("ReduceSumSquare", _sum, before=X * X, types=SUMMED_TYPES),
)
