"""Hidden inputs and outputs: their commitments, and what a system must say of them."""

from tests.mutation.mutants import Mutant, source

PROOFS = ("protocol/hidden/test_hidden.py",)
CHECKS = ("protocol/system/test_check_hidden.py",)
SIZES = ("protocol/parameters/test_hidden_matrices.py",)

COMMITMENT = source(
    "deepprove_dist/protocol/messages/commitment.py",
    ("protocol/messages/test_commitment.py",),
    Mutant("the point depends on the sizes", '    transcript.absorb("sizes", encode(sizes))\n', ""),
    Mutant("the point depends on the root", '    transcript.absorb("root", root)\n', ""),
)

STATEMENT = source(
    "deepprove_dist/protocol/hidden/statement.py",
    PROOFS,
    Mutant(
        "what is no commitment is a rejection",
        "raise VerificationError(Check.COMMITMENT, str(error), subject=public.name) from error",
        "raise",
    ),
    Mutant(
        "the number of tensors", "        require_tensors(publics, data)\n", "", ("attacks/test_checks.py",)
    ),
)

SYSTEM = source(
    "deepprove_dist/protocol/system/check_hidden.py",
    CHECKS,
    Mutant("each hidden tensor is public", "require(same, ", "require(True, "),
    Mutant(
        "products have no hidden tensor",
        "require(tensors.isdisjoint(hidden), ",
        "require(True, ",
    ),
    Mutant("hidden integers are in their range", "require(within, ", "require(True, "),
    Mutant("the lower end is proven", "public.lo <= low and ", ""),
    Mutant("the upper end is proven", " and high <= public.hi", ""),
)

HIDDEN_TENSORS = (COMMITMENT, STATEMENT, SYSTEM)
