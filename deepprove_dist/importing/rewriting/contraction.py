"""Contractions of two computed tensors, as ONNX states them: axes are labelled, those of size 1 broadcast."""

from collections.abc import Sequence

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.contraction import FloatContraction
from deepprove_dist.operators.reshape import FloatReshape

AxisNames = Sequence[str]

ROW, COLUMN, SUMMED = "row", "column", "summed"


def matrix_axes(ranks: Sequence[int]) -> tuple[tuple[AxisNames, AxisNames], AxisNames]:
    """The axes of a product of matrices, or of batches of them, of these two ranks, and of its factors."""
    if 0 in ranks:
        raise UnsupportedNodeError("an operand has no axes")
    # Axes of batches are numbered from the last one on, since shapes align there.
    first, second = ([f"batch {k}" for k in reversed(range(rank - 2))] for rank in ranks)
    batches = max(first, second, key=len)
    left = [*first, ROW, SUMMED] if ranks[0] > 1 else [SUMMED]
    right = [*second, SUMMED, COLUMN] if ranks[1] > 1 else [SUMMED]
    return (left, right), [*batches, *(name for name in (ROW, COLUMN) if name in left or name in right)]


def contract(
    graph: GraphBuilder, tensors: tuple[str, str], labels: tuple[AxisNames, AxisNames], output: AxisNames
) -> str:
    """The sum of products over all labels that the output lacks.

    Each of those is in both tensors. An axis of size 1 broadcasts to that of the other tensor.

    Raises UnsupportedNodeError where sizes of a label differ otherwise.
    """
    shapes = tuple(graph.shape(tensor) for tensor in tensors)
    sizes = _sizes(shapes, labels)
    first, second = (
        _without_broadcast(graph, tensor, side, sizes) for tensor, side in zip(tensors, labels, strict=True)
    )
    kept = [label for label in output if label in first[1] or label in second[1]]
    summed = [label for label in first[1] if label not in output]
    numbers = {label: number for number, label in enumerate((*kept, *summed))}
    left, right = (tuple(numbers[label] for label in side) for _, side in (first, second))
    contracted = tuple(sizes[label] for label in summed)
    result = graph.add(FloatContraction, (first[0], second[0]), left, right, len(kept), contracted)
    whole = tuple(sizes[label] for label in output)
    return result if len(kept) == len(output) else graph.add(FloatReshape, result, whole)


def _sizes(shapes: Sequence[Shape], labels: Sequence[AxisNames]) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for shape, side in zip(shapes, labels, strict=True):
        for size, label in zip(shape, side, strict=True):
            known = sizes.setdefault(label, size)
            if known != size and 1 not in (known, size):
                raise UnsupportedNodeError(f"the shapes {shapes[0]} and {shapes[1]} do not fit together")
            sizes[label] = max(known, size)
    return sizes


def _without_broadcast(
    graph: GraphBuilder, tensor: str, labels: AxisNames, sizes: dict[str, int]
) -> tuple[str, list[str]]:
    """The tensor without axes of size 1 that broadcast, and the labels of its axes."""
    shape = graph.shape(tensor)
    kept = [(label, size) for label, size in zip(labels, shape, strict=True) if size == sizes[label]]
    if len(kept) < len(shape):
        tensor = graph.add(FloatReshape, tensor, tuple(size for _, size in kept))
    return tensor, [label for label, _ in kept]
