"""A key's digest stands for all of it, and it allows no more samples than it was made for."""

from __future__ import annotations

from contextlib import nullcontext
from math import prod

import pytest

from deepprove_dist.errors import FormatError, SecurityError, VerificationError
from deepprove_dist.kernels import Extension, digest, most_integer_bytes
from deepprove_dist.model.integer_model import IntegerModel, ModelTensor
from deepprove_dist.protocol.claims.layout import lay_out
from deepprove_dist.protocol.key import key as key_module
from deepprove_dist.protocol.key import key_file, work
from deepprove_dist.protocol.key.account import protocol_shape
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.key.weights import WeightCommitment
from deepprove_dist.protocol.messages.epoch import EpochWeights
from deepprove_dist.protocol.messages.public_integers import MAX_INTEGERS
from deepprove_dist.protocol.parameters import MatrixCode
from deepprove_dist.protocol.system.check import check
from deepprove_dist.protocol.system.index_map import IndexMap
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Matrix
from deepprove_dist.prover import Prover
from deepprove_dist.setup_options import Options
from tests.lowering.networks import depthwise
from tests.protocol.certificate.epochs import hiding_key
from tests.protocol.example import MAX_BATCH, POOL, proving_key
from tests.protocol.parameters.shapes import changed_matrix
from tests.records import replace

KEY = proving_key().verifying
HIDING = proving_key(hiding=True).verifying


@pytest.mark.parametrize("batch", range(1, MAX_BATCH + 1))
def test_an_instance_has_its_number_of_samples(batch: int) -> None:
    instance = KEY.instance(batch)
    assert instance.system == KEY.system.for_batch(batch)
    assert all(instance.system.tensors[public.tensor].shape[0] == batch for public in KEY.system.public)
    assert KEY.instance(batch) is instance


@pytest.mark.parametrize("batch", [0, -1, MAX_BATCH + 1, 1 << 40])
def test_other_numbers_of_samples_are_refused(batch: int) -> None:
    with pytest.raises(VerificationError, match=f"1 to {MAX_BATCH} samples, not {batch}"):
        KEY.instance(batch)


def test_the_shape_is_that_of_the_most_samples() -> None:
    assert KEY.shape == protocol_shape(KEY.system.for_batch(MAX_BATCH))


def test_the_digest_stands_for_every_part() -> None:
    assert KEY.weights is not None
    others = [
        replace(KEY, max_batch=2),
        replace(KEY, model_digest=bytes(32)),
        replace(KEY, weights=None),
        replace(KEY, weights=WeightCommitment(bytes(32), KEY.weights.answer)),
        replace(KEY, weights=WeightCommitment(KEY.weights.root, KEY.weights.answer + 1)),
        replace(KEY, system=replace(KEY.system, lookups=KEY.system.lookups[::-1])),
        replace(KEY, system=replace(KEY.system, relations=KEY.system.relations[:1])),
        replace(KEY, schedule=replace(KEY.schedule, initial=replace(KEY.schedule.initial, queries=300))),
    ]
    digests = {KEY.digest, *(other.digest for other in others)}
    assert len(digests) == len(others) + 1
    assert replace(KEY).digest == KEY.digest
    assert all(len(digest) == 32 for digest in digests)


@pytest.mark.parametrize(
    "key",
    [
        replace(KEY, weights=None),
        replace(KEY, max_batch=MAX_BATCH + 100),
        replace(proving_key("public").verifying, weights=WeightCommitment(bytes(32), Extension(0))),
        replace(HIDING, weights=None),
        replace(
            proving_key("public", hiding=True).verifying, weights=WeightCommitment(bytes(32), Extension(0))
        ),
    ],
)
def test_sizes_that_contradict_each_other_are_refused(key: KeyContent) -> None:
    with pytest.raises(FormatError):
        key.check()


def test_the_digest_is_that_of_the_file() -> None:
    assert KEY.digest == digest("deepprove-dist verifying key", key_file.dump(KEY))


def test_few_samples_have_the_columns_of_the_most() -> None:
    """Or the out-of-domain claim would say nothing of the columns that they leave empty."""
    key = Prover.generate(depthwise(), Options(max_batch=64), POOL).verifying
    committed = key.schedule.initial.witness_columns
    needed = lay_out(key.system.for_batch(1), key.schedule.initial.log_rows).columns[Matrix.WITNESS]
    layout = key.instance(1).layout
    assert needed == layout.needed[Matrix.WITNESS] < committed
    assert layout.columns[Matrix.WITNESS] == committed


@pytest.mark.parametrize(("key", "more"), [(KEY, 1), (KEY, -1), (HIDING, 1)])
@pytest.mark.parametrize("matrix", [Matrix.WEIGHTS, Matrix.WITNESS])
def test_the_schedule_has_the_columns_of_the_layout(key: KeyContent, matrix: Matrix, more: int) -> None:
    initial, layout = key.schedule.initial, key.instance(MAX_BATCH).layout
    key_file.require_columns(initial, layout)
    changed = tuple(
        replace(part, needed=part.columns + more * (part.matrix is matrix)) for part in layout.matrices
    )
    # A hiding key of a small model has columns that hold nothing.
    same = initial.hiding and more < 0 and layout.needed[matrix] < layout.columns[matrix]
    with nullcontext() if same else pytest.raises(FormatError, match="for other sizes"):
        key_file.require_columns(initial, replace(layout, matrices=changed))


def test_a_hiding_schedule_has_no_more_columns_than_it_must() -> None:
    initial, layout = HIDING.schedule.initial, HIDING.instance(MAX_BATCH).layout
    assert initial.witness_columns > layout.needed[Matrix.WITNESS]
    assert initial.weight_columns == max(5, layout.needed[Matrix.WEIGHTS])
    for kind in ("weights", "witness"):
        wide = changed_matrix(initial, kind, columns=initial.columns)
        with pytest.raises(FormatError, match="for other sizes"):
            key_file.require_columns(wide, layout)


def test_a_hiding_key_commits_no_columns_without_weights() -> None:
    public = ModelTensor("x", (2,), -3, 3, Scale.of(1.0))
    key = Prover.generate(IntegerModel((public,), (public,), {}, ()), Options(hiding=True), POOL).verifying
    initial = key.schedule.initial
    initial = replace(initial, matrices=(MatrixCode("weights", 5, 0), *initial.matrices))
    schedule, weights = replace(key.schedule, initial=initial), WeightCommitment(bytes(32), Extension(0))
    with pytest.raises(FormatError, match="for other sizes"):
        replace(key, schedule=schedule, weights=weights).check()


def test_a_hiding_key_has_a_tensor_of_pads() -> None:
    instance = HIDING.instance(1)
    *others, pads = instance.system.tensors
    assert tuple(others) == HIDING.system.for_batch(1).tensors
    assert instance.pads_tensor == len(others)
    assert (pads.shape, pads.matrix) == ((instance.pads + 4, 5), Matrix.WITNESS)
    assert KEY.instance(1).pads == 0
    assert len(KEY.instance(1).system.tensors) == len(others)


def test_relations_that_take_too_long_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    replace(KEY).check()
    monkeypatch.setattr("deepprove_dist.protocol.key.key.MAX_WORK", 20)
    with pytest.raises(FormatError, match="too long"):
        replace(KEY).check()


def test_more_public_integers_than_a_verifier_decodes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    most = max(KEY.max_batch * prod(public.shape) for public in KEY.system.public)
    monkeypatch.setattr("deepprove_dist.protocol.key.key.MAX_INTEGERS", most)
    replace(KEY).check()
    monkeypatch.setattr("deepprove_dist.protocol.key.key.MAX_INTEGERS", most - 1)
    with pytest.raises(FormatError, match=f"has more than {most - 1} values in all samples"):
        replace(KEY).check()


def test_the_limit_of_public_integers_is_the_kernels() -> None:
    assert most_integer_bytes(MAX_INTEGERS, 0, 1) == 1 + MAX_INTEGERS // 8
    with pytest.raises(ValueError, match="too many public integers"):
        most_integer_bytes(MAX_INTEGERS + 1, 0, 1)


@pytest.mark.parametrize("taps", [1 << 19, 1 << 24])
def test_windows_that_take_too_long_are_refused(taps: int) -> None:
    key = Prover.generate(depthwise(), Options(), POOL).verifying
    key.check()
    sliced = key.system.relations[2]
    (term,) = sliced.products[0].left.value.terms
    assert isinstance(term.axes[0], IndexMap)
    wide = replace(term, axes=(replace(term.axes[0], taps=taps, first=0, end=4), *term.axes[1:]))
    product, *others = sliced.products
    left = replace(product.left, value=replace(product.left.value, terms=(wide,)))
    relation = replace(sliced, products=(replace(product, left=left), *others))
    system = replace(key.system, relations=(*key.system.relations[:2], relation))
    if taps * 4 < work.MAX_WORK:
        replace(key, system=system).check()
    else:
        with pytest.raises(FormatError, match="too long"):
            replace(key, system=system).check()


def test_more_lookups_than_the_field_counts_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_module, "MODULUS", KEY.shape.lookups.fractions)
    with pytest.raises(FormatError, match="more lookups"):
        replace(KEY).check()


def test_a_schedule_below_the_security_level_is_refused() -> None:
    initial = replace(KEY.schedule.initial, queries=KEY.schedule.initial.queries - 20)
    with pytest.raises(SecurityError):
        replace(KEY, schedule=replace(KEY.schedule, initial=initial)).check()


def test_no_key_has_an_anchor() -> None:
    """Neither its schedule nor its model: certificates alone commit older weights."""
    initial = KEY.schedule.initial
    anchor = replace(initial.matrices[0], matrix="anchor")
    both = replace(KEY.schedule, initial=replace(initial, matrices=(anchor, *initial.matrices)))
    alone = replace(KEY.schedule, initial=replace(initial, matrices=(anchor, *initial.matrices[1:])))
    for schedule in (both, alone):
        with pytest.raises(FormatError, match="has an anchor"):
            replace(KEY, schedule=schedule).check()
    moved = {Matrix.WEIGHTS: Matrix.ANCHOR}
    tensors = (replace(item, matrix=moved.get(item.matrix, item.matrix)) for item in KEY.system.tensors)
    with pytest.raises(FormatError, match="is of an anchor"):
        check(replace(KEY.system, tensors=tuple(tensors)))


def test_a_key_that_hides_its_weights_has_an_anchor_epoch() -> None:
    assert KEY.anchor is None
    assert proving_key("public").verifying.anchor is None
    key = hiding_key().verifying
    assert key.weights is not None
    assert key.anchor == EpochWeights(0, key.weights.root, key.weights.answer)
