"""Contractions of two computed tensors, as ONNX states them: axes are labelled, those of size 1 broadcast."""

from collections.abc import Sequence

from deepprove_dist.importing.rewriting.axis_names import AxisNames, sizes_of_axes, without_repeated
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import UnsupportedNodeError
from deepprove_dist.operators.float_contraction import FloatContraction
from deepprove_dist.operators.reshape import FloatReshape

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

    Raises ConsequenceError where sizes of a label differ otherwise.
    """
    shapes = tuple(graph.shape(tensor) for tensor in tensors)
    sizes = sizes_of_axes(shapes, labels)
    first, second = (
        without_repeated(graph, tensor, side, sizes) for tensor, side in zip(tensors, labels, strict=True)
    )
    kept = [label for label in output if label in first[1] or label in second[1]]
    summed = [label for label in first[1] if label not in output]
    numbers = {label: number for number, label in enumerate((*kept, *summed))}
    left, right = (tuple(numbers[label] for label in side) for _, side in (first, second))
    contracted = tuple(sizes[label] for label in summed)
    result = graph.add(FloatContraction, (first[0], second[0]), left, right, len(kept), contracted)
    whole = tuple(sizes[label] for label in output)
    return result if len(kept) == len(output) else graph.add(FloatReshape, result, whole)
