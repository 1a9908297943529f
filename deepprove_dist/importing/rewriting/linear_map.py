"""Linear maps of a computed tensor by a constant, as ONNX states them: axes have names, those of size 1
broadcast.
"""

import numpy as np

from deepprove_dist.arrays import FloatArray, Reals
from deepprove_dist.importing.rewriting.axis_names import AxisNames, sizes_of_axes, without_repeated
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.operators.dense import FloatDense
from deepprove_dist.operators.linear_map import FloatLinearMap
from deepprove_dist.operators.reshape import FloatReshape


def linear_map(
    graph: GraphBuilder,
    tensor: str,
    axes: AxisNames,
    weight: Reals,
    weight_axes: AxisNames,
    output: AxisNames,
) -> str:
    """The sum over all axes that the output lacks of the tensor times a weight, float64 or float32.

    Raises ConsequenceError where an axis has two sizes.
    """
    sizes = sizes_of_axes((graph.shape(tensor), weight.shape), (axes, weight_axes))
    tensor, axes = without_repeated(graph, tensor, axes, sizes)
    weight, weight_axes = _needed(weight, weight_axes, axes, output, sizes)
    kept = [name for name in output if name in axes or name in weight_axes]
    contracted = [name for name in axes if name not in output]
    if _is_dense(axes, weight_axes, kept, contracted):
        order = [list(weight_axes).index(name) for name in (kept[-1], *contracted)]
        rows = weight.transpose(order)
        result = graph.add(FloatDense, tensor, rows, np.zeros(len(rows)))
    else:
        numbers = {name: number for number, name in enumerate((*kept, *contracted))}
        left, right = (tuple(numbers[name] for name in side) for side in (axes, weight_axes))
        numbered = weight.astype(np.float64, copy=False)
        result = graph.add(FloatLinearMap, tensor, numbered, np.zeros(()), left, right, len(kept))
    return _with_all_axes(graph, result, kept, output, sizes)


def along_axis(graph: GraphBuilder, tensor: str, axis: int, matrix: FloatArray) -> str:
    """The tensor with a matrix [outputs, inputs] applied along one axis."""
    names = [f"axis {k}" for k in range(len(graph.shape(tensor)))]
    output = [*names[:axis], "output", *names[axis + 1 :]]
    return linear_map(graph, tensor, names, matrix, ["output", names[axis]], output)


def scaled_along_axes(graph: GraphBuilder, tensor: str, scale: FloatArray, shift: FloatArray) -> str:
    """scale * tensor + shift for constants that broadcast to the tensor's shape."""
    node = graph.producer(tensor)
    exact = None if node is None else node.unrounded()
    if exact is not None:
        tensor = graph.add_node(exact)
    rank = len(graph.shape(tensor))
    whole = scale.reshape(*(1 for _ in range(rank - scale.ndim)), *scale.shape)
    varying = [axis for axis, size in enumerate(whole.shape) if size > 1]
    weight = whole.reshape([whole.shape[axis] for axis in varying])
    every = tuple(range(rank))
    return graph.add(FloatLinearMap, tensor, weight, shift, every, tuple(varying), rank)


def _needed(
    weight: Reals, weight_axes: AxisNames, axes: AxisNames, output: AxisNames, sizes: dict[str, int]
) -> tuple[Reals, list[str]]:
    """The weight with all axes of the tensor that are summed over, and no axis that is repeated or alone."""
    lost = tuple(
        k
        for k, (name, size) in enumerate(zip(weight_axes, weight.shape, strict=True))
        if size < sizes[name] or (name not in axes and name not in output)
    )
    names = [name for k, name in enumerate(weight_axes) if k not in lost]
    if lost:
        weight = weight.sum(axis=lost, dtype=np.float64)
    missing = [name for name in axes if name not in names and name not in output]
    whole = np.broadcast_to(
        weight[(..., *(None for _ in missing))], (*weight.shape, *(sizes[name] for name in missing))
    )
    return whole, [*names, *missing]


def _is_dense(axes: AxisNames, weight_axes: AxisNames, kept: AxisNames, contracted: AxisNames) -> bool:
    """Whether it is a product by a matrix on the right."""
    return (
        len(weight_axes) == 2
        and len(contracted) == 1
        and [*axes[:-1], contracted[0]] == [*axes]
        and ([*kept[:-1]] == [*axes[:-1]] and kept[-1] in weight_axes)
    )


def _with_all_axes(
    graph: GraphBuilder, tensor: str, kept: AxisNames, output: AxisNames, sizes: dict[str, int]
) -> str:
    """The tensor with axes that neither factor has any more: all of these have size 1."""
    if len(kept) == len(output):
        return tensor
    return graph.add(FloatReshape, tensor, tuple(sizes[name] for name in output))
