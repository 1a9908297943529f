"""One step of a recurrent layer: the new states from those before, and a row of the sequence.

    RNN:   h' = f(W x + R h + b)
    GRU:   z = f(..), r = f(..), n = g(W x + R (r h) + b),                 h' = (1 - z) n + z h
    LSTM:  i = f(.. + p c), o = f(.. + p c'), u = f(.. + p c), n = g(..),  c' = u c + i n,  h' = o k(c')

Each gate has weights, so it becomes one sum before its function. A state that is zero is None.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from deepprove_dist.importing.expanding.node_replacement import NodeReplacement
from deepprove_dist.importing.expanding.recurrent_functions import WriteFunction

States = tuple[str | None, ...]
Numbers = npt.NDArray[Any]


@dataclass(frozen=True)
class Cell(ABC):
    """One direction of a layer.

    Attributes:
        writing: where its nodes go.
        weights: of the row [gates * hidden, inputs].
        recurrent: of the state [gates * hidden, hidden].
        bias: both of them [2 * gates * hidden].
        peepholes: of the second state [3 * hidden]; None without any.
        functions: those of the gates, and of the states.
    """

    gates: ClassVar[int]
    states: ClassVar[int] = 1
    defaults: ClassVar[tuple[str, ...]]

    writing: NodeReplacement
    weights: Numbers
    recurrent: Numbers
    bias: Numbers
    peepholes: Numbers | None
    functions: Sequence[WriteFunction]

    @abstractmethod
    def step(self, row: str, states: States) -> States:
        """Writes a step."""

    @property
    def hidden(self) -> int:
        """How many values a state has."""
        size: int = self.recurrent.shape[-1]
        return size

    @cached_property
    def _rows(self) -> list[slice]:
        return [slice(gate * self.hidden, (gate + 1) * self.hidden) for gate in range(self.gates)]

    def bias_of(self, gate: int, *, recurrent: bool) -> Numbers:
        """The bias that belongs to the row, or to the state."""
        halves = self.bias.reshape(2, -1)
        return np.asarray(halves[int(recurrent), self._rows[gate]])

    def of_row(self, gate: int, row: str, bias: Numbers) -> str:
        """W x + b of a gate."""
        return self._layer(row, self.weights[self._rows[gate]], bias)

    def of_state(self, gate: int, state: str, bias: Numbers | None = None) -> str:
        """R h of a gate, with a bias if there is one."""
        return self._layer(state, self.recurrent[self._rows[gate]], bias)

    def whole(self, gate: int, row: str, state: str | None) -> str:
        """W x + R h + b of a gate."""
        bias = self.bias_of(gate, recurrent=False) + self.bias_of(gate, recurrent=True)
        return self.sum(self.of_row(gate, row, bias), None if state is None else self.of_state(gate, state))

    def sum(self, *terms: str | None) -> str:
        """Of the terms that there are."""
        known = [term for term in terms if term is not None]
        return reduce(lambda first, second: self.writing.add("Add", first, second), known)

    def product(self, *factors: str | None) -> str | None:
        """Of all factors; None where one is zero."""
        known = [factor for factor in factors if factor is not None]
        if len(known) < len(factors):
            return None
        return reduce(lambda first, second: self.writing.add("Mul", first, second), known)

    def constant(self, values: npt.ArrayLike) -> str:
        """A constant of the type of the sequence."""
        return self.writing.constant(values, self.writing.input(0))

    def applied(self, function: int, tensor: str) -> str:
        """A function of a gate's sum, which may be clipped."""
        limit = self.writing.attributes.get("clip")
        if limit is not None:
            tensor = self.writing.add("Clip", tensor, self.constant(-limit), self.constant(limit))
        return self.functions[function](tensor)

    def _layer(self, tensor: str, weights: Numbers, bias: Numbers | None) -> str:
        constants = [self.constant(weights)]
        if bias is not None and bias.any():
            constants.append(self.constant(bias))
        return self.writing.add("Gemm", tensor, *constants, transB=1)


class RnnCell(Cell):
    """A function of one sum."""

    gates: ClassVar[int] = 1
    defaults: ClassVar[tuple[str, ...]] = ("Tanh",)

    def step(self, row: str, states: States) -> States:
        """See the module."""
        return (self.applied(0, self.whole(0, row, states[0])),)


class GruCell(Cell):
    """Gates in the order of ONNX: update, reset, new."""

    gates: ClassVar[int] = 3
    defaults: ClassVar[tuple[str, ...]] = ("Sigmoid", "Tanh")

    def step(self, row: str, states: States) -> States:
        """See the module; with ``linear_before_reset`` r multiplies R h and its bias."""
        (state,) = states
        update = self.applied(0, self.whole(0, row, state))
        new = self.applied(1, self._new(row, state))
        remaining = self.writing.add("Sub", self.constant(1.0), update)
        return (self.sum(self.product(remaining, new), self.product(update, state)),)

    def _new(self, row: str, state: str | None) -> str:
        first, second = (self.bias_of(2, recurrent=of_state) for of_state in (False, True))
        if not self.writing.attributes.get("linear_before_reset", 0):
            if state is None:
                return self.of_row(2, row, first + second)
            reset = self.applied(0, self.whole(1, row, state))
            kept = self.writing.add("Mul", reset, state)
            return self.sum(self.of_row(2, row, first + second), self.of_state(2, kept))
        if state is None and not second.any():
            return self.of_row(2, row, first)
        reset = self.applied(0, self.whole(1, row, state))
        inner = self.constant(second) if state is None else self.of_state(2, state, second)
        return self.sum(self.of_row(2, row, first), self.product(reset, inner))


class LstmCell(Cell):
    """Gates in the order of ONNX: input, output, forget, new. The second state is the cell's."""

    gates: ClassVar[int] = 4
    states: ClassVar[int] = 2
    defaults: ClassVar[tuple[str, ...]] = ("Sigmoid", "Tanh", "Tanh")

    def step(self, row: str, states: States) -> States:
        """See the module; with ``input_forget`` u is 1 - i."""
        state, cell = states
        let_in = self._gate(0, row, state, cell)
        new = self.applied(1, self.whole(3, row, state))
        kept = None
        if cell is not None:
            if self.writing.attributes.get("input_forget", 0):
                kept = self.writing.add("Sub", self.constant(1.0), let_in)
            else:
                kept = self._gate(2, row, state, cell)
        cell = self.sum(self.product(let_in, new), self.product(kept, cell))
        shown = self._gate(1, row, state, cell)
        return self.product(shown, self.functions[2](cell)), cell

    def _gate(self, gate: int, row: str, state: str | None, cell: str | None) -> str:
        total = self.whole(gate, row, state)
        if self.peepholes is not None and cell is not None:
            watched = self.writing.add("Mul", cell, self.constant(self.peepholes[self._rows[gate]]))
            total = self.sum(total, watched)
        return self.applied(0, total)
