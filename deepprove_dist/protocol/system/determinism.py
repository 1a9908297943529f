"""Whether a system states a function: inputs and weights determine every committed value.

A proof shows that *some* witness satisfies the system. It shows the model's output only if inputs and weights
leave one such witness. That is derived here from the system alone, with ranges that tables and the verifier
prove. What the key's maker states about the weights takes no part. Only multiplicities are left out: they
count what is looked up.

A tensor is *known* if inputs and weights determine it modulo p. These rules find all known tensors:

1. Weights and inputs are known, and so is a tensor whose proven range has one value.
2. Where all factors of a relation's products are known, its affine side has a known value at each position.
3. Let the first column of a lookup in a table (q, T(q)) be known. Then its second column has a known value at
   each position: arguments of a table are distinct modulo p, so one row has this argument.
4. An expression of known value determines its unknown tensors under three conditions. Each of them is in one
   term only. That term pairs positions and elements one to one (`covers_once`). The coefficients c_j of these
   terms suffice, as said below. Known terms and constants are subtracted. So sum_j c_j d_j is known at each
   position, with an element d_j of each unknown tensor. Every element is met at one position.
   - One unknown: c_1 is not 0 modulo p, so d_1 is a quotient.
   - Several, sorted by |c_j|: each d_j has a proven range of span s_j (its last value less its first),
     |c_j| > sum_{i<j} |c_i| s_i, and sum_j |c_j| s_j < p. Two solutions differ by e_j with |e_j| <= s_j.
     Then sum_j c_j e_j is 0 modulo p and below p in absolute value, hence 0. If e_j is the last that is not
     0, |c_j| <= |c_j e_j| = |sum_{i<j} c_i e_i| <= sum_{i<j} |c_i| s_i, a contradiction.

5. Quotients and roots follow from a relation and the range of a remainder (`remainders`).
6. Known scores determine the index of the largest of each row, the largest and all margins (`arg_max`). These
   relations depend on the statement, so no other rule reads them.

For acc + 2^(s-1) = 2^s q + r rule 4 says D 2^s <= p, with D the entries of q's table. It also says
that limbs of r have exactly their widths. Unknown tensors have spans of 1 at least, so c_j doubles at each
step. An expression with as many unknown tensors as p has bits determines none of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepprove_dist.protocol.system.digits import Equation
from deepprove_dist.protocol.system.remainders import RemainderEquation, remainder_equations
from deepprove_dist.protocol.system.system import ArgMax, Matrix, System
from deepprove_dist.protocol.system.table import Interval


@dataclass(frozen=True)
class ArgMaxEquation:
    """Rule 6: of the tensors of an `ArgMax`, those that are not known."""

    unknown: set[int]
    scores: int

    def determines_all(self, spans: Mapping[int, int]) -> bool:
        """Whether the scores are known, so that all others are."""
        return bool(self.unknown) and self.scores not in self.unknown


_AnyEquation = Equation | RemainderEquation | ArgMaxEquation


def undetermined(
    system: System, ranges: Mapping[int, Interval], arg_maxima: Sequence[ArgMax] = ()
) -> list[int]:
    """The witness tensors, multiplicities excepted, that inputs and weights are not shown to determine.

    `ranges` are proven ranges (first, last) of witness tensors. `arg_maxima` have been checked, and the
    system is without their relations. Time is linear in the system's terms.
    """
    spans = {tensor: last - first for tensor, (first, last) in ranges.items()}
    known = {index for index, tensor in enumerate(system.tensors) if tensor.matrix is Matrix.WEIGHTS}
    known |= {public.tensor for public in system.inputs}
    known |= {tensor for tensor, span in spans.items() if span <= 0}
    todo: list[_AnyEquation] = [*_equations(system, known), *remainder_equations(system, ranges, known)]
    for item in arg_maxima:
        indices = system.outputs[item.output].tensor
        todo.append(ArgMaxEquation({indices, item.scores, item.largest, item.margin} - known, item.scores))
    readers: dict[int, list[_AnyEquation]] = defaultdict(list)
    for equation in todo:
        for tensor in equation.unknown:
            readers[tensor].append(equation)
    while todo:
        equation = todo.pop()
        if not equation.determines_all(spans):
            continue
        for tensor in tuple(equation.unknown):
            known.add(tensor)
            for reader in readers.pop(tensor):
                reader.unknown.remove(tensor)
                todo.append(reader)
    known |= {table.multiplicity for table in system.tables}
    return [tensor for tensor in range(len(system.tensors)) if tensor not in known]


def _equations(system: System, known: set[int]) -> Iterator[Equation]:
    """One for each relation (rule 2) and for each lookup in a table with a function (rule 3)."""
    for relation in system.relations:
        factors = [f.value for product in relation.products for f in (product.left, product.right)]
        yield Equation.of(system, relation.affine, factors, known)
    for lookup in system.lookups:
        if system.tables[lookup.table].function is not None:
            argument, value = lookup.columns
            yield Equation.of(system, value, [argument], known)
