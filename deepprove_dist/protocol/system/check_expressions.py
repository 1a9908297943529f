"""What must hold of expressions and products: axes exist, sizes fit, index maps stay in bounds of arithmetic.

Every index map of a system is checked here: those of terms, of constants, and of taps in products.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import replace
from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.system.index_map import Axis, IndexMap, followed, positions
from deepprove_dist.protocol.system.public_selection import is_selection, selects
from deepprove_dist.protocol.system.scale import MAX_AXES
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Constant,
    Factor,
    Matrix,
    Product,
    System,
    Taps,
    Term,
)

MAX_VALUES = 1 << 34
"""Of an index space."""
MAX_STEP = 1 << 24
"""Of an index map: taps, stride, dilation, and offset in absolute value."""


def require(holds: bool, message: str) -> None:
    """Raises FormatError with this message where something does not hold of a system."""
    if not holds:
        raise FormatError(f"the lowered model is not valid: {message}")


def fits(sizes: Shape) -> bool:
    """Whether these are sizes of an index space: not too many, each 1 or more, not too many values."""
    return len(sizes) <= MAX_AXES and all(size >= 1 for size in sizes) and prod(sizes) <= MAX_VALUES


def check_affine(system: System, affine: Affine, where: str) -> None:
    """Requires an index space, with terms and constants that fit it; `where` names the expression.

    Raises FormatError otherwise.
    """
    space = affine.space
    require(len(space) <= MAX_AXES and BATCH not in space[1:], f"{where} has an invalid index space")
    require(fits(tuple(size for size in space if size != BATCH)), f"{where} has an invalid index space")
    for term in affine.terms:
        _check_term(system, term, space, where)
    for constant in affine.constants:
        _check_constant(constant, space, where)


def check_product(system: System, product: Product, space: Shape, where: str) -> None:
    """Requires a product over the output axes `space`, of the relation `where`.

    Its axes exist and have one size. Each output axis has its use. Both factors have the sumcheck's axes in
    one order. Raises FormatError otherwise.
    """
    outputs, contracted = len(space), len(product.contracted)
    require(fits(product.contracted), f"{where} contracts an invalid index space")
    counts = tuple(taps.map.taps for taps in product.taps)
    require(fits(counts), f"{where} has an invalid number of taps")
    _check_numbers([product.coefficient], f"{where} has a product")
    sizes = (*space, *product.contracted, *counts)
    for factor in (product.left, product.right):
        check_affine(system, factor.value, where)
        # A prover binds factors by a key's system, which no statement has completed.
        require(not selects(factor.value), f"{where} has a factor that public indices select")
        require(len(factor.axes) == len(factor.value.space), f"{where} has a factor of other axes")
        require(len(set(factor.axes)) == len(factor.axes), f"{where} has a factor with an axis twice")
        for axis, size in zip(factor.axes, factor.value.space, strict=True):
            require(0 <= axis < len(sizes) and sizes[axis] == size, f"{where} has an axis of another size")
    met = [taps.contracted for taps in product.taps]
    require(len(set(met)) == len(met), f"{where} has an axis that two axes of taps meet")
    covered = set(product.left.axes) | set(product.right.axes)
    for index, taps in enumerate(product.taps):
        _check_taps(taps, product, space, where)
        # The taps themselves are in one factor, and what their map follows is nowhere else.
        require(covered.isdisjoint(taps.map.axes), f"{where} has two uses of an output axis")
        covered.update(taps.map.axes)
        uses = [outputs + contracted + index in factor.axes for factor in (product.left, product.right)]
        require(sum(uses) == 1, f"{where} has taps in no factor or in both")
    # One that is in neither factor would need the constant 1 along it.
    require(set(range(outputs)) <= covered, f"{where} has an output axis in no factor")
    orders = [_sumcheck_axes(product, factor, outputs) for factor in (product.left, product.right)]
    expected = [*product.shared(outputs), *range(outputs, outputs + contracted)]
    require(orders == [expected, expected], f"{where} has factors over different axes")


def _check_term(system: System, term: Term, space: Shape, where: str) -> None:
    require(0 <= term.tensor < len(system.tensors), f"{where} names no tensor")
    _check_numbers([term.coefficient], f"{where} has a term")
    shape = system.tensors[term.tensor].shape
    beside = term.axes[len(shape) :]
    covers = all(isinstance(axis, IndexMap) and axis.is_cover for axis in beside)
    require(len(term.axes) >= len(shape) and covers, f"{where} has a term of other axes")
    require(len(set(term.follows)) == len(term.follows), f"{where} has a term that follows an axis twice")
    for axis, size in zip(term.axes, term.sizes(shape), strict=True):
        if isinstance(axis, IndexMap) and axis.input is not None:
            _check_selection(system, term, axis, space, where)
        else:
            _check_axis(axis, space, size, f"{where} has a term")


def _check_selection(system: System, term: Term, axis: IndexMap, space: Shape, where: str) -> None:
    """An axis of weights follows a public input: no range that is proven rests on what a statement says."""
    weights = system.tensors[term.tensor].matrix is Matrix.WEIGHTS
    require(weights, f"{where} has a term that public indices select, but not of weights")
    require(all(0 <= k < len(space) for k in axis.axes), f"{where} has a term on no axis")
    fitting = is_selection(system, axis, space)
    require(fitting, f"{where} has a term whose indices are not those of a public input")


def _check_constant(constant: Constant, space: Shape, where: str) -> None:
    _check_numbers([constant.value], f"{where} has a constant")
    axes = [axis for cover in constant.within for axis in cover.axes]
    require(len(set(axes)) == len(axes), f"{where} has a constant that follows an axis twice")
    for cover in constant.within:
        _check_axis(cover, space, 1, f"{where} has a constant")
        require(cover.is_cover, f"{where} has a constant whose map does more than cover positions")


def _check_taps(taps: Taps, product: Product, space: Shape, where: str) -> None:
    require(0 <= taps.contracted < len(product.contracted), f"{where} has taps over no axis")
    size = product.contracted[taps.contracted]
    require(len(set(taps.map.axes)) == len(taps.map.axes), f"{where} has taps that follow an axis twice")
    require(isinstance(taps.map.offset, int), f"{where} has taps with a list of indices")
    _check_axis(taps.map, space, size, f"{where} has taps")


def _check_axis(axis: Axis, space: Shape, size: int, what: str) -> None:
    """What an axis of a tensor, of this size, follows: an axis of its size, or some by a map."""
    require(all(0 <= k < len(space) for k in followed(axis)), f"{what} on no axis")
    if isinstance(axis, int):
        require(space[axis] == size, f"{what} on an axis of another size")
    else:
        _check_map(axis, space, size, what)


def _check_map(axis: IndexMap, space: Shape, size: int, what: str) -> None:
    require(len(axis.axes) > 0, f"{what} with a map of nothing")
    samples = size == BATCH or any(space[k] == BATCH for k in axis.axes)
    require(not samples, f"{what} with a map of samples")
    count = positions(space, axis)
    if isinstance(axis.offset, int):
        numbers = (axis.taps, axis.stride, axis.dilation, abs(axis.offset))
        require(min(numbers) >= 0 and max(numbers) <= MAX_STEP, f"{what} with an invalid map")
        require(0 <= axis.first <= axis.end <= count, f"{what} with a map outside its axes")
    else:
        require(axis.listed is not None, f"{what} with the indices of an input")
        plain = replace(axis, offset=0, scale=()) == IndexMap(axis.axes, 0, count, stride=0)
        listed = axis.listed or ()
        require(plain and len(listed) == count, f"{what} with a list that is not of its axes")
        inside = all(-1 <= index < size for index in listed)
        require(inside, f"{what} with a list that leads outside")
    require(len(axis.scale) in (0, count), f"{what} with a map of other factors")
    _check_numbers(axis.scale, what)


def _check_numbers(numbers: Sequence[int], what: str) -> None:
    small = max(map(abs, numbers), default=0) < MODULUS
    require(small, f"{what} with a number that is no field element")


def _sumcheck_axes(product: Product, factor: Factor, outputs: int) -> list[int]:
    """The axes of a factor that the sumcheck runs over, in the factor's order.

    Taps stand for the axis that they meet.
    """
    shared, contracted = product.shared(outputs), len(product.contracted)
    axes = []
    for axis in factor.axes:
        if axis >= outputs + contracted:
            axes.append(outputs + product.taps[axis - outputs - contracted].contracted)
        elif axis >= outputs or axis in shared:
            axes.append(axis)
    return axes
