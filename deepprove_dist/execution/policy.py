"""When work is worth a message: what is smaller stays with, or is gathered by, the coordinator.

A round over the network costs a round trip, and a gathered value its bytes, whatever is computed in between.
None of these numbers changes a proof's bytes.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Policy:
    """The least sizes that workers share.

    Attributes:
        layer_weights: weights of a layer whose inference and binding are split.
        code_values: base field values of a code that is encoded and hashed by parts.
        folded_log: log2 of the values of f' that stay where they are between rounds of the opening.
        leaves_log: log2 of the leaves of a fraction tree that is built by parts.
        gather_log: log2 of the nodes of a layer of that tree that the coordinator gathers.
    """

    layer_weights: int = 1 << 15
    code_values: int = 1 << 21
    folded_log: int = 14
    leaves_log: int = 19
    gather_log: int = 13


SHARE_ALL = Policy(layer_weights=1, code_values=0, folded_log=0, leaves_log=0, gather_log=0)
"""Everything that can be is shared, however small: for tests."""
