"""Known breaks of Fiat-Shamir: every value that is not absorbed before the next challenge is a free choice.

The reference prover makes the real prover's bytes and the verifier takes them, so all three draw from one
transcript: what moves its challenges is absorbed by the verifier too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest

from deepprove_dist.arrays import IntArray
from deepprove_dist.kernels import Commitment, Extension
from deepprove_dist.protocol.key.weights import out_of_domain_point
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import StatementBytes
from deepprove_dist.protocol.messages.statement import start_transcript
from deepprove_dist.prover import Prover
from tests.attacks.arithmetic import Values
from tests.attacks.fields import flip
from tests.attacks.models import honest_attempt, images, inputs
from tests.attacks.reference_prover import Attempt, ReferenceProver
from tests.records import replace

ROOTS_AND_VALUES = {
    "witness/root", "witness/answer", "contraction/sums", "sumcheck/round", "sumcheck/finals",
    "fraction/children", "fraction/round", "opening/root", "opening/answer", "opening/final",
}  # fmt: skip
OF_HIDING = {"products/finals", "mask/value", "mask/sigma", "opening/tail"}


class AlterOne(ReferenceProver):
    """Changes the n-th value that is sent, an element or a root, and goes on."""

    def __init__(self, key: Prover, attempt: Attempt, number: int) -> None:
        super().__init__(key, attempt)
        self.number, self.sent, self.position = number, list[str](), -1

    def alter(self, label: str, values: Values) -> Values:
        return [value + 1 if self._is_next(label) else value for value in values]

    def show(self, label: str, tree: Commitment) -> bytes:
        return flip(tree.root, 0) if self._is_next(label) else tree.root

    def _is_next(self, label: str) -> bool:
        self.sent.append(label)
        if len(self.sent) - 1 != self.number:
            return False
        self.position = len(self.recorder.events)
        return True


MOST_OF_ONE = 12
"""Messages of one label that are altered: the first, the last, and some between. One line sends them all."""


def some_of_each(sent: Sequence[str], altered: set[str]) -> Iterator[tuple[int, str]]:
    """Numbers of messages with these labels."""
    for label in sorted(altered):
        numbers = [number for number, other in enumerate(sent) if other == label]
        count = min(MOST_OF_ONE, len(numbers))
        yield from ((numbers[int(at)], label) for at in np.linspace(0, len(numbers) - 1, count))


RELATIONS = {"contraction/sums", "sumcheck/round", "sumcheck/finals"}


@pytest.mark.parametrize(
    ("kind", "values", "altered"),
    [
        ("key", inputs(1), ROOTS_AND_VALUES),
        ("flat_key", inputs(3), ROOTS_AND_VALUES),
        ("image_key", images(1), RELATIONS),
    ],
)
def test_unabsorbed_commitments_and_evaluations_each_sent_value_moves_all_later_challenges(
    request: pytest.FixtureRequest,
    hiding: bool,
    kind: str,
    values: dict[str, IntArray],
    altered: set[str],
) -> None:
    key = request.getfixturevalue(kind)
    attempt = honest_attempt(key, values)
    honest = AlterOne(key, attempt, -1)
    honest.prove()
    labels = ROOTS_AND_VALUES | OF_HIDING if hiding else ROOTS_AND_VALUES
    assert labels - set(honest.sent) <= {"opening/root", "opening/answer"}
    assert set(honest.sent) <= labels
    if hiding and altered != RELATIONS:
        altered = altered | OF_HIDING
    for number, label in some_of_each(honest.sent, altered):
        prover = AlterOne(key, attempt, number)
        prover.prove()
        assert prover.position >= 0, label
        before, after = prover.recorder.events[: prover.position], prover.recorder.events[prover.position :]
        assert before == honest.recorder.events[: prover.position], label
        drawn = zip(after, honest.recorder.events[prover.position :], strict=True)
        pairs = [(first, other) for first, other in drawn if first[1] is not None]
        assert pairs, label
        # Points of no coordinates draw nothing.
        assert all(first != other for first, other in pairs if first[1] != b""), label


def first_challenge(statement: StatementBytes, security: bytes) -> Extension:
    return start_transcript(security, statement).challenge("first")


def test_unabsorbed_public_input_every_part_of_the_statement_moves_the_first_challenge(
    key: Prover, attempt: Attempt
) -> None:
    statement, security = attempt.statement, key.verifying.security
    others = [
        replace(statement, key_digest=flip(statement.key_digest, 31)),
        replace(statement, batch=statement.batch + 1),
        *(
            replace(statement, inputs=(flip(statement.inputs[0], i),))
            for i in range(len(statement.inputs[0]))
        ),
        *(
            replace(statement, outputs=(flip(statement.outputs[0], i),))
            for i in range(len(statement.outputs[0]))
        ),
        replace(statement, context=statement.context + b"\0"),
        replace(statement, context=b""),
        # The same bytes, cut elsewhere.
        replace(statement, inputs=(statement.inputs[0][:-1], statement.inputs[0][-1:])),
        replace(statement, inputs=(), outputs=statement.inputs + statement.outputs),
        replace(statement, inputs=statement.inputs + statement.outputs, outputs=()),
    ]
    drawn = [bytes(first_challenge(other, security)) for other in (statement, *others)]
    drawn.append(bytes(first_challenge(statement, security + b"\0")))
    assert len(set(drawn)) == len(drawn)


def test_out_of_domain_point_of_the_weights_depends_on_root_and_parameters() -> None:
    points = [out_of_domain_point(security, root) for security in (b"a", b"b") for root in (b"c", b"d")]
    assert len({bytes(point) for point in points}) == 4


def test_point_from_the_proof_a_proof_holds_none(key: Prover, attempt: Attempt) -> None:
    """No challenge that was drawn stands anywhere in what was sent."""
    prover = ReferenceProver(key, attempt)
    data = proof_file.dump(prover.prove())
    drawn = [data for label, data in prover.recorder.events if data is not None and "queries" not in label]
    points = [chunk[i : i + 20] for chunk in drawn for i in range(0, len(chunk), 20)]
    assert len(points) > 50
    assert not any(point in data for point in points)
