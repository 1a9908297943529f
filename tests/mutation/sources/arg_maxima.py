"""Public indices of largest scores."""

from tests.mutation.mutants import Mutant, source

SYSTEM = ("protocol/system/test_arg_max.py",)

RECORDS = source(
    "deepprove_dist/protocol/system/arg_max.py",
    SYSTEM,
    Mutant("the bracket of the order", "if t > 0)", "if t > 9)"),
    Mutant(
        "the bracket of the order ends before the index",
        "_cover(len(rows), 0, t)",
        "_cover(len(rows), 0, t + 1)",
    ),
    Mutant("the bracket of the selection", "_cover(len(rows), t, t + 1)", "_cover(len(rows), t, t)"),
    Mutant("each row has its brackets", "Constant(1, (*row, ", "Constant(1, ("),
    Mutant(
        "relations exist", "inside and len(set(numbers)) == len(numbers)", "len(set(numbers)) == len(numbers)"
    ),
    Mutant("relations are not shared", "inside and len(set(numbers)) == len(numbers)", "inside"),
    Mutant(
        "outputs exist", "inside and len(set(outputs)) == len(outputs)", "len(set(outputs)) == len(outputs)"
    ),
    Mutant("an output is one index", "inside and len(set(outputs)) == len(outputs)", "inside"),
    Mutant("an index is public", "require(not system.is_hidden(public), ", "require(True, "),
    Mutant(
        "tensors exist", "inside and len(set(tensors)) == len(tensors)", "len(set(tensors)) == len(tensors)"
    ),
    Mutant("tensors are not shared", "inside and len(set(tensors)) == len(tensors)", "inside"),
    Mutant("indices have the shape of rows", "require(indices.shape == space[:-1], ", "require(True, "),
    Mutant("scores are of the witness", "require(witness, ", "require(True, "),
    Mutant(
        "an index is in its axis",
        "(public.lo, public.hi) == (0, space[-1] - 1)",
        "public.hi == space[-1] - 1",
    ),
    Mutant(
        "an index is below the axis's size", "(public.lo, public.hi) == (0, space[-1] - 1)", "public.lo == 0"
    ),
    Mutant("the order is that of the scores", "require(order == expected, ", "require(True, "),
    Mutant("the selection is that of the margins", "require(selection == expected, ", "require(True, "),
    Mutant("margins have proven ranges", "require(proven, ", "require(True, "),
    Mutant("margins are not negative", "d0 == 0 and 2 * d1", "2 * d1"),
    Mutant("margins leave one index", "d0 == 0 and 2 * d1 < MODULUS - 1", "d0 == 0"),
    Mutant("the largest score of all wraps not", "m1 - x0 < MODULUS and x1", "x1"),
    Mutant("the least largest score wraps not", " and x1 - m0 + d1 + 1 < MODULUS", ""),
    Mutant("the bracket is in the order's range", "x1 - m0 + d1 + 1 < MODULUS", "x1 - m0 + d1 < MODULUS"),
    Mutant("relations without brackets are left out", "if number not in apart", "if True"),
)

ARG_MAXIMA = (RECORDS,)
