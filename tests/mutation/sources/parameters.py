"""The schedule of the opening and the soundness account that is required of it."""

from tests.mutation.mutants import Mutant, source

ACCOUNT = (
    "protocol/parameters/test_security.py",
    "protocol/parameters/test_choose.py",
    "protocol/key/test_key.py",
)
SCHEDULE_TESTS = ("protocol/parameters/test_schedule.py", "attacks/test_malicious_keys.py")

SCHEDULE = source(
    "deepprove_dist/protocol/parameters/schedule.py",
    SCHEDULE_TESTS,
    Mutant(
        "columns of the weights",
        '_check_range("weight_columns", self.weight_columns, 0, MAX_COLUMNS)',
        "pass",
    ),
    Mutant(
        "columns of the witness",
        '_check_range("witness_columns", self.witness_columns, 1, MAX_COLUMNS)',
        "pass",
    ),
    Mutant(
        "groups of the weights",
        '_check_range("weight_log_group", self.weight_log_group, 0, self.log_length)',
        "pass",
    ),
    Mutant(
        "groups of the witness",
        '_check_range("witness_log_group", self.witness_log_group, 0, self.log_length)',
        "pass",
    ),
    Mutant(
        "a folded code's own range",
        '_check_code(self)\n        _check_range("log_columns"',
        '_check_range("log_columns"',
    ),
    Mutant(
        "the initial code's own range",
        '_check_code(self)\n        _check_range("weight_columns"',
        '_check_range("weight_columns"',
    ),
    Mutant("a code is folded", '_check_range("log_columns", self.log_columns, 1, TWO_ADICITY)', "pass"),
    Mutant(
        "rounds commit what the one before leaves",
        "if code.log_rows + code.log_columns != log_values:",
        "if False:",
    ),
    Mutant(
        "each round follows the one before", "            log_values = code.log_rows\n", "            pass\n"
    ),
    Mutant("the final vector is short", '_check_range("final_log", log_values, 1, MAX_FINAL_LOG)', "pass"),
    Mutant("rows of a code", '_check_range("log_rows", code.log_rows, 1, TWO_ADICITY)', "pass"),
    Mutant(
        "the rate of a code",
        '_check_range("log_inverse_rate", code.log_inverse_rate, 1, TWO_ADICITY)',
        "pass",
    ),
    Mutant("queries of a code", '_check_range("queries", code.queries, 1, MAX_QUERIES)', "pass"),
    Mutant(
        "the length of a code",
        '_check_range("log_rows + log_inverse_rate", code.log_length, 2, TWO_ADICITY)',
        "pass",
    ),
    Mutant("integers", "type(value) is not int or ", ""),
    Mutant("the end of a range", "not low <= value <= high", "not low <= value"),
    Mutant("the start of a range", "not low <= value <= high", "not value <= high"),
    Mutant(
        "column rounds bind all columns",
        "return (self.columns - 1).bit_length()",
        "return self.columns.bit_length() - 1",
        (*SCHEDULE_TESTS, "attacks/test_reference_prover.py"),
    ),
    Mutant(
        "trees of weights that are there",
        "if tree[0] > 0)",
        "if tree[0] >= 0)",
        (*SCHEDULE_TESTS, "attacks/test_reference_prover.py"),
    ),
)

SECURITY = source(
    "deepprove_dist/protocol/parameters/security.py",
    ACCOUNT,
    Mutant("the level", "bits < schedule.security_bits:", "False:"),
    Mutant(
        "a bit less than the level", "bits < schedule.security_bits:", "bits < schedule.security_bits - 1:"
    ),
    Mutant("the sum of all errors", "fsum(2.0**-term for term in bits)", "max(2.0**-term for term in bits)"),
    Mutant("errors outside the opening", "(*_outer_terms(shape), *initial,", "(*initial,"),
    Mutant("errors of rounds", "*initial, *_round_terms(schedule, others))", "*initial)"),
    Mutant("errors of the initial code", "*initial, *_round", "*_round"),
    Mutant(
        "coordinates of public points", "shape.public.count * shape.public.variables", "shape.public.count"
    ),
    Mutant(
        "coordinates of linear relations", "shape.linear.count * shape.linear.variables", "shape.linear.count"
    ),
    Mutant("coordinates of relation points", "sumcheck.count * sumcheck.point_variables", "sumcheck.count"),
    Mutant("powers of the batching", "max(sumcheck.count - 1, 0)", "0"),
    Mutant("degrees of the sumcheck", "sumcheck.variables * sumcheck.degree", "sumcheck.variables"),
    Mutant("the width of lookups", "lookups.fractions * (lookups.width + 2)", "lookups.fractions"),
    Mutant("rounds of the fraction tree", "2 * layers + 3 * layers * (layers - 1) // 2", "2 * layers"),
    Mutant("weights have an out-of-domain error", '"weights": code.weight_columns, ', ""),
    Mutant("the witness has an out-of-domain error", ', "witness": code.witness_columns}', "}"),
    Mutant(
        "columns make the out-of-domain degree",
        "regime, log2(columns) + code.log_rows)",
        "regime, code.log_rows)",
    ),
    Mutant("out-of-domain claims are batched", "shape.claims + len(code.trees) - 1", "shape.claims - 1"),
    Mutant("batching has the list", "log2(powers) + size)", "log2(powers))"),
    Mutant("queries are combined", "log2(values) + size + 1)", "size + 1)"),
    Mutant("the combination has the list", "log2(values) + size + 1)", "log2(values) + 1)"),
    Mutant(
        "the final sumcheck's degree", "_challenge_bits(log2(2 * schedule.final_log))", "_challenge_bits(0)"
    ),
    Mutant(
        "out-of-domain errors have a degree", "_challenge_bits(pairs + log_degree)", "_challenge_bits(pairs)"
    ),
    Mutant(
        "steps add up their terms", "steps[term.step].append(term.bits)", "steps[term.step] = [term.bits]"
    ),
)

REGIMES = source(
    "deepprove_dist/protocol/parameters/regimes.py",
    ACCOUNT,
    Mutant("the field's size", "FIELD_BITS = 154\n", "FIELD_BITS = 155\n"),
    Mutant(
        "column rounds are counted", "rounds = log2(code.column_rounds) - FIELD_BITS", "rounds = -FIELD_BITS"
    ),
    Mutant(
        "column rounds have degree two",
        "code.log_inverse_rate) + 1, rounds",
        "code.log_inverse_rate), rounds",
    ),
    Mutant(
        "the list of column rounds", "rounds + regime.list_size_log2(code.log_inverse_rate) + 1", "rounds + 1"
    ),
    Mutant("exceptional challenges", "rounds + line, missed", "rounds, missed"),
    Mutant("all queries count once", "missed = queries * regime", "missed = 2 * queries * regime"),
)

PROXIMITY = source(
    "deepprove_dist/protocol/parameters/proximity.py",
    ACCOUNT,
    Mutant("agreement beyond the rate's root", "log2(1 + 0.5 / self.m) - 0.5", "-0.5"),
    Mutant("agreement at the root, not the rate", "- 0.5 * log_inverse_rate", "- log_inverse_rate"),
    Mutant(
        "the list's parameter", "return log2(self.m) + log_inverse_rate", "return float(log_inverse_rate)"
    ),
    Mutant("the list's rate", "return log2(self.m) + log_inverse_rate", "return log2(self.m)"),
    Mutant("pairs of candidates", "return 2 * self.list_size_log2", "return self.list_size_log2"),
    Mutant("the power of the line's error", "2 * t**5", "2 * t**4"),
    Mutant("the length of the line's error", "* 2.0**log_length + t / root", "+ t / root"),
    Mutant("the rate of the line's error", "/ (3 * rate * root)", "/ (3 * rate)"),
    Mutant("agreement with unique decoding", "log2(1 + 2.0**-log_inverse_rate) - 1", "-log_inverse_rate"),
    Mutant("the line's error with unique decoding", "return float(log_length)", "return 0.0"),
)

SHAPE = source(
    "deepprove_dist/protocol/parameters/shape.py",
    ("protocol/parameters/test_schedule.py", *ACCOUNT),
    Mutant(
        "counts are not negative",
        "any(value < 0 for part in parts for value in vars(part).values())",
        "False",
    ),
    Mutant("there is a claim", "self.claims < 1 or ", ""),
    Mutant(
        "fractions fit their tree", "if self.lookups.fractions > 1 << self.lookups.log_leaves:", "if False:"
    ),
)

PARAMETERS = (SCHEDULE, SECURITY, REGIMES, PROXIMITY, SHAPE)
