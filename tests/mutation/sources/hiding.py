"""Pads and products of hidden scalars."""

from tests.mutation.mutants import Mutant, source

REPLAY = ("attacks/test_replay.py",)
HIDDEN = ("attacks/test_reference_prover.py", "attacks/test_badly_hidden.py")
LIES = ("attacks/test_lying_provers.py", "attacks/test_fields.py")
LENGTHS = ("attacks/test_checks.py", "attacks/test_structure.py")

SENT = source(
    "deepprove_dist/protocol/claims/sent.py",
    HIDDEN,
    Mutant("pad parts add up", "PadPart(self.runs + other.runs)", "PadPart(self.runs)"),
    Mutant("pad parts are scaled", "(first, run.scaled(factor)) for", "(first, run) for"),
    Mutant(
        "pads of both sides of a sum",
        "SentValue(self.value + other.value, self.pads + other.pads)",
        "SentValue(self.value + other.value, other.pads)",
    ),
    Mutant(
        "pads of a scaled value",
        "SentValue(self.value * factor, self.pads.scaled(factor))",
        "SentValue(self.value * factor, self.pads)",
    ),
    Mutant("pads of a difference", "other.pads.scaled(Extension(-1))", "other.pads"),
    Mutant("pads of weighed scalars", "self.pad_part(coefficients))", "PadPart())"),
    Mutant("each scalar has a pad of its own", "PadPart(((self.first + index,", "PadPart(((self.first,"),
    Mutant("parts of a message have their pads", "else self.first + first)", "else self.first)"),
    Mutant(
        "each message has pads of its own",
        "first, self._used = self._used, self._used + count",
        "first, self._used = 0, self._used + count",
    ),
)

CHECK = source(
    "deepprove_dist/protocol/products/check.py",
    LIES,
    Mutant("sums of products are compared", "if difference != Extension(0):", "if False:"),
    Mutant("rows are taken off", "            difference -= row.value\n", "            pass\n"),
    Mutant("each check counts", "    for item in checks:", "    for item in list(checks)[:1]:"),
    Mutant("rows have their scale", "return self.scale * products", "return products", HIDDEN),
    Mutant("both products of a row", "products += a.value * b.value", "pass", HIDDEN),
)

SHARED = source(
    "deepprove_dist/protocol/products/shared.py",
    HIDDEN,
    Mutant("checks have powers of u", "            power *= u\n", ""),
    Mutant("weights have the check's power", "[power * row.scale for", "[row.scale for"),
    Mutant("weights have the row's scale", "[power * row.scale for", "[power for"),
    Mutant("totals have the check's power", "total += check.total.scaled(power)", "total += check.total"),
    Mutant("totals count", "total += check.total.scaled(power)", "pass"),
    Mutant(
        "a row more than there are",
        "return len(self.rows).bit_length()",
        "return (len(self.rows) - 1).bit_length()",
    ),
)

VERIFY = source(
    "deepprove_dist/protocol/products/verify.py",
    HIDDEN,
    Mutant("the number of finals", "len(proof.finals) != finals or ", "", LENGTHS),
    Mutant(
        "no rounds without checks",
        " or (not checks and len(proof.rounds) != 0)",
        "",
        ("protocol/products", *LENGTHS),
    ),
    Mutant("u is drawn", 'transcript.challenge("products/point")', "ONE", REPLAY),
    Mutant(
        "u is what was drawn",
        'transcript.challenge("products/point")',
        'transcript.challenge("products/point") * 0 + 1',
    ),
    Mutant(
        "the total is claimed", "ExtensionVector([rows.total.value, Extension(0)])", "ExtensionVector([0, 0])"
    ),
    Mutant(
        "finals are absorbed",
        'transcript.absorb_extension("products/finals", proof.finals)',
        "pass",
        REPLAY,
    ),
    Mutant("pads of the total", "rows.total.pads.scaled(slopes[0]) + ", ""),
    Mutant("pads of the total have their slope", "rows.total.pads.scaled(slopes[0])", "rows.total.pads"),
    Mutant("pads of rounds", " + rounds.pad_part(slopes[2:])", ""),
    Mutant("pads of rounds have their slopes", "slopes[2:])", "slopes[: len(rounds)])"),
    Mutant("both products of the finals", "(a * b + other_a * other_b)", "(a * b)"),
    Mutant("finals have the weights u", "rows.padded(rows.weights).dot(eq) * (", "("),
    Mutant("the finals are claimed", "for index in range(FINALS)),\n", "for index in range(0)),\n"),
    Mutant("each final is claimed", "for index in range(FINALS)),\n", "for index in range(FINALS - 1)),\n"),
    Mutant("the last claim is claimed", "        Claim.about(last - SentValue(products), NO_TERMS),\n", ""),
    Mutant(
        "the last claim is that of the finals",
        "Claim.about(last - SentValue(products), NO_TERMS)",
        "Claim.about(last, NO_TERMS)",
    ),
    Mutant(
        "rows of a final have their eq",
        "row.factors[index], eq[number]",
        "row.factors[index], Extension(1)",
    ),
    Mutant(
        "a final is that of its factor",
        "factor, weight = row.factors[index]",
        "factor, weight = row.factors[0]",
    ),
    Mutant("pads of rows in a final", "        runs += factor.pads.scaled(weight).runs\n", ""),
    Mutant(
        "row K is in the finals",
        "    runs.append((pads.count + index,",
        "    list[object]().append((pads.count + index,",
    ),
    Mutant("row K has pads of its own", "runs.append((pads.count + index,", "runs.append((pads.count,"),
    Mutant("row K has its eq", "[-eq[len(rows.rows)]]", "[-ONE]"),
    Mutant("a final is what was sent", "return Claim(value - final,", "return Claim(value,"),
)

HIDING = (SENT, CHECK, SHARED, VERIFY)
