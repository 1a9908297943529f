"""A verifying key has one encoding, and what it says is checked when it is read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepprove_dist.errors import (
    DeepProveError,
    FormatError,
    InputError,
    SecurityError,
    VerificationError,
)
from deepprove_dist.field import MODULUS
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.protocol.key.key_file import dump, load
from deepprove_dist.prover import Prover, prove
from deepprove_dist.setup_options import Options
from deepprove_dist.verifier import verify
from tests.lowering.networks import depthwise, lenet, residual, views
from tests.lowering.rearranged import NETWORKS
from tests.model.small_model import small_model
from tests.protocol.example import POOL, proving_key
from tests.random_networks import networks

DATA = dump(proving_key().verifying)

Change = Callable[[dict[str, Any]], object]


def altered(change: Change, data: bytes = DATA) -> bytes:
    content = msgpack.unpackb(data)
    change(content)
    packed: bytes = msgpack.packb(content)
    return packed


@pytest.mark.parametrize("weights", ["committed", "public"])
def test_reading_undoes_writing(weights: Any) -> None:
    key = proving_key(weights).verifying
    again = load(dump(key))
    assert (again.system, again.schedule, again.max_batch) == (key.system, key.schedule, key.max_batch)
    assert (again.digest, again.security) == (key.digest, key.security)
    assert dump(again) == dump(key)


def test_the_level_is_part_of_the_key_and_required_when_it_is_read() -> None:
    key = Prover.generate(small_model(), Options(security=128), POOL)
    data = dump(key.verifying)
    again = load(data)
    assert again.schedule.security_bits == 128
    assert again.digest == key.verifying.digest
    proof = prove(key, key.runner.run({"x": np.zeros((1, 1, 2, 2), dtype=np.int64)}), 1)
    verify(again, proof)
    # The level is hashed with the schedule, so that no key can be read at another one.
    assert msgpack.unpackb(again.security)[2] == 128
    lowered = altered(lambda c: c["schedule"].__setitem__(2, 100), data)
    assert load(lowered).digest != again.digest
    with pytest.raises(VerificationError, match="key digest"):
        verify(load(lowered), proof)


@pytest.mark.parametrize(
    ("level", "error", "message"),
    [
        ([128], SecurityError, "128 are required"),
        ([], FormatError, "canonical"),
        ([99], FormatError, "levels are"),
        ([256], FormatError, "levels are"),
        ([True], FormatError, r"Expected `int`, got `bool` - at `\$.schedule.security_bits`"),
        ([128.0], FormatError, r"Expected `int`, got `float` - at `\$.schedule.security_bits`"),
        ([128, 128], FormatError, r"at most length 3, got 4 - at `\$.schedule`"),
    ],
)
def test_a_level_that_the_schedule_does_not_reach_or_that_is_none_is_refused(
    level: list[Any], error: type[Exception], message: str
) -> None:
    """The schedule of DATA reaches 100 bits and no more."""
    with pytest.raises(error, match=message):
        load(altered(lambda c: c["schedule"].__setitem__(slice(2, None), level)))


@pytest.mark.parametrize("make", [lenet, residual, depthwise, views])
def test_maps_and_products_are_read_as_written(make: Callable[[], IntegerModel]) -> None:
    key = Prover.generate(make(), Options(max_batch=2), POOL).verifying
    again = load(dump(key))
    assert again.system == key.system
    assert dump(again) == dump(key)


JOINED = dump(Prover.generate(NETWORKS["places of an accumulator"](), Options(), POOL).verifying)
"""The output follows the axes of a product whose taps follow two output axes, joined."""


def output_of(content: dict[str, Any], changed: Any) -> None:
    """The output axes of a product's taps are others."""
    axes = content["relations"][0][2][0][2][0][1]
    assert len(axes[0]) == 2
    axes[0] = changed


@pytest.mark.parametrize(
    ("axes", "message"),
    [
        ([], "map of nothing"),
        ([2], "map outside its axes"),
        ([2, 2], "follow an axis twice"),
        ([2, 9], "taps on no axis"),
        (
            [2, True],
            r"Expected `int`, got `bool` - at `\$.relations\[0\].products\[0\].taps\[0\].map.axes\[1\]`",
        ),
        ([[2, 4]], r"Expected `int`, got `array` - at .*taps\[0\].map.axes\[0\]`"),
        (2, r"Expected `array`, got `int` - at .*taps\[0\].map.axes`"),
    ],
)
def test_malformed_joined_axes_are_refused(axes: Any, message: str) -> None:
    assert altered(lambda content: None, JOINED) == JOINED
    with pytest.raises(FormatError, match=message):
        load(altered(lambda content: output_of(content, axes), JOINED))


@pytest.mark.parametrize("name", NETWORKS)
def test_joined_axes_are_read_as_written(name: str) -> None:
    key = Prover.generate(NETWORKS[name](), Options(), POOL).verifying
    assert load(dump(key)).system == key.system


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(model=networks())
def test_keys_of_any_network_are_read_as_written(model: IntegerModel) -> None:
    key = Prover.generate(model, Options(), POOL).verifying
    assert load(dump(key)).system == key.system


@given(length=st.integers(0, len(DATA) - 1))
def test_no_part_of_a_key_is_one(length: int) -> None:
    with pytest.raises(FormatError):
        load(DATA[:length])


@given(index=st.integers(0, len(DATA) - 1), value=st.integers(0, 255))
def test_what_is_read_is_what_was_written(index: int, value: int) -> None:
    data = bytearray(DATA)
    data[index] = value
    with suppress(FormatError, SecurityError):
        assert dump(load(bytes(data))) == bytes(data)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(version=0), "version 0"),
        (lambda c: c.update(extra=1), "unknown field `extra`"),
        (lambda c: c.update(lookups=c.pop("tensors")), r"\$.lookups\[0\].table"),
        (lambda c: c.pop("tensors"), "missing required field `tensors`"),
        (lambda c: c.update(model=bytes(31)), r"length >= 32 - at `\$.model`"),
        (lambda c: c.update(max_batch=0), "1 to 2.20 samples"),
        (lambda c: c.update(max_batch=(1 << 20) + 1), "1 to 2.20 samples"),
        (lambda c: c.update(max_batch=True), r"got `bool` - at `\$.max_batch`"),
        (lambda c: c.update(weights=[bytes(31), bytes(20)]), r"length >= 32 - at `\$.weights.root`"),
        (lambda c: c.update(weights=[bytes(32)]), r"at least length 2, got 1 - at `\$.weights`"),
        (lambda c: c.update(weights=[bytes(32), MODULUS.to_bytes(4, "little") * 5]), "below the modulus"),
        (lambda c: c.update(weights=[bytes(32), bytes(40)]), "an extension element has 20 bytes"),
        (lambda c: c.update(weights=None), "commits no weights"),
        (lambda c: c["tensors"][0].__setitem__(2, "elsewhere"), "elsewhere"),
        (lambda c: c["tensors"][0].__setitem__(1, [True]), r"got `bool` - at `\$.tensors\[0\].shape\[0\]`"),
        (lambda c: c["inputs"][0].__setitem__(5, [[], [0.0]]), "scale"),
        (lambda c: c["inputs"][0].__setitem__(5, [[], [float("nan")]]), "scale"),
        (lambda c: c["inputs"][0].__setitem__(5, [[], [float("inf")]]), "scale"),
        (lambda c: c["inputs"][0].__setitem__(5, [[1, 1], [1.0]]), "scale"),
        (lambda c: c["inputs"][0].__setitem__(5, [[], [1]]), "canonical"),
        (lambda c: c["inputs"][0].__setitem__(5, 1.0), r"got `float` - at `\$.inputs\[0\].scale`"),
        (lambda c: c["tables"][-1][2].__setitem__(1, b"\2\0"), r" at `\$.tables\[\d\].function.pieces`"),
        (lambda c: c["tables"][-1][2].__setitem__(0, 5), "different domains"),
        (lambda c: c["tables"][-1][2].append(0), r"at most length 2, got 3 - at `\$.tables\[\d\].function`"),
        (lambda c: c["relations"][0].pop(), r"at least length 5, got 4 - at `\$.relations\[0\]`"),
        (lambda c: c["relations"][0][2][0].pop(), r"got 4 - at `\$.relations\[0\].products\[0\]`"),
        (lambda c: c["relations"][0][1][1][0].__setitem__(0, 0.5), r"affine.terms\[0\].coefficient`"),
        (lambda c: c["lookups"][0].__setitem__(0, True), r"got `bool` - at `\$.lookups\[0\].table`"),
        (lambda c: c["schedule"][0].__setitem__(0, 0), "log_rows"),
        (lambda c: c["schedule"][0].pop(), "canonical"),
        (lambda c: c["schedule"][0].__delitem__(slice(3, None)), r"got 3 - at `\$.schedule.initial`"),
        (lambda c: c["schedule"][0].__setitem__(4, 0), r"got `int` - at `\$.schedule.initial.hiding`"),
        (lambda c: c["schedule"][0][3].reverse(), "matrices come in the order"),
        (lambda c: c["schedule"][0][3].append(c["schedule"][0][3][1]), "one of a kind"),
        (lambda c: c["schedule"][0][3][0].__setitem__(0, "salts"), "matrices are"),
        (lambda c: c["schedule"][0][3][0].__setitem__(3, 8), "tail of weights"),
        (lambda c: c["schedule"][1].append([1, 1, 1]), r"got 3 - at `\$.schedule.rounds\[0\]`"),
        (lambda c: c["schedule"][1].append([1, 1, 1, 1]), "round 0"),
        (lambda c: add_to(c["schedule"][0][3][1], 1, 1), "other sizes"),
        (lambda c: add_to(c["schedule"][0][3][0], 1, 1), "other sizes"),
        (lambda c: c["schedule"][0][3].pop(0), "no columns"),
    ],
)
def test_malformed_parts_are_refused(change: Change, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        load(altered(change))


def add_to(numbers: list[Any], index: int, more: int) -> None:
    numbers[index] += more


HIDING = dump(proving_key(hiding=True).verifying)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["schedule"][0].__setitem__(4, False), "tail of weights"),
        (lambda c: c["schedule"][0][3][0].__setitem__(1, 4), "columns of hidden weights"),
        (lambda c: c["schedule"][0][3][1].__setitem__(1, 4), "columns of hidden witness"),
        (lambda c: add_to(c["schedule"][0][3][0], 1, 1), "other sizes"),
        (lambda c: add_to(c["schedule"][0][3][1], 1, 1), "other sizes"),
        (lambda c: add_to(c["schedule"][0][3][0], 3, 1), "multiple of"),
        (lambda c: c["schedule"][0][3][1].__setitem__(3, 8), "tail of witness"),
        (lambda c: c.update(weights=None), "commits no weights"),
        (lambda c: c["schedule"][0][3].pop(0), "no columns"),
    ],
)
def test_malformed_parts_of_hiding_keys_are_refused(change: Change, message: str) -> None:
    assert altered(lambda content: None, HIDING) == HIDING
    assert dump(load(HIDING)) == HIDING
    with pytest.raises((FormatError, SecurityError), match=message):
        load(altered(change, HIDING))


SLIDING = dump(Prover.generate(depthwise(), Options(), POOL).verifying)
"""Relation 0 has a product with taps and shared axes, relation 2 slices of the input."""


def product_of(content: dict[str, Any], relation: int = 0) -> list[Any]:
    """[coefficient, contracted, taps, left, right] of a relation's first product."""
    product: list[Any] = content["relations"][relation][2][0]
    return product


def slice_of(content: dict[str, Any]) -> list[Any]:
    """The map of the slice of a group's weights: axes, first, end, offset, stride, taps, dilation, scale."""
    taps: list[Any] = product_of(content, 2)[3][0][1][0][2][0]
    return taps


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: product_of(c).__setitem__(0, 1.0), r"\$.relations\[0\].products\[0\].coefficient"),
        (lambda c: product_of(c)[2][0].pop(), r"got 1 - at .*products\[0\].taps\[0\]`"),
        (lambda c: product_of(c)[2][0].__setitem__(0, True), r"got `bool` - at .*taps\[0\].contracted`"),
        (lambda c: product_of(c)[2][0][1].__setitem__(1, True), r"got `bool` - at .*taps\[0\].map.first`"),
        (lambda c: product_of(c)[2][0].__setitem__(0, 9), "taps over no axis"),
        (lambda c: product_of(c)[2][0][1].__setitem__(0, [9]), "taps on no axis"),
        (lambda c: product_of(c)[2][0][1].__setitem__(5, 7), "axis of another size"),
        (lambda c: product_of(c)[3].pop(), r"got 1 - at .*products\[0\].left`"),
        (lambda c: product_of(c)[3][0].pop(), r"got 2 - at .*products\[0\].left.value`"),
        (lambda c: product_of(c)[3].__setitem__(1, [0, 1]), "factor of other axes"),
        # A trailing default is written; without it there would be two encodings.
        (lambda c: slice_of(c).pop(), "canonical"),
        (lambda c: slice_of(c).append(0), "at most length 8, got 9"),
        (lambda c: slice_of(c).__delitem__(slice(2, None)), "at least length 3, got 2"),
        (lambda c: slice_of(c).__setitem__(0, 0), r"got `int` - at .*terms\[0\].axes\[0\].axes`"),
        (lambda c: slice_of(c).__setitem__(7, 0), r"got `int` - at .*terms\[0\].axes\[0\].scale`"),
        (lambda c: slice_of(c)[7].append(1.0), r"got `float` - at .*axes\[0\].scale\[0\]`"),
        (lambda c: slice_of(c)[7].append(1), "map of other factors"),
        (lambda c: slice_of(c).__setitem__(2, 99), "map outside its axes"),
        (lambda c: slice_of(c).__setitem__(4, -1), "invalid map"),
        (lambda c: c["relations"][0][1][2].append([1]), "canonical"),
        (
            lambda c: c["relations"][0][1][2].append([1, [[[0], 1]]]),
            r"got 2 - at .*constants\[1\].within\[0\]`",
        ),
        (lambda c: c["relations"][0][1][2].append([1, [[[1], 0, 1]]]), "canonical"),
        (lambda c: c["relations"][0][1][2].append([1, [[[1], 0, 1, 0, 1, 1, 1, []]]]), "more than cover"),
        (lambda c: c["relations"][0][1][2].append([1, [[[1], 0, 99, 0, 0, 1, 1, []]]]), "outside its axes"),
        (lambda c: c["lookups"][0][1].__setitem__(0, 0), r"got `int` - at `\$.lookups\[0\].columns\[0\]`"),
    ],
)
def test_malformed_expressions_are_refused(change: Change, message: str) -> None:
    assert altered(lambda content: None, SLIDING) == SLIDING
    with pytest.raises(FormatError, match=message):
        load(altered(change, SLIDING))


def test_parameters_below_the_security_level_are_refused() -> None:
    with pytest.raises(SecurityError):
        load(altered(lambda content: content["schedule"][0].__setitem__(2, 5)))


def test_a_batch_of_other_sizes_than_the_schedule_is_refused() -> None:
    with pytest.raises(FormatError, match="other sizes"):
        load(altered(lambda content: content.update(max_batch=1000)))


def test_longer_forms_of_the_same_content_are_refused() -> None:
    assert altered(lambda content: None) == DATA
    longer = DATA.replace(b"\xa7version\x07", b"\xa7version\xcc\x07", 1)
    with pytest.raises(FormatError, match="canonical"):
        load(longer)
    with pytest.raises(FormatError):
        load(DATA + b"\0")


@given(data=st.data())
def test_numbers_of_any_size_end_in_a_typed_error_or_a_key(data: st.DataObject) -> None:
    content = msgpack.unpackb(DATA)
    part: Any = content[data.draw(st.sampled_from(sorted(content)))]
    while isinstance(part, list) and any(isinstance(item, list) and item for item in part):
        part = data.draw(st.sampled_from([item for item in part if isinstance(item, list) and item]))
    if isinstance(part, list) and part:
        index = data.draw(st.integers(0, len(part) - 1))
        part[index] = data.draw(st.sampled_from((-1, 0, 1, 2**16, 2**31, 2**34, 2**63, -(2**63))))
    with suppress(DeepProveError):
        load(msgpack.packb(content))
    assert issubclass(FormatError, InputError)
