"""docs/protocol.md lists the messages of a proof: their labels, senders, sizes, order and files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from deepprove_dist.protocol.key import key_file
from deepprove_dist.protocol.messages import proof as proof_file
from deepprove_dist.protocol.messages.proof import ProofContent
from deepprove_dist.prover import Prover
from tests.attacks.models import honest_attempt, make_key, prove_fast
from tests.attacks.plain_transcript import Message
from tests.attacks.replay import EXTENSION, Replay
from tests.lowering.rearranged import NETWORKS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "protocol.md"
COLUMNS = 7
UNITS = {"byte": 1, "bytes": 1, "element": EXTENSION, "elements": EXTENSION}


@dataclass(frozen=True)
class Row:
    """One row of the table; `loops` are what it is repeated for, from the outermost."""

    number: int
    labels: tuple[str, ...]
    loops: tuple[str, ...]
    sender: str
    size: str
    files: tuple[str, str]

    @property
    def is_hiding(self) -> bool:
        """Whether only hiding proofs have it."""
        return any("hiding proof" in loop for loop in self.loops)

    @property
    def pattern(self) -> str:
        """One message of this row."""
        return "(?:" + "|".join(f"<{label}>" for label in self.labels) + ")"


def rows() -> list[Row]:
    """The table."""
    cells = [
        [cell.strip() for cell in line.strip("|\n").split("|")]
        for line in PAGE.read_text().splitlines()
        if line.startswith("| `")
    ]
    assert all(len(row) == COLUMNS for row in cells)
    return [
        Row(
            number,
            tuple(re.findall("`([^`]+)`", labels)),
            tuple(part.strip() for part in loops.split("/") if part.strip()),
            sender,
            size,
            (prove.strip("`"), verify.strip("`")),
        )
        for number, (labels, loops, sender, size, _, prove, verify) in enumerate(cells)
    ]


ROWS = rows()


def pattern(table: Sequence[Row], depth: int = 0) -> str:
    """The regular expression of all transcripts that a table allows: each loop as often as it likes."""
    result = ""
    for loop, group in groupby(table, lambda row: row.loops[depth : depth + 1]):
        part = list(group)
        result += f"(?:{pattern(part, depth + 1)})*" if loop else "".join(row.pattern for row in part)
    return result


def labels(messages: Sequence[Message]) -> str:
    return "".join(f"<{message.label}>" for message in messages)


@pytest.fixture(scope="module")
def messages(key: Prover, proof: ProofContent) -> list[Message]:
    """All messages of a proof with contractions, lookups and two folded codes."""
    replay = Replay.of(key_file.dump(key.verifying), proof_file.dump(proof))
    return replay.transcript.messages


def test_the_table_has_the_order_of_a_proof(messages: list[Message]) -> None:
    assert re.fullmatch(pattern(ROWS), labels(messages))
    # No message may be left out, nor trade its place with the next one.
    top = [number for number, message in enumerate(messages) if message.label in ("witness/answer", "key")]
    for number in top:
        without = [*messages[:number], *messages[number + 1 :]]
        swapped = [*messages[:number], messages[number + 1], messages[number], *messages[number + 2 :]]
        assert not re.fullmatch(pattern(ROWS), labels(without))
        assert not re.fullmatch(pattern(ROWS), labels(swapped))


def test_a_proof_has_every_label_of_the_table(messages: list[Message]) -> None:
    listed = {label for row in ROWS for label in row.labels}
    sent = {message.label for message in messages}
    # Every relation of this network has products.
    hiding = {label for row in ROWS if row.is_hiding for label in row.labels}
    absent = set() if "mask/omega" in sent else hiding - {"sumcheck/round", "sumcheck/challenge"}
    assert listed - sent == {"linear/point"} | absent
    assert sent <= listed


def test_the_table_holds_for_relations_without_products() -> None:
    key = make_key(NETWORKS["accumulators without common axes"]())
    (tensor,) = key.model.inputs
    x = np.random.default_rng(0).integers(tensor.lo, tensor.hi + 1, (1, *tensor.shape))
    proof = prove_fast(key, honest_attempt(key, {tensor.name: x}))
    replay = Replay.of(key_file.dump(key.verifying), proof_file.dump(proof))
    assert re.fullmatch(pattern(ROWS), labels(replay.transcript.messages))
    assert any(message.label == "linear/point" for message in replay.transcript.messages)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.labels[0]}")
def test_senders_and_fixed_sizes(row: Row, messages: list[Message]) -> None:
    of_row = [message for message in messages if message.label in row.labels]
    transparent = all(message.label != "mask/omega" for message in messages)
    if transparent and row.is_hiding:
        assert not of_row or row.labels[0].startswith("sumcheck/")
        return
    assert of_row
    assert row.sender in ("statement", "prover", "verifier")
    assert all(message.drawn == (row.sender == "verifier") for message in of_row)
    fixed = re.fullmatch(r"(\d+) (bytes?|elements?)", row.size)
    if fixed:
        size = int(fixed[1]) if row.sender == "verifier" else int(fixed[1]) * UNITS[fixed[2]]
        assert any(message.size == size for message in of_row)
        alike = [other for other in ROWS if other.labels == row.labels and other.size != row.size]
        assert alike or all(message.size == size for message in of_row)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number} {row.labels[0]}")
def test_both_files_have_the_label(row: Row) -> None:
    for name in row.files:
        path = ROOT / name if name.startswith("kernels/") else ROOT / "deepprove_dist" / "protocol" / name
        text = path.read_text().replace('f"public/{direction}"', '"public/input" "public/output"')
        assert all(f'"{label}"' in text for label in row.labels), path
