"""What must hold of a key's relations and lookups, and the tables that they use."""

from tests.mutation.mutants import Mutant, source

RULES = (
    "protocol/relations/test_check.py",
    "protocol/relations/test_check_windows.py",
    "attacks/test_malicious_keys.py",
)
RANGES = ("protocol/relations/test_affine.py", *RULES)

FUNCTIONS = ("protocol/relations/test_determinism.py", "attacks/test_forged_keys.py")

CHECK = source(
    "deepprove_dist/protocol/relations/check.py",
    RULES,
    Mutant("tensors are counted", "0 < len(system.tensors) <= MAX_TENSORS", "0 < len(system.tensors)"),
    Mutant(
        "there is a tensor", "0 < len(system.tensors) <= MAX_TENSORS", "len(system.tensors) <= MAX_TENSORS"
    ),
    Mutant("lookups are counted", "len(system.lookups) <= MAX_LOOKUPS", "True"),
    Mutant("tensors have sizes", "        _check_tensor(tensor)\n", "        pass\n"),
    Mutant("public tensors have names of their own", "len(names) == len(publics) > 0", "len(publics) > 0"),
    Mutant("there are public tensors", "len(names) == len(publics) > 0", "len(names) == len(publics)"),
    Mutant(
        "public tensors have samples",
        "tensor.shape[:1] == (BATCH,), f\"'{public.name}' has no axis",
        "True, f\"'{public.name}' has no axis",
    ),
    Mutant("public tensors have a shape", "same = _fits(public.shape) and prod", "same = prod"),
    Mutant(
        "public tensors have the committed elements",
        "and prod(tensor.shape[1:]) == prod(public.shape)",
        "and True",
    ),
    Mutant(
        "public ranges fit the field",
        "-LARGEST_SIGNED <= public.lo <= public.hi <= LARGEST_SIGNED",
        "public.lo <= public.hi",
    ),
    Mutant(
        "public ranges are ranges",
        "-LARGEST_SIGNED <= public.lo <= public.hi <= LARGEST_SIGNED",
        "-LARGEST_SIGNED <= public.lo and public.hi <= LARGEST_SIGNED",
    ),
    Mutant("tables have multiplicities of their own", "len(set(counted)) == len(counted)", "True"),
    Mutant("tables are checked", "        _check_table(system, table)\n", "        pass\n"),
    Mutant("lookups are checked", "        _check_lookup(system, lookup)\n", "        pass\n"),
    Mutant(
        "affine sides are checked",
        "        _check_affine(system, relation.affine, f\"relation '{relation.name}'\")\n",
        "        pass\n",
    ),
    Mutant(
        "columns of lookups have ranges",
        "        _check_lookup_range(system, lookup, ranges, maxima)\n",
        "        pass\n",
    ),
    Mutant(
        "relations are checked",
        "        _check_relation(system, relation, ranges, maxima, plain)\n",
        "        pass\n",
    ),
    Mutant(
        "the witness follows from inputs and weights", "_require(not free, ", "_require(True, ", FUNCTIONS
    ),
    Mutant(
        "public tensors are counted",
        "_require(len(publics) <= MAX_PUBLIC, ",
        "_require(True, ",
        ("attacks/test_limits.py", *RULES),
    ),
    Mutant("multiplicities are no values", "used.isdisjoint(counted)", "True"),
    Mutant("multiplicities are not public", "    used |= {public.tensor for public in system.public}\n", ""),
    Mutant(
        "multiplicities are in no lookup", "        yield from lookup.columns\n", "        yield from ()\n"
    ),
    Mutant(
        "multiplicities are no factors",
        "            yield from (product.left.value, product.right.value)\n",
        "            yield from ()\n",
    ),
    Mutant("multiplicities are in no affine side", "        yield relation.affine\n", ""),
    Mutant(
        "ranges become smaller",
        "ranges[tensor] = max(low, found[0]), min(high, found[1])",
        "ranges[tensor] = found",
        RANGES,
    ),
    Mutant("ranges of public tensors", "narrow(public.tensor, (public.lo, public.hi))", "pass", RANGES),
    Mutant(
        "ranges of tables end",
        "found = [(table.first, table.first + table.size - 1)]",
        "found = [(table.first, table.first + table.size)]",
        RANGES,
    ),
    Mutant(
        "ranges of values of tables",
        "            found.append(table.function.interval())",
        "            found.append((0, 0))",
        RANGES,
    ),
    Mutant("one unknown tensor is defined", "len(unknown) != 1", "len(unknown) < 1", RANGES),
    Mutant(
        "weights are not defined",
        " or system.tensors[unknown[0].tensor].matrix is Matrix.WEIGHTS",
        "",
        RANGES,
    ),
    Mutant("contractions define no range", "if relation.products or len", "if len", RANGES),
    Mutant("what is defined has all places", "not covers_once(affine.space, own) or ", ""),
    Mutant("what is defined has the factor one", " or abs(own.coefficient) != 1", "", RANGES),
    Mutant(
        "the sign of what is defined",
        "(-high, -low) if own.coefficient == 1 else (low, high)",
        "(low, high)",
        RANGES,
    ),
    Mutant(
        "samples are an axis of the witness only",
        "batched = tensor.matrix is Matrix.WITNESS and tensor",
        "batched = tensor",
    ),
    Mutant(
        "samples are the first axis",
        "tensor.shape[1:] if batched else tensor.shape",
        "tuple(s for s in tensor.shape if s)",
    ),
    Mutant(
        "multiplicities are as many as rows",
        "same = table.size >= 1 and tensor.shape == (table.size,)",
        "same = True",
    ),
    Mutant("tables have rows", "same = table.size >= 1 and tensor", "same = tensor"),
    Mutant("arguments fit the field", "max(abs(end) for end in ends) <= LARGEST_SIGNED", "True"),
    Mutant(
        "functions are of their tables",
        '_require(same, "a table and its function',
        '_require(True, "a table and its function',
    ),
    Mutant("lookups name a table", "0 <= lookup.table < len(system.tables)", "True"),
    Mutant(
        "lookups name no table before the first",
        "0 <= lookup.table < len(system.tables)",
        "lookup.table < len(system.tables)",
    ),
    Mutant("lookups have the table's width", "len(lookup.columns) == width", "len(lookup.columns) >= width"),
    Mutant("columns of lookups are checked", '        _check_affine(system, column, "a lookup")\n', ""),
    Mutant(
        "columns of lookups are of the witness",
        '_require(witness, "a lookup has a column',
        '_require(True, "a lookup has a column',
    ),
    Mutant(
        "columns of lookups have one shape", "len({column.space for column in lookup.columns}) == 1", "True"
    ),
    Mutant(
        "columns of lookups have proven ranges",
        '            _check_proven(system, column, ranges, "a lookup")\n',
        "",
    ),
    Mutant("columns of lookups do not wrap above", "high - first < MODULUS and last", "last"),
    Mutant(
        "columns of lookups do not wrap below",
        "high - first < MODULUS and last - low < MODULUS",
        "high - first < MODULUS",
    ),
    Mutant("columns of lookups do not wrap by one", "high - first < MODULUS", "high - first <= MODULUS"),
    Mutant("affine sides have proven ranges", "    _check_proven(system, affine, ranges, where)\n", ""),
    Mutant("products are checked", "        _check_product(system, product, affine.space, where)\n", ""),
    Mutant(
        "factors have proven ranges",
        "            _check_proven(system, factor.value, ranges, where)\n",
        "            pass\n",
    ),
    Mutant("a relation's range is one", "relation.low <= relation.high", "True"),
    Mutant(
        "a range without weights is the true one",
        "known is None or known == (relation.low, relation.high)",
        "True",
    ),
    Mutant("relations do not wrap above", "high - relation.low >= MODULUS or ", ""),
    Mutant("relations do not wrap below", " or relation.high - low >= MODULUS", ""),
    Mutant("relations do not wrap by one", "high - relation.low >= MODULUS", "high - relation.low > MODULUS"),
    Mutant("axes are counted", "len(space) <= MAX_AXES and BATCH not in space[1:]", "BATCH not in space[1:]"),
    Mutant(
        "samples are the first axis of a space",
        "len(space) <= MAX_AXES and BATCH not in space[1:]",
        "len(space) <= MAX_AXES",
    ),
    Mutant("sizes of a space", "_fits(tuple(size for size in space if size != BATCH))", "True"),
    Mutant("coefficients are field elements", "_require(small, ", "_require(True, "),
    Mutant(
        "scales are field elements",
        "isinstance(a, Window) for k in a.scale]",
        "isinstance(a, Window) for k in a.scale if False]",
    ),
    Mutant("terms are checked", "        _check_term(system, term, space, where)\n", "        pass\n"),
    Mutant(
        "axes of a constant are different",
        'len(set(axes)) == len(axes), f"{where} has a constant',
        'True, f"{where} has a constant',
    ),
    Mutant("axes of a constant exist", '_check_followed(axis, space, f"{where} has a constant")', "pass"),
    Mutant("constants are within an axis", "size != BATCH and 0 <= first <= end <= size", "size != BATCH"),
    Mutant(
        "constants are of all samples",
        "size != BATCH and 0 <= first <= end <= size",
        "0 <= first <= end <= size",
    ),
    Mutant(
        "tensors of terms exist",
        '0 <= term.tensor < len(system.tensors), f"{where} names',
        'True, f"{where} names',
    ),
    Mutant("terms have the tensor's axes", "len(term.axes) == len(shape)", "True"),
    Mutant("axes of a term are different", "len(set(term.follows)) == len(term.follows)", "True"),
    Mutant(
        "axes of a term exist",
        '_check_followed(axis.axis if isinstance(axis, Window) else axis, space, f"{where} has a term")',
        "pass",
    ),
    Mutant(
        "windows are checked", "            _check_window(axis, along, size, where)\n", "            pass\n"
    ),
    Mutant("axes have one size", "along == size, f", "True, f"),
    Mutant("joined axes are several", "len(axis.axes) > 1", "True"),
    Mutant("joined axes are different", "len(set(axis.axes)) == len(axis.axes)", "True"),
    Mutant("samples are not joined", "all(space[own] != BATCH for own in axis.axes)", "True"),
    Mutant("windows are not over samples", "outputs != BATCH and size != BATCH", "outputs != BATCH"),
    Mutant("windows are not along samples", "outputs != BATCH and size != BATCH", "size != BATCH"),
    Mutant(
        "windows have small numbers", "max(numbers) <= MAX_WINDOW and min(numbers) >= 0", "min(numbers) >= 0"
    ),
    Mutant(
        "windows have no negative numbers",
        "max(numbers) <= MAX_WINDOW and min(numbers) >= 0",
        "max(numbers) <= MAX_WINDOW",
    ),
    Mutant("windows are within their axis", "0 <= window.first <= window.end <= outputs", "True"),
    Mutant("windows have a scale for each place", "len(window.scale) in (0, outputs)", "True"),
    Mutant("tensors have proven ranges", "weights or term.tensor in ranges", "True"),
    Mutant(
        "weights in a factor are weights",
        "for affine in (relation.affine, *values)",
        "for affine in (relation.affine,)",
        (*RULES, "protocol/test_key.py"),
    ),
    Mutant("products have contracted places", "places = prod(product.contracted) * prod", "places = prod"),
    Mutant(
        "products have taps",
        "prod(product.contracted) * prod(window.taps for window in product.windows)",
        "prod(product.contracted)",
    ),
    Mutant("products have coefficients", "[product.coefficient * places * a * b for", "[places * a * b for"),
    Mutant("windows of products may have nothing", "ends += [0] if product.windows else []", "ends += []"),
    Mutant("contracted axes have sizes", "_require(_fits(product.contracted), ", "_require(True, "),
    Mutant("windows of products have sizes", "_require(_fits(taps), ", "_require(True, "),
    Mutant("coefficients of products are field elements", "abs(product.coefficient) < MODULUS", "True"),
    Mutant("factors are checked", "        _check_affine(system, factor.value, where)\n", ""),
    Mutant("factors have their value's axes", "len(factor.axes) == len(factor.value.space)", "True"),
    Mutant("axes of a factor are different", "len(set(factor.axes)) == len(factor.axes)", "True"),
    Mutant(
        "axes of a factor have their sizes",
        "0 <= axis < len(sizes) and sizes[axis] == size",
        "0 <= axis < len(sizes)",
    ),
    Mutant("axes of a factor exist", "0 <= axis < len(sizes) and sizes", "sizes"),
    Mutant(
        "windows of products have small numbers",
        "min(places) >= 0 and max(places) <= MAX_WINDOW",
        "min(places) >= 0",
    ),
    Mutant(
        "windows of products have no negative numbers",
        "min(places) >= 0 and max(places) <= MAX_WINDOW",
        "max(places) <= MAX_WINDOW",
    ),
    Mutant("windows of products slide over an axis", "0 <= window.contracted < contracted", "True"),
    Mutant(
        "windows of products have an output axis",
        '_check_followed(window.output, space, f"{where} has a window")',
        "pass",
    ),
    Mutant("windows of products are not over samples", "size_along(space, window.output) != BATCH", "True"),
    Mutant("the output axis of a window is free", "covered.isdisjoint(parts(window.output))", "True"),
    Mutant("windows are in one factor", "sum(uses) == 1", "True"),
    Mutant("output axes are in a factor", "set(range(outputs)) <= covered", "True"),
    Mutant("factors have the sumcheck's axes", "own == [expected, expected]", "True"),
    Mutant("the first factor has the sumcheck's axes", "own == [expected, expected]", "own[1] == expected"),
    Mutant("samples are not shared", "all(space[axis] != BATCH for axis in product.shared(outputs))", "True"),
    Mutant("shapes have few axes", "len(sizes) <= MAX_AXES and all", "all"),
    Mutant("shapes have places", "all(size >= 1 for size in sizes)", "True"),
    Mutant("shapes are small", " and prod(sizes) <= MAX_VALUES", ""),
    Mutant(
        "tensors of the witness exist",
        '0 <= tensor < len(system.tensors), f"{where} names',
        'True, f"{where} names',
    ),
    Mutant(
        "tensors of the witness are of the witness",
        "system.tensors[tensor].matrix is Matrix.WITNESS, f",
        "True, f",
    ),
)

TABLE = source(
    "deepprove_dist/protocol/table.py",
    ("protocol/test_table.py", "attacks/test_malicious_keys.py"),
    Mutant("the size", "if not 1 <= self.size <= MAX_TABLE_SIZE:", "if False:"),
    Mutant("pieces start at the first argument", "self.pieces[0].start != 0", "False"),
    Mutant(
        "pieces end in the domain",
        " or self.pieces[-1].start >= self.size",
        "",
        survives="a last piece that starts at the end is refused as one out of order",
    ),
    Mutant("pieces are in order", "if end <= piece.start:", "if False:"),
    Mutant("values fit the field", "if max(map(abs, extremes)) > LARGEST_SIGNED:", "if False:"),
    Mutant(
        "ends of pieces fit the field",
        "extremes += [piece.value, _at(piece, end - 1)]",
        "extremes += [piece.value]",
    ),
    Mutant("pieces are as long as they can be", "_at(piece, following.start) == following.value", "False"),
    Mutant("pieces have two values", "following.start == piece.start + 1 or ", ""),
    Mutant(
        "the last value has no slope",
        "self.pieces[-1].start == self.size - 1 and self.pieces[-1].slope != 0",
        "False",
    ),
    Mutant(
        "the interval has the starts of pieces",
        "corners = [piece.value for piece in self.pieces]",
        "corners = []",
        ("protocol/test_table.py", *RULES),
    ),
)

DETERMINISM = source(
    "deepprove_dist/protocol/relations/determinism.py",
    FUNCTIONS,
    Mutant(
        "outputs are not known",
        "public.tensor for public in system.inputs}",
        "public.tensor for public in system.public}",
    ),
    Mutant("tensors of one value are known", "if span <= 0}", "if span <= 1}"),
    Mutant(
        "equations are solved", "        if not equation.determines_all(spans):\n            continue\n", ""
    ),
    Mutant("windows cover no axis", "if any(isinstance(axis, Window) for axis in term.axes):", "if False:"),
    Mutant(
        "terms follow all axes",
        "all(size == 1 or axis in followed for axis, size in enumerate(space))",
        "True",
    ),
    Mutant("there are not too many digits", "1 <= len(self.unknown) <= MAX_DIGITS", "1 <= len(self.unknown)"),
    Mutant("unknown tensors can be solved for", " or not self.unknown <= self.coefficients.keys()", ""),
    Mutant("one unknown has a coefficient", "term.coefficient if solvable else 0", "term.coefficient"),
    Mutant(
        "digits have ranges", "        if not self.unknown <= spans.keys():\n            return False\n", ""
    ),
    Mutant("digits do not overlap", "if size <= total:", "if False:"),
    Mutant("digits do not touch", "if size <= total:", "if size < total:"),
    Mutant("digits stay below p", "return total < MODULUS", "return True"),
    Mutant("digits stay below p by one", "return total < MODULUS", "return total <= MODULUS"),
    Mutant("coefficients of zero solve nothing", "term.coefficient % MODULUS != 0 and covers", "covers"),
    Mutant(
        "factors are known",
        "yield _equation(relation.affine, factors, known)",
        "yield _equation(relation.affine, [], known)",
    ),
    Mutant(
        "arguments are known",
        "yield _equation(value, [argument], known)",
        "yield _equation(value, [], known)",
    ),
    Mutant(
        "tensors of two terms are not solved for",
        "            twice.add(term.tensor)\n",
        "            pass\n",
    ),
    Mutant("factors are not solved for", "twice = set(needed)", "twice = set[int]()"),
)

INTERVALS = source(
    "deepprove_dist/protocol/relations/ranges.py",
    RANGES,
    Mutant(
        "parts that are on intervals may be absent",
        "values = [(*part.range, 0) if part.intervals else part.range",
        "values = [part.range",
    ),
    Mutant(
        "parts count where they are", "if low <= first and end <= high:", "if low <= first and end < high:"
    ),
    Mutant("windows have taps", "s * axis.taps * end", "s * end"),
    Mutant("windows have scales", "scales = axis.scale or (1,)", "scales = (1,)"),
    Mutant("places outside a window are zero", "scales = (*scales, 0)", "pass"),
    Mutant(
        "coefficients move a range",
        "ends = [term.coefficient * end for end in (least, most)]",
        "ends = [least, most]",
    ),
)

MAXIMA = source(
    "deepprove_dist/protocol/relations/maxima.py",
    ("protocol/relations/test_maxima.py", "protocol/relations/test_ranges.py"),
    Mutant("the table is max(q, 0)", " or not _is_positive_part(table)", ""),
    Mutant(
        "the ends of a piece of max(q, 0)",
        "(piece.value, value) != (max(first, 0), max(last, 0))",
        "False",
    ),
    Mutant("what a gain is added to is there", "if mapped is not None and terms[mapped] > 0:", "if mapped:"),
    Mutant(
        "constants that a gain is added to are there",
        "if covered is not None and constants[covered] > 0:",
        "if covered is not None:",
    ),
    Mutant(
        "windows of a gain are those of what it is added to",
        "if any(isinstance(axis, Window) and k not in plain for k, axis in enumerate(gain.axes)):",
        "if False:",
    ),
    Mutant(
        "ranges of constants are not seen through windows",
        "if any(isinstance(gain.axes[own], Window) for own in parts(axis)):",
        "if False:",
        survives="a constant on a part of an axis is bounded as if it might be absent anywhere on it",
    ),
    Mutant("constants under a window of one tap", "if own.taps != 1 or own.scale or", "if own.scale or"),
    Mutant(
        "constants under a window without scales", "if own.taps != 1 or own.scale or", "if own.taps != 1 or"
    ),
    Mutant(
        "coefficients of what a gain is added to",
        "return Term(own.coefficient * gain.coefficient, own.tensor, axes)",
        "return Term(own.coefficient, own.tensor, axes)",
    ),
    Mutant(
        "the upper end of a maximum",
        "high = min(max(ends[1], others[1]), others[1] + gain.range[1])",
        "high = min(ends[1], others[1])",
    ),
    Mutant(
        "the lower end of a maximum",
        "low = max(ends[0], others[0], others[0] + gain.range[0])",
        "low = max(ends[1], others[1])",
    ),
)

SYSTEMS = (CHECK, INTERVALS, MAXIMA, TABLE, DETERMINISM)
