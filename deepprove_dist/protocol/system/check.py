"""What must hold of a system for its relations to mean what they say: shapes fit, and nothing wraps.

A key is read from a file, so its system is checked here before anything is computed with it. Every tensor of
the witness has a proven range, for one of three reasons:

- its column is looked up in a table;
- it is public, and the verifier compares it with its bounds;
- a linear relation defines it by tensors of known range.

A hidden public tensor has none of the verifier's comparisons. Linear relations must prove its whole range.

From these ranges both sides of every relation are bounded. Let A be what the witness's terms of a relation
add up to. By these ranges it is in [a, b]. Let V be what they have to equal, in [low, high] by the weights.
Modulo p they are equal; as integers too if every A - V lies within (-p, p). The key's maker states V's range,
so uniqueness does not rest on it. `determinism` derives from proven ranges alone that inputs and weights
determine the witness.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from math import prod

from deepprove_dist.canonical import replace
from deepprove_dist.field import LARGEST_SIGNED, MODULUS
from deepprove_dist.protocol.system.arg_max import check_arg_maxima, check_margins, without_arg_maxima
from deepprove_dist.protocol.system.check_expressions import check_affine, check_product, fits, require
from deepprove_dist.protocol.system.check_hidden import check_hidden, check_hidden_ranges
from deepprove_dist.protocol.system.determinism import undetermined
from deepprove_dist.protocol.system.digits import covers_once
from deepprove_dist.protocol.system.maxima import Maxima
from deepprove_dist.protocol.system.product_ranges import range_without_weights
from deepprove_dist.protocol.system.ranges import affine_range, folded_range
from deepprove_dist.protocol.system.system import (
    BATCH,
    Affine,
    Lookup,
    LookupTable,
    Matrix,
    Relation,
    System,
    Tensor,
)
from deepprove_dist.protocol.system.table import Interval

MAX_TENSORS = 1 << 16
MAX_PUBLIC = 1 << 12
"""Inputs, and as many outputs."""
MAX_LOOKUPS = 1 << 16
"""Each takes a dyadic block of the fraction tree at least."""


def check(system: System) -> None:
    """Requires that a system is well-formed and states a function, and that no relation can wrap.

    Raises FormatError, naming the part, where one of these does not hold.
    """
    require(0 < len(system.tensors) <= MAX_TENSORS, "a system has no tensor or too many")
    require(len(system.lookups) <= MAX_LOOKUPS, "a system has too many lookups")
    for tensor in system.tensors:
        _check_tensor(tensor)
    for publics, direction in ((system.inputs, "inputs"), (system.outputs, "outputs")):
        names = {public.name for public in publics}
        require(len(names) == len(publics) > 0, f"a system has {direction}, each with a name of its own")
        require(len(publics) <= MAX_PUBLIC, f"a system has too many {direction}")
    for public in system.public:
        tensor = _witness(system, public.tensor, public.name, (Matrix.WITNESS, Matrix.HIDDEN))
        require(tensor.shape[:1] == (BATCH,), f"'{public.name}' has no axis of samples")
        same = fits(public.shape) and prod(tensor.shape[1:]) == prod(public.shape)
        require(same, f"'{public.name}' has another number of elements")
        require(
            -LARGEST_SIGNED <= public.lo <= public.hi <= LARGEST_SIGNED,
            f"'{public.name}' has an invalid range",
        )
    counted = [table.multiplicity for table in system.tables]
    require(len(set(counted)) == len(counted), "two tables share their multiplicities")
    check_hidden(system)
    for table in system.tables:
        _check_table(system, table)
    for lookup in system.lookups:
        _check_lookup(system, lookup)
    for relation in system.relations:
        check_affine(system, relation.affine, f"relation '{relation.name}'")
    check_arg_maxima(system)
    complete = without_arg_maxima(system)
    ranges = proven_ranges(complete)
    check_hidden_ranges(complete, ranges)
    check_margins(system, ranges)
    maxima, plain = _maxima(system, ranges), _maxima(system, ranges)
    for lookup in system.lookups:
        _check_lookup_range(system, lookup, ranges, maxima)
        maxima.add(lookup, system.tables[lookup.table])
    for relation in complete.relations:
        _check_relation(complete, relation, ranges, maxima, plain)
    # Multiplicities are only ever counted; a relation on one would let it take part in two roles.
    used = {term.tensor for affine in expressions(system) for term in affine.terms}
    used |= {public.tensor for public in system.public}
    require(used.isdisjoint(counted), "a multiplicity is used as a value")
    free = [system.tensors[tensor].name for tensor in undetermined(complete, ranges, system.arg_maxima)]
    more = f" and {len(free) - 1} more" if len(free) > 1 else ""
    require(not free, f"inputs and weights do not determine tensor '{''.join(free[:1])}'{more}")


def expressions(system: System) -> Iterator[Affine]:
    """Every expression in relations, products and lookups."""
    for relation in system.relations:
        yield relation.affine
        for product in relation.products:
            yield from (product.left.value, product.right.value)
    for lookup in system.lookups:
        yield from lookup.columns


def proven_ranges(system: System) -> dict[int, Interval]:
    """The range of each witness tensor that a lookup, the verifier's comparison or a definition proves."""
    ranges: dict[int, Interval] = {}

    def narrow(tensor: int, interval: Interval) -> None:
        low, high = ranges.get(tensor, interval)
        ranges[tensor] = max(low, interval[0]), min(high, interval[1])

    for public in system.public:
        if not system.is_hidden(public):
            narrow(public.tensor, (public.lo, public.hi))
    for lookup in system.lookups:
        intervals = system.tables[lookup.table].intervals
        for column, interval in zip(lookup.columns, intervals, strict=True):
            if column.stored is not None:
                narrow(column.stored, interval)
    maxima, lookups = _maxima(system, ranges), deque(system.lookups)
    for relation in system.relations:
        # In their order, as far as the ranges of their arguments are known.
        while lookups and all(term.tensor in ranges for term in lookups[0].columns[0].terms):
            lookup = lookups.popleft()
            maxima.add(lookup, system.tables[lookup.table])
        _add_defined(system, relation, ranges, maxima)
    return ranges


def _maxima(system: System, ranges: dict[int, Interval]) -> Maxima:
    def range_of(affine: Affine) -> Interval:
        return folded_range(system, affine, ranges, maxima)

    maxima = Maxima(range_of)
    return maxima


def _add_defined(system: System, relation: Relation, ranges: dict[int, Interval], maxima: Maxima) -> None:
    """A tensor that a linear relation sets equal to an expression has that expression's range.

    A hidden tensor may have it from several relations: all of them hold.
    """
    affine = relation.affine
    unknown = [term for term in affine.terms if term.tensor not in ranges]
    if not unknown:
        unknown = [term for term in affine.terms if system.tensors[term.tensor].matrix is Matrix.HIDDEN]
    if relation.products or len(unknown) != 1 or system.tensors[unknown[0].tensor].matrix is Matrix.WEIGHTS:
        return
    # All other tensors have ranges, so that none is of the weights, or this one again.
    (defined,) = unknown
    shape = system.tensors[defined.tensor].shape
    if not covers_once(affine.space, defined, shape) or abs(defined.coefficient) != 1:
        return
    others = replace(affine, terms=tuple(term for term in affine.terms if term is not defined))
    low, high = affine_range(system, others, ranges, maxima)
    first, last = (-high, -low) if defined.coefficient == 1 else (low, high)
    known = ranges.setdefault(defined.tensor, (first, last))
    # Both ranges are modulo p: an integer of the one is that of the other only if they are near.
    if max(last, known[1]) - min(first, known[0]) < MODULUS:
        ranges[defined.tensor] = max(first, known[0]), min(last, known[1])


def _check_tensor(tensor: Tensor) -> None:
    batched = tensor.matrix is not Matrix.WEIGHTS and tensor.shape[:1] == (BATCH,)
    sizes = tensor.shape[1:] if batched else tensor.shape
    require(fits(sizes), f"tensor '{tensor.name}' has the invalid shape {tensor.shape}")
    require(tensor.matrix is not Matrix.ANCHOR, f"tensor '{tensor.name}' is of an anchor")


def _check_table(system: System, table: LookupTable) -> None:
    tensor = _witness(system, table.multiplicity, "a table")
    same = table.size >= 1 and tensor.shape == (table.size,)
    require(same, "a table and its multiplicities differ in size")
    ends = (table.first, table.first + table.size - 1)
    require(max(abs(end) for end in ends) <= LARGEST_SIGNED, "a table's arguments do not fit the field")
    if table.function is not None:
        same = (table.function.first, table.function.size) == (table.first, table.size)
        require(same, "a table and its function have different domains")


def _check_lookup(system: System, lookup: Lookup) -> None:
    require(0 <= lookup.table < len(system.tables), "a lookup names no table")
    width = system.tables[lookup.table].width
    require(len(lookup.columns) == width, "a lookup has another width than its table")
    for column in lookup.columns:
        check_affine(system, column, "a lookup")
        tensors = (system.tensors[term.tensor] for term in column.terms)
        witness = all(tensor.matrix is Matrix.WITNESS for tensor in tensors)
        require(witness, "a lookup has a column that is not of the witness")
    require(len({column.space for column in lookup.columns}) == 1, "the columns of a lookup differ in shape")


def _check_lookup_range(system: System, lookup: Lookup, ranges: dict[int, Interval], maxima: Maxima) -> None:
    """An expression equal to a table's value modulo p is equal to it as an integer."""
    intervals = system.tables[lookup.table].intervals
    for column, (first, last) in zip(lookup.columns, intervals, strict=True):
        if column.stored is None:
            _check_proven(system, column, ranges, "a lookup")
            low, high = affine_range(system, column, ranges, maxima)
            require(high - first < MODULUS and last - low < MODULUS, "a lookup's column could wrap modulo p")


def _check_relation(
    system: System, relation: Relation, ranges: dict[int, Interval], maxima: Maxima, plain: Maxima
) -> None:
    """`plain` has no maxima: the key's maker bounds products without them."""
    where, affine = f"relation '{relation.name}'", relation.affine
    _check_proven(system, affine, ranges, where)
    for product in relation.products:
        check_product(system, product, affine.space, where)
        for factor in (product.left, product.right):
            _check_proven(system, factor.value, ranges, where)
    low, high = affine_range(system, affine, ranges, maxima)
    require(relation.low <= relation.high, f"{where} has an invalid range")
    known = range_without_weights(system, relation, ranges, plain)
    same = known is None or known == (relation.low, relation.high)
    require(same, f"{where} claims a range for weights that it has not")
    wraps = high - relation.low >= MODULUS or relation.high - low >= MODULUS
    require(not wraps, f"{where} could wrap modulo p")


def _check_proven(system: System, affine: Affine, ranges: dict[int, Interval], where: str) -> None:
    for term in affine.terms:
        weights = system.tensors[term.tensor].matrix is Matrix.WEIGHTS
        require(weights or term.tensor in ranges, f"{where} has a tensor without a proven range")


def _witness(
    system: System, tensor: int, where: str, kinds: Collection[Matrix] = (Matrix.WITNESS,)
) -> Tensor:
    require(0 <= tensor < len(system.tensors), f"{where} names no tensor")
    require(system.tensors[tensor].matrix in kinds, f"{where} needs a tensor of the witness")
    return system.tensors[tensor]
