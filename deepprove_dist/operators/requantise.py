"""A function of single values. In integers, requantisation: a right shift with rounding, then a table that
clamps and applies the function.

    acc + 2^(s-1) = q * 2^s + r,  0 <= r < 2^s,  y = T(q)        (s = 0: q = acc, no remainder)

The remainder is committed in limbs, r = sum_l r_l * 2^(w_0 + ... + w_(l-1)) with 0 <= r_l < 2^(w_l) and
widths that sum to exactly s. T's domain covers every q and (size of T) * 2^s <= p, hence (q, r) is the only
solution modulo p. Where T has many entries for few values, and most are constant, q is split (`wide_table`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.arrays import FloatArray, Shape
from deepprove_dist.canonical import replace
from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.lowering.builder import Builder, Source
from deepprove_dist.lowering.expression import Expression, added, scaled
from deepprove_dist.lowering.wide_table import WindowedTable, split
from deepprove_dist.narrow_integers import LARGE, Integers, narrowest_of
from deepprove_dist.operators.float_operator import FloatOperator, Need, Planner, Readers
from deepprove_dist.operators.formats import HIDDEN, Form, Reference
from deepprove_dist.operators.integer_operator import (
    Analysis,
    Constants,
    Inference,
    IntegerOperator,
    Parts,
)
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.operators.pointwise import IDENTITY, Function, affine, compose, evaluate, joinable
from deepprove_dist.operators.quantised import QuantisedTensor
from deepprove_dist.protocol.system.system import Constant
from deepprove_dist.protocol.system.table import Interval, Table

OUTPUT = "y"

LEAST_VALUES = 2**17
"""That several threads divide: about a millisecond of one."""


@dataclass(frozen=True)
class FloatActivation(FloatOperator):
    """output = function(input) elementwise. What layers read is quantised once; further functions of it are
    tables of those integers.
    """

    function: Function

    @property
    def is_affine(self) -> bool:
        """Whether its function is, by its form."""
        return affine(self.function) is not None

    @property
    def elementwise(self) -> Function:
        """The one that it applies."""
        return self.function

    def evaluate(self, inputs: Sequence[FloatArray]) -> FloatArray:
        """The function of each value."""
        return np.asarray(evaluate(self.function, inputs[0]), dtype=np.float64)

    def channel_axis(self, rank: int) -> None:
        """The input's."""
        return

    def read_form(self, form: Form) -> Form:
        """The form in which it reads its input for this form of its output."""
        if self._takes_up(form):
            whole = compose(form.function, self.function)
            return Form(whole, public=form.public, fixed=form.fixed)
        return Form(self.function, bits=form.bits, divides=form.divides)

    def needs(self, forms: Mapping[Form, Reference], readers: Readers) -> Iterable[Need]:
        """Its function of the input."""
        for form, reference in forms.items():
            values = reference if self._takes_up(form) else Reference(self.output)
            yield Need(self.input, self.read_form(form), values)

    def same_integers(self, form: Form) -> tuple[str, Form]:
        """Those of the form that it reads, where no function comes after that."""
        direct = self._takes_up(form) or form.function == IDENTITY
        return (self.input, self.read_form(form)) if direct else (self.output, form)

    def plan(self, form: Form, reference: Reference, planner: Planner) -> QuantisedTensor:
        """The form of the input, and a function after it if that has not taken it in."""
        source = planner.planned(self.input, self.read_form(form))
        after = HIDDEN if self._takes_up(form) else form
        return planner.activated(self.name, source, self.output, after, reference)

    def _takes_up(self, form: Form) -> bool:
        """Whether a form's function of the output is one of the input, in one table."""
        return form.composed and joinable(form.function, self.function)


class Requantise(IntegerOperator):
    """Attributes: ``shift`` s, ``table`` T, ``limbs`` the widths w_l. Columns: "q", "r0", "r1", ..."""

    name: ClassVar[str] = "requantise"
    inputs: ClassVar[Sequence[int]] = (1,)
    attributes: ClassVar[Mapping[str, type]] = {"shift": int, "table": Table, "limbs": tuple}
    reads_narrow_values: ClassVar[bool] = True

    def shape(self, node: Node, shapes: Sequence[Shape]) -> Shape:
        """The input's shape."""
        shift, _, limbs = read(node.attributes)
        if any(width < 1 for width in limbs) or sum(limbs) != shift:
            raise ModelError(f"'{node.name}': limbs {limbs} do not sum to the shift {shift}")
        return shapes[0]

    def interval(self, node: Node, intervals: Sequence[Interval], constants: Constants) -> Interval:
        """The table's values; its domain has to cover the quotients, and not wrap."""
        shift, table, _ = read(node.attributes)
        # Compared before shifting: an untrusted shift may be of any size.
        if shift >= MODULUS.bit_length() or table.size << shift > MODULUS:
            raise ModelError(
                f"'{node.name}': a table of {table.size} entries and a shift by {shift} wrap modulo p"
            )
        lo, hi = (quotient(bound, shift) for bound in intervals[0])
        if lo < table.first or hi >= table.first + table.size:
            raise ModelError(
                f"'{node.name}': quotients reach [{lo}, {hi}], outside the table's "
                f"[{table.first}, {table.first + table.size - 1}]"
            )
        return table.interval()

    def infer(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Inference:
        """Shift, mask and look up; the columns are the quotient and the limbs of the remainder."""
        columns, write = _writer(node, inputs[0])
        write(slice(None))
        return Inference(columns.pop(OUTPUT), columns)

    def parts(self, node: Node, inputs: Sequence[npt.NDArray[Any]], threads: int) -> Parts | None:
        """Some values each."""
        size = inputs[0].size
        if size < LEAST_VALUES:
            return None
        columns, write = _writer(node, inputs[0])
        step = -(-size // threads)
        tasks = [partial(write, slice(first, first + step)) for first in range(0, size, step)]
        return Parts(Inference(columns.pop(OUTPUT), columns), tasks)

    def output(self, node: Node, inputs: Sequence[npt.NDArray[Any]]) -> Integers:
        """Shift and look up."""
        shift, table, _ = read(node.attributes)
        result: Integers = np.empty(inputs[0].shape, dtype=_type(inputs[0].size, table.interval()))
        table.rescale(np.ascontiguousarray(inputs[0]).reshape(-1), shift, result.reshape(-1))
        return result

    def lower(
        self, node: Node, inputs: Sequence[Expression], analysis: Analysis, builder: Builder
    ) -> Expression:
        """The decomposition is one relation, each limb and the pair (q, y) a lookup."""
        shift, table, limbs = read(node.attributes)
        value, quotients, argument = inputs[0], Source(node.output, "q"), inputs[0].value
        window = WindowedTable.of(table)
        is_split = window is not None and window.pays(value.axes, builder.uses.get(table, 0), shift)
        if is_split or shift > 0 or value.is_accumulator:
            if window is not None and is_split:
                parts = split(window, f"{node.output}.q", value, quotients, builder)
                whole, argument, table = scaled(parts.quotient, 1 << shift), parts.argument, window.values
            else:
                argument = builder.witness(f"{node.output}.q", value, quotients).value
                whole = scaled(argument, 1 << shift)
            offset = 0
            for index, width in enumerate(limbs):
                limb = builder.witness(f"{node.output}.r{index}", value, Source(node.output, f"r{index}"))
                builder.look_up(0, 1 << width, None, limb.value)
                whole = added(whole, scaled(limb.value, 1 << offset))
                offset += width
            half = (Constant(-rounding(shift)),) if shift else ()
            builder.require_equal(node.name, replace(whole, constants=(*whole.constants, *half)), value)
        result = builder.witness(node.output, value, Source(node.output))
        builder.look_up(table.first, table.size, table, argument, result.value)
        return result


def requantise_node(
    name: str, source: str, output: str, shift: int, table: Table, limbs: tuple[int, ...]
) -> Node:
    """The node that rescales a tensor."""
    return Node(Requantise.name, name, (source,), output, {"shift": shift, "table": table, "limbs": limbs})


def is_requantisation(node: Node) -> bool:
    """Whether a node rescales."""
    return node.operator == Requantise.name


def _types(size: int, table: Table, limbs: Sequence[int]) -> dict[str, str]:
    """The types of columns and of the output, of so many values."""
    ends: dict[str, Interval] = {"q": (table.first, table.first + table.size - 1), OUTPUT: table.interval()}
    ends |= {f"r{index}": (0, (1 << width) - 1) for index, width in enumerate(limbs)}
    return {name: _type(size, interval) for name, interval in ends.items()}


def _type(size: int, interval: Interval) -> str:
    """The type of so many values: of a large array what its range needs."""
    return narrowest_of(*interval) if size >= LARGE else "i8"


def _writer(node: Node, x: Integers) -> tuple[dict[str, Integers], Callable[[slice], None]]:
    """The columns and the output of an input, by name, and what writes some of their values."""
    shift, table, limbs = read(node.attributes)
    flat = np.ascontiguousarray(x).reshape(-1)
    types = _types(x.size, table, limbs)
    columns: dict[str, Integers] = {name: np.empty(x.shape, dtype=code) for name, code in types.items()}
    output, *others = (columns[name].reshape(-1) for name in (OUTPUT, *(n for n in types if n != OUTPUT)))

    def write(part: slice) -> None:
        table.rescale(flat[part], shift, output[part], limbs, [column[part] for column in others])

    return columns, write


def read(attributes: Mapping[str, Attribute]) -> tuple[int, Table, tuple[int, ...]]:
    """Shift, table and limb widths of a requantisation. Raises ModelError where they are of other types."""
    shift, table, limbs = (attributes.get(key) for key in ("shift", "table", "limbs"))
    if isinstance(shift, int) and isinstance(table, Table) and isinstance(limbs, tuple):
        return shift, table, limbs
    raise ModelError("a requantisation has a shift, a table and limbs")


def rounding(shift: int) -> int:
    """What is added before the shift: 2^(s-1), or 0 for s = 0."""
    return (1 << shift) >> 1


def quotient(accumulator: int, shift: int) -> int:
    """floor((acc + 2^(s-1)) / 2^s), the accumulator rounded to units of 2^s (halves up)."""
    return (accumulator + rounding(shift)) >> shift
