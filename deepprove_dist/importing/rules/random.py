"""Operators whose results are random: a proof is of a function."""

from deepprove_dist.importing.rewriting.reasons import CUT
from deepprove_dist.importing.rewriting.rule import Refusal

REFUSALS = tuple(
    Refusal(
        operator,
        "random values are not supported",
        "functions of the model's inputs",
        CUT,
        random=True,
    )
    for operator in (
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    )
)
