"""Nodes that hold graphs. Those that run a known number of times are written out before rules are asked."""

from deepprove_dist.importing.rewriting.reasons import CUT
from deepprove_dist.importing.rewriting.rule import Refusal

_COMPUTED = "what it runs depends on the input's values"
_STEPS = "how often it runs depends on the input's values"

REFUSALS = (
    Refusal("If", _COMPUTED, "If on a condition that is known before the model runs", CUT),
    Refusal("Loop", _STEPS, "Loop with a trip count and conditions known before the model runs", CUT),
    Refusal("Range", "how long its output is depends on the input's values", "Range between constants", CUT),
    Refusal("Scan", _STEPS, "Scan over inputs of shapes known before the model runs", CUT),
)
