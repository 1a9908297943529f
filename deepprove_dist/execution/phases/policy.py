"""When work is worth a message: what is smaller stays with, or is gathered by, the coordinator.

A round over the network costs a round trip, and a gathered value its bytes, whatever is computed in between.
None of these numbers changes a proof's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf

from deepprove_dist.field import EXTENSION_DEGREE
from deepprove_dist.protocol.parameters import InitialCode

MIN_ROWS_LOG = 4
"""A part of a column fills a register of any vector unit."""


@dataclass(frozen=True)
class Policy:
    """The least sizes that workers share.

    Attributes:
        layer_weights: weights of a layer whose binding is split, and its inference if that saves time.
        multiplications_a_second: of inference, by a core: ResNet-18 takes 60 ms.
        bytes_a_second: that reach a worker or come from it, and are encoded.
        round_seconds: a round trip, with its messages.
        code_values: base field values of a code that is encoded and hashed by parts.
        folded_log: log2 of the values of f' that are gathered between rounds of the opening.
        gram_log: log2 of the products of extension elements, of a worker, that save a round trip.
        leaves_log: log2 of the leaves of a fraction tree that is built by parts.
        gather_log: log2 of the nodes of a layer of that tree that the coordinator gathers.
        worth_values: base field values of the witness's code from which workers save time at all. Proofs of
            2^21 took 25 ms alone and 50 with two workers; of 2^26, 3.0 s and 2.2 with four.
    """

    layer_weights: int = 1 << 15
    multiplications_a_second: float = 3e10
    bytes_a_second: float = 5e8
    round_seconds: float = 5e-4
    code_values: int = 1 << 21
    folded_log: int = 14
    gram_log: int = 20
    leaves_log: int = 19
    gather_log: int = 13
    worth_values: int = 1 << 23

    def is_worth(self, code: InitialCode) -> bool:
        """Whether workers save time in proofs whose witness has this code."""
        return (code.witness_columns + code.mask_columns) << code.log_length >= self.worth_values

    def shares_inference(self, multiplications: int, sent_bytes: int, ranks: int) -> bool:
        """Whether so many ranks compute a layer at least as soon as the coordinator."""
        alone = multiplications / self.multiplications_a_second
        return alone / ranks + sent_bytes / self.bytes_a_second + self.round_seconds <= alone

    @property
    def round_products(self) -> int:
        """Products of a worker, of a weight and a base value, that a round trip takes as long as."""
        # No worker makes 2^40: the more would only overflow.
        return EXTENSION_DEGREE << min(self.gram_log, 40)

    def gram_blocks(self, log_size: int, count: int) -> list[int]:
        """log2 of the blocks of the Gram matrices that give `count` rounds on 2^log_size values a worker.

        A matrix of 2^k blocks takes 2^k products a value, and saves k - 1 rounds.
        """
        blocks = []
        while count > 0:
            log_blocks = min(max(self.gram_log - log_size, 1), count)
            blocks.append(log_blocks)
            log_size, count = log_size - log_blocks, count - log_blocks
        return blocks


SHARE_ALL = Policy(
    layer_weights=1,
    bytes_a_second=inf,
    round_seconds=0.0,
    code_values=0,
    folded_log=0,
    gram_log=0,
    leaves_log=0,
    gather_log=0,
    worth_values=0,
)
"""Everything that can be is shared, however small: for tests."""
