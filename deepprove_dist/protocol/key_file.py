"""The verifying key's file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepprove_dist.canonical import (
    count_items,
    each,
    fields,
    integers,
    pack,
    record,
    require_canonical,
    typed,
    unpack,
)
from deepprove_dist.errors import FormatError, InputError, SecurityError
from deepprove_dist.kernels import Extension
from deepprove_dist.protocol.layout import Layout
from deepprove_dist.protocol.names import MAX_LENGTH, is_name
from deepprove_dist.protocol.parameters import DEFAULT_SECURITY_BITS, Code, InitialCode, Schedule
from deepprove_dist.protocol.relations.check import check
from deepprove_dist.protocol.relations.system import (
    Affine,
    Constant,
    Convolution,
    Factor,
    Followed,
    Joined,
    Lookup,
    LookupTable,
    Matrix,
    Product,
    PublicTensor,
    Relation,
    System,
    Tensor,
    Term,
    Window,
)
from deepprove_dist.protocol.scale import Scale
from deepprove_dist.protocol.table import Piece, Table
from deepprove_dist.protocol.weights import WeightCommitment

if TYPE_CHECKING:
    from deepprove_dist.protocol.key import VerifyingKey

FORMAT = "deepprove-dist verifying key"
VERSION = 3
JOINED = "joined"
"""Before the axes that an axis follows where it follows several."""
DIGEST_BYTES = 32
MAX_BATCH = 1 << 20

MAX_BYTES = 1 << 21
MAX_LISTS = 1 << 16
"""Each becomes an object, in some 5 microseconds: relations, terms, shapes, pieces of tables."""
MAX_ITEMS = 1 << 18
"""Of all lists: numbers mostly."""


def dump(key: VerifyingKey) -> bytes:
    """The key's file; equal keys give equal bytes. Raises FormatError for a key too large to be read."""
    content = _write(key)
    data = pack(content)
    _require_length(data)
    _require_items(content)
    return data


def _write(key: VerifyingKey) -> dict[str, Any]:
    system, weights = key.system, key.weights
    return {
        "format": FORMAT,
        "version": VERSION,
        "model": key.model_digest,
        "weights": [] if weights is None else [weights.root, bytes(weights.answer)],
        "max_batch": key.max_batch,
        "schedule": _write_schedule(key.schedule),
        "tensors": [[t.name, list(t.shape), t.matrix.value] for t in system.tensors],
        "inputs": [_write_public(tensor) for tensor in system.inputs],
        "outputs": [_write_public(tensor) for tensor in system.outputs],
        "tables": [_write_table(table) for table in system.tables],
        "relations": [_write_relation(relation) for relation in system.relations],
        "lookups": [[k.table, [_write_affine(column) for column in k.columns]] for k in system.lookups],
    }


def load(data: bytes) -> VerifyingKey:
    """The key in a file, with everything that it says checked.

    Raises FormatError for anything but the bytes of `dump`, SecurityError for parameters below the level.
    """
    from deepprove_dist.protocol.key import VerifyingKey

    _require_length(data)
    content = unpack(data, FORMAT, VERSION)
    _require_items(content)
    kinds = {"format": str, "version": int, "model": bytes, "weights": list, "max_batch": int}
    lists = ("schedule", "tensors", "inputs", "outputs", "tables", "relations", "lookups")
    values = record(content, kinds | dict.fromkeys(lists, list))
    _, _, model, weights, max_batch, schedule, tensors, inputs, outputs, tables, relations, lookups = values
    if len(model) != DIGEST_BYTES or not 1 <= max_batch <= MAX_BATCH:
        raise FormatError("a key has a model digest of 32 bytes and allows 1 to 2^20 samples")
    system = System(
        each(tensors, _read_tensor),
        each(inputs, _read_public),
        each(outputs, _read_public),
        each(tables, _read_table),
        each(relations, _read_relation),
        each(lookups, _read_lookup),
    )
    check(system)
    key = VerifyingKey(system, _read_schedule(schedule), max_batch, model, _read_weights(weights))
    require_canonical(data, pack(_write(key)))
    key.check()
    return key


def dump_schedule(schedule: Schedule) -> bytes:
    """The schedule alone."""
    return pack(_write_schedule(schedule))


def require_columns(initial: InitialCode, layout: Layout, *, exact: bool) -> None:
    """The schedule's columns are those of the layout; fewer samples than the most take no more.

    Raises FormatError otherwise.
    """
    fits = layout.weight_columns == initial.weight_columns
    fits &= layout.witness_columns <= initial.witness_columns
    if not fits or (exact and layout.witness_columns != initial.witness_columns):
        raise FormatError("the key's schedule is for other sizes than its model's")


def _require_length(data: bytes) -> None:
    if len(data) > MAX_BYTES:
        raise FormatError(f"a key has at most {MAX_BYTES} bytes, not {len(data)}")


def _require_items(content: dict[str, Any]) -> None:
    lists, items = count_items(content, MAX_ITEMS)
    if lists > MAX_LISTS or items > MAX_ITEMS:
        raise FormatError(
            f"a key has at most {MAX_LISTS} lists of {MAX_ITEMS} items together: the model has too many "
            "relations, or tables of too many pieces (fewer activation bits make fewer)"
        )


def _read_name(text: str) -> str:
    # Before any message that quotes it.
    if not is_name(text):
        raise FormatError(f"a name has at most {MAX_LENGTH} printable characters, not so {text[:40]!a}")
    return text


def _write_schedule(schedule: Schedule) -> list[Any]:
    codes = [list(vars(schedule.initial).values()), [list(vars(code).values()) for code in schedule.rounds]]
    # The default level is not written, so that a key has one encoding.
    return codes if schedule.security_bits == DEFAULT_SECURITY_BITS else [*codes, schedule.security_bits]


def _read_schedule(item: list[Any]) -> Schedule:
    level = [] if len(item) > 2 else [DEFAULT_SECURITY_BITS]
    initial, rounds, security_bits = fields([*item, *level], (list, list, int))
    try:
        return Schedule(
            InitialCode(*fields(initial, (int,) * 7)),
            each(rounds, lambda code: Code(*fields(code, (int,) * 4))),
            security_bits,
        )
    except SecurityError as error:
        raise FormatError(str(error)) from error


def _read_weights(item: list[Any]) -> WeightCommitment | None:
    if not item:
        return None
    root, answer = fields(item, (bytes, bytes))
    if len(root) != DIGEST_BYTES:
        raise FormatError("a root has 32 bytes")
    try:
        return WeightCommitment(root, Extension.from_bytes(answer))
    except ValueError as error:
        raise FormatError(str(error)) from error


def _read_tensor(item: object) -> Tensor:
    name, shape, matrix = fields(item, (str, list, str))
    name = _read_name(name)
    try:
        return Tensor(name, integers(shape), Matrix(matrix))
    except ValueError as error:
        raise FormatError(f"tensor '{name}' is of the unknown matrix {matrix[:40]!a}") from error


def _write_public(tensor: PublicTensor) -> list[Any]:
    return [tensor.name, tensor.tensor, list(tensor.shape), tensor.lo, tensor.hi, tensor.scale.write()]


def _read_public(item: object) -> PublicTensor:
    name, tensor, shape, lo, hi, scale = fields(item, (str, int, list, int, int, object))
    name, sizes = _read_name(name), integers(shape)
    return PublicTensor(name, tensor, sizes, lo, hi, Scale.read(scale, sizes, name))


def _write_table(table: LookupTable) -> list[Any]:
    pieces = [] if table.function is None else [list(vars(p).values()) for p in table.function.pieces]
    return [table.first, table.size, table.multiplicity, pieces]


def _read_table(item: object) -> LookupTable:
    first, size, multiplicity, pieces = fields(item, (int, int, int, list))
    try:
        read = each(pieces, lambda piece: Piece(*fields(piece, (int, int, int))))
        function = Table(first, size, read) if read else None
    except FormatError:
        raise
    except InputError as error:
        raise FormatError(str(error)) from error
    return LookupTable(first, size, function, multiplicity)


def _write_relation(relation: Relation) -> list[Any]:
    products = [_write_product(product) for product in relation.products]
    return [relation.name, _write_affine(relation.affine), products, relation.low, relation.high]


def _read_relation(item: object) -> Relation:
    name, affine, products, low, high = fields(item, (str, list, list, int, int))
    return Relation(_read_name(name), _read_affine(affine), each(products, _read_product), low, high)


def _write_affine(affine: Affine) -> list[Any]:
    terms = [[t.coefficient, t.tensor, [_write_axis(axis) for axis in t.axes]] for t in affine.terms]
    constants = [
        [c.value, [[_write_followed(axis), first, end] for axis, first, end in c.ranges]]
        for c in affine.constants
    ]
    return [list(affine.space), terms, constants]


def _read_affine(item: object) -> Affine:
    space, terms, constants = fields(item, (list, list, list))
    return Affine(integers(space), each(terms, _read_term), each(constants, _read_constant))


def _read_term(item: object) -> Term:
    coefficient, tensor, axes = fields(item, (int, int, list))
    return Term(coefficient, tensor, each(axes, _read_axis))


def _write_axis(axis: Followed | Window) -> int | list[Any]:
    if not isinstance(axis, Window):
        return _write_followed(axis)
    _, *numbers, scale = vars(axis).values()
    return [_write_followed(axis.axis), *numbers, list(scale)]


def _read_axis(item: object) -> Followed | Window:
    if not isinstance(item, list) or item[:1] == [JOINED]:
        return _read_followed(item)
    axis, (*numbers, scale) = _read_following(item, (int,) * 6 + (list,))
    taps, stride, dilation, offset, first, end = numbers
    return Window(axis, taps, stride, dilation, offset, first, end, integers(scale))


def _write_followed(axis: Followed) -> int | list[Any]:
    return [JOINED, *axis.axes] if isinstance(axis, Joined) else axis


def _read_followed(item: object) -> Followed:
    if not isinstance(item, list):
        return typed(item, int)
    if item[:1] != [JOINED]:
        raise FormatError("an axis follows others in no known way")
    return Joined(integers(item[1:]))


def _read_following(item: object, types: tuple[type, ...]) -> tuple[Followed, list[Any]]:
    """What is followed, and further values of these types."""
    axis, *others = fields(item, (object, *types))
    return _read_followed(axis), others


def _read_constant(item: object) -> Constant:
    value, ranges = fields(item, (int, list))
    return Constant(value, each(ranges, _read_range))


def _read_range(item: object) -> tuple[Followed, int, int]:
    axis, (first, end) = _read_following(item, (int, int))
    return axis, first, end


def _write_product(product: Product) -> list[Any]:
    windows = [
        [_write_followed(window.output), *list(vars(window).values())[1:]] for window in product.windows
    ]
    factors = [[_write_affine(f.value), list(f.axes)] for f in (product.left, product.right)]
    return [product.coefficient, list(product.contracted), windows, *factors]


def _read_product(item: object) -> Product:
    coefficient, contracted, windows, left, right = fields(item, (int, list, list, list, list))
    read = each(windows, _read_convolution)
    return Product(coefficient, integers(contracted), read, _read_factor(left), _read_factor(right))


def _read_convolution(item: object) -> Convolution:
    output, numbers = _read_following(item, (int,) * 5)
    return Convolution(output, *numbers)


def _read_factor(item: object) -> Factor:
    value, axes = fields(item, (list, list))
    return Factor(_read_affine(value), integers(axes))


def _read_lookup(item: object) -> Lookup:
    table, columns = fields(item, (int, list))
    return Lookup(typed(table, int), each(columns, _read_affine))
