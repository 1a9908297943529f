"""Proofs and keys that are too long, or cost too much, are refused before they are looked at."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgpack
import numpy as np
import pytest
from msgspec.structs import astuple

from deepprove_dist import proving
from deepprove_dist.canonical import encode
from deepprove_dist.errors import FormatError, InputError, ModelError, VerificationError
from deepprove_dist.model.integer_model import IntegerModel
from deepprove_dist.model.lower import lower
from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.key.work import EXPLICIT_WEIGHT, MAX_WORK
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import MAX_CONTEXT, MAX_ROUNDS, MAX_TREES, ProofContent
from deepprove_dist.protocol.parameters import most_bytes
from deepprove_dist.protocol.parameters.cost import most_opening_bytes
from deepprove_dist.protocol.system.check import MAX_PUBLIC
from deepprove_dist.protocol.system.check_expressions import MAX_STEP
from deepprove_dist.protocol.system.names import MAX_LENGTH, as_name, is_name
from deepprove_dist.prover import Prover, prove
from deepprove_dist.verifier import load_verifying_key, read_proof, verify
from tests.attacks.effort import bounded_effort
from tests.attacks.key_content import Content, changed, put_at
from tests.attacks.models import check, convolutional, images, inputs, make_key, model
from tests.attacks.plain_pieces import packed
from tests.attacks.test_malicious_keys import ONE, append, every, matrices
from tests.records import replace

TRANSPARENT = pytest.mark.parametrize("hiding", [False], indirect=True)
"""A hiding proof may carry certificates, whose lengths are bounded one by one."""

FEW_STEPS = 1 << 15
"""Lines of Python for a refusal without a look at the content."""

ESCAPE = "\x1b[2J\x1b[Hvalid (1.91 ms)\n"


def altered(proof: ProofContent, change: Callable[[Content], None]) -> bytes:
    content = msgpack.unpackb(proof_file.dump(proof))
    change(content)
    return encode(content)


# Records as in `proof`: opening is [columns, rounds, final, final rounds, leaves].
# A statement is [key digest, epoch, batch, inputs, outputs, context].
LISTS: dict[str, tuple[int, Callable[[Content, int], None]]] = {
    "leaves": (MAX_TREES, lambda c, n: c["opening"].__setitem__(4, [[b"", b""]] * n)),
    "rounds": (
        MAX_ROUNDS,
        lambda c, n: c["opening"].__setitem__(1, [[bytes(32), bytes(20), b""]] * n),
    ),
    "inputs": (MAX_PUBLIC, lambda c, n: c["statement"].__setitem__(3, [b""] * n)),
    "outputs": (MAX_PUBLIC, lambda c, n: c["statement"].__setitem__(4, [b""] * n)),
    "context": (MAX_CONTEXT, lambda c, n: c["statement"].__setitem__(5, bytes(n))),
}


@pytest.mark.parametrize("name", LISTS)
def test_a_proof_has_no_more_parts_than_can_be_right(proof: ProofContent, name: str) -> None:
    most, put = LISTS[name]
    proof_file.load(altered(proof, lambda content: put(content, most)))
    with bounded_effort(FEW_STEPS), pytest.raises(FormatError, match=f"length <= {most} - at"):
        proof_file.load(altered(proof, lambda content: put(content, most + 1)))


@TRANSPARENT
@pytest.mark.parametrize("name", LISTS)
def test_a_long_proof_is_not_read(key: Prover, proof: ProofContent, name: str) -> None:
    put = LISTS[name][1]
    data = altered(proof, lambda content: put(content, 500_000))
    with bounded_effort(FEW_STEPS), pytest.raises(VerificationError, match="length: "):
        verify(key.verifying, data)


@TRANSPARENT
def test_the_longest_proof_is_the_first_check(key: Prover) -> None:
    most = key.verifying.max_proof_bytes(key.verifying.max_batch)
    with pytest.raises(FormatError):
        verify(key.verifying, bytes(most))
    with (
        patch("deepprove_dist.protocol.messages.proof.decode_file") as decode,
        pytest.raises(VerificationError),
    ):
        verify(key.verifying, bytes(most + 1))
    decode.assert_not_called()


@TRANSPARENT
def test_a_long_file_is_not_read_whole(key: Prover, tmp_path: Path) -> None:
    most, path = key.verifying.max_proof_bytes(key.verifying.max_batch), tmp_path / "proof"
    for size in (most, most + 1, most + 1000):
        path.write_bytes(bytes(size))
        assert len(read_proof(key.verifying, path)) == min(size, most + 1)
    path.write_bytes(bytes(4 * key_file.MAX_BYTES))
    with pytest.raises(FormatError, match=f"{key_file.MAX_BYTES} bytes, not {key_file.MAX_BYTES + 1}"):
        load_verifying_key(path)


@pytest.mark.parametrize("weights", ["committed", "public"])
@pytest.mark.parametrize("folds", [True, False])
@pytest.mark.parametrize(("network", "sample"), [(model, inputs), (convolutional, images)])
def test_the_bound_is_above_every_proof_and_close(
    weights: Any, folds: bool, network: Callable[[], IntegerModel], sample: Any
) -> None:
    key = make_key(network(), folds=folds, weights=weights)
    for samples in (1, key.verifying.max_batch):
        longest = prove(key, key.runner.run(sample(samples)), samples, bytes(MAX_CONTEXT))
        most = key.verifying.max_proof_bytes(samples)
        assert len(longest) <= most < 1.5 * len(longest)
        check(key, proof_file.load(longest))


def test_all_but_opened_leaves_has_the_length_that_the_bound_counts(key: Prover, proof: ProofContent) -> None:
    schedule, shape, opening = key.verifying.schedule, key.verifying.shape, proof.opening
    code = schedule.initial
    opened = sum(
        most_opening_bytes(code.log_length - group, 4 * columns << group, code.queries)
        for columns, group in code.trees
    )
    opened += sum(most_opening_bytes(c.log_length, 20 << c.log_columns, c.queries) for c in schedule.rounds)
    sent = [*astuple(proof.witness), *astuple(proof.relations), proof.fractions]
    sent += [opening.columns, opening.final, opening.final_rounds]
    sent += [value for item in opening.rounds for value in astuple(item)]
    sent += [*astuple(proof.products), *(astuple(proof.mask) if proof.mask else ())]
    assert most_bytes(schedule, shape) - opened == sum(len(bytes(value)) for value in sent)


def test_a_context_too_long_is_refused_when_it_is_given(key: Prover) -> None:
    with pytest.raises(InputError, match="bind it to a digest instead"):
        prove(key, key.runner.run(inputs()), 1, bytes(MAX_CONTEXT + 1))
    with patch.object(key.runner, "run") as run, pytest.raises(InputError, match="bind it to a digest"):
        proving.prove(key, {"x": np.zeros((1, 4))}, context=bytes(MAX_CONTEXT + 1))
    run.assert_not_called()


def long_map(positions: int, taps: int = 1) -> Callable[[Content], None]:
    """A relation with a map of an axis of many positions, none of which counts."""
    axes = [0, [[1], 0, 0, 0, 0, taps, 0, []]]
    return append("relations", ["free", [[0, positions], [[1, 0, axes]], []], [], 0, 0])


def relations(count: int, axes: int) -> Callable[[Content], None]:
    return append("relations", *[["", [[1] * axes, [], []], [], 0, 0]] * count)


LONG_AXIS = MAX_WORK // (EXPLICIT_WEIGHT + 1)
"""Positions of an axis under a map, each with a weight and one tap."""

MOST_PIECES = packed((2, 1, 1), (2, 1, -1)) * ((key_file.MAX_BYTES - (1 << 16)) // 6)
"""Nearly as many as a key can hold, each of two values."""

LONG: dict[str, tuple[Callable[[Content], None], str]] = {
    "a map over a long axis": (long_map(int(15.9 * 2**20)), "take too long"),
    "a map over an axis that is just too long": (long_map(LONG_AXIS), "take too long"),
    "a map of many taps at no position": (long_map(64, taps=MAX_STEP), "take too long"),
    "relations of many axes": (relations(60_000, 16), "at most"),
    "empty relations": (relations(60_000, 0), "at most"),
    "constants": (put_at("relations", 0, 1, 2)([[0, []]] * 40_000), "at most"),
    "numbers": (put_at("tensors", 0, 1)([1] * (key_file.MAX_ITEMS + 1)), "at most"),
    "a long final vector": (
        every(
            put_at("schedule")([[16, 4, 1024, matrices(1, 1), False], [], 100]),
            append("tensors", ["large", [0, 60_000], "witness"]),
            append("inputs", ["large", 13, [60_000], 0, 7, ONE]),
            put_at("max_batch")(1),
        ),
        "take too long",
    ),
    "empty lists": (put_at("tensors", 0, 1)([[]] * (key_file.MAX_BYTES - (1 << 16))), "at most"),
    "pieces": (put_at("tables", 2, 2, 1)(MOST_PIECES), "different domains"),
    "relations of many axes, as many as can be read": (relations(10_000, 16), "take too long"),
    "terms on a tensor of many blocks": (
        every(
            append("tensors", ["large", [0, *[3] * 16], "witness"]),
            append("inputs", ["large", 13, [3] * 16, 0, 7, ONE]),
            append("relations", ["", [[0, *[3] * 16], [[0, 13, [*range(17)]]] * 250, []], [], 0, 0]),
        ),
        "invalid index space",
    ),
    "a tensor of many blocks": (
        every(
            append("tensors", ["large", [0, *[3] * 15], "witness"]),
            append("inputs", ["large", 13, [3] * 15, 0, 7, ONE]),
        ),
        "intervals",
    ),
    "bytes": (put_at("tensors", 0, 0)("x" * key_file.MAX_BYTES), "bytes"),
}


@pytest.mark.parametrize("name", LONG)
def test_a_key_that_would_take_long_is_refused(key: Prover, name: str) -> None:
    change, reason = LONG[name]
    data = changed(key.verifying, change)
    with bounded_effort(held=64 << 20), pytest.raises(FormatError, match=reason):
        key_file.load(data)


LARGEST = {
    "relations": relations(9_000, 0),
    "terms": append("relations", ["", [[0, 4], [[0, 0, [0, 1]]] * 32_000, []], [], 0, 0]),
    "map": long_map(LONG_AXIS - (1 << 12)),
}


@pytest.mark.parametrize("name", LARGEST)
def test_the_most_that_is_allowed_does_not_take_long(key: Prover, proof: ProofContent, name: str) -> None:
    """Neither to read, nor for a proof that fails late."""
    data = changed(key.verifying, LARGEST[name])
    with bounded_effort():
        large = key_file.load(data)
    statement = replace(proof.statement, key_digest=large.digest)
    bogus = proof_file.dump(replace(proof, statement=statement))
    with bounded_effort(), pytest.raises(VerificationError, match=r"sumcheck|Merkle"):
        verify(large, bogus)


def test_a_key_that_cannot_be_read_is_not_written(key: Prover) -> None:
    verifying = key.verifying
    relation = verifying.system.relations[0]
    many = replace(verifying, system=replace(verifying.system, relations=(relation,) * 4_000))
    with pytest.raises(FormatError, match="a key has at most"):
        key_file.dump(many)


NAMES = {
    "an escape": ESCAPE,
    "an end of line": "a\nb",
    "a terminal's command": "\x9b2J",
    "another direction": "abc\u202e",
    "too long": "x" * (MAX_LENGTH + 1),
}
WHERE = {"tensor": ("tensors", 0, 0), "input": ("inputs", 0, 0), "relation": ("relations", 0, 0)}


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_commands_a_terminal_is_refused(key: Prover, where: str, name: str) -> None:
    """Also where something else is wrong after it, and the message would quote the name."""
    change = put_at(*WHERE[where])(NAMES[name])
    for changes in ([change], [change, put_at("relations", 0, 3)(5), put_at("relations", 0, 4)(-5)]):
        with pytest.raises(FormatError, match="printable") as caught:
            key_file.load(changed(key.verifying, every(*changes)))
        assert is_name(str(caught.value))


def test_an_unknown_matrix_is_quoted_as_it_can_be_printed(key: Prover) -> None:
    with pytest.raises(FormatError) as caught:
        key_file.load(changed(key.verifying, put_at("tensors", 0, 2)(ESCAPE)))
    assert is_name(str(caught.value))


def test_the_longest_name_is_read(key: Prover) -> None:
    name = "é" * MAX_LENGTH
    assert key_file.load(changed(key.verifying, put_at("inputs", 0, 0)(name))).inputs[0].name == name


def test_a_model_of_other_names_has_a_key_that_can_be_read() -> None:
    """Names inside are for messages; those of inputs and outputs are what callers say."""
    network = model()
    nodes = tuple(
        replace(node, name=ESCAPE + node.name, output=node.output if node.output == "y" else ESCAPE * 40)
        if node.operator == "dense"
        else replace(node, name=ESCAPE, inputs=(ESCAPE * 40,))
        for node in network.nodes
    )
    key = make_key(replace(network, nodes=nodes)).verifying
    assert key_file.load(key_file.dump(key)).digest == key.digest
    assert {relation.name for relation in key.system.relations} == {as_name(ESCAPE), "y"}
    inputs = (replace(network.inputs[0], name=ESCAPE),)
    first = replace(network.nodes[0], inputs=(ESCAPE, "w1", "b1"))
    with pytest.raises(ModelError, match="rename it in the model") as caught:
        lower(replace(network, inputs=inputs, nodes=(first, *network.nodes[1:])))
    assert is_name(str(caught.value))
