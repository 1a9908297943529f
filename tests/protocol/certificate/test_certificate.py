"""A certificate holds for the same weights in two epochs of one key, and no part of it may change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, SecurityError, VerificationError
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.argument.local_backend import LocalBackend
from deepprove_dist.protocol.certificate.prove import EpochMatrix, prove, state
from deepprove_dist.protocol.certificate.verify import verify
from deepprove_dist.protocol.messages.certificate import CertificateContent, CertificateStatement, dump
from deepprove_dist.protocol.messages.proof import Leaves
from tests.attacks.fields import Path, add_one, flip, get, name, parts, put
from tests.protocol.certificate.epochs import (
    NONCE,
    POOL,
    SEED,
    accept,
    commit,
    content,
    hiding_key,
)
from tests.records import replace

KEY = hiding_key().verifying
HONEST = content(1)

ROWS_TRIED = 13
"""Of opened rows: one element in so many is changed."""


def lie(
    old: EpochMatrix, new: EpochMatrix, statement: CertificateStatement | None = None
) -> CertificateContent:
    """What the real prover makes of any two matrices."""
    return prove(KEY, statement or state(KEY, old.epoch, new.epoch, NONCE), (old, new), SEED, POOL)


def refused(certificate: CertificateContent) -> Check:
    with pytest.raises(VerificationError) as caught:
        accept(certificate)
    return caught.value.check


def test_the_real_prover_makes_it() -> None:
    old, new = commit(0), commit(1)
    assert (old.epoch, new.epoch) == (HONEST.statement.old, HONEST.statement.new)
    assert accept(lie(old, new)) == new.epoch


def test_one_seed_makes_one_certificate() -> None:
    old, new = commit(0), commit(1)
    assert dump(lie(old, new)) == dump(lie(old, new))
    statement = state(KEY, old.epoch, new.epoch, NONCE)
    other = prove(KEY, statement, (old, new), bytes(32), POOL)
    assert other.witness.root != lie(old, new).witness.root
    accept(other)


@pytest.mark.parametrize("tensor", range(3))
@pytest.mark.parametrize("is_last", [False, True])
def test_one_other_weight_is_refused(tensor: int, is_last: bool) -> None:
    """In the new epoch; and in the old one, which is not the key's then."""
    backend = hiding_key().backend
    assert isinstance(backend, LocalBackend)
    arrays = dict(backend.local_weights.arrays)
    index = sorted(arrays)[tensor]
    changed = arrays[index].copy()
    changed.reshape(-1)[-1 if is_last else 0] += 1
    other = commit(1, {**arrays, index: changed})
    assert refused(lie(commit(0), other)) is Check.OPENING_CLAIM
    with pytest.raises(VerificationError) as caught:
        verify(KEY, lie(commit(0, {**arrays, index: changed}), commit(1)))
    assert caught.value.check is Check.OPENING_CLAIM


def test_two_weights_that_were_exchanged_are_refused() -> None:
    backend = hiding_key().backend
    assert isinstance(backend, LocalBackend)
    arrays = {index: array[::-1].copy() for index, array in backend.local_weights.arrays.items()}
    assert refused(lie(commit(0), commit(1, arrays))) is Check.OPENING_CLAIM


def test_tails_may_differ_and_nothing_else() -> None:
    """The same epoch twice is no new one, whatever its tails are."""
    accept(lie(commit(0), commit(5)))
    assert refused(lie(commit(0), replace(commit(0), epoch=replace(commit(0).epoch, number=0)))) is (
        Check.EPOCH_ORDER
    )


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda s: replace(s, key_digest=bytes(32)), Check.EPOCH_KEY),
        (lambda s: replace(s, key_digest=hiding_key(2).verifying.digest), Check.EPOCH_KEY),
        (lambda s: replace(s, new=replace(s.new, number=0)), Check.EPOCH_ORDER),
        (lambda s: replace(s, old=replace(s.old, number=1)), Check.EPOCH_ORDER),
        (lambda s: replace(s, old=s.new, new=replace(s.old, number=2)), Check.EPOCH_ACCEPTED),
        (lambda s: replace(s, old=replace(s.old, answer=s.old.answer + 1)), Check.OPENING_CLAIM),
        (lambda s: replace(s, new=replace(s.new, answer=s.new.answer + 1)), Check.OPENING_CLAIM),
        (lambda s: replace(s, old=replace(s.old, root=s.new.root)), Check.MERKLE_ROOT),
        (lambda s: replace(s, new=replace(s.new, root=s.old.root)), Check.MERKLE_ROOT),
    ],
)
def test_another_statement_is_refused(
    change: Callable[[CertificateStatement], CertificateStatement], check: Check
) -> None:
    """By a prover who proves it as well as he can."""
    old, new, statement = commit(0), commit(1), change(HONEST.statement)
    if statement.old.root == new.epoch.root and statement.new.root == old.epoch.root:
        old, new = new, old
    with pytest.raises(VerificationError) as caught:
        accept(lie(old, new, statement))
    if caught.value.check is not check:
        # Samples at other points: the claims fail, or the fold of a root that is another's.
        assert {caught.value.check, check} == {Check.MERKLE_ROOT, Check.OPENING_CLAIM}


@pytest.mark.parametrize("number", [0, 2, 1 << 53])
def test_the_number_of_an_epoch_is_part_of_what_is_proven(number: int) -> None:
    statement = HONEST.statement
    other = replace(statement, new=replace(statement.new, number=number))
    refused(replace(HONEST, statement=other))


def test_a_certificate_for_another_key_is_refused() -> None:
    with pytest.raises(VerificationError) as caught:
        accept(HONEST, key=hiding_key(2))
    assert caught.value.check is Check.EPOCH_KEY


def test_every_part_counts() -> None:
    """Each element, digest and number of a certificate, changed by the least, is refused."""
    tried = set[str]()
    for path, change in changes(HONEST):
        tried.add(name(path))
        # Some schedules are none.
        with pytest.raises((VerificationError, FormatError, SecurityError)):
            accept(change())
    assert {name(path) for path, _ in parts(HONEST)} - tried == set()


@pytest.mark.parametrize(
    ("path", "check"),
    [
        (("mask", "tail"), Check.MASK_ROWS),
        (("opening", "columns"), Check.OPENING_ROUNDS),
        (("opening", "final"), Check.OPENING_FINAL_LENGTH),
        (("opening", "final_rounds"), Check.OPENING_ROUNDS),
    ],
)
def test_vectors_have_the_lengths_of_the_schedule(path: Path, check: Check) -> None:
    vector = get(HONEST, path)
    for other in (vector[:-1], vector + vector[:1]):
        assert refused(put(HONEST, path, other)) is check


def test_there_is_a_tree_for_each_matrix_and_round() -> None:
    leaves = HONEST.opening.leaves
    assert len(leaves) == 3 + len(HONEST.statement.schedule.rounds)
    for other in (leaves[1:], (*leaves, Leaves(BaseVector.from_bytes(b""), b""))):
        opening = replace(HONEST.opening, leaves=other)
        assert refused(replace(HONEST, opening=opening)) is Check.OPENING_COUNT


def changes(certificate: CertificateContent) -> Iterator[tuple[Path, Callable[[], CertificateContent]]]:
    """The certificate with one part changed; of opened rows only some elements."""
    for path, value in parts(certificate):
        step = ROWS_TRIED if path[-1] == "rows" and "leaves" in path else 1
        match value:
            case bool() | str():
                yield path, changed(certificate, path, lambda v: not v if isinstance(v, bool) else v + "s")
            case int():
                yield path, changed(certificate, path, lambda v: v + 1)
                yield path, changed(certificate, path, lambda v: v - 1)
            case Extension():
                yield path, changed(certificate, path, lambda v: v + 1)
            case BaseVector() | ExtensionVector():
                for index in range(0, len(value), step):
                    yield path, changed(certificate, path, partial(_add_one, index))
            case bytes():
                for index in range(0, len(value), 32):
                    yield path, changed(certificate, path, partial(_flip, index))


def changed(
    certificate: CertificateContent, path: Path, change: Callable[[Any], Any]
) -> Callable[[], CertificateContent]:
    return lambda: put(certificate, path, change(get(certificate, path)))


def _add_one(index: int, vector: BaseVector | ExtensionVector) -> BaseVector | ExtensionVector:
    return add_one(vector, index)


def _flip(index: int, data: bytes) -> bytes:
    return flip(data, index)
