"""What a verifier checks: one name a check, so that no caller reads texts.

Names are stable across versions. Those of the compiled kernels are the names that `Rejected.check` has.
"""

from __future__ import annotations

from enum import Enum


class Check(str, Enum):
    """A check that a proof may fail; its value is its name, `requirement` says what must hold."""

    requirement: str

    def __new__(cls, name: str, requirement: str) -> Check:
        """A check of that name."""
        check = str.__new__(cls, name)
        check._value_ = name
        check.requirement = requirement
        return check

    def __str__(self) -> str:
        return str(self.value)

    PROOF_LENGTH = "proof length", "the proof is no longer than the key's sizes allow"
    EXPECTED_KEY = "expected key", "the key is the one that the caller expects"
    EXPECTED_CONTEXT = "expected context", "the proof is bound to the context that the caller expects"
    EXPECTED_INPUT = "expected input", "the inputs are those that the caller expects"
    EXPECTED_OUTPUT = "expected output", "the outputs are those that the caller expects"
    KEY_DIGEST = "key digest", "the proof is for this key"
    EPOCH = "epoch", "the proof names an epoch of the weights if the key has any, and only then"
    EPOCH_ACCEPTED = "epoch accepted", "the proof's epoch is the key's, or one that a certificate led to"
    EPOCH_LENGTH = "certificate length", "a certificate is no longer than the key's sizes allow"
    EPOCH_KEY = "certificate key", "a certificate is for this key"
    EPOCH_ORDER = "certificate order", "the new epoch of a certificate comes after the old one"
    EPOCH_SCHEDULE = (
        "certificate schedule",
        "a certificate has the key's sizes and level, and its queries at most",
    )
    BATCH = "batch", "the key allows this number of samples"
    PUBLIC_COUNT = "public tensor count", "the proof has each input and each output of the model"
    PUBLIC_LENGTH = "public tensor length", "an input or output has the elements that the model gives it"
    PUBLIC_FORM = "public tensor form", "the integers of an input or output are in their shortest form"
    PUBLIC_RANGE = "public tensor range", "every input and output value is in its tensor's range"
    COMMITMENT = "commitment", "a hidden input or output has a root and an answer in the statement"
    OPENED_COMMITMENT = "opened commitment", "an opening has the integers that its commitment is to"
    WEIGHTS_SIZE = "public weights size", "public weights have the sizes that the key gives them"
    WEIGHTS_CLAIM = "public weights claim", "a claim about public weights alone holds"
    RELATION_SUMS = "relation sums", "there is one sum for each product of a relation"
    SUMCHECK_FINALS = "sumcheck finals", "the sumcheck has a final evaluation for each factor"
    SUMCHECK_MISSING_ROUND = "sumcheck round missing", "the sumcheck has a polynomial for each round"
    SUMCHECK_SURPLUS_ROUND = "sumcheck round left over", "the sumcheck has no value after its last round"
    SUMCHECK_CLAIM = "sumcheck claim", "the last claim of the sumcheck is the product of final evaluations"
    FRACTION_ABSENT = "fraction tree absent", "a model without lookups has no fraction tree"
    FRACTION_LENGTH = "fraction tree length", "the fraction tree has the values that its levels need"
    FRACTION_SUM = "fraction tree sum", "the fractions of all leaves add up to zero"
    FRACTION_DENOMINATOR = "fraction tree denominator", "no denominator is zero"
    FRACTION_LAYER = "fraction tree layer", "the claim about a layer is what its children give"
    HIDING = "hiding", "the proof hides what it is about if the key says so, and only then"
    PRODUCTS_FINALS = "products finals", "the sumcheck of products has its four final values"
    MASK_ROWS = "mask rows", "the masked vector has the random rows that the key gives it"
    OPENING_COUNT = "opening count", "the opening has the rounds and trees that the key gives it"
    OPENING_FINAL_LENGTH = "opening final length", "the final vector has the length that the key gives it"
    OPENING_ROUNDS = "opening rounds", "the opening has two values for each round of a sumcheck"
    MERKLE_DIGESTS = "Merkle digests", "the nodes of a Merkle opening are whole digests"
    MERKLE_ROWS = "Merkle row length", "the opened rows have the length that the code gives them"
    MERKLE_MISSING_NODE = "Merkle node missing", "a Merkle opening has every node that it needs"
    MERKLE_SURPLUS_NODE = "Merkle node left over", "a Merkle opening has no other node"
    MERKLE_ROOT = "Merkle root", "the opened leaves lead to the committed root"
    OPENING_FINAL = "opening final", "the final vector is what the last code folds to, at every query"
    OPENING_CLAIM = "opening claim", "all claims together hold for the committed values"
    GENERATION = "generation", "the context of a generation's proof says a prompt, an answer and padding"
    GENERATION_TOKEN = "generation token", "no token of a generation is negative"
    GENERATION_PADDING = "generation padding", "positions after the answer have padding, and count nowhere"
    GENERATION_ANSWER = "generation answer", "each token of the answer is the ArgMax at the position before"
    EXPECTED_PROMPT = "expected prompt", "the prompt is the one that the caller expects"


def list_checks() -> dict[str, str]:
    """Every check of a verifier: what must hold, by the name that `VerificationError.check` has.

    They come in the order of the protocol, more or less: a proof fails at the first that does not hold. Bytes
    that are no proof at all are a `FormatError`.
    """
    return {check.value: check.requirement for check in Check}
