"""Reading a key: sizes, security, work."""

from tests.mutation.mutants import Mutant, source

MALICIOUS = ("attacks/test_malicious_keys.py",)
LIMITS = ("protocol/key/test_key_file.py", "attacks/test_limits.py", "protocol/key/test_key.py")

KEY = source(
    "deepprove_dist/protocol/key/key.py",
    ("protocol/key/test_key.py", *MALICIOUS, "attacks/test_statements.py"),
    Mutant("the digest covers the whole key", "key_file.dump(self))", "self.security)"),
    Mutant(
        "the digest covers the weights", "key_file.dump(self))", "key_file.dump(replace(self, weights=None)))"
    ),
    Mutant(
        "the account is for the most samples",
        "return protocol_shape(self._largest)",
        "return protocol_shape(self.system.for_batch(1))",
    ),
    Mutant("at least one sample", "if not 1 <= batch <= self.max_batch:", "if not batch <= self.max_batch:"),
    Mutant("at most the key's samples", "if not 1 <= batch <= self.max_batch:", "if not 1 <= batch:"),
    Mutant("security is required", "        require_security(self.schedule, self.shape)\n", ""),
    Mutant("lookups are counted below p", "if self.shape.lookups.fractions >= MODULUS:", "if False:"),
    Mutant(
        "lookups are counted below p, not 2^31",
        "self.shape.lookups.fractions >= MODULUS",
        "self.shape.lookups.fractions > MODULUS",
    ),
    Mutant("the largest batch is derived", "        self.instance(self.max_batch)\n", ""),
    Mutant(
        "committed weights have columns",
        "if self.weights is not None and initial.weight_columns == 0:",
        "if False:",
    ),
    Mutant(
        "weights that are not committed have no columns",
        "if self.weights is None and initial.weight_columns > 0:",
        "if False:",
    ),
    Mutant(
        "the schedule's columns are the layout's",
        "key_file.require_columns(initial, layout)",
        "pass",
    ),
    Mutant(
        "only a hiding key has pads",
        "pads = count_pads(system) if initial.hiding else 0",
        "pads = count_pads(system)",
        ("attacks/test_reference_prover.py",),
    ),
    Mutant(
        "public integers are as many as a verifier decodes",
        "if self.max_batch * prod(public.shape) > MAX_INTEGERS:",
        "if False:",
    ),
    Mutant(
        "work is bounded",
        "if work(system, layout, leaves) + opening_work(self.schedule) > MAX_WORK:",
        "if False:",
    ),
    Mutant("the opening's work counts", " + opening_work(self.schedule) >", " >", LIMITS),
    Mutant(
        "a proof's length has the statement", "return statement + most_bytes", "return most_bytes", LIMITS
    ),
)

KEY_FILE = source(
    "deepprove_dist/protocol/key/key_file.py",
    ("protocol/key/test_key_file.py", *MALICIOUS),
    Mutant("at least one sample", "not 1 <= file.max_batch <= MAX_BATCH", "not file.max_batch <= MAX_BATCH"),
    Mutant(
        "at most 2^20 samples",
        "not 1 <= file.max_batch <= MAX_BATCH",
        "not 1 <= file.max_batch",
        (*MALICIOUS, "protocol/key/test_key_file.py"),
    ),
    Mutant("the length of a key", "if len(data) > MAX_BYTES:", "if False:", LIMITS),
    Mutant("the lists of a key", "lists > MAX_LISTS or ", "", LIMITS),
    Mutant("the items of a key", " or items > MAX_ITEMS", "", LIMITS),
    Mutant("names of a key", "if not is_name(name):", "if False:", LIMITS),
    Mutant("the system is checked", "    check(system)\n", ""),
    Mutant(
        "scales are canonical", "        public.scale.require(public.shape, public.name)\n", "        pass\n"
    ),
    Mutant("the key is checked", "    key.check()\n", ""),
    Mutant(
        "columns of each matrix",
        "part.needed == 0 or item.columns != max(part.needed, least)",
        "part.needed == 0",
    ),
    Mutant(
        "columns are no more than needed",
        "item.columns != max(part.needed, least)",
        "item.columns < max(part.needed, least)",
    ),
    Mutant("a matrix has tensors", "needed == 0 or ", ""),
    Mutant(
        "a hiding matrix has five columns",
        "least = max(least, initial.mask_columns)",
        "least = max(least, 0)",
    ),
    Mutant(
        "a hiding witness has a column for each round",
        "least = initial.column_rounds + 1 if part.matrix is Matrix.WITNESS else 0",
        "least = 0",
        ("protocol/key/test_key.py", "attacks/test_malicious_keys.py", "test_tiny.py"),
    ),
)

SCALE = source(
    "deepprove_dist/protocol/system/scale.py",
    ("protocol/system/test_scale.py", *MALICIOUS),
    Mutant("a scale is finite", "SMALLEST <= value <= LARGEST", "SMALLEST <= value"),
    Mutant("a scale is positive", "SMALLEST <= value <= LARGEST", "value <= LARGEST"),
    Mutant(
        "a scale has as many axes", "len(self.shape) == len(shape) <= MAX_AXES\n            and all", "all"
    ),
    Mutant("axes of a scale are one or whole", "mine in (1, size)", "mine <= size"),
    Mutant("a scale has its numbers", "prod(self.shape) == len(self.values)", "True"),
    Mutant("a scale fits its tensor", "self.fits(shape) and (self.is", "(self.is"),
    Mutant("one encoding", " and (self.is_single or self == Scale.from_array(self.array))", ""),
)

NAMES = source(
    "deepprove_dist/protocol/system/names.py",
    LIMITS,
    Mutant("names are short", "len(text) <= MAX_LENGTH and text.isprintable()", "text.isprintable()"),
    Mutant(
        "names are printable", "len(text) <= MAX_LENGTH and text.isprintable()", "len(text) <= MAX_LENGTH"
    ),
)

WORK = source(
    "deepprove_dist/protocol/key/work.py",
    ("protocol/key/test_work.py", *LIMITS),
    Mutant("relations cost", "sum(_relation_work(system, layout))\n", "0\n"),
    Mutant("lookups cost", "+ sum(_lookup_work(system, layout))\n", "\n"),
    Mutant("public indices cost", "+ sum(_index_work(system))\n", "\n"),
    Mutant("leaf blocks cost", "+ LEAF_BLOCK * sum(len(row.blocks)", "+ 0 * sum(len(row.blocks)"),
    Mutant("tables cost", "+ sum(_table_work(system))\n", "\n"),
    Mutant("columns cost", "COLUMN * initial.columns + ", ""),
    Mutant("the final vector costs", "(final + tail) // VALUES_A_STEP", "tail // VALUES_A_STEP"),
    Mutant("random rows cost", "(final + tail) // VALUES_A_STEP", "final // VALUES_A_STEP"),
    Mutant(
        "axes of relations cost",
        "STATEMENT + AXIS * len(space) + _expression_work",
        "STATEMENT + _expression_work",
    ),
    Mutant("taps cost", "steps += (count + size) * taps.map.taps + _joining_work", "steps += _joining_work"),
    Mutant(
        "axes of taps cost",
        "steps += EXPLICIT_WEIGHT * (count + size + taps",
        "steps += 0 * (count + size + taps",
    ),
    Mutant("explicit axes cost", "steps = EXPLICIT_WEIGHT * listed", "steps = 0"),
    Mutant("constants cost", "steps += CONSTANT + passed + RANGE * len(constant.within) + listed", "pass"),
    Mutant("terms cost", "steps += TERM + passed + _term_work", "steps += _term_work"),
    Mutant("maps of terms cost", "steps += count * axis.taps + ", "steps += "),
    Mutant("axes of maps of terms cost", " + EXPLICIT_WEIGHT * size\n", "\n"),
    Mutant("joined axes of maps cost", "EXPLICIT_WEIGHT * count if len(axis.axes) > 1 else 0", "0"),
    Mutant(
        "axes that maps follow cost",
        "return steps + sum(EXPLICIT_WEIGHT * affine.space[axes[0]] for axes in mapped if len(axes) == 1)",
        "return steps",
    ),
    Mutant("blocks cost", "steps += len(blocks) * len(term.axes) + ", "steps += "),
    Mutant("listed positions cost", " + sum(spans[index] for index in listed) // VALUES_A_STEP", ""),
)

KEYS = (KEY, KEY_FILE, SCALE, NAMES, WORK)
