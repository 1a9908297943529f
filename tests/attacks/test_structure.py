"""Proofs of another form: truncated, padded, reordered, repeated, or not in the one encoding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgpack
import pytest

from deepprove_dist.canonical import encode
from deepprove_dist.checks import Check
from deepprove_dist.errors import FormatError, VerificationError
from deepprove_dist.field import MODULUS
from deepprove_dist.kernels import BaseVector, Extension, ExtensionVector
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import OpeningProof, ProofContent
from deepprove_dist.prover import Prover
from deepprove_dist.verifier import verify
from tests.attacks.expected import OF_PRODUCTS, OTHER_LEAVES
from tests.attacks.fields import ELEMENT_BYTES, name, parts, put
from tests.attacks.models import check
from tests.records import replace

EXPECTED = {
    "relations.sums": {Check.RELATION_SUMS},
    "relations.rounds": {Check.SUMCHECK_MISSING_ROUND, Check.SUMCHECK_SURPLUS_ROUND},
    "relations.finals": {Check.SUMCHECK_FINALS},
    "fractions": {Check.FRACTION_LENGTH},
    "opening.columns": {Check.OPENING_ROUNDS},
    "opening.rounds.rounds": {Check.OPENING_ROUNDS},
    "opening.final": {Check.OPENING_FINAL_LENGTH},
    "opening.final_rounds": {Check.OPENING_ROUNDS},
    "opening.leaves.rows": {Check.MERKLE_ROWS},
    "products.rounds": {Check.SUMCHECK_MISSING_ROUND, Check.SUMCHECK_SURPLUS_ROUND},
    "products.finals": {Check.PRODUCTS_FINALS},
    "mask.tail": {Check.MASK_ROWS},
}


MERKLE = {
    Check.MERKLE_DIGESTS,
    Check.MERKLE_ROWS,
    Check.MERKLE_MISSING_NODE,
    Check.MERKLE_SURPLUS_NODE,
    Check.MERKLE_ROOT,
}


def resized(vector: BaseVector | ExtensionVector) -> Iterator[tuple[str, BaseVector | ExtensionVector]]:
    """A vector cut, emptied, and longer by a zero, by its last element and by itself."""
    data, step = bytes(vector), ELEMENT_BYTES[type(vector)]
    forms = {
        "cut": data[:-step],
        "cut in front": data[step:],
        "empty": b"",
        "a zero after": data + bytes(step),
        "the last again": data + data[-step:],
        "twice": data + data,
    }
    yield from ((form, type(vector).from_bytes(changed)) for form, changed in forms.items())


@pytest.mark.parametrize("kind", ["", "image_"])
def test_lists_zipped_without_lengths_every_vector_of_another_length_is_rejected(
    request: pytest.FixtureRequest, hiding: bool, kind: str
) -> None:
    key: Prover = request.getfixturevalue(f"{kind}key")
    proof: ProofContent = request.getfixturevalue(f"{kind}proof")
    seen = set()
    for path, value in parts(proof):
        if isinstance(value, BaseVector | ExtensionVector):
            seen.add(name(path))
            for form, changed in resized(value):
                if bytes(changed) == bytes(value):
                    # Nothing, cut or doubled, is the same.
                    continue
                with pytest.raises(VerificationError) as caught:
                    check(key, put(proof, path, changed))
                allowed = EXPECTED[name(path)] if hiding or "products" not in path else {Check.HIDING}
                assert caught.value.check in allowed, (path, form)
    assert seen == (EXPECTED.keys() if hiding else EXPECTED.keys() - {"mask.tail"})


OPENING: dict[str, Callable[[OpeningProof], dict[str, Any]]] = {
    "a round less": lambda o: {"rounds": o.rounds[:-1]},
    "no round": lambda o: {"rounds": ()},
    "a round again": lambda o: {"rounds": (*o.rounds, o.rounds[-1])},
    "a tree less": lambda o: {"leaves": o.leaves[:-1]},
    "no tree": lambda o: {"leaves": ()},
    "a tree again": lambda o: {"leaves": (*o.leaves, o.leaves[-1])},
    "a round and its tree less": lambda o: {"rounds": o.rounds[:-1], "leaves": o.leaves[:-1]},
    "a round and its tree more": lambda o: {
        "rounds": (*o.rounds, o.rounds[0]),
        "leaves": (*o.leaves, o.leaves[-1]),
    },
    "a tree for a round": lambda o: {"rounds": o.rounds[:-1], "leaves": (*o.leaves, o.leaves[-1])},
}


@pytest.mark.parametrize("form", OPENING)
def test_another_number_of_rounds_or_trees(key: Prover, proof: ProofContent, form: str) -> None:
    opening = replace(proof.opening, **OPENING[form](proof.opening))
    with pytest.raises(VerificationError, match="another number of rounds or trees") as caught:
        check(key, replace(proof, opening=opening))
    assert caught.value.check == Check.OPENING_COUNT


def test_reordered_trees_rounds_leaves_and_nodes(key: Prover, proof: ProofContent) -> None:
    opening = proof.opening
    first, second = opening.leaves[0], opening.leaves[1]
    width = key.verifying.schedule.initial.trees[0]
    row = 4 * (width[0] << width[1])
    rows = bytes(first.rows)
    assert rows[:row] != rows[row : 2 * row]
    turned_rows = BaseVector.from_bytes(rows[row : 2 * row] + rows[:row] + rows[2 * row :])
    nodes = first.nodes[32:64] + first.nodes[:32] + first.nodes[64:]
    others = opening.leaves[1:]
    forms = [
        replace(opening, leaves=(second, first, *opening.leaves[2:])),
        replace(opening, leaves=opening.leaves[::-1]),
        replace(opening, leaves=(first, first, *opening.leaves[2:])),
        replace(opening, rounds=opening.rounds[::-1]),
        replace(opening, rounds=(opening.rounds[0], opening.rounds[0])),
        replace(opening, leaves=(replace(first, rows=turned_rows), *others)),
        replace(opening, leaves=(replace(first, nodes=nodes), *others)),
        replace(opening, leaves=(replace(first, nodes=first.nodes[:-32]), *others)),
        replace(opening, leaves=(replace(first, nodes=first.nodes[:-1]), *others)),
        replace(opening, leaves=(replace(first, nodes=first.nodes + bytes(32)), *others)),
        replace(opening, leaves=(replace(first, nodes=b""), *others)),
    ]
    for form in forms:
        with pytest.raises(VerificationError) as caught:
            check(key, replace(proof, opening=form))
        assert caught.value.check in MERKLE


@pytest.mark.parametrize("more", [b"\0", b"\1", bytes(31), bytes(33)])
def test_bytes_after_the_last_whole_node(key: Prover, proof: ProofContent, more: bytes) -> None:
    """They would be a second encoding of the same proof."""
    for index, leaves in enumerate(proof.opening.leaves):
        longer = put(proof, ("opening", "leaves", index, "nodes"), leaves.nodes + more)
        with pytest.raises(VerificationError, match="the nodes are no whole digests"):
            check(key, longer)


def test_swapped_vectors(key: Prover, proof: ProofContent) -> None:
    """Parts of equal length trade places, the children of one layer for another's, say."""
    relations, fractions = proof.relations, proof.fractions
    tail = len(fractions) - 4
    forms = [
        replace(proof, relations=replace(relations, sums=relations.sums[::-1])),
        replace(proof, relations=replace(relations, finals=relations.finals[2:] + relations.finals[:2])),
        replace(proof, relations=replace(relations, finals=relations.finals[::-1])),
        replace(proof, fractions=fractions[tail:] + fractions[4:tail] + fractions[:4]),
        replace(proof, fractions=fractions[2:4] + fractions[:2] + fractions[4:]),
    ]
    for form in forms:
        with pytest.raises(VerificationError) as caught:
            check(key, form)
        assert caught.value.check in (OTHER_LEAVES if key.secret else OF_PRODUCTS)


def plain(proof: ProofContent) -> dict[str, Any]:
    result: dict[str, Any] = msgpack.unpackb(proof_file.dump(proof))
    return result


def require_format_error(key: Prover, data: bytes) -> None:
    with pytest.raises(FormatError):
        verify(key.verifying, data)


def test_field_elements_that_are_not_canonical(key: Prover, proof: ProofContent) -> None:
    """value + p, where it fits four bytes, and p itself."""
    written = proof_file.dump(proof)
    for path, value in parts(proof):
        if not isinstance(value, BaseVector | ExtensionVector | Extension):
            continue
        data = bytes(value)
        lowest = int.from_bytes(data[:4], "little")
        for wrong in {MODULUS, min(lowest + MODULUS, 2**32 - 1)}:
            encoded = wrong.to_bytes(4, "little") + data[4:]
            if lowest + MODULUS < 2**32 or wrong == MODULUS:
                assert data in written, path
                require_format_error(key, written.replace(data, encoded, 1))


def test_other_encodings_of_the_same_content(key: Prover, proof: ProofContent) -> None:
    data, content = proof_file.dump(proof), plain(proof)
    assert encode(content) == data
    verify(key.verifying, data)
    assert data[0] == 0x8A
    forms = {
        "a byte after": data + b"\0",
        "a byte in front": b"\0" + data,
        "twice": data + data,
        "nothing": b"",
        "a longer form of the map": b"\xde\0\x0a" + data[1:],
        "keys in another order": encode(dict(reversed(content.items()))),
        "a key more": encode({**content, "more": 0}),
        "a key less": encode({name: content[name] for name in list(content)[:-1]}),
        "a key twice": b"\x8b" + data[1:] + encode("opening") + encode(content["opening"]),
        "a list": encode(list(content.values())),
        "text for bytes": encode({**content, "fractions": "text"}),
        "a list for bytes": encode({**content, "fractions": [1, 2, 3]}),
        "a number for a list": encode({**content, "opening": 5}),
        "another version": encode({**content, "version": 1}),
        "version True": encode({**content, "version": True}),
        "version 5.0": encode({**content, "version": 5.0}),
        "another file": encode({**content, "format": "deepprove-dist verifying key"}),
        "a longer answer": encode({**content, "witness": [content["witness"][0], bytes(40)]}),
        "a shorter root": encode({**content, "witness": [bytes(31), content["witness"][1]]}),
        "a field less": encode({**content, "relations": content["relations"][:2]}),
        "a batch of text": encode({**content, "statement": [content["statement"][0], "1", [], [], b""]}),
    }
    for form, changed in forms.items():
        with pytest.raises(FormatError):
            verify(key.verifying, changed)
        assert changed != data, form


def test_truncated_at_every_byte(key: Prover, proof: ProofContent) -> None:
    data = proof_file.dump(proof)
    for end in {*range(400), *range(0, len(data), 37), *range(len(data) - 100, len(data))}:
        require_format_error(key, data[:end])
