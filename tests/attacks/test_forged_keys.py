"""Keys under which one input would have two proven outputs: reading refuses them, whatever bounds they state.

Records are those of `key_file`: tables are [first, size, function, multiplicity], relations are
[name, expression, products, low, high].
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
import pytest

from deepprove_dist.errors import FormatError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import Pool
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.model.lower import lower
from deepprove_dist.operators.node import Attribute, Node
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.table import Table
from deepprove_dist.prover import Prover
from deepprove_dist.setup_options import Options
from tests.attacks.key_content import Content, changed
from tests.attacks.models import SHIFT, model
from tests.records import replace

FIRST, ENTRIES = -15869, 29756
"""Quotients of `wide_model`."""


def clamp(first: int, size: int) -> Table:
    return Table.from_values(first, np.clip(np.arange(first, first + size), -100, 100))


def wide_model() -> IntegerModel:
    """y = clamp(acc / 2^16) with weights so large that acc spans nearly p."""
    attributes: dict[str, Attribute] = {"shift": 16, "table": clamp(FIRST, ENTRIES), "limbs": (8, 8)}
    nodes = (
        Node("dense", "dense", ("x", "w"), "acc", {}),
        Node("requantise", "requantise", ("acc",), "y", attributes),
    )
    weights = {"w": np.full((2, 2), 130_000_000)}
    x = ModelTensor("x", (2,), -4, 3, Scale.of(1.0))
    return IntegerModel((x,), (replace(x, name="y", lo=-100, hi=100),), weights, nodes)


def bounds(low: int, high: int) -> Callable[[Content], None]:
    """States these bounds of what weights add up to, in every relation that has products."""

    def change(whole: Content) -> None:
        for relation in whole["relations"]:
            relation[3:] = [low, high]

    return change


def rows(first: int, size: int, function: Table | None, *, table: int) -> Callable[[Content], None]:
    """Another table, with room for its multiplicities."""

    def change(whole: Content) -> None:
        counts = whole["tables"][table][3]
        whole["tables"][table] = [first, size, function and [function.first, bytes(function.pieces)], counts]
        whole["tensors"][counts][1] = [size]

    return change


def forged(network: IntegerModel, *changes: Callable[[Content], None]) -> bytes:
    """The network's key with changes."""

    def change(whole: Content) -> None:
        for one in changes:
            one(whole)

    return changed(Prover.generate(network, Options(), Pool(1)).verifying, change)


def test_a_limb_of_twice_the_range() -> None:
    """(q, r) and (q - 1, r + 2^s) would both be proven."""
    last = SHIFT - 3
    doubled = rows(0, 2 << last, None, table=1)
    with pytest.raises(FormatError, match=r"do not determine tensor 'h\.q' and 4 more"):
        key_file.load(forged(model(), doubled))


def test_false_bounds_and_a_table_that_wraps() -> None:
    """Bounds of nothing leave A nearly 2 p: the prover could choose acc or acc + p."""
    first, size = -20000, 40001
    assert size << 16 > MODULUS
    wrapping = rows(first, size, clamp(first, size), table=1)
    with pytest.raises(FormatError, match=r"do not determine tensor 'y\.q' and 3 more"):
        key_file.load(forged(wide_model(), wrapping, bounds(0, 0)))


@pytest.mark.parametrize("size", [MODULUS >> 16, (MODULUS >> 16) + 1])
def test_the_largest_table_is_exact(size: int) -> None:
    """D 2^s <= p gives one (q, r) for each acc modulo p, whatever the bounds say; one row more does not."""
    system = lower(wide_model()).system
    counts, relation = system.tables[1].multiplicity, replace(system.relations[0], low=0, high=0)
    tensors = [replace(t, shape=(size,)) if k == counts else t for k, t in enumerate(system.tensors)]
    table = replace(system.tables[1], first=FIRST, size=size, function=clamp(FIRST, size))
    bad = replace(system, tensors=tuple(tensors), tables=(system.tables[0], table), relations=(relation,))
    with nullcontext() if size << 16 <= MODULUS else pytest.raises(FormatError, match=r"tensor 'y\.q'"):
        check(bad)
