"""False witnesses of the tiny network, each with the false statement that it would prove."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepprove_dist.arrays import IntArray
from deepprove_dist.field import MODULUS
from deepprove_dist.model.inference import InferenceTrace
from deepprove_dist.prover import Prover
from tests.attacks.models import LIMBS, RELU, SHIFT, commit_tensors, inputs, state, witness_of
from tests.attacks.reference_prover import Attempt
from tests.records import replace

STEP = 1 << SHIFT


@dataclass(frozen=True)
class Parts:
    """All witness tensors by name, [samples, width], and the statement's values."""

    tensors: dict[str, IntArray]
    x: IntArray
    y: IntArray

    def replaced(self, name: str, values: IntArray) -> Parts:
        """With another tensor."""
        assert name in self.tensors
        return replace(self, tensors=self.tensors | {name: values})


class Forger:
    """Knows the network's arithmetic and makes attempts of any tensors."""

    def __init__(self, key: Prover) -> None:
        self.key = key
        self.constants = key.model.constants
        self.names = {t.name: index for index, t in enumerate(key.verifying.system.tensors)}

    def honest(self, samples: int = 1) -> Parts:
        """The true witness."""
        return self.witness(inputs(samples)["x"])

    def witness(self, x: IntArray) -> Parts:
        """The true witness of an input."""
        samples, trace = len(x), self.key.runner.run({"x": x})
        witness = witness_of(self.key, trace)
        tensors = {name: witness.tensors[i] for name, i in self.names.items() if i in witness.tensors}
        tensors = {
            name: values if name.startswith("multiplicities") else values.reshape(samples, -1)
            for name, values in tensors.items()
        }
        return Parts(tensors, tensors["x"], tensors["y"])

    def attempt(self, parts: Parts) -> Attempt:
        """The attempt to prove that x maps to y with these tensors."""
        trace = InferenceTrace({"x": parts.x}, {}, {"y": parts.y})
        tensors = {self.names[name]: values.reshape(-1) for name, values in parts.tensors.items()}
        witness = commit_tensors(self.key, len(parts.x), tensors)
        return Attempt(state(self.key, trace), trace, witness)

    def finish(self, parts: Parts, **tensors: IntArray) -> Parts:
        """With other tensors of the hidden layer, and all that follows from them computed honestly.

        Arguments are called h, q, r0 and r1. Of what is looked up, the tables count what they have.
        """
        changed = parts.tensors | {"h" if name == "h" else f"h.{name}": v for name, v in tensors.items()}
        y = changed["h"] @ self.constants["w2"].T + self.constants["b2"]
        changed["y"] = y
        system, named = self.key.verifying.system, {index: name for name, index in self.names.items()}
        for lookup in system.lookups:
            table = system.tables[lookup.table]
            argument = lookup.columns[0].stored
            assert argument is not None
            rows = changed[named[argument]].reshape(-1) - table.first
            inside = rows[(rows >= 0) & (rows < table.size)]
            changed[named[table.multiplicity]] = np.bincount(inside, minlength=table.size)
        return Parts(changed, parts.x, y)

    def divided(self, shifted: IntArray) -> dict[str, IntArray]:
        """Quotient and limbs of acc + 2^(s-1)."""
        remainder = shifted % STEP
        return {"q": shifted // STEP, "r0": remainder & ((1 << LIMBS[0]) - 1), "r1": remainder >> LIMBS[0]}

    def accumulator(self, x: IntArray) -> IntArray:
        """What the first layer computes."""
        result: IntArray = x @ self.constants["w1"].T + self.constants["b1"]
        return result

    def first_layer_holds(self, parts: Parts) -> bool:
        """acc + 2^(s-1) = 2^s q + r modulo p, with x as it is committed."""
        remainder = parts.tensors["h.r0"] + (parts.tensors["h.r1"] << LIMBS[0])
        left = self.accumulator(parts.tensors["x"]) + STEP // 2
        return bool(np.all((left - STEP * parts.tensors["h.q"] - remainder) % MODULUS == 0))

    def second_layer_holds(self, parts: Parts) -> bool:
        """y = W2 h + b2 modulo p."""
        right = parts.tensors["h"] @ self.constants["w2"].T + self.constants["b2"]
        return bool(np.all((parts.tensors["y"] - right) % MODULUS == 0))


def in_table(parts: Parts) -> bool:
    """Whether h = T(q) everywhere, with q in the domain."""
    q, h = parts.tensors["h.q"], parts.tensors["h"]
    inside = bool(np.all((q >= RELU.first) & (q < RELU.first + RELU.size)))
    return inside and bool(np.array_equal(RELU.apply(q), h))


def in_range(parts: Parts) -> bool:
    """Whether both limbs have their widths."""
    limbs = (parts.tensors["h.r0"], parts.tensors["h.r1"])
    return all(bool(np.all((r >= 0) & (r < 1 << width))) for r, width in zip(limbs, LIMBS, strict=True))


def unit(like: IntArray, index: int) -> IntArray:
    """One at a place of the flattened array, zero elsewhere."""
    result = np.zeros_like(like)
    result.reshape(-1)[index] = 1
    return result
