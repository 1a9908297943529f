"""Random changes of proof and key files: nothing but this package's errors comes out, and soon."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepprove_dist.arrays import Shape
from deepprove_dist.canonical import encode
from deepprove_dist.errors import DeepProveError
from deepprove_dist.field import MODULUS
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.key import KeyContent
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent, StatementBytes
from deepprove_dist.protocol.messages.public_integers import decode_tensor
from deepprove_dist.protocol.system.index_map import positions
from deepprove_dist.protocol.system.scale import Scale
from deepprove_dist.protocol.system.system import Affine, Product, System
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.models import honest_attempt, inputs, prove_fast
from tests.attacks.mutation import mutate_bytes, mutate_value
from tests.attacks.reference_expressions import Index, constant_at, met
from tests.attacks.reference_prover import Attempt
from tests.protocol.naive import map_matrix
from tests.records import replace

LONGEST_SECONDS = 10.0

JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def outcome(action: Callable[..., object], *arguments: object) -> str:
    """The error's name, or 'accepted'; fails for errors of other kinds, panics too, and for long work."""
    start = time.monotonic()
    try:
        action(*arguments)
    except DeepProveError as error:
        return type(error).__name__
    finally:
        assert time.monotonic() - start < LONGEST_SECONDS
    return "accepted"


def mutants(data: bytes, count: int, seed: int) -> Iterator[bytes]:
    """Half of them changed as bytes, half as values, the latter in canonical form again."""
    random = Random(seed)
    content = msgpack.unpackb(data)
    for number in range(count):
        changed = mutate_bytes(data, random) if number % 2 else encode(mutate_value(content, random))
        if changed != data:
            yield changed


def meaning(key: KeyContent) -> tuple[object, ...]:
    """What a key says of the integers, without names, units, bounds and the order of sums.

    Where a range begins is a bound too, though some encodings of inputs count from there: see `integers`.
    """
    system = key.system.for_batch(1)
    tensors = [replace(tensor, name="") for tensor in system.tensors]
    public = [
        [replace(public, name="", shape=(), lo=0, hi=0, scale=Scale.of(1.0)) for public in group]
        for group in (system.inputs, system.outputs)
    ]
    relations = [
        (_linear(system, r.affine), [_product(system, p, r.affine.space) for p in r.products])
        for r in system.relations
    ]
    lookups = [
        (lookup.table, [_linear(system, column) for column in lookup.columns]) for lookup in system.lookups
    ]
    return tensors, public, system.tables, relations, lookups


def integers(key: KeyContent, statement: StatementBytes) -> list[list[int]]:
    """All that a key makes of a statement's bytes."""
    system = key.system
    publics, data = (*system.inputs, *system.outputs), (*statement.inputs, *statement.outputs)
    pairs = zip(publics, data, strict=True)
    return [decode_tensor(public, statement.batch, encoding).flat for public, encoding in pairs]


def _linear(system: System, affine: Affine) -> dict[Index, tuple[int, dict[tuple[int, Index], int]]]:
    """The constant and the coefficients at each place."""
    result = {}
    for position in np.ndindex(*affine.space):
        coefficients: Counter[tuple[int, Index]] = Counter()
        for term in affine.terms:
            for coefficient, index in met(term, system.tensors[term.tensor].shape, affine.space, position):
                coefficients[term.tensor, index] += coefficient
        nonzero = {source: c % MODULUS for source, c in coefficients.items() if c % MODULUS}
        result[position] = constant_at(affine, position) % MODULUS, nonzero
    return result


def _product(system: System, product: Product, space: Shape) -> tuple[object, ...]:
    """Factors, and which positions, taps and indices each map lets meet, with which factor."""
    taps = []
    for axis_taps in product.taps:
        size = product.contracted[axis_taps.contracted]
        met = map_matrix(axis_taps.map, size, positions(space, axis_taps.map)) % MODULUS
        taps.append((axis_taps.map.axes, axis_taps.contracted, met.shape, met.tobytes()))
    factors = [(_linear(system, f.value), f.axes) for f in (product.left, product.right)]
    return product.coefficient % MODULUS, product.contracted, taps, factors


@pytest.mark.parametrize("kind", ["key", "flat_key"])
def test_mutated_proofs_are_rejected(request: pytest.FixtureRequest, hiding: bool, kind: str) -> None:
    key: Prover = request.getfixturevalue(kind)
    data = proof_file.dump(prove_fast(key, honest_attempt(key, inputs(2), b"context")))
    assert outcome(verify, key.verifying, data) == "accepted"
    outcomes = Counter(outcome(verify, key.verifying, mutant) for mutant in mutants(data, 3000, 1))
    assert outcomes.keys() == {"FormatError", "VerificationError"}
    assert min(outcomes.values()) > 200


@pytest.mark.parametrize("kind", ["", "image_"])
def test_mutated_keys_are_refused_or_take_no_proof_of_another(
    request: pytest.FixtureRequest, hiding: bool, kind: str
) -> None:
    """A key that reads well is tried on a proof of the true one that claims to be for it."""
    key: Prover = request.getfixturevalue(f"{kind}key")
    attempt: Attempt = request.getfixturevalue(f"{kind}attempt")
    data = key_file.dump(key.verifying)
    assert outcome(key_file.load, data) == "accepted"
    outcomes: Counter[str] = Counter()
    for mutant in mutants(data, 1500, 2):
        result = outcome(key_file.load, mutant)
        outcomes[result] += 1
        if result == "accepted":
            other = key_file.load(mutant)
            statement = replace(attempt.statement, key_digest=other.digest)
            claimed = proof_file.dump(prove_fast(key, replace(attempt, statement=statement)))
            if outcome(verify, other, claimed) == "accepted":
                assert meaning(other) == meaning(key.verifying)
                assert integers(other, statement) == integers(key.verifying, statement)
    assert outcomes.keys() <= {"FormatError", "SecurityError", "accepted"}
    assert outcomes["accepted"] > 40


@settings(max_examples=150)
@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert outcome(proof_file.load, data) == "FormatError"
    assert outcome(key_file.load, data) == "FormatError"


@settings(max_examples=150)
@given(JSON_LIKE)
def test_any_values_in_place_of_any_part(key: Prover, proof: ProofContent, value: Any) -> None:
    """A key may read well without relations, say; nothing crashes."""
    for file, load in (
        (proof_file.dump(proof), proof_file.load),
        (key_file.dump(key.verifying), key_file.load),
    ):
        content = msgpack.unpackb(file)
        for part in content:
            outcome(load, encode({**content, part: value}))


@pytest.mark.parametrize("header", [b"\xdd", b"\xdf", b"\xc6", b"\xdb"])
def test_files_that_announce_more_than_they_hold(header: bytes) -> None:
    """Nested lists and maps of 2^32 - 1 elements."""
    for data in (header + b"\xff" * 4, (header + (10**6).to_bytes(4, "big")) * 1000 + bytes(10**6)):
        assert outcome(proof_file.load, data) == "FormatError"
        assert outcome(key_file.load, data) == "FormatError"


def test_deep_nesting_is_refused() -> None:
    for depth in (500, 1023, 10**5):
        assert outcome(proof_file.load, b"\x91" * depth + b"\x90") == "FormatError"
