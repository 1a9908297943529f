"""The verifying key's file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from deepprove_dist.canonical import Digest, File, decode_file, encode
from deepprove_dist.errors import FormatError
from deepprove_dist.kernels import count_items
from deepprove_dist.protocol.claims.layout import Layout
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.parameters import InitialCode, Schedule
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.names import MAX_LENGTH, is_name
from deepprove_dist.protocol.system.system import (
    ArgMax,
    Lookup,
    LookupTable,
    Matrix,
    PublicTensor,
    Relation,
    System,
    Tensor,
)

if TYPE_CHECKING:
    from deepprove_dist.protocol.key.key import KeyContent

FORMAT = "deepprove-dist verifying key"
VERSION = 7
MAX_BATCH = 1 << 20

MAX_BYTES = 1 << 21
"""Tables may take nearly all of them. A piece has three bytes at least, so there are 700,000 at most. Each
takes some 10 nanoseconds to read, and 15 in a proof.
"""
MAX_LISTS = 1 << 16
"""Each becomes an object, checked in some 5 microseconds: relations, terms, shapes."""
MAX_ITEMS = 1 << 18
"""Of all lists: numbers mostly."""


class KeyFile(File, frozen=True, omit_defaults=True):
    """What a file holds: a key, with the fields of its system one by one; no empty list of `arg_maxima`."""

    model: Digest
    weights: WeightCommitment | None
    max_batch: int
    schedule: Schedule
    tensors: tuple[Tensor, ...]
    inputs: tuple[PublicTensor, ...]
    outputs: tuple[PublicTensor, ...]
    tables: tuple[LookupTable, ...]
    relations: tuple[Relation, ...]
    lookups: tuple[Lookup, ...]
    arg_maxima: tuple[ArgMax, ...] = ()

    @property
    def system(self) -> System:
        """The lowered model."""
        return System(
            self.tensors,
            self.inputs,
            self.outputs,
            self.tables,
            self.relations,
            self.lookups,
            self.arg_maxima,
        )

    @property
    def names(self) -> Iterator[str]:
        """Every name in it."""
        for items in (self.tensors, self.inputs, self.outputs, self.relations):
            yield from (item.name for item in items)


def dump(key: KeyContent) -> bytes:
    """The key's file; equal keys give equal bytes. Raises FormatError for a key too large to be read."""
    system = (getattr(key.system, name) for name in System.__struct_fields__)
    file = KeyFile(FORMAT, VERSION, key.model_digest, key.weights, key.max_batch, key.schedule, *system)
    data = encode(file)
    _require_size(data)
    return data


def load(data: bytes) -> KeyContent:
    """The key in a file, with everything that it says checked.

    Raises FormatError for anything but the bytes of `dump`, SecurityError for parameters below the level.
    """
    from deepprove_dist.protocol.key.key import KeyContent

    _require_size(data)
    file = decode_file(data, KeyFile, FORMAT, VERSION)
    if not 1 <= file.max_batch <= MAX_BATCH:
        raise FormatError("a key allows 1 to 2^20 samples")
    for name in file.names:
        # Before any message that quotes it.
        if not is_name(name):
            raise FormatError(f"a name has at most {MAX_LENGTH} printable characters, not so {name[:40]!a}")
    system = file.system
    for public in system.public:
        public.scale.require(public.shape, public.name)
    check(system)
    key = KeyContent(system, file.schedule, file.max_batch, file.model, file.weights)
    key.check()
    return key


def dump_schedule(schedule: Schedule) -> bytes:
    """The schedule alone."""
    return encode(schedule)


def require_columns(initial: InitialCode, layout: Layout) -> None:
    """The schedule has no more columns than the layout of the largest number of samples needs.

    A hiding schedule has five in each matrix, and k0 + 1 of the witness, at least. There are no columns of a
    matrix without tensors. Raises FormatError.
    """
    parts = [part for part in layout.matrices if part.columns > 0]
    if [part.matrix.value for part in parts] != [item.matrix for item in initial.matrices]:
        raise FormatError("the key's schedule is for other matrices than its model's")
    for item, part in zip(initial.matrices, parts, strict=True):
        least = 0
        if initial.hiding:
            least = initial.column_rounds + 1 if part.matrix is Matrix.WITNESS else 0
            least = max(least, initial.mask_columns)
        if part.needed == 0 or item.columns != max(part.needed, least):
            raise FormatError("the key's schedule is for other sizes than its model's")


def _require_size(data: bytes) -> None:
    """Before records are made of the bytes, for each takes its time."""
    if len(data) > MAX_BYTES:
        raise FormatError(
            f"a key has at most {MAX_BYTES} bytes, not {len(data)}. Its model has too many relations, or its "
            "tables too many pieces (fewer activation bits make fewer)"
        )
    try:
        lists, items = count_items(data, MAX_ITEMS)
    except ValueError as error:
        raise FormatError(f"not a file of this package: {error}") from error
    if lists > MAX_LISTS or items > MAX_ITEMS:
        raise FormatError(
            f"a key has at most {MAX_LISTS} lists of {MAX_ITEMS} items together. Its model has too many "
            "relations"
        )
