"""What must hold of a system for its relations to mean what they say: shapes fit, and nothing wraps.

A key is read from a file, so its system is checked here before anything is computed with it. Every tensor of
the witness has a proven range: its column is looked up in a table, or it is public and the verifier compares
it with its bounds. From these ranges the two sides of every relation are bounded.

Let A be what the witness's terms of a relation add up to, in [a, b] by these ranges, and V what they have to
equal, in [low, high] by the weights. Modulo p they are equal; as integers too if every A - V lies within
(-p, p). For acc = 2^s q + r that makes (q, r) unique.
"""

from __future__ import annotations

from math import prod

from deepprove_dist.errors import FormatError
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.relations.system import (
    BATCH,
    Affine,
    Factor,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    Relation,
    Shape,
    System,
    Tensor,
)

MAX_TENSORS = 1 << 16
MAX_VALUES = 1 << 34
MAX_AXES = 16
"""Of a tensor or an index space, without the samples' axis."""

Range = tuple[int, int]


def check(system: System) -> None:
    """Raises FormatError, naming the part, where a system is ill-formed or a relation could wrap."""
    _require(0 < len(system.tensors) <= MAX_TENSORS, "a system has no tensor or too many")
    for tensor in system.tensors:
        _check_tensor(tensor)
    for publics, direction in ((system.inputs, "inputs"), (system.outputs, "outputs")):
        names = {public.name for public in publics}
        _require(len(names) == len(publics) > 0, f"a system has {direction}, each with a name of its own")
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
    ranges = proven_ranges(system)
    for relation in system.relations:
        _check_relation(system, relation, ranges)
    # Multiplicities are only ever counted; a relation on one would let it take part in two roles.
    used = {term.tensor for relation in system.relations for term in relation.affine.terms}
    used |= {f.tensor for r in system.relations for p in r.products for f in (p.left, p.right)}
    used |= {column for lookup in system.lookups for column in lookup.columns}
    used |= {public.tensor for public in system.public}
    _require(used.isdisjoint(counted), "a multiplicity is used as a value")


def proven_ranges(system: System) -> dict[int, Range]:
    """The range of each witness tensor that a lookup or the verifier's comparison proves."""
    ranges: dict[int, Range] = {}

    def narrow(tensor: int, found: Range) -> None:
        low, high = ranges.get(tensor, found)
        ranges[tensor] = max(low, found[0]), min(high, found[1])

    for public in system.public:
        narrow(public.tensor, (public.lo, public.hi))
    for lookup in system.lookups:
        table = system.tables[lookup.table]
        narrow(lookup.columns[0], (table.first, table.first + table.size - 1))
        if table.function is not None:
            narrow(lookup.columns[1], table.function.interval())
    return ranges


def affine_range(affine: Affine, ranges: dict[int, Range]) -> Range:
    """Bounds of an affine expression, from the ranges of its tensors."""
    low = high = affine.constant
    for term in affine.terms:
        ends = [term.coefficient * end for end in ranges[term.tensor]]
        low, high = low + min(ends), high + max(ends)
    return low, high


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
    shapes = {_witness(system, column, "a lookup").shape for column in lookup.columns}
    _require(len(shapes) == 1, "the columns of a lookup have different shapes")


def _check_relation(system: System, relation: Relation, ranges: dict[int, Range]) -> None:
    where, space = f"relation '{relation.name}'", relation.affine.space
    _require(len(space) >= 1 and space[0] == BATCH, f"{where} has no axis of samples")
    _require(_fits(space[1:]), f"{where} has an invalid index space")
    for term in relation.affine.terms:
        _check_axes(system, term.tensor, term.axes, space, where)
        weights = system.tensors[term.tensor].matrix is Matrix.WEIGHTS
        _require(weights or term.tensor in ranges, f"{where} has a term without a proven range")
    for product in relation.products:
        _check_product(system, product, space, where)
        for factor in (product.left, product.right):
            weights = system.tensors[factor.tensor].matrix is Matrix.WEIGHTS
            _require(weights or factor.tensor in ranges, f"{where} has a factor without a proven range")
    numbers = [relation.affine.constant, *(term.coefficient for term in relation.affine.terms)]
    _require(max(map(abs, numbers)) < MODULUS, f"{where} has a coefficient that is no field element")
    witness = [t for t in relation.affine.terms if system.tensors[t.tensor].matrix is Matrix.WITNESS]
    low, high = affine_range(Affine(space, tuple(witness), relation.affine.constant), ranges)
    _require(relation.low <= relation.high, f"{where} has an invalid range")
    known = _range_without_weights(system, relation, ranges)
    same = known is None or known == (relation.low, relation.high)
    _require(same, f"{where} claims a range for weights that it has not")
    wraps = high - relation.low >= MODULUS or relation.high - low >= MODULUS
    _require(not wraps, f"{where} could wrap modulo p")


def _range_without_weights(system: System, relation: Relation, ranges: dict[int, Range]) -> Range | None:
    """Bounds of what the witness's terms have to equal; None where the key's maker knows, by the weights."""
    factors = [factor.tensor for product in relation.products for factor in (product.left, product.right)]
    tensors = [*factors, *(term.tensor for term in relation.affine.terms)]
    if any(system.tensors[tensor].matrix is Matrix.WEIGHTS for tensor in tensors):
        return None
    low = high = 0
    for product in relation.products:
        ends = [a * b for a in ranges[product.left.tensor] for b in ranges[product.right.tensor]]
        low, high = low + min(ends) * prod(product.contracted), high + max(ends) * prod(product.contracted)
    return low, high


def _check_product(system: System, product: Product, space: Shape, where: str) -> None:
    _require(_fits(product.contracted), f"{where} contracts an invalid index space")
    for factor in (product.left, product.right):
        _check_axes(system, factor.tensor, factor.axes, space + product.contracted, where)
    summed = list(range(len(space), len(space) + len(product.contracted)))
    outputs: list[int] = []
    for factor in (product.left, product.right):
        _require(_contracted(factor, len(space)) == summed, f"{where} contracts axes in different orders")
        outputs += [axis for axis in factor.axes if axis < len(space)]
    # One that is in neither factor would need the constant 1 along it, one in both a third factor eq.
    once = sorted(outputs) == list(range(len(space)))
    _require(once, f"{where} does not have each output axis in exactly one factor")


def _fits(sizes: Shape) -> bool:
    return len(sizes) <= MAX_AXES and all(size >= 1 for size in sizes) and prod(sizes) <= MAX_VALUES


def _contracted(factor: Factor, outputs: int) -> list[int]:
    return [axis for axis in factor.axes if axis >= outputs]


def _check_axes(system: System, tensor: int, axes: tuple[int, ...], sizes: Shape, where: str) -> None:
    _require(0 <= tensor < len(system.tensors), f"{where} names no tensor")
    shape = system.tensors[tensor].shape
    _require(len(axes) == len(shape) and len(set(axes)) == len(axes), f"{where} has a term of other axes")
    for axis, size in zip(axes, shape, strict=True):
        _require(0 <= axis < len(sizes) and sizes[axis] == size, f"{where} has an axis of another size")


def _witness(system: System, tensor: int, where: str) -> Tensor:
    _require(0 <= tensor < len(system.tensors), f"{where} names no tensor")
    _require(system.tensors[tensor].matrix is Matrix.WITNESS, f"{where} needs a tensor of the witness")
    return system.tensors[tensor]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise FormatError(f"the lowered model is not valid: {message}")
