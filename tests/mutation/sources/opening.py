"""The opening of the commitments."""

from tests.mutation.mutants import Mutant, source

HIDDEN = ("attacks/test_reference_prover.py", "attacks/test_badly_hidden.py")
REPLAY = ("attacks/test_replay.py",)
FINAL = ("attacks/test_final_vector.py",)
LENGTHS = ("attacks/test_structure.py",)

VERIFY = source(
    "deepprove_dist/protocol/opening/verify.py",
    ("attacks/test_lying_provers.py", "attacks/test_fields.py"),
    Mutant("counts are those of the key", "    _check_counts(schedule, proof, mask)\n", "", LENGTHS),
    Mutant("the number of rounds", "len(proof.rounds) != len(schedule.rounds) or ", "", LENGTHS),
    Mutant("the number of trees", " or len(proof.leaves) != trees", "", LENGTHS),
    Mutant(
        "the length of the final vector",
        "if len(proof.final) != 1 << schedule.final_log:",
        "if False:",
        LENGTHS,
    ),
    Mutant("a folded root is absorbed", 'transcript.absorb("opening/root", item.root)', "pass", REPLAY),
    Mutant(
        "the out-of-domain point is drawn",
        'transcript.challenge("opening/out-of-domain")',
        "Extension(3)",
        REPLAY,
    ),
    Mutant(
        "the out-of-domain answer is absorbed",
        'transcript.absorb_extension("opening/answer", ExtensionVector([item.answer]))',
        "pass",
        REPLAY,
    ),
    Mutant(
        "the final vector is absorbed",
        'transcript.absorb_extension("opening/final", proof.final)',
        "pass",
        REPLAY,
    ),
    Mutant(
        "the out-of-domain answer is claimed",
        "claim += gamma * item.answer + powers.dot(folded)",
        "claim += powers.dot(folded)",
    ),
    Mutant(
        "the queries' values are claimed",
        "claim += gamma * item.answer + powers.dot(folded)",
        "claim += gamma * item.answer",
    ),
    Mutant(
        "the out-of-domain point's weights",
        "weight += added.gamma * powers_at(added.z, tail) + base",
        "weight += base",
    ),
    Mutant("the queries' weights", " + base_powers_at(added.points, added.powers, tail)", ""),
    Mutant("late claims have the later coordinates", "tail = whole[added.bound :]", "tail = whole[:1]"),
    Mutant(
        "the final vector is compared",
        "proof.final.at(query_points(last.code, positions)) != folded",
        "False",
        FINAL,
    ),
    Mutant(
        "the final vector is compared at all queries, not the first",
        "proof.final.at(query_points(last.code, positions)) != folded",
        "proof.final.at(query_points(last.code, positions))[:1] != folded[:1]",
        FINAL,
    ),
    Mutant(
        "the final vector is compared at the last query",
        "proof.final.at(query_points(last.code, positions)) != folded",
        "proof.final.at(query_points(last.code, positions))[:-1] != folded[:-1]",
        FINAL,
    ),
    Mutant(
        "the final vector is compared at the first query",
        "proof.final.at(query_points(last.code, positions)) != folded",
        "proof.final.at(query_points(last.code, positions))[1:] != folded[1:]",
        FINAL,
    ),
    Mutant(
        "the final vector is compared at every second query",
        "proof.final.at(query_points(last.code, positions)) != folded",
        "any(proof.final.at(query_points(last.code, positions))[k : k + 1] != folded[k : k + 1]"
        " for k in range(0, len(positions), 2))",
        FINAL,
    ),
    Mutant(
        "the claims are compared",
        "if proof.final.dot(ExtensionVector.eq(point)) * weight != claim:",
        "if False:",
    ),
    Mutant("the claims' own weights", "weight = terms.evaluate(whole)", "weight = terms.evaluate(whole) * 0"),
    Mutant(
        "leaves are opened under the roots",
        "verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
        "pass",
    ),
    Mutant(
        "the leaves of the witness are checked",
        "verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
        "root == last.roots[-1] or verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
    ),
    Mutant(
        "the leaves of the weights are checked",
        "verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
        "(root == last.roots[0] and len(last.roots) > 1)"
        " or verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
    ),
    Mutant(
        "the leaves of folded vectors are checked",
        "verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
        "isinstance(last.code, Code) or verify_opening(root, shape, asked.leaves, item.rows, item.nodes)",
    ),
    Mutant("all trees are folded", "total = add_all(folded)", "total = folded[-1]"),
    Mutant(
        "the number of random rows",
        "mask is not None and len(mask.sent.tail) != rows",
        "False",
        ("attacks/test_checks.py", *LENGTHS),
    ),
    Mutant(
        "sigma is absorbed",
        'transcript.absorb_extension("mask/sigma", ExtensionVector([mask.sent.product]))',
        "pass",
        REPLAY,
    ),
    Mutant("epsilon is drawn", 'transcript.challenge("mask/epsilon")', "Extension(3)", REPLAY),
    Mutant(
        "epsilon is what was drawn",
        'transcript.challenge("mask/epsilon")',
        'transcript.challenge("mask/epsilon") * 0 + 3',
        HIDDEN,
    ),
    Mutant("sigma is claimed", "claim += epsilon * mask.sent.product - ", "claim -= ", HIDDEN),
    Mutant("sigma has the factor epsilon", "epsilon * mask.sent.product", "mask.sent.product", HIDDEN),
    Mutant(
        "the tail's part of the claim is taken off",
        " - mask.weights.bound(point).dot(mask.sent.tail)",
        "",
        HIDDEN,
    ),
    Mutant(
        "the tail is absorbed",
        'transcript.absorb_extension("opening/tail", self.tail)',
        "pass",
        REPLAY,
    ),
    Mutant(
        "the tail is absorbed before the out-of-domain point",
        "        last.absorb_tail(transcript)\n        z = ",
        "        z = ",
        REPLAY,
    ),
    Mutant(
        "the tail is absorbed before the final vector",
        '    last.absorb_tail(transcript)\n    transcript.absorb_extension("opening/final"',
        '    transcript.absorb_extension("opening/final"',
        REPLAY,
    ),
    Mutant(
        "the tail is folded",
        "return total.minus(fold_tail(last.code, last.tail, positions))",
        "return total",
        HIDDEN,
    ),
    Mutant("mask columns have the factor epsilon", "last.point, last.epsilon)", "last.point, None)", HIDDEN),
    Mutant(
        "rows of the folded code, not its own",
        'last, whole = _Committed(code, (item.root,), (f"round {number}",), point), whole + point',
        'last, whole = _Committed(code, last.roots[:1], (f"round {number}",), point), whole + point',
    ),
)

CODES = source(
    "deepprove_dist/protocol/opening/codes.py",
    ("protocol/opening/test_codes.py", "attacks/test_reference_prover.py", *REPLAY),
    Mutant(
        "one query",
        '"opening/queries", code.queries, code.log_length',
        '"opening/queries", 1, code.log_length',
    ),
    Mutant(
        "queries reach the whole code",
        '"opening/queries", code.queries, code.log_length',
        '"opening/queries", code.queries, code.log_length - 1',
    ),
    Mutant(
        "queries are drawn",
        'transcript.indices("opening/queries", code.queries, code.log_length)',
        "list(range(code.queries))",
    ),
    Mutant(
        "gamma is drawn",
        'gamma = transcript.challenge("opening/combination")',
        "gamma = Extension(3)",
        REPLAY,
    ),
    Mutant(
        "gamma is what was drawn",
        'gamma = transcript.challenge("opening/combination")',
        'transcript.challenge("opening/combination")\n    gamma = Extension(3)',
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "queries have powers of gamma that differ",
        "ExtensionVector.powers(gamma, count + 2)[2:]",
        "ExtensionVector([1] * count)",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "the out-of-domain claim has a power of its own",
        "ExtensionVector.powers(gamma, count + 2)[2:]",
        "ExtensionVector.powers(gamma, count + 1)[1:]",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant("all trees add up", "total = total.plus(vector)", "total = vector"),
    Mutant(
        "columns of the witness come after those of the weights",
        "for start, end in pairwise(ends)",
        "for start, end in ((0, last - first) for first, last in pairwise(ends))",
    ),
    Mutant(
        "columns are weighed by eq",
        "weights = ExtensionVector.eq(point)",
        "weights = ExtensionVector([1] * (1 << len(point)))",
    ),
    Mutant(
        "rows of the initial code share leaves",
        "columns, code.log_inverse_rate, group)",
        "columns, code.log_inverse_rate, 0)",
        ("protocol/opening/test_codes.py", "protocol/opening/test_opening.py"),
    ),
    Mutant(
        "columns have their addresses",
        "addresses = list(column_addresses(code))",
        "addresses = list(range(code.columns))",
        HIDDEN,
    ),
    Mutant(
        "coordinates of the mask vector have powers of Y",
        "ExtensionVector.powers(GENERATOR, EXTENSION_DEGREE)",
        "ExtensionVector([1] * EXTENSION_DEGREE)",
        HIDDEN,
    ),
    Mutant("the mask vector is scaled", ".scaled(epsilon)", "", HIDDEN),
    Mutant("the tail starts after the data", ".times(powers)", "", HIDDEN),
    Mutant(
        "the tail starts at row 2^m",
        "position << code.log_rows",
        "position << code.log_rows + 1",
        HIDDEN,
    ),
    Mutant(
        "points are those of the code's length",
        "domain_points(code.log_length, positions)",
        "domain_points(code.log_rows, positions)",
    ),
)

MASK = source(
    "deepprove_dist/protocol/opening/mask.py",
    HIDDEN,
    Mutant(
        "omega is drawn", 'transcript.challenges("mask/omega", count)', "ExtensionVector([1] * count)", REPLAY
    ),
    Mutant(
        "omega is what was drawn",
        'transcript.challenges("mask/omega", count)',
        'transcript.challenges("mask/omega", count).scaled(Extension(0))',
    ),
    Mutant(
        "omega has a column for each in S",
        "count = len(mask_addresses(code)) * code.mask_rows",
        "count = code.mask_rows",
        REPLAY,
    ),
    Mutant(
        "omega weighs the last rows",
        "return weights[:first] + fresh",
        "return fresh + weights[:first]",
    ),
    Mutant(
        "the sample weighs the other rows",
        "return weights[:first] + fresh",
        "return weights[:first].scaled(Extension(0)) + fresh",
    ),
    Mutant(
        "omega is weighed by the column's address",
        "omega.scaled(eq[address])",
        "omega.scaled(eq[column])",
    ),
    Mutant("omega is bound", "fresh = fresh.plus(omega.scaled(eq[address]))", "pass"),
    Mutant(
        "each column has an omega of its own",
        "self.omega[column * code.mask_rows : (column + 1) * code.mask_rows]\n            fresh",
        "self.omega[: code.mask_rows]\n            fresh",
    ),
    Mutant(
        "columns have steps of the sample",
        "steps = ExtensionVector.powers(self.z**code.random_rows, code.witness_columns)",
        "steps = ExtensionVector.powers(self.z, code.witness_columns)",
    ),
    Mutant(
        "random rows come after all data in the sample",
        "self.scale * self.z ** (self.code.witness_columns << self.code.log_rows)",
        "self.scale * self.z ** self.code.witness_columns",
    ),
    Mutant(
        "the sample of random rows has its scale",
        "self.scale * self.z ** (self.code.witness_columns << self.code.log_rows)",
        "self.z ** (self.code.witness_columns << self.code.log_rows)",
    ),
    Mutant(
        "the sample's random rows are weighed by their columns' addresses",
        "eq.take(list(self.addresses))",
        "eq[: len(self.addresses)]",
    ),
)

COLUMNS = source(
    "deepprove_dist/protocol/claims/columns.py",
    HIDDEN,
    Mutant(
        "S has all powers of two",
        "for bit in range(code.column_rounds)",
        "for bit in range(code.column_rounds - 1)",
        ("attacks/test_replay.py", *HIDDEN),
    ),
    Mutant("S is the witness's", "return (*before, *masked, *others)", "return (*masked, *before, *others)"),
    Mutant(
        "the others are in order",
        "address >> bit & 1",
        "address >> bits - 1 - bit & 1",
    ),
)

OPENING = (VERIFY, CODES, MASK, COLUMNS)
