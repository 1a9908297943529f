"""RNN, GRU and LSTM: as many steps as the sequence has, one after the other, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import onnx

from deepprove_dist.arrays import IntArray, Shape
from deepprove_dist.importing.expanding.expansion import Expansion
from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.recurrent_cells import Cell, GruCell, LstmCell, RnnCell, States
from deepprove_dist.importing.expanding.recurrent_functions import read_functions
from deepprove_dist.importing.expanding.scope import Scope

BACKWARDS = {b"forward": (False,), b"reverse": (True,), b"bidirectional": (False, True)}

# Positions of the inputs after the sequence.
WEIGHTS, RECURRENT, BIAS, LENGTHS, FIRST_STATE, PEEPHOLES = 1, 2, 3, 4, 5, 7


class _Layer:
    """A recurrent layer that is written out; see `write`."""

    def __init__(self, node: onnx.NodeProto, scope: Scope, kind: type[Cell]) -> None:
        self._writing = NodeReplacement(node, scope)
        self._kind = kind
        self._axis: int = self._writing.attributes.get("layout", 0)
        sequence = self._writing.shape(node.input[0])
        self._length: int = sequence[self._axis]
        self._rows: int = sequence[1 - self._axis]
        self._backwards = BACKWARDS[self._writing.attributes.get("direction", b"forward")]

    def write(self) -> list[onnx.NodeProto] | None:
        """The nodes; None where weights or lengths are computed."""
        lengths, cells = self._lengths(), self._cells()
        if lengths is None or cells is None:
            return None
        results = [self._run(number, cell, lengths) for number, cell in enumerate(cells)]
        hidden = cells[0].hidden
        outputs = [self._sequence([shown for shown, _ in results], hidden)]
        for number in range(self._kind.states):
            outputs.append(self._last([states[number] for _, states in results], hidden))
        return self._writing.finished(outputs[0], dict(enumerate(outputs)))

    def _lengths(self) -> IntArray | None:
        """How many steps each row has; None where that is computed, or a row has none."""
        name = self._writing.input(LENGTHS)
        if not name:
            return np.full(self._rows, self._length)
        stated = self._writing.value(name)
        if stated is None or stated.min() < 1:
            return None
        return np.broadcast_to(stated.ravel().astype(np.int64).clip(max=self._length), (self._rows,))

    def _cells(self) -> list[Cell] | None:
        weights, recurrent = (self._writing.value(self._writing.input(i)) for i in (WEIGHTS, RECURRENT))
        if weights is None or recurrent is None:
            return None
        if any(self._is_computed(index) for index in (BIAS, PEEPHOLES)):
            return None
        bias, peepholes = (self._writing.value(self._writing.input(index)) for index in (BIAS, PEEPHOLES))
        count = len(self._kind.defaults)
        functions = read_functions(self._writing, self._kind.defaults, len(self._backwards))
        zeros = np.zeros(2 * recurrent.shape[1])
        return [
            self._kind(
                self._writing,
                weights[number],
                recurrent[number],
                zeros if bias is None else bias[number],
                None if peepholes is None else peepholes[number],
                functions[number * count : (number + 1) * count],
            )
            for number in range(len(self._backwards))
        ]

    def _is_computed(self, index: int) -> bool:
        name = self._writing.input(index)
        return bool(name) and self._writing.value(name) is None

    def _run(self, number: int, cell: Cell, lengths: IntArray) -> tuple[list[str | None], States]:
        """What a direction shows at each of the first positions, and its last states.

        At a position after the end of a row, the row keeps its states and shows zeros.
        """
        states = tuple(self._first(number, state) for state in range(self._kind.states))
        shown: list[str | None] = [None] * int(lengths.max())
        order = range(len(shown))
        for position in reversed(order) if self._backwards[number] else order:
            goes_on = position < lengths
            after = cell.step(self._row(position), states)
            shown[position] = self._where(goes_on, after[0], None)
            states = tuple(self._where(goes_on, *pair) for pair in zip(after, states, strict=True))
        return shown, states

    def _where(self, goes_on: npt.NDArray[np.bool_], new: str | None, old: str | None) -> str | None:
        """The new state of the rows that go on, the old one of the others; None where it is zero."""
        if goes_on.all() or new == old:
            return new
        zero = self._writing.constant(0.0, self._writing.input(0))
        condition = self._writing.truth_values(goes_on[:, np.newaxis])
        return self._writing.add("Where", condition, new or zero, old or zero)

    def _row(self, position: int) -> str:
        index = self._writing.integers(position)
        return self._writing.add("Gather", self._writing.input(0), index, axis=self._axis)

    def _first(self, number: int, state: int) -> str | None:
        """A state before the first step; None where it is zero."""
        name = self._writing.input(FIRST_STATE + state)
        value = self._writing.value(name) if name else None
        if not name or (value is not None and not value.any()):
            return None
        return self._writing.add("Gather", name, self._writing.integers(number), axis=self._axis)

    def _sequence(self, shown: Sequence[Sequence[str | None]], hidden: int) -> str:
        """All positions of all directions: zero after the last step."""
        shape = (1, 1, self._rows, hidden) if self._axis == 0 else (self._rows, 1, 1, hidden)
        along = 0 if self._axis == 0 else 1
        positions = [
            self._joined((self._shaped(part, shape) for part in parts), along + 1)
            for parts in zip(*shown, strict=True)
        ]
        joined = self._joined(positions, along)
        missing = self._length - len(positions)
        if missing == 0:
            return joined
        after = [missing if axis == along else 0 for axis in range(len(shape))]
        return self._writing.add("Pad", joined, self._writing.integers([0] * len(shape) + after))

    def _last(self, states: Sequence[str | None], hidden: int) -> str:
        shape = (1, self._rows, hidden) if self._axis == 0 else (self._rows, 1, hidden)
        return self._joined((self._shaped(state, shape) for state in states), self._axis)

    def _shaped(self, tensor: str | None, shape: Shape) -> str:
        if tensor is None:
            return self._writing.constant(np.zeros(shape), self._writing.input(0))
        return self._writing.add("Reshape", tensor, self._writing.integers(shape))

    def _joined(self, parts: Iterator[str] | Sequence[str], axis: int) -> str:
        return self._writing.add("Concat", *parts, axis=axis)


def _expansion(operator: str, kind: type[Cell]) -> Expansion:
    def expand(node: onnx.NodeProto, scope: Scope) -> list[onnx.NodeProto] | None:
        return _Layer(node, scope, kind).write()

    write: Callable[[onnx.NodeProto, Scope], list[onnx.NodeProto] | None] = expand
    return Expansion(operator, "with constant weights, sequences of constant lengths", write)


EXPANSIONS = (_expansion("GRU", GruCell), _expansion("LSTM", LstmCell), _expansion("RNN", RnnCell))
