"""Sumchecks, fraction trees, openings, elements and vectors in the kernels, and the sizes of files."""

from tests.mutation.mutants import Mutant, source

ARGUMENTS = "attacks/test_kernel_arguments.py"
REPLAY = ("attacks/test_replay.py",)
HIDDEN = ("attacks/test_reference_prover.py",)
LENGTHS = ("attacks/test_structure.py",)
LIES = ("attacks/test_fields.py", "attacks/test_witness.py", "attacks/test_lying_provers.py")

WHIR = source(
    "kernels/verifier/src/whir.rs",
    LENGTHS,
    Mutant("the number of rounds", "sent.len() != expected", "false"),
    Mutant("rounds may be more", "sent.len() != expected", "sent.len() < expected"),
    Mutant(
        "the claim is reduced",
        "reduce_round(sent, &mut claim, transcript)",
        "{ let mut other = claim; reduce_round(sent, &mut other, transcript) }",
        LIES,
    ),
)

SUMCHECK = source(
    "kernels/verifier/src/sumcheck.rs",
    (*LENGTHS, *LIES),
    Mutant("rounds are absorbed", 'transcript.absorb_extension("sumcheck/round", sent);', "", REPLAY),
    Mutant("challenges of rounds are drawn", 'transcript.challenge("sumcheck/challenge")', "EF::TWO", REPLAY),
    Mutant(
        "claims have powers",
        "lambda.powers().take(claims.len()).collect()",
        "vec![EF::ONE; claims.len()]",
        ("attacks/test_reference_prover.py", "cargo:sumcheck"),
    ),
    Mutant(
        "rounds are enough",
        "round_degree(shapes, count, round)",
        "round_degree(shapes, count, round).min(remaining.len())",
    ),
    Mutant("rounds are not too many", "!remaining.is_empty()", "false"),
    Mutant(
        "instances without variables count",
        "claim += joining(claims, shapes, &powers, count, count);",
        "",
        (ARGUMENTS, *LIES, "cargo:sumcheck"),
    ),
    Mutant("the slope of a constant coefficient", "EF::ONE - r.double()", "EF::ONE", HIDDEN),
    Mutant("the slopes of other coefficients", "power - r", "power", HIDDEN),
    Mutant("slopes of rounds go on to the end", "derivative * after", "derivative", HIDDEN),
    Mutant(
        "slopes of claims go on to the end",
        "*product *= r;",
        "",
        HIDDEN,
    ),
    Mutant(
        "the linear coefficient is recovered",
        "claim - constant.double() - higher.iter().copied().sum::<EF>()",
        "claim - constant - higher.iter().copied().sum::<EF>()",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "all instances join at their round",
        "shape.joins_at(rounds) == round",
        "shape.joins_at(rounds) <= round && round == 0",
        ("attacks/test_reference_prover.py", "cargo:sumcheck"),
    ),
    Mutant(
        "degrees are bounded",
        "!shapes.iter().all(fits)",
        "false",
        (
            ARGUMENTS,
            "cargo:sumcheck",
        ),
    ),
    Mutant(
        "claims and shapes are as many",
        "claims.len() != shapes.len()",
        "false",
        (
            ARGUMENTS,
            "cargo:sumcheck",
        ),
    ),
)

LOGUP = source(
    "kernels/verifier/src/logup.rs",
    (*LENGTHS, *LIES, *REPLAY),
    Mutant(
        "levels",
        "levels == 0 || levels > MAX_LEVELS",
        "false",
        (
            ARGUMENTS,
            "cargo:logup",
        ),
    ),
    Mutant("the number of values", "values.len() != length", "values.len() < length"),
    Mutant("lambda is drawn", 'transcript.challenge("fraction/lambda")', "EF::ONE", REPLAY),
    Mutant(
        "numerators count",
        "reduced.leaf.numerator + lambda * reduced.leaf.denominator",
        "lambda * reduced.leaf.denominator",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "denominators count",
        "reduced.leaf.numerator + lambda * reduced.leaf.denominator",
        "reduced.leaf.numerator",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "slopes of children's numerators",
        "[low, mu, lambda * low, lambda * mu]",
        "[mu, low, lambda * low, lambda * mu]",
        HIDDEN,
    ),
    Mutant(
        "slopes of children's denominators",
        "[low, mu, lambda * low, lambda * mu]",
        "[low, mu, low, mu]",
        HIDDEN,
    ),
    Mutant("slopes of rounds", "[r - z, r.square() - z]", "[r, r.square()]", HIDDEN),
    Mutant("slopes of squares", "[r - z, r.square() - z]", "[r - z, r - z]", HIDDEN),
    Mutant("rounds are absorbed", 'transcript.absorb_extension("fraction/round", sent);', ""),
    Mutant("challenges of rounds are drawn", 'transcript.challenge("fraction/challenge")', "EF::default()"),
    Mutant(
        "a round reduces the claim",
        "claim + (c1 + c2 * r) * r - z * (c1 + c2)",
        "claim",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "a round is weighed by the point",
        "claim + (c1 + c2 * r) * r - z * (c1 + c2)",
        "claim + (c1 + c2 * r) * r",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant("children are absorbed", 'transcript.absorb_extension("fraction/children", sent);', ""),
    Mutant("branches are drawn", 'transcript.challenge("fraction/mu")', "EF::default()"),
    Mutant(
        "both children of a numerator",
        "interpolate(p0, p1, mu)",
        "p0",
        ("attacks/test_reference_prover.py", *LIES),
    ),
    Mutant(
        "both children of a denominator",
        "interpolate(q0, q1, mu)",
        "q0",
        ("attacks/test_reference_prover.py", *LIES),
    ),
    Mutant(
        "the branch is the first coordinate",
        "std::iter::once(mu).chain(point).collect()",
        "point.into_iter().chain(std::iter::once(mu)).collect()",
        ("attacks/test_reference_prover.py", *LIES),
    ),
)

FIELD = source(
    "kernels/verifier/src/field.rs",
    (ARGUMENTS, *LENGTHS, "test_kernels.py", "cargo:field"),
    Mutant(
        "elements are below p",
        "numbers.iter().fold(0, |most, &number| most.max(number)) >= F::ORDER_U32",
        "false",
    ),
    Mutant(
        "p itself is no element",
        "numbers.iter().fold(0, |most, &number| most.max(number)) >= F::ORDER_U32",
        "numbers.iter().fold(0, |most, &number| most.max(number)) > F::ORDER_U32",
    ),
    Mutant(
        "all elements are below p",
        "numbers.iter().fold(0, |most, &number| most.max(number)) >= F::ORDER_U32",
        "numbers.first().copied().unwrap_or(0) >= F::ORDER_U32",
        ("test_kernels.py", "attacks/test_fuzz.py", "protocol/messages/test_proof.py"),
    ),
    Mutant(
        "elements of the extension are whole",
        "!bytes.len().is_multiple_of(EXTENSION_BYTES)",
        "false",
        (ARGUMENTS, "protocol/messages/test_proof.py", "test_kernels.py", "cargo:field"),
    ),
)

INTEGERS = source(
    "kernels/core/src/field/mod.rs",
    (ARGUMENTS, "test_kernels.py", "cargo:field"),
    Mutant(
        "integers are taken modulo p",
        "(v + (v >> 63 & order)) as u32",
        "v as u32",
    ),
    Mutant(
        "large integers are taken modulo p",
        "bits != 0",
        "false",
    ),
)

SCALAR = source(
    "kernels/binding/src/scalar.rs",
    (ARGUMENTS, "test_kernels.py", "attacks/test_structure.py"),
    Mutant(
        "one element",
        'Err(PyValueError::new_err("an extension element has 20 bytes"))',
        "Ok(Self(EF::default()))",
    ),
)

VECTORS = source(
    "kernels/binding/src/vectors.rs",
    ("test_kernels.py", "attacks/test_final_vector.py", "attacks/test_reference_prover.py"),
    Mutant(
        "all coefficients of a vector at a point",
        "self.0.iter().rev().fold(PackedEF::ZERO, |sum, &value| sum * x + PackedEF::from(value))",
        "self.0.iter().rev().skip(1).fold(PackedEF::ZERO, |sum, &value| sum * x + PackedEF::from(value))",
    ),
    Mutant(
        "integers weigh each element", "value * F::from_int(k)", "value + EF::ZERO * EF::from(F::from_int(k))"
    ),
)

ITEM_COUNT = source(
    "kernels/verifier/src/item_count.rs",
    ("cargo:item_count", "attacks/test_limits.py"),
    Mutant("lists are counted", "count.lists += 1;", ""),
    Mutant("items are counted", "count.items += items;", ""),
    Mutant("items of items are counted", "pending += items;", ""),
    Mutant("counting ends", "count.items <= most", "true"),
    Mutant("pairs are two items", "2 * (tag & 0x0f)", "tag & 0x0f"),
    Mutant("bytes are passed over", "bytes = bytes.get(usize::try_from(length).ok()?..)?", "_ = length"),
)

KERNELS = (WHIR, SUMCHECK, LOGUP, FIELD, INTEGERS, SCALAR, VECTORS, ITEM_COUNT)
