"""The transcript of a whole proof, computed again from the bytes of a key and of a proof alone.

Of the package nothing is used but msgpack's encoding. `blake3` and `plain_transcript` hash. The counts of
rounds and coordinates are derived here from the key's shapes. So a change that prover and verifier share is
noticed: a value that is not absorbed, a label, another order, a challenge that is drawn in another way.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack

from tests.attacks.plain_merkle import climb, leaf_digests
from tests.attacks.plain_transcript import PlainTranscript

PROTOCOL = b"deepprove-dist 6: sumcheck, logup-GKR, WHIR over KoalaBear^5"
EXTENSION = 20
BATCH, FACTORS, FINALS = 0, 2, 4
MASK_COLUMNS = 5

# Records are lists in the order of `key_file` and `proof`:
# - schedules: [initial, rounds]
# - initial codes: [log_rows, log_inverse_rate, queries, matrices, hiding]
# - matrices: [name, columns, log_group, tail]
# - codes: [log_rows, log_columns, log_inverse_rate, queries]
# - relations: [name, expression, products, ...]
# - products: [coefficient, contracted, taps, left, right]
# - openings: [columns, rounds, final, final rounds, leaves]
# - masks: [value, product, tail]


@dataclass
class Replay:
    """A proof's transcript, and the query positions that it gives for each code."""

    key: dict[str, Any]
    proof: dict[str, Any]
    transcript: PlainTranscript
    positions: list[list[int]] = field(default_factory=list)

    @classmethod
    def of(cls, key_bytes: bytes, proof_bytes: bytes) -> Replay:
        """Runs through all of it."""
        key, proof = msgpack.unpackb(key_bytes), msgpack.unpackb(proof_bytes)
        replay = cls(key, proof, PlainTranscript(PROTOCOL))
        assert proof["statement"][0] == key_digest(key_bytes)
        replay._statement()
        replay._public()
        replay._relations()
        replay._lookups()
        replay._products()
        replay._opening()
        return replay

    def shape(self, sizes: Sequence[int]) -> list[int]:
        """Sizes with the number of samples put in."""
        return [self.proof["statement"][2] if size == BATCH else size for size in sizes]

    def _statement(self) -> None:
        digest, epoch, samples, inputs, outputs, context = self.proof["statement"]
        self.transcript.absorb("parameters", msgpack.packb(self.key["schedule"]))
        self.transcript.absorb("key", digest)
        if epoch is not None:
            number, root, answer = epoch
            self.transcript.absorb("epoch", number.to_bytes(8, "little") + root + answer)
        self.transcript.absorb("batch", samples.to_bytes(8, "little"))
        for label, tensors in (("input", inputs), ("output", outputs)):
            for data in tensors:
                self.transcript.absorb(label, data)
        self.transcript.absorb("context", context)

    def _public(self) -> None:
        root, answer = self.proof["witness"]
        self.transcript.absorb("witness/root", root)
        self.transcript.challenges("witness/out-of-domain", 1)
        self.transcript.absorb("witness/answer", answer)
        if self.hiding:
            # Ten for each column round, and 16, of zero and of each power of two.
            rows = 10 * self.column_rounds + 16
            self.transcript.challenges("mask/omega", (self.column_rounds + 1) * rows)
        for direction in ("input", "output"):
            for public in self.key[f"{direction}s"]:
                _, sizes, _ = self.key["tensors"][public[1]]
                self.transcript.challenges(f"public/{direction}", space_bits(self.shape(sizes)))

    def _relations(self) -> None:
        for _, (space, *_), products, *_ in self.key["relations"]:
            label = "contraction/point" if products else "linear/point"
            self.transcript.challenges(label, space_bits(self.shape(space)))
        sums, rounds, finals = self.proof["relations"]
        self.transcript.absorb("contraction/sums", sums)
        self.transcript.challenges("contraction/batching", 1)
        products = list(self._instances())
        count, start = max((variables for variables, _ in products), default=0), 0
        for number in range(count):
            degree = max(degree for variables, degree in products if variables + number >= count)
            self._round(rounds[start : start + EXTENSION * degree])
            start += EXTENSION * degree
        assert start == len(rounds)
        assert len(finals) == FACTORS * len(products) * EXTENSION
        self.transcript.absorb("sumcheck/finals", finals)

    def _instances(self) -> Iterator[tuple[int, int]]:
        """Variables and degree of each product's sumcheck."""
        for _, (space, *_), products, *_ in self.key["relations"]:
            sizes = self.shape(space)
            for _, contracted, taps, (_, left), (_, right) in products:
                # Taps stand for the contracted axis that they meet.
                counts = {axis: count for axis, (_, _, _, _, _, count, _, _) in taps}
                summed = [counts.get(axis, size) for axis, size in enumerate(contracted)]
                shared = [axis for axis in set(left) & set(right) if axis < len(sizes)]
                variables = space_bits([*(sizes[axis] for axis in shared), *summed])
                yield variables, FACTORS + bool(shared)

    def _lookups(self) -> None:
        values = self.proof["fractions"]
        if not self.key["lookups"] and not self.key["tables"]:
            assert values == b""
            return
        self.transcript.challenges("lookup/alpha", 1)
        self.transcript.challenges("lookup/beta", 1)
        layer, start = 0, 0
        while start < len(values):
            if layer:
                self.transcript.challenges("fraction/lambda", 1)
            for _ in range(layer):
                self.transcript.absorb("fraction/round", values[start : start + 2 * EXTENSION])
                self.transcript.challenges("fraction/challenge", 1)
                start += 2 * EXTENSION
            self.transcript.absorb("fraction/children", values[start : start + 4 * EXTENSION])
            self.transcript.challenges("fraction/mu", 1)
            start, layer = start + 4 * EXTENSION, layer + 1
        assert start == len(values)

    def _products(self) -> None:
        """The small sumcheck of a hiding proof, over a row for each product and each layer, and one more."""
        rounds, finals = self.proof["products"]
        values = len(self.proof["fractions"]) // EXTENSION
        # A tree of n levels sends n (n + 3) values.
        levels = next(n for n in range(64) if n * (n + 3) == values)
        rows = len(list(self._instances())) + levels
        if not self.hiding or rows == 0:
            assert (rounds, finals) == (b"", b"")
            return
        self.transcript.challenges("products/point", 1)
        # As many variables as the rows and one more need.
        assert len(rounds) == 3 * EXTENSION * rows.bit_length()
        for start in range(0, len(rounds), 3 * EXTENSION):
            self._round(rounds[start : start + 3 * EXTENSION])
        assert len(finals) == FINALS * EXTENSION
        self.transcript.absorb("products/finals", finals)

    def _opening(self) -> None:
        mask, tail = self.proof["mask"], list[bytes]()
        if self.hiding:
            self.transcript.absorb("mask/value", mask[0])
        self.transcript.challenges("opening/claims", 1)
        columns, rounds, final, final_rounds, _ = self.proof["opening"]
        assert len(columns) == 2 * EXTENSION * self.column_rounds
        self._rounds(columns)
        if self.hiding:
            self.transcript.absorb("mask/sigma", mask[1])
            self.transcript.challenges("mask/epsilon", 1)
            tail = [mask[2]]
        for (root, answer, sent), (_, bits, queries) in zip(rounds, self._codes(), strict=False):
            self.transcript.absorb("opening/root", root)
            self._tail(tail)
            self.transcript.challenges("opening/out-of-domain", 1)
            self.transcript.absorb("opening/answer", answer)
            self.positions.append(self.transcript.indices("opening/queries", queries, bits))
            self.transcript.challenges("opening/combination", 1)
            self._rounds(sent)
        *_, (_, bits, queries) = self._codes()
        self._tail(tail)
        self.transcript.absorb("opening/final", final)
        self.positions.append(self.transcript.indices("opening/queries", queries, bits))
        self._rounds(final_rounds)

    def _tail(self, tail: list[bytes]) -> None:
        """The masked vector's random rows, once."""
        if tail:
            self.transcript.absorb("opening/tail", tail.pop())

    @property
    def hiding(self) -> bool:
        """Whether the key is a hiding one; the proof must be what the key is."""
        (*_, hiding), *_ = self.key["schedule"]
        assert hiding == (self.proof["mask"] is not None)
        return bool(hiding)

    @property
    def column_rounds(self) -> int:
        """Bits of a column's number."""
        (_, _, _, matrices, _), *_ = self.key["schedule"]
        return int(sum(columns for _, columns, _, _ in matrices) - 1).bit_length()

    def _codes(self) -> list[tuple[list[tuple[int, int]], int, int]]:
        """Of each code: its trees (base columns, log of the rows in a leaf), log of its length, queries."""
        (rows, rate, queries, matrices, hiding), codes, *_ = self.key["schedule"]
        trees = [(columns, group) for _, columns, group, _ in matrices]
        if hiding:
            trees[-1] = trees[-1][0] + MASK_COLUMNS, trees[-1][1]
        initial = (trees, rows + rate, queries)
        folded = [([(5 << columns, 0)], rows + rate, queries) for rows, columns, rate, queries in codes]
        return [initial, *folded]

    def _rounds(self, sent: bytes) -> None:
        for start in range(0, len(sent), 2 * EXTENSION):
            self._round(sent[start : start + 2 * EXTENSION])

    def _round(self, sent: bytes) -> None:
        self.transcript.absorb("sumcheck/round", sent)
        self.transcript.challenges("sumcheck/challenge", 1)

    def check_openings(self) -> int:
        """Requires that the leaves at the positions hash to the roots; returns how many leaves there are."""
        roots = [[*(self.key["weights"] or [])[:1], self.proof["witness"][0]]]
        roots += [[root] for root, _, _ in self.proof["opening"][1]]
        opened, count = iter(self.proof["opening"][4]), 0
        for (trees, bits, _), tree_roots, positions in zip(self._codes(), roots, self.positions, strict=True):
            for (columns, group), root in zip(trees, tree_roots, strict=True):
                rows, nodes = next(opened)
                leaves = leaf_digests(rows, columns << group, bits - group, positions)
                assert climb(leaves, nodes, bits - group) == root
                count += len(leaves)
        assert next(opened, None) is None
        return count


def key_digest(data: bytes) -> bytes:
    """What a proof says of the key that it is for."""
    transcript = PlainTranscript(b"deepprove-dist verifying key")
    transcript.absorb("digest", data)
    return transcript.digest()


def weights_point(key: dict[str, Any]) -> bytes:
    """The out-of-domain point that the weights' root and the schedule fix."""
    transcript = PlainTranscript(b"deepprove-dist weights")
    transcript.absorb("parameters", msgpack.packb(key["schedule"]))
    transcript.absorb("root", key["weights"][0])
    return transcript.challenges("out-of-domain", 1)[0]


def space_bits(sizes: Sequence[int]) -> int:
    return sum((size - 1).bit_length() for size in sizes)
