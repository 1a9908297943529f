"""Lookups: fingerprints, leaves, tables; the layout of tensors; the counts of the soundness account."""

from tests.mutation.mutants import Mutant, source

HIDDEN = ("attacks/test_reference_prover.py", "attacks/test_badly_hidden.py")
WITNESS = ("attacks/test_witness.py",)
REPLAY = ("attacks/test_replay.py",)
LEAVES = (
    "protocol/lookup/test_lookup.py",
    "protocol/lookup/test_expression_rows.py",
    "attacks/test_witness.py",
)
EXPRESSION_ROWS = ("protocol/lookup/test_expression_rows.py",)

VERIFY = source(
    "deepprove_dist/protocol/lookup/verify.py",
    ("attacks/test_other_shapes.py", *LEAVES),
    Mutant("no tree where there is no lookup", "if len(values) != 0:", "if False:"),
    Mutant(
        "leaves are claimed",
        "LookupClaims(claim_leaves(system, leaves, challenges, reached), check_layers)",
        "LookupClaims([], check_layers)",
    ),
    Mutant(
        "the numerator is the tree's",
        "challenges, reached)",
        "challenges, LeafValues(point, numerator.scaled(ONE - ONE), denominator))",
    ),
    Mutant(
        "the denominator is the tree's",
        "challenges, reached)",
        "challenges, LeafValues(point, numerator, denominator.scaled(ONE - ONE)))",
    ),
    Mutant(
        "the root is checked",
        "products = [_check_root(children)]",
        "products = list[ProductCheck]()",
        WITNESS,
    ),
    Mutant(
        "each layer is checked",
        "        products.append(_check_layer(level, batching[level - 1], children, last))\n",
        "",
        WITNESS,
    ),
    Mutant(
        "either denominator of the root",
        "values[2] * values[3] == Extension(0)",
        "values[2] == Extension(0)",
        ("attacks/test_kernel_arguments.py",),
    ),
    Mutant(
        "both denominators of the root",
        "values[2] * values[3] == Extension(0)",
        "values[3] == Extension(0)",
        ("attacks/test_kernel_arguments.py",),
    ),
    Mutant("both products of the root", "(p0, q1), (p1, q0)),), SentValue", "(p0, q1)),), SentValue", HIDDEN),
    Mutant("both products of a layer", "q1), (p1, q0))\n", "q1))\n", HIDDEN),
    Mutant("denominators of a layer count", "(p0 + q0.scaled(batching), q1)", "(p0, q1)", HIDDEN),
    Mutant("every layer has its lambda", "batching[level - 1], children", "batching[0], children", HIDDEN),
    Mutant("every layer has its last claim", "SentValue(claims[level - 1]", "SentValue(claims[0]", HIDDEN),
    Mutant(
        "pads of children in a layer's claim",
        "known = children.pad_part(slopes[used : used + CHILDREN])",
        "known = PadPart()",
        HIDDEN,
    ),
    Mutant(
        "pads of rounds in a layer's claim",
        "        known += rounds.pad_part(slopes[used : used + 2 * level])\n",
        "",
        HIDDEN,
    ),
    Mutant(
        "slopes of a layer come after its children's",
        "        used += CHILDREN\n",
        "        used += 0\n",
        HIDDEN,
    ),
    Mutant("slopes of layers are their own", "        used += 2 * level\n", "        used += 0\n", HIDDEN),
)

TREE = source(
    "deepprove_dist/protocol/lookup/tree.py",
    LEAVES,
    Mutant("alpha is drawn", 'transcript.challenge("lookup/alpha")', "Extension(2)", REPLAY),
    Mutant("beta is drawn", 'transcript.challenge("lookup/beta")', "Extension(5)", REPLAY),
    Mutant(
        "alpha is what was drawn",
        'transcript.challenge("lookup/alpha")',
        'transcript.challenge("lookup/alpha") * 0',
        ("attacks/test_reference_prover.py", *LEAVES),
    ),
    Mutant(
        "beta is what was drawn",
        'transcript.challenge("lookup/beta")',
        'transcript.challenge("lookup/beta") * 0',
        ("attacks/test_reference_prover.py", *LEAVES),
    ),
    Mutant(
        "columns have powers of alpha that differ",
        "return self.alpha, self.alpha * self.alpha",
        "return self.alpha, self.alpha",
    ),
    Mutant(
        "the first column has another power than the table",
        "return self.alpha, self.alpha * self.alpha",
        "return ONE, self.alpha * self.alpha",
    ),
    Mutant("blocks are counted", "if len(sizes) > MAX_BLOCKS:", "if False:"),
    Mutant("leaves of blocks do not overlap", "        leaf += 1 << log\n", "        leaf += 1\n"),
    Mutant(
        "large leaf blocks come first",
        "key=lambda item: (-item[0], item[1], item[2])",
        "key=lambda item: (item[1], item[2])",
    ),
    Mutant(
        "the tree has all leaves",
        "max(MIN_LEVELS, (leaf - 1).bit_length())",
        "max(MIN_LEVELS, (leaf - 1).bit_length() - 1)",
    ),
    Mutant("the covered part counts", "        covered, stored[", "        covered * 0, stored["),
    Mutant(
        "stored rows have their table",
        "covered * challenges.beta - stored.dot(leaves.numbers)",
        "covered * challenges.beta",
    ),
    Mutant(
        "multiplicities are claimed",
        "Claim.about(numerator, multiplicities)",
        "Claim.about(numerator, ClaimTerms())",
    ),
    Mutant(
        "multiplicities are subtracted",
        "weights.terms(-ONE, lookups,",
        "weights.terms(ONE, lookups,",
    ),
    Mutant(
        "rows of tables are known",
        "sums.constant -= _table_part(system.tables[table.table], table, challenges, weights, number)",
        "pass",
    ),
    Mutant("lookups count", "stored[:lookups].total()", "Extension(0)"),
    Mutant(
        "stored columns are claimed",
        "        weights.terms(-power, 0, columns)\n",
        "        ClaimTerms()\n",
    ),
    Mutant(
        "stored columns have their power",
        "weights.terms(-power, 0, columns)",
        "weights.terms(-ONE, 0, columns)",
    ),
    Mutant("the numerator is claimed", "        Claim.about(numerator, multiplicities),\n", ""),
    Mutant(
        "the denominator is claimed",
        "        Claim.about(denominator, ClaimTerms.concatenated(terms)),\n",
        "",
    ),
    Mutant(
        "padding has the denominator one",
        "SentValue(sums.constant + ONE - sums.covered)",
        "SentValue(sums.constant)",
    ),
    Mutant(
        "places outside an index space are padding",
        "inside = factor * weights.total",
        "inside = factor",
        EXPRESSION_ROWS,
    ),
    Mutant("expressions count", "    sums.lookups += inside\n", "    sums.lookups += 0\n", EXPRESSION_ROWS),
    Mutant(
        "expressions are covered",
        "    sums.covered += inside\n",
        "    sums.covered += factor\n",
        EXPRESSION_ROWS,
    ),
    Mutant(
        "expressions have their table",
        "inside * (challenges.beta - row.table)\n    result",
        "inside * challenges.beta\n    result",
        EXPRESSION_ROWS,
    ),
    Mutant(
        "constants of expressions are known",
        "        sums.constant += known\n",
        "        pass\n",
        EXPRESSION_ROWS,
    ),
    Mutant("expressions have their power", "weights, -power * factor)", "weights, -factor)", EXPRESSION_ROWS),
    Mutant(
        "expressions have their leaf block's weight",
        "weights, -power * factor)",
        "weights, -power)",
        EXPRESSION_ROWS,
    ),
    Mutant(
        "an expression has the last coordinates",
        "SpaceWeights.split(point[len(point) - row.log_size :], row.space)",
        "SpaceWeights.split(point[: row.log_size], row.space)",
        EXPRESSION_ROWS,
    ),
    Mutant(
        "the leaves of rows have their weight",
        "covered = stored.total()",
        "covered = stored.total() * 0",
    ),
    Mutant("blocks of a table start where they do", "[block.intervals[0][0] for", "[0 for"),
    Mutant(
        "a table has values",
        "total + second * weights.table(number, function, starts)",
        "total",
    ),
    Mutant(
        "a table has arguments",
        "total = first * weights.table(number, arguments, starts)",
        "total = Extension(0)",
    ),
    Mutant(
        "arguments start with the first", "LinearPieces.identity(table.first,", "LinearPieces.identity(0,"
    ),
)

LAYOUT = source(
    "deepprove_dist/protocol/claims/layout.py",
    ("protocol/claims/test_layout.py", "attacks/test_reference_prover.py"),
    Mutant(
        "blocks are counted",
        "_most_blocks(shape, _log_block(log_rows, code)) for shape in shapes)",
        "0 for shape in shapes)",
    ),
    Mutant("columns of full tensors are counted", " + (prod(shape) >> log_rows)", ""),
    Mutant("pieces of axes are counted", "return prod(size.bit_count() for size in shape) + ", "return 0 + "),
    Mutant("blocks do not overlap", "        used += 1 << log\n", "        used += 1\n"),
    Mutant(
        "large blocks come first",
        "key=lambda block: (-block[0], block[1], block[2])",
        "key=lambda block: (block[1], block[2])",
    ),
    Mutant(
        "the witness starts after the weights",
        "        first += columns\n",
        "        first += 0\n",
    ),
    Mutant(
        "blocks have the addresses of their columns",
        "return self.addresses[column] << self.log_rows | row",
        "return position",
        HIDDEN,
    ),
    Mutant(
        "tails hold no blocks",
        "first, log_rows, rows))\n        for index, pieces",
        "first, log_rows, 1 << log_rows))\n        for index, pieces",
        ("protocol/claims/test_layout.py", *HIDDEN),
    ),
    Mutant(
        "columns are rounded up",
        "for index in tensors) // rows)",
        "for index in tensors) // rows) - 1",
    ),
    Mutant(
        "blocks start where the one before ends",
        "            start += 1 << log\n",
        "            start += 0\n",
    ),
    Mutant("blocks fit into a column", "excess = sum(log for _, log in intervals) - log_rows", "excess = 0"),
)

ACCOUNT = source(
    "deepprove_dist/protocol/key/account.py",
    ("protocol/key/test_account.py", "protocol/parameters"),
    Mutant(
        "rows of tables are fractions",
        "fractions = sum(map(prod, spaces)) + rows",
        "fractions = sum(map(prod, spaces))",
    ),
    Mutant("lookups are fractions", "fractions = sum(map(prod, spaces)) + rows", "fractions = rows"),
    Mutant("padding makes levels", "1 << space_bits(space)\n", "prod(space)\n"),
    Mutant("tables make levels", "(padded + rows - 1).bit_length()", "(padded - 1).bit_length()"),
    Mutant("every public tensor has a point", "            len(public), max(", "            1, max("),
    Mutant(
        "every linear relation has a point", "PointClaims(len(linear),", "PointClaims(min(len(linear), 1),"
    ),
    Mutant("every product is counted", "count=len(instances),", "count=len(contractions),"),
    Mutant(
        "points of contractions have variables",
        "point_variables=max((space_bits(r.affine.space) for r in contractions), default=0)",
        "point_variables=0",
    ),
    Mutant("the widest table is counted", "max((table.width for table in system.tables), default=0)", "1"),
    Mutant("relations have a claim each", "        + len(system.relations)\n", ""),
    Mutant("factors have a claim each", "+ FACTORS * len(instances)", "+ len(instances)"),
    Mutant("public tensors have a claim each", "claims=len(public)\n", "claims=0\n"),
    Mutant("lookups have claims", "(CLAIMS_OF_LOOKUPS if fractions else 0)", "0"),
)

LOOKUPS = (VERIFY, TREE, LAYOUT, ACCOUNT)
