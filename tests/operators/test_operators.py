"""Integer operators against plain Python integers, extremes included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepprove_dist.errors import ModelError
from deepprove_dist.field import MODULUS
from deepprove_dist.operators.dense import Dense
from deepprove_dist.operators.node import Node
from deepprove_dist.operators.requantise import Requantise, quotient
from deepprove_dist.operators.reshape import Reshape
from deepprove_dist.protocol.system.table import Table


def requantise(shift: int, table: Table, limbs: tuple[int, ...]) -> Node:
    return Node("requantise", "n", ("acc",), "y", {"shift": shift, "table": table, "limbs": limbs})


@given(data=st.data(), limbs=st.lists(st.integers(1, 5), max_size=4).map(tuple))
def test_requantise_is_exact(data: st.DataObject, limbs: tuple[int, ...]) -> None:
    shift = sum(limbs)
    bound = min(2**20 << shift >> 1, MODULUS // 4)
    values = data.draw(st.lists(st.integers(-bound, bound), min_size=1, max_size=20))
    lo, hi = quotient(min(values), shift), quotient(max(values), shift)
    if hi - lo >= 2**16:
        values, lo, hi = values[:1], quotient(values[0], shift), quotient(values[0], shift)
    table = Table.from_values(lo, [3 * q % 7 - 2 for q in range(lo, hi + 1)])
    node = requantise(shift, table, limbs)
    Requantise().interval(node, [(min(values), max(values))], {})
    result = Requantise().infer(node, [np.array([values])])
    for index, accumulator in enumerate(values):
        q = int(result.columns["q"][0, index])
        remainder, offset = 0, 0
        for number, width in enumerate(limbs):
            limb = int(result.columns[f"r{number}"][0, index])
            assert 0 <= limb < 2**width
            remainder += limb << offset
            offset += width
        assert accumulator + (2**shift >> 1) == q * 2**shift + remainder
        assert result.output[0, index] == 3 * q % 7 - 2
    assert set(result.columns) == {"q", *(f"r{number}" for number in range(len(limbs)))}


def test_requantise_refuses_what_could_wrap() -> None:
    table = Table.from_values(0, [0] * 2**16)
    Requantise().interval(requantise(14, table, (14,)), [(0, 2**20)], {})
    with pytest.raises(ModelError, match="wrap"):
        Requantise().interval(requantise(15, table, (15,)), [(0, 2**20)], {})
    with pytest.raises(ModelError, match="wrap"):
        Requantise().interval(requantise(10**12, table, (10**12,)), [(0, 2**20)], {})
    with pytest.raises(ModelError, match="outside the table"):
        Requantise().interval(requantise(4, table, (4,)), [(-9, 2**18)], {})
    # Half a unit below 0 rounds up into the domain; one more does not.
    Requantise().interval(requantise(4, table, (4,)), [(-8, 2**18)], {})


@pytest.mark.parametrize("limbs", [(), (3,), (5,), (2, 3), (4, 0), (5, -1)])
def test_limbs_sum_to_the_shift(limbs: tuple[int, ...]) -> None:
    with pytest.raises(ModelError):
        Requantise().shape(requantise(4, Table.from_values(0, [0]), limbs), [(1, 3)])


@given(data=st.data(), outputs=st.integers(1, 4), terms=st.integers(1, 5), biased=st.booleans())
def test_dense_is_exact_and_its_interval_is_reached(
    data: st.DataObject, outputs: int, terms: int, biased: bool
) -> None:
    draw = st.integers(-(2**30), 2**30)
    weight = data.draw(
        st.lists(st.lists(draw, min_size=terms, max_size=terms), min_size=outputs, max_size=outputs)
    )
    bias = data.draw(st.lists(draw, min_size=outputs, max_size=outputs)) if biased else [0] * outputs
    lo = data.draw(st.integers(-4096, 4096))
    hi = data.draw(st.integers(lo, 4096))
    constants = {"w": np.array(weight), "b": np.array(bias)}
    node = Node("dense", "n", ("x", "w", "b") if biased else ("x", "w"), "acc", {})
    interval = Dense().interval(node, [(lo, hi)], constants)
    rows = []
    for row in weight:
        rows += [[hi if w > 0 else lo for w in row], [lo if w > 0 else hi for w in row]]
    expected = [
        [sum(w * x for w, x in zip(row, xs, strict=True)) + b for row, b in zip(weight, bias, strict=True)]
        for xs in rows
    ]
    arguments = [np.array(rows)[:, None], *(constants[name] for name in node.inputs[1:])]
    assert Dense().infer(node, arguments).output.tolist() == [[row] for row in expected]
    flat = [value for row in expected for value in row]
    assert interval == (min(flat), max(flat))


def test_dense_refuses_sums_that_floats_do_not_hold() -> None:
    node = Node("dense", "n", ("x", "w"), "acc", {})
    weight = np.array([[2**30, -(2**30)]])
    Dense().interval(node, [(0, 2**20)], {"w": weight})
    with pytest.raises(ModelError, match="2\\^52"):
        Dense().interval(node, [(2**21, 2**21)], {"w": weight})
    with pytest.raises(ModelError, match="constants"):
        Dense().interval(node, [(0, 1)], {})


def test_shapes() -> None:
    dense = Node("dense", "n", ("x", "w", "b"), "acc", {})
    assert Dense().shape(dense, [(1, 5, 4), (3, 4), (3,)]) == (1, 5, 3)
    for shapes in ([(1, 5), (3, 4), (3,)], [(1, 4), (3, 4), (4,)], [(), (3, 4), (3,)], [(1, 4), (4,), (3,)]):
        with pytest.raises(ModelError):
            Dense().shape(dense, shapes)
    view = Node("reshape", "n", ("x",), "y", {"shape": (2, 6)})
    assert Reshape().shape(view, [(1, 12)]) == (2, 6)
    assert Reshape().infer(view, [np.arange(24).reshape(2, 12)]).output.shape == (2, 2, 6)
    with pytest.raises(ModelError):
        Reshape().shape(view, [(1, 13)])
    with pytest.raises(ModelError):
        Reshape().shape(Node("reshape", "n", ("x",), "y", {"shape": (-2, -6)}), [(1, 12)])


@pytest.mark.parametrize(
    "node",
    [
        Node("dense", "n", ("x",), "y", {}),
        Node("dense", "n", ("x", "w"), "y", {"shift": 1}),
        Node("reshape", "n", ("x",), "y", {}),
        Node("reshape", "n", ("x",), "y", {"shape": 12}),
        Node("reshape", "n", ("x", "x"), "y", {"shape": (12,)}),
    ],
)
def test_ill_formed_nodes_are_refused(node: Node) -> None:
    operator = Dense() if node.operator == "dense" else Reshape()
    with pytest.raises(ModelError):
        operator.check(node)
