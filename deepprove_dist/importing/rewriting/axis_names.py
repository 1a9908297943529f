"""Axes with names: what sizes they have in several tensors, of which those of size 1 broadcast."""

from collections.abc import Sequence

from deepprove_dist.arrays import Shape
from deepprove_dist.importing.rewriting.builder import GraphBuilder
from deepprove_dist.importing.rewriting.reasons import ConsequenceError
from deepprove_dist.operators.reshape import FloatReshape

AxisNames = Sequence[str]


def sizes_of_axes(shapes: Sequence[Shape], sides: Sequence[AxisNames]) -> dict[str, int]:
    """The size of each axis, from tensors of these shapes.

    Raises ConsequenceError where an axis has two sizes: ONNX says what contradicts itself.
    """
    sizes: dict[str, int] = {}
    for shape, side in zip(shapes, sides, strict=True):
        if len(shape) != len(side):
            raise ConsequenceError(f"a tensor of the shape {shape} does not have {len(side)} axes")
        for size, name in zip(shape, side, strict=True):
            known = sizes.setdefault(name, size)
            if known != size and 1 not in (known, size):
                raise ConsequenceError(f"the shapes {shapes} do not fit together")
            sizes[name] = max(known, size)
    return sizes


def without_repeated(
    graph: GraphBuilder, tensor: str, axes: AxisNames, sizes: dict[str, int]
) -> tuple[str, list[str]]:
    """The tensor without axes of size 1 that others have longer, and the names of its axes then."""
    shape = graph.shape(tensor)
    kept = [(name, size) for name, size in zip(axes, shape, strict=True) if size == sizes[name]]
    if len(kept) < len(shape):
        tensor = graph.add(FloatReshape, tensor, tuple(size for _, size in kept))
    return tensor, [name for name, _ in kept]
