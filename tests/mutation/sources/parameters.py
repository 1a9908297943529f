"""The schedule of the opening and the soundness account that is required of it."""

from tests.mutation.mutants import Mutant, source

ACCOUNT = (
    "protocol/parameters/test_security.py",
    "protocol/parameters/test_choose.py",
    "protocol/key/test_key.py",
)
SCHEDULE_TESTS = ("protocol/parameters/test_schedule.py", "attacks/test_malicious_keys.py")

CODE_TESTS = ("protocol/parameters/test_initial_code.py", *SCHEDULE_TESTS)

MATRIX_CODE = source(
    "deepprove_dist/protocol/parameters/matrix_code.py",
    CODE_TESTS,
    Mutant("matrices are known", "if self.matrix not in MATRICES:", "if False:"),
    Mutant(
        "columns of a matrix",
        'check_range(f"columns of {self.matrix}", self.columns, 1, MAX_COLUMNS)',
        "pass",
    ),
    Mutant("rows of a code", 'check_range("log_rows", log_rows, 1, TWO_ADICITY)', "pass"),
    Mutant("the rate of a code", 'check_range("log_inverse_rate", log_inverse_rate, 1, TWO_ADICITY)', "pass"),
    Mutant("queries of a code", 'check_range("queries", queries, 1, MAX_QUERIES)', "pass"),
    Mutant(
        "the length of a code",
        'check_range("log_rows + log_inverse_rate", log_rows + log_inverse_rate, 2, TWO_ADICITY)',
        "pass",
    ),
    Mutant("integers", "type(value) is not int or ", ""),
    Mutant("the end of a range", "not low <= value <= high", "not low <= value"),
    Mutant("the start of a range", "not low <= value <= high", "not value <= high"),
)

INITIAL_CODE = source(
    "deepprove_dist/protocol/parameters/initial_code.py",
    CODE_TESTS,
    Mutant(
        "the initial code's own range",
        "check_code(self.log_rows, self.log_inverse_rate, self.queries)",
        "pass",
    ),
    Mutant("hiding is true or false", "if type(self.hiding) is not bool:", "if False:"),
    Mutant("a witness is committed", 'order[-1:] != [MATRICES.index("witness")] or ', ""),
    Mutant("matrices come in order", "all(a < b or a == b == several for", "all(a <= b for"),
    Mutant("columns of all matrices", 'check_range("columns", self.columns, 1, MAX_COLUMNS)', "pass"),
    Mutant(
        "groups of a tree",
        'check_range(f"log_group of {code.matrix}", code.log_group, 0, self.log_length)',
        "pass",
    ),
    Mutant("tails are checked", "self._check_tail(code)", "pass"),
    Mutant("tails are of hiding codes", "has_tail = self.hiding and ", "has_tail = "),
    Mutant("the witness has no tail", 'code.matrix != "witness" and ', ""),
    Mutant("short codes have no tail", " and self.log_rows >= LOG_TAIL_STEPS", ""),
    Mutant("tails are sixteenths", "if code.tail << LOG_TAIL_STEPS & (1 << self.log_rows) - 1:", "if False:"),
    Mutant("what a hiding code needs", "self._check_hiding()", "pass"),
    Mutant("five columns", "code.columns, MASK_COLUMNS, MAX_COLUMNS", "code.columns, 1, MAX_COLUMNS"),
    Mutant(
        "a witness column for each round",
        "if self.witness_columns <= self.column_rounds:",
        "if self.witness_columns < self.column_rounds:",
    ),
    Mutant(
        "random rows fit",
        "if self.dimension >= 1 << self.log_length:",
        "if self.dimension > 1 << self.log_length:",
    ),
    Mutant(
        "column rounds bind all columns",
        "return (self.columns - 1).bit_length()",
        "return self.columns.bit_length() - 1",
        (*CODE_TESTS, "attacks/test_reference_prover.py"),
    ),
    Mutant("the mask vector is folded", "self.column_rounds + self.hiding", "self.column_rounds", ACCOUNT),
    Mutant("ten fresh rows a round", "10 * self.column_rounds + 16", "9 * self.column_rounds + 16"),
    Mutant("sixteen fresh rows more", "10 * self.column_rounds + 16", "10 * self.column_rounds + 9"),
    Mutant(
        "random rows for all of a leaf",
        "(self.queries << self.witness_log_group) + self.mask_rows",
        "self.queries + self.mask_rows",
    ),
    Mutant(
        "the mask claim's rows are further ones",
        "(self.queries << self.witness_log_group) + self.mask_rows",
        "self.queries << self.witness_log_group",
    ),
    Mutant("random rows raise the rate", "log2(self.dimension)", "self.log_rows"),
    Mutant("rows of a tail that stay unused", "(tails[0] - UNUSED_TAIL_ROWS)", "tails[0]"),
    Mutant("rows for certificates", " - CERTIFICATES, 0)", ", 0)"),
    Mutant(
        "a proof shows the larger of both leaves",
        "max(code.log_group for code in self.matrices)",
        "self.matrices[0].log_group",
    ),
    Mutant(
        "mask columns are in the witness's tree", "witness.columns + self.mask_columns", "witness.columns"
    ),
)

OUTER = source(
    "deepprove_dist/protocol/parameters/outer.py",
    ACCOUNT,
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
    Mutant("powers of u", "products.constraints - 1 + products.small_scalars", "products.small_scalars"),
    Mutant(
        "rounds of the small sumcheck",
        "products.constraints - 1 + products.small_scalars",
        "products.constraints - 1",
    ),
)

PRODUCTS = source(
    "deepprove_dist/protocol/parameters/products.py",
    ("protocol/parameters/test_products.py", *ACCOUNT),
    Mutant("a constraint of all relations", "(self.products > 0) + self.levels", "self.levels"),
    Mutant("a row for each layer", "return self.products + self.levels\n", "return self.products\n"),
    Mutant(
        "a row that hides the finals", "return self.rows.bit_length()", "return (self.rows - 1).bit_length()"
    ),
    Mutant("pads of that row", "self.padded + FINALS if", "self.padded if"),
    Mutant("pads of the tree", "self.levels * (self.levels + 3)", "self.levels * (self.levels + 2)"),
    Mutant("pads of the small sumcheck", "return self.sent + self.small_scalars", "return self.sent"),
    Mutant("pads of finals", "self.coefficients + 2 * self.products", "self.coefficients + self.products"),
    Mutant("rounds have two coefficients", "max(2, *(", "max(1, *("),
)

SCHEDULE = source(
    "deepprove_dist/protocol/parameters/schedule.py",
    SCHEDULE_TESTS,
    Mutant(
        "a folded code's own range",
        "check_code(self.log_rows, self.log_inverse_rate, self.queries)",
        "pass",
    ),
    Mutant("a code is folded", 'check_range("log_columns", self.log_columns, 1, TWO_ADICITY)', "pass"),
    Mutant(
        "rounds commit what the one before leaves",
        "if code.log_rows + code.log_columns != log_values:",
        "if False:",
    ),
    Mutant(
        "each round follows the one before", "            log_values = code.log_rows\n", "            pass\n"
    ),
    Mutant("the final vector is short", 'check_range("final_log", log_values, 1, MAX_FINAL_LOG)', "pass"),
)

SECURITY = source(
    "deepprove_dist/protocol/parameters/security.py",
    ACCOUNT,
    Mutant("the level", "bits < schedule.security_bits:", "False:"),
    Mutant(
        "a bit less than the level", "bits < schedule.security_bits:", "bits < schedule.security_bits - 1:"
    ),
    Mutant("the sum of all errors", "fsum(2.0**-term for term in bits)", "max(2.0**-term for term in bits)"),
    Mutant("errors outside the opening", "(*outer, *initial,", "(*initial,"),
    Mutant("errors of rounds", "*initial, *_round_terms(schedule, others))", "*initial)"),
    Mutant("errors of the initial code", "*initial, *_round", "*_round"),
    Mutant(
        "all matrices have an out-of-domain error",
        "for matrix in code.matrices:\n",
        "for matrix in code.matrices[:1]:\n",
    ),
    Mutant("columns make the out-of-domain degree", "matrix.columns * rows", "rows"),
    Mutant(
        "random rows are in the witness's degree",
        'code.dimension if matrix.matrix == "witness" else 1 << code.log_rows',
        "1 << code.log_rows",
    ),
    Mutant(
        "out-of-domain claims are batched",
        "shape.claims + further + len(code.matrices) - 1",
        "shape.claims + further - 1",
    ),
    Mutant(
        "claims of a hiding proof are batched",
        "shape.claims + further + len(code.matrices) - 1",
        "shape.claims + len(code.matrices) - 1",
    ),
    Mutant("finals and the last claim are batched", "1 + (FINALS + 1 if shape.products.rows else 0)", "1"),
    Mutant("the mask vector has the list", "challenge_bits(size), detail", "challenge_bits(0), detail"),
    Mutant("batching has the list", "log2(powers) + size)", "log2(powers))"),
    Mutant("queries are combined", "log2(values) + size + 1)", "size + 1)"),
    Mutant("the combination has the list", "log2(values) + size + 1)", "log2(values) + 1)"),
    Mutant(
        "the final sumcheck's degree", "challenge_bits(log2(2 * schedule.final_log))", "challenge_bits(0)"
    ),
    Mutant(
        "out-of-domain errors have a degree", "challenge_bits(pairs + log_degree)", "challenge_bits(pairs)"
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
        "column rounds are counted",
        "rounds, folds = log2(code.column_rounds) - FIELD_BITS, log2",
        "rounds, folds = -FIELD_BITS, log2",
    ),
    Mutant(
        "column rounds have degree two",
        "code.rate_log2) + 1, folds",
        "code.rate_log2), folds",
    ),
    Mutant("the list of column rounds", "rounds + regime.list_size_log2(-code.rate_log2) + 1", "rounds + 1"),
    Mutant("exceptional challenges", "folds + line, missed", "folds, missed"),
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

PARAMETERS = (MATRIX_CODE, INITIAL_CODE, SCHEDULE, OUTER, PRODUCTS, SECURITY, REGIMES, PROXIMITY, SHAPE)
