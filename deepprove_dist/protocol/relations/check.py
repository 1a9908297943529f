"""What must hold of a system for its relations to mean what they say: shapes fit, and nothing wraps.

A key is read from a file, so its system is checked here before anything is computed with it. Every tensor of
the witness has a proven range: its column is looked up in a table, or it is public and the verifier compares
it with its bounds, or a linear relation defines it by tensors of known range. From these ranges both sides of
every relation are bounded.

Let A be what the witness's terms of a relation add up to, in [a, b] by these ranges, and V what they have to
equal, in [low, high] by the weights. Modulo p they are equal; as integers too if every A - V lies within
(-p, p). Since the key's maker states V's range, uniqueness does not rest on it: `determinism` derives from
proven ranges alone that inputs and weights determine the witness.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from math import prod

from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.relations.determinism import Range, covers_once, undetermined
from deepprove_dist.protocol.relations.maxima import Maxima
from deepprove_dist.protocol.relations.ranges import affine_range, folded_range
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Factor,
    Followed,
    Joined,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    Relation,
    Shape,
    System,
    Tensor,
    Term,
    Window,
    parts,
    size_along,
)
from deepprove_dist.protocol.scale import MAX_AXES

MAX_TENSORS = 1 << 16
MAX_PUBLIC = 1 << 12
"""Inputs, and as many outputs."""
MAX_LOOKUPS = 1 << 16
"""Each takes a box of the fraction tree at least."""
MAX_VALUES = 1 << 34
MAX_WINDOW = 1 << 24


def check(system: System) -> None:
    """Raises FormatError, naming the part, where a system is ill-formed, a relation could wrap, or a witness
    tensor does not follow from inputs and weights.
    """
    _require(0 < len(system.tensors) <= MAX_TENSORS, "a system has no tensor or too many")
    _require(len(system.lookups) <= MAX_LOOKUPS, "a system has too many lookups")
    for tensor in system.tensors:
        _check_tensor(tensor)
    for publics, direction in ((system.inputs, "inputs"), (system.outputs, "outputs")):
        names = {public.name for public in publics}
        _require(len(names) == len(publics) > 0, f"a system has {direction}, each with a name of its own")
        _require(len(publics) <= MAX_PUBLIC, f"a system has too many {direction}")
    for public in system.public:
        tensor = _witness(system, public.tensor, public.name)
        _require(tensor.shape[:1] == (BATCH,), f"'{public.name}' has no axis of samples")
        same = _fits(public.shape) and prod(tensor.shape[1:]) == prod(public.shape)
        _require(same, f"'{public.name}' has another number of elements")
        _require(
            -LARGEST_SIGNED <= public.lo <= public.hi <= LARGEST_SIGNED,
            f"'{public.name}' has an invalid range",
        )
    counted = [table.multiplicity for table in system.tables]
    _require(len(set(counted)) == len(counted), "two tables share their multiplicities")
    for table in system.tables:
        _check_table(system, table)
    for lookup in system.lookups:
        _check_lookup(system, lookup)
    for relation in system.relations:
        _check_affine(system, relation.affine, f"relation '{relation.name}'")
    ranges = proven_ranges(system)
    maxima, plain = _maxima(system, ranges), _maxima(system, ranges)
    for lookup in system.lookups:
        _check_lookup_range(system, lookup, ranges, maxima)
        maxima.add(lookup, system.tables[lookup.table])
    for relation in system.relations:
        _check_relation(system, relation, ranges, maxima, plain)
    # Multiplicities are only ever counted; a relation on one would let it take part in two roles.
    used = {term.tensor for affine in expressions(system) for term in affine.terms}
    used |= {public.tensor for public in system.public}
    _require(used.isdisjoint(counted), "a multiplicity is used as a value")
    free = [system.tensors[tensor].name for tensor in undetermined(system, ranges)]
    more = f" and {len(free) - 1} more" if len(free) > 1 else ""
    _require(not free, f"inputs and weights do not determine tensor '{''.join(free[:1])}'{more}")


def expressions(system: System) -> Iterator[Affine]:
    """Every expression in relations, products and lookups."""
    for relation in system.relations:
        yield relation.affine
        for product in relation.products:
            yield from (product.left.value, product.right.value)
    for lookup in system.lookups:
        yield from lookup.columns


def proven_ranges(system: System) -> dict[int, Range]:
    """The range of each witness tensor that a lookup, the verifier's comparison or a definition proves."""
    ranges: dict[int, Range] = {}

    def narrow(tensor: int, found: Range) -> None:
        low, high = ranges.get(tensor, found)
        ranges[tensor] = max(low, found[0]), min(high, found[1])

    for public in system.public:
        narrow(public.tensor, (public.lo, public.hi))
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        found = [(table.first, table.first + table.size - 1)]
        if table.function is not None:
            found.append(table.function.interval())
        for column, own in zip(lookup.columns, found, strict=True):
            if column.stored is not None:
                narrow(column.stored, own)
    maxima, lookups = _maxima(system, ranges), deque(system.lookups)
    for relation in system.relations:
        # In their order, as far as the ranges of their arguments are known.
        while lookups and all(term.tensor in ranges for term in lookups[0].columns[0].terms):
            lookup = lookups.popleft()
            maxima.add(lookup, system.tables[lookup.table])
        _add_defined(system, relation, ranges, maxima)
    return ranges


def _maxima(system: System, ranges: dict[int, Range]) -> Maxima:
    def range_of(affine: Affine) -> Range:
        return folded_range(system, affine, ranges, maxima)

    maxima = Maxima(range_of)
    return maxima


def _add_defined(system: System, relation: Relation, ranges: dict[int, Range], maxima: Maxima) -> None:
    """A tensor that a linear relation sets equal to an expression has that expression's range."""
    affine = relation.affine
    unknown = [term for term in affine.terms if term.tensor not in ranges]
    if relation.products or len(unknown) != 1 or system.tensors[unknown[0].tensor].matrix is Matrix.WEIGHTS:
        return
    # All other tensors have ranges, so that none is of the weights, or this one again.
    (own,) = unknown
    if not covers_once(affine.space, own) or abs(own.coefficient) != 1:
        return
    rest = replace(affine, terms=tuple(term for term in affine.terms if term is not own))
    low, high = affine_range(system, rest, ranges, maxima)
    ranges[own.tensor] = (-high, -low) if own.coefficient == 1 else (low, high)


def _check_tensor(tensor: Tensor) -> None:
    batched = tensor.matrix is Matrix.WITNESS and tensor.shape[:1] == (BATCH,)
    sizes = tensor.shape[1:] if batched else tensor.shape
    _require(_fits(sizes), f"tensor '{tensor.name}' has the invalid shape {tensor.shape}")


def _check_table(system: System, table: LookupTable) -> None:
    tensor = _witness(system, table.multiplicity, "a table")
    same = table.size >= 1 and tensor.shape == (table.size,)
    _require(same, "a table and its multiplicities differ in size")
    ends = (table.first, table.first + table.size - 1)
    _require(max(abs(end) for end in ends) <= LARGEST_SIGNED, "a table's arguments do not fit the field")
    if table.function is not None:
        same = (table.function.first, table.function.size) == (table.first, table.size)
        _require(same, "a table and its function have different domains")


def _check_lookup(system: System, lookup: Lookup) -> None:
    _require(0 <= lookup.table < len(system.tables), "a lookup names no table")
    width = system.tables[lookup.table].width
    _require(len(lookup.columns) == width, "a lookup has another width than its table")
    for column in lookup.columns:
        _check_affine(system, column, "a lookup")
        tensors = (system.tensors[term.tensor] for term in column.terms)
        witness = all(tensor.matrix is Matrix.WITNESS for tensor in tensors)
        _require(witness, "a lookup has a column that is not of the witness")
    _require(len({column.space for column in lookup.columns}) == 1, "the columns of a lookup differ in shape")


def _check_lookup_range(system: System, lookup: Lookup, ranges: dict[int, Range], maxima: Maxima) -> None:
    """An expression equal to a table's value modulo p is equal to it as an integer."""
    table = system.tables[lookup.table]
    values = [(table.first, table.first + table.size - 1)]
    if table.function is not None:
        values.append(table.function.interval())
    for column, (first, last) in zip(lookup.columns, values, strict=True):
        if column.stored is None:
            _check_proven(system, column, ranges, "a lookup")
            low, high = affine_range(system, column, ranges, maxima)
            _require(high - first < MODULUS and last - low < MODULUS, "a lookup's column could wrap modulo p")


def _check_relation(
    system: System, relation: Relation, ranges: dict[int, Range], maxima: Maxima, plain: Maxima
) -> None:
    """`plain` has no maxima: the key's maker bounds products without them."""
    where, affine = f"relation '{relation.name}'", relation.affine
    _check_proven(system, affine, ranges, where)
    for product in relation.products:
        _check_product(system, product, affine.space, where)
        for factor in (product.left, product.right):
            _check_proven(system, factor.value, ranges, where)
    low, high = affine_range(system, affine, ranges, maxima)
    _require(relation.low <= relation.high, f"{where} has an invalid range")
    known = _range_without_weights(system, relation, ranges, plain)
    same = known is None or known == (relation.low, relation.high)
    _require(same, f"{where} claims a range for weights that it has not")
    wraps = high - relation.low >= MODULUS or relation.high - low >= MODULUS
    _require(not wraps, f"{where} could wrap modulo p")


def _check_affine(system: System, affine: Affine, where: str) -> None:
    space = affine.space
    _require(len(space) <= MAX_AXES and BATCH not in space[1:], f"{where} has an invalid index space")
    _require(_fits(tuple(size for size in space if size != BATCH)), f"{where} has an invalid index space")
    numbers = [c.value for c in affine.constants] + [term.coefficient for term in affine.terms]
    numbers += [k for term in affine.terms for a in term.axes if isinstance(a, Window) for k in a.scale]
    small = max(map(abs, numbers), default=0) < MODULUS
    _require(small, f"{where} has a coefficient that is no field element")
    for term in affine.terms:
        _check_term(system, term, space, where)
    for constant in affine.constants:
        axes = [own for axis, _, _ in constant.ranges for own in parts(axis)]
        _require(len(set(axes)) == len(axes), f"{where} has a constant with an axis twice")
        for axis, first, end in constant.ranges:
            _check_followed(axis, space, f"{where} has a constant")
            size = size_along(space, axis)
            fits = size != BATCH and 0 <= first <= end <= size
            _require(fits, f"{where} has a constant outside an axis")


def _check_term(system: System, term: Term, space: Shape, where: str) -> None:
    _require(0 <= term.tensor < len(system.tensors), f"{where} names no tensor")
    shape = system.tensors[term.tensor].shape
    _require(len(term.axes) == len(shape), f"{where} has a term of other axes")
    _require(len(set(term.follows)) == len(term.follows), f"{where} has a term of other axes")
    for axis, size in zip(term.axes, shape, strict=True):
        _check_followed(axis.axis if isinstance(axis, Window) else axis, space, f"{where} has a term")
        along = size_along(space, axis)
        if isinstance(axis, Window):
            _check_window(axis, along, size, where)
        else:
            _require(along == size, f"{where} has an axis of another size")


def _check_followed(axis: Followed, space: Shape, what: str) -> None:
    """Axes that exist; joined ones are several, and none of them the samples'."""
    _require(all(0 <= own < len(space) for own in parts(axis)), f"{what} on no axis")
    if isinstance(axis, Joined):
        _require(len(axis.axes) > 1, f"{what} that joins fewer than two axes")
        _require(len(set(axis.axes)) == len(axis.axes), f"{what} that joins an axis twice")
        _require(all(space[own] != BATCH for own in axis.axes), f"{what} that joins the samples")


def _check_window(window: Window, outputs: int, size: int, where: str) -> None:
    _require(outputs != BATCH and size != BATCH, f"{where} has a window over samples")
    numbers = (window.taps, window.stride, window.dilation, abs(window.offset))
    _require(max(numbers) <= MAX_WINDOW and min(numbers) >= 0, f"{where} has an invalid window")
    _require(0 <= window.first <= window.end <= outputs, f"{where} has a window outside its axis")
    _require(len(window.scale) in (0, outputs), f"{where} has a window with other scales")


def _check_proven(system: System, affine: Affine, ranges: dict[int, Range], where: str) -> None:
    for term in affine.terms:
        weights = system.tensors[term.tensor].matrix is Matrix.WEIGHTS
        _require(weights or term.tensor in ranges, f"{where} has a tensor without a proven range")


def _range_without_weights(
    system: System, relation: Relation, ranges: dict[int, Range], plain: Maxima
) -> Range | None:
    """Bounds of what the witness's terms have to equal; None where the key's maker knows, by the weights."""
    values = [factor.value for product in relation.products for factor in (product.left, product.right)]
    tensors = {term.tensor for affine in (relation.affine, *values) for term in affine.terms}
    if any(system.tensors[tensor].matrix is Matrix.WEIGHTS for tensor in tensors):
        return None
    low = high = 0
    for product in relation.products:
        left, right = (affine_range(system, f.value, ranges, plain) for f in (product.left, product.right))
        places = prod(product.contracted) * prod(window.taps for window in product.windows)
        ends = [product.coefficient * places * a * b for a in left for b in right]
        # Outside of a window's input there is nothing to add.
        ends += [0] if product.windows else []
        low, high = low + min(ends), high + max(ends)
    return low, high


def _check_product(system: System, product: Product, space: Shape, where: str) -> None:
    outputs, contracted = len(space), len(product.contracted)
    _require(_fits(product.contracted), f"{where} contracts an invalid index space")
    taps = tuple(window.taps for window in product.windows)
    _require(_fits(taps), f"{where} has an invalid window")
    _require(abs(product.coefficient) < MODULUS, f"{where} has a coefficient that is no field element")
    sizes = (*space, *product.contracted, *taps)
    for factor in (product.left, product.right):
        _check_affine(system, factor.value, where)
        _require(len(factor.axes) == len(factor.value.space), f"{where} has a factor of other axes")
        _require(len(set(factor.axes)) == len(factor.axes), f"{where} has a factor with an axis twice")
        for axis, size in zip(factor.axes, factor.value.space, strict=True):
            _require(0 <= axis < len(sizes) and sizes[axis] == size, f"{where} has an axis of another size")
    covered = set(product.left.axes) | set(product.right.axes)
    for index, window in enumerate(product.windows):
        places = (window.stride, window.dilation, abs(window.offset))
        _require(min(places) >= 0 and max(places) <= MAX_WINDOW, f"{where} has an invalid window")
        _require(0 <= window.contracted < contracted, f"{where} has a window over no axis")
        _check_followed(window.output, space, f"{where} has a window")
        _require(size_along(space, window.output) != BATCH, f"{where} has a window over samples")
        # Spreading needs the window itself in one factor, and its output axis nowhere else.
        _require(covered.isdisjoint(parts(window.output)), f"{where} has two uses of an output axis")
        covered.update(parts(window.output))
        uses = [outputs + contracted + index in factor.axes for factor in (product.left, product.right)]
        _require(sum(uses) == 1, f"{where} has a window in no factor or in both")
    # One that is in neither factor would need the constant 1 along it.
    _require(set(range(outputs)) <= covered, f"{where} has an output axis in no factor")
    own = [_sumcheck_axes(product, factor, outputs) for factor in (product.left, product.right)]
    expected = [*product.shared(outputs), *range(outputs, outputs + contracted)]
    _require(own == [expected, expected], f"{where} has factors over different axes")
    _require(all(space[axis] != BATCH for axis in product.shared(outputs)), f"{where} shares the samples")


def _sumcheck_axes(product: Product, factor: Factor, outputs: int) -> list[int]:
    """The axes of a factor that the sumcheck runs over, in the factor's order; a window stands for the axis
    that it is spread to.
    """
    shared, contracted = product.shared(outputs), len(product.contracted)
    axes = []
    for axis in factor.axes:
        if axis >= outputs + contracted:
            axes.append(outputs + product.windows[axis - outputs - contracted].contracted)
        elif axis >= outputs or axis in shared:
            axes.append(axis)
    return axes


def _fits(sizes: Shape) -> bool:
    return len(sizes) <= MAX_AXES and all(size >= 1 for size in sizes) and prod(sizes) <= MAX_VALUES


def _witness(system: System, tensor: int, where: str) -> Tensor:
    _require(0 <= tensor < len(system.tensors), f"{where} names no tensor")
    _require(system.tensors[tensor].matrix is Matrix.WITNESS, f"{where} needs a tensor of the witness")
    return system.tensors[tensor]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise FormatError(f"the lowered model is not valid: {message}")
