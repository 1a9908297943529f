"""A certificate has the key's sizes, no more queries into the weights than a proof, and the key's level."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from deepprove_dist.errors import SecurityError
from deepprove_dist.protocol.parameters import (
    CERTIFICATES,
    Schedule,
    certificate_schedule,
    certificate_shape,
    choose,
    error_terms,
    most_bytes,
    most_certificate_bytes,
    require_certificate,
    total_bits,
)
from tests.protocol.parameters.shapes import DENSE_4M, SMALL_MLP, mlp_shape
from tests.records import replace

SHAPE = certificate_shape(12, 22)
CASES = {
    "small": (27_000, 4_000, SMALL_MLP),
    "dense": (4_200_000, 30_000, DENSE_4M),
    "tiny": (30, 200, mlp_shape(1, 5)),
}


@cache
def key(case: str = "small", security_bits: int = 100) -> Schedule:
    weights, witness, shape = CASES[case]
    return choose(weights, witness, shape, security_bits=security_bits, hiding=True, proofs=16)


@pytest.mark.parametrize("security_bits", [100, 128])
@pytest.mark.parametrize("case", CASES)
def test_it_has_the_sizes_of_the_key_and_its_level(case: str, security_bits: int) -> None:
    schedule = key(case, security_bits)
    certificate = certificate_schedule(schedule, SHAPE)
    require_certificate(schedule, certificate, SHAPE)
    assert total_bits(error_terms(certificate, SHAPE)) >= security_bits == certificate.security_bits
    old, new, witness = certificate.initial.matrices
    assert (old.matrix, new.matrix, witness.matrix) == ("anchor", "weights", "witness")
    assert new == schedule.initial.matrices[0]
    assert replace(old, matrix="weights") == new
    assert witness.log_group == schedule.initial.witness_log_group
    assert certificate.initial.log_rows == schedule.initial.log_rows
    assert certificate.initial.log_inverse_rate == schedule.initial.log_inverse_rate
    assert certificate.initial.queries <= schedule.initial.queries
    assert certificate == certificate_schedule(schedule, SHAPE)


@pytest.mark.parametrize("case", CASES)
def test_its_witness_has_the_fewest_columns_that_hide(case: str) -> None:
    initial = certificate_schedule(key(case), SHAPE).initial
    assert initial.witness_columns == max(5, initial.column_rounds + 1) or initial.witness_columns > 5
    anchor, weights, witness = initial.matrices
    with pytest.raises(SecurityError):
        replace(initial, matrices=(anchor, weights, replace(witness, columns=witness.columns - 1)))


@pytest.mark.parametrize("case", CASES)
def test_a_tail_has_rows_for_its_proofs_and_certificates(case: str) -> None:
    initial = key(case).initial
    certificate = certificate_schedule(key(case), SHAPE).initial
    assert initial.proofs is not None
    shown = initial.proofs * initial.rows_of_proof + CERTIFICATES * certificate.rows_of_proof
    assert shown <= initial.matrices[0].tail - 10
    assert shown + initial.rows_of_proof > initial.matrices[0].tail - 10


@pytest.mark.parametrize(
    "change",
    [
        lambda s: replace(s, security_bits=128),
        lambda s: replace(s, initial=replace(s.initial, hiding=False, matrices=transparent(s))),
        lambda s: replace(s, initial=replace(s.initial, log_inverse_rate=s.initial.log_inverse_rate + 1)),
        lambda s: replace(s, initial=replace(s.initial, matrices=s.initial.matrices[1:])),
        lambda s: changed(s, 0, columns=1),
        lambda s: changed(s, 1, columns=1),
        lambda s: changed(s, 2, columns=1),
        lambda s: changed(s, 0, log_group=1),
        lambda s: changed(s, 1, log_group=1),
        lambda s: changed(s, 2, log_group=1),
    ],
)
def test_other_sizes_are_refused(change: Callable[[Schedule], Schedule]) -> None:
    certificate = certificate_schedule(key("dense"), SHAPE)
    with pytest.raises(SecurityError, match="other sizes"):
        require_certificate(key("dense"), change(certificate), SHAPE)


def test_other_tails_are_refused() -> None:
    certificate = certificate_schedule(key(), SHAPE)
    step = 1 << certificate.initial.log_rows - 4
    for index in (0, 1):
        other = changed(certificate, index, tail=-step, columns=0)
        with pytest.raises(SecurityError, match="other sizes"):
            require_certificate(key(), other, SHAPE)


def test_more_queries_than_a_proof_are_refused() -> None:
    certificate = certificate_schedule(key(), SHAPE)
    initial = replace(certificate.initial, queries=key().initial.queries + 1)
    with pytest.raises(SecurityError, match="sets rows of"):
        require_certificate(key(), replace(certificate, initial=initial), SHAPE)


def test_fewer_queries_than_the_level_needs_are_refused() -> None:
    certificate = certificate_schedule(key(), SHAPE)
    initial = replace(certificate.initial, queries=certificate.initial.queries - 2)
    with pytest.raises(SecurityError, match="are required"):
        require_certificate(key(), replace(certificate, initial=initial), SHAPE)


def test_later_rounds_may_have_more_queries() -> None:
    certificate = certificate_schedule(key("dense"), SHAPE)
    rounds = tuple(replace(code, queries=code.queries + 7) for code in certificate.rounds)
    longer = replace(certificate, rounds=rounds)
    require_certificate(key("dense"), longer, SHAPE)
    assert most_bytes(longer, SHAPE) <= most_certificate_bytes(key("dense"), SHAPE)


def test_a_key_has_as_many_queries_as_its_certificates_need() -> None:
    """Here with 53 the key has 100 bits, and its certificates, of ten random rows more, have not."""
    shape = mlp_shape(1, 7)
    schedule = choose(34_872, 20_806, shape, hiding=True, proofs=1, objective="fast")
    require_certificate(schedule, certificate_schedule(schedule, SHAPE), SHAPE)
    short = replace(schedule, initial=replace(schedule.initial, queries=schedule.initial.queries - 1))
    assert total_bits(error_terms(short, shape)) >= 100
    with pytest.raises(SecurityError, match="are required"):
        certificate_schedule(short, SHAPE)


def transparent(schedule: Schedule) -> tuple[object, ...]:
    return tuple(replace(matrix, tail=0) for matrix in schedule.initial.matrices)


def changed(schedule: Schedule, index: int, **more: int) -> Schedule:
    """The schedule with one matrix of so much more."""
    matrices = list(schedule.initial.matrices)
    old = matrices[index]
    matrices[index] = replace(old, **{name: getattr(old, name) + step for name, step in more.items()})
    return replace(schedule, initial=replace(schedule.initial, matrices=tuple(matrices)))
