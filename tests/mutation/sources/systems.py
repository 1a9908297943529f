"""What must hold of a key's relations and lookups, and the tables that they use."""

from tests.mutation.mutants import Mutant, source
from tests.mutation.sources.bounds import (
    DETERMINISM,
    DIGITS,
    FUNCTIONS,
    INTERVALS,
    MAXIMA,
    RANGES,
    REMAINDERS,
    RULES,
)

CHECK = source(
    "deepprove_dist/protocol/system/check.py",
    RULES,
    Mutant(
        "public indices are checked",
        "    check_arg_maxima(system)\n",
        "",
        ("protocol/system/test_arg_max.py",),
    ),
    Mutant(
        "margins are checked",
        "    check_margins(system, ranges)\n",
        "",
        ("protocol/system/test_arg_max.py",),
    ),
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
    Mutant("public tensors have a shape", "same = fits(public.shape) and prod", "same = prod"),
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
        "        check_affine(system, relation.affine, f\"relation '{relation.name}'\")\n",
        "        pass\n",
    ),
    Mutant(
        "columns of lookups have ranges",
        "        _check_lookup_range(system, lookup, ranges, maxima)\n",
        "        pass\n",
    ),
    Mutant(
        "relations are checked",
        "        _check_relation(complete, relation, ranges, maxima, plain)\n",
        "        pass\n",
    ),
    Mutant("the witness follows from inputs and weights", "require(not free, ", "require(True, ", FUNCTIONS),
    Mutant(
        "public tensors are counted",
        "require(len(publics) <= MAX_PUBLIC, ",
        "require(True, ",
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
        "ranges[tensor] = max(low, interval[0]), min(high, interval[1])",
        "ranges[tensor] = found",
        RANGES,
    ),
    Mutant("ranges of public tensors", "narrow(public.tensor, (public.lo, public.hi))", "pass", RANGES),
    Mutant("one unknown tensor is defined", "len(unknown) != 1", "len(unknown) < 1", RANGES),
    Mutant(
        "weights are not defined",
        " or system.tensors[unknown[0].tensor].matrix is Matrix.WEIGHTS",
        "",
        RANGES,
    ),
    Mutant("contractions define no range", "if relation.products or len", "if len", RANGES),
    Mutant("what is defined has all places", "not covers_once(affine.space, defined, shape) or ", ""),
    Mutant("what is defined has the factor one", " or abs(defined.coefficient) != 1", "", RANGES),
    Mutant(
        "the sign of what is defined",
        "(-high, -low) if defined.coefficient == 1 else (low, high)",
        "(low, high)",
        RANGES,
    ),
    Mutant(
        "samples are an axis of the witness only",
        "batched = tensor.matrix is not Matrix.WEIGHTS and tensor",
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
        'require(same, "a table and its function',
        'require(True, "a table and its function',
    ),
    Mutant("lookups name a table", "0 <= lookup.table < len(system.tables)", "True"),
    Mutant(
        "lookups name no table before the first",
        "0 <= lookup.table < len(system.tables)",
        "lookup.table < len(system.tables)",
    ),
    Mutant("lookups have the table's width", "len(lookup.columns) == width", "len(lookup.columns) >= width"),
    Mutant("columns of lookups are checked", '        check_affine(system, column, "a lookup")\n', ""),
    Mutant(
        "columns of lookups are of the witness",
        'require(witness, "a lookup has a column',
        'require(True, "a lookup has a column',
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
    Mutant("products are checked", "        check_product(system, product, affine.space, where)\n", ""),
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
    Mutant("tensors have proven ranges", "weights or term.tensor in ranges", "True"),
    Mutant(
        "tensors of the witness exist",
        '0 <= tensor < len(system.tensors), f"{where} names',
        'True, f"{where} names',
    ),
    Mutant(
        "tensors of the witness are of the witness",
        "system.tensors[tensor].matrix in kinds, f",
        "True, f",
    ),
)

PRODUCT_RANGES = source(
    "deepprove_dist/protocol/system/product_ranges.py",
    RULES,
    Mutant(
        "weights in a factor are weights",
        "for affine in (relation.affine, *values)",
        "for affine in (relation.affine,)",
        (*RULES, "protocol/key/test_key.py"),
    ),
    Mutant("products have contracted indices", "count = prod(product.contracted) * prod", "count = prod"),
    Mutant(
        "products have taps",
        "prod(product.contracted) * prod(taps.map.taps for taps in product.taps)",
        "prod(product.contracted)",
    ),
    Mutant("products have coefficients", "[product.coefficient * count])", "[count])"),
    Mutant(
        "taps of products may have nothing",
        "(*(taps.map.scale or (1,)), 0))",
        "(taps.map.scale or (1,)))",
    ),
    Mutant("taps of products have factors", "(*(taps.map.scale or (1,)), 0))", "(1, 0))"),
)

WEIGHED = (
    "protocol/relations/test_affine.py",
    "protocol/relations/test_joined_axes.py",
    "attacks/test_reference_prover.py",
)

SUMCHECKS = ("protocol/relations/test_contractions.py", "protocol/key/test_account.py")

SYSTEM = source(
    "deepprove_dist/protocol/system/system.py",
    (*RULES, "protocol/relations/test_joined_axes.py"),
    Mutant(
        "ranges of tables end",
        "arguments = (self.first, self.first + self.size - 1)",
        "arguments = (self.first, self.first + self.size)",
    ),
    Mutant(
        "ranges of values of tables",
        "[arguments, self.function.interval()]",
        "[arguments, (0, 0)]",
    ),
    Mutant(
        "sumchecks run over contracted axes",
        "sizes = (*(outputs[axis] for axis in shared), *product.summed)",
        "sizes = tuple(outputs[axis] for axis in shared)",
        SUMCHECKS,
    ),
    Mutant(
        "sumchecks run over shared axes",
        "sizes = (*(outputs[axis] for axis in shared), *product.summed)",
        "sizes = product.summed",
        SUMCHECKS,
    ),
    Mutant("shared axes make the degree three", "FACTORS + bool(shared)", "FACTORS", SUMCHECKS),
)

CHECK_EXPRESSIONS = source(
    "deepprove_dist/protocol/system/check_expressions.py",
    (*RULES, "protocol/relations/test_joined_axes.py"),
    Mutant("shapes have few axes", "len(sizes) <= MAX_AXES and all", "all"),
    Mutant("shapes have positions", "all(size >= 1 for size in sizes)", "True"),
    Mutant("shapes are small", " and prod(sizes) <= MAX_VALUES", ""),
    Mutant("axes are counted", "len(space) <= MAX_AXES and BATCH not in space[1:]", "BATCH not in space[1:]"),
    Mutant(
        "samples are the first axis of a space",
        "len(space) <= MAX_AXES and BATCH not in space[1:]",
        "len(space) <= MAX_AXES",
    ),
    Mutant("sizes of a space", "fits(tuple(size for size in space if size != BATCH))", "True"),
    Mutant(
        "constants have no input's indices",
        "require(axis.listed is not None, ",
        "require(True, ",
        ("protocol/system/test_public_selection.py",),
    ),
    Mutant(
        "weights alone are selected",
        "require(weights, ",
        "require(True, ",
        ("protocol/system/test_public_selection.py",),
    ),
    Mutant(
        "selections are those of an input",
        "require(fitting, ",
        "require(True, ",
        ("protocol/system/test_public_selection.py",),
    ),
    Mutant(
        "factors are not selected",
        "require(not selects(factor.value), ",
        "require(True, ",
        ("protocol/system/test_public_selection.py",),
    ),
    Mutant(
        "selections are on axes",
        "all(0 <= k < len(space) for k in axis.axes)",
        "True",
        ("protocol/system/test_public_selection.py",),
    ),
    Mutant("terms are checked", "        _check_term(system, term, space, where)\n", "        pass\n"),
    Mutant("constants are checked", "        _check_constant(constant, space, where)\n", "        pass\n"),
    Mutant("contracted axes have sizes", "require(fits(product.contracted), ", "require(True, "),
    Mutant("taps of products are counted", "require(fits(counts), ", "require(True, "),
    Mutant(
        "coefficients of products are field elements",
        '    _check_numbers([product.coefficient], f"{where} has a product")\n',
        "",
    ),
    Mutant("factors are checked", "        check_affine(system, factor.value, where)\n", ""),
    Mutant("factors have their value's axes", "len(factor.axes) == len(factor.value.space)", "True"),
    Mutant("axes of a factor are different", "len(set(factor.axes)) == len(factor.axes)", "True"),
    Mutant(
        "axes of a factor have their sizes",
        "0 <= axis < len(sizes) and sizes[axis] == size",
        "0 <= axis < len(sizes)",
    ),
    Mutant("axes of a factor exist", "0 <= axis < len(sizes) and sizes", "sizes"),
    Mutant("taps of products are checked", "        _check_taps(taps, product, space, where)\n", ""),
    Mutant("what taps follow is free", "covered.isdisjoint(taps.map.axes)", "True"),
    Mutant("taps are in one factor", "sum(uses) == 1", "True"),
    Mutant("output axes are in a factor", "set(range(outputs)) <= covered", "True"),
    Mutant("factors have the sumcheck's axes", "orders == [expected, expected]", "True"),
    Mutant(
        "the first factor has the sumcheck's axes", "orders == [expected, expected]", "orders[1] == expected"
    ),
    Mutant(
        "tensors of terms exist",
        "0 <= term.tensor < len(system.tensors)",
        "True",
    ),
    Mutant(
        "coefficients of terms are field elements",
        '    _check_numbers([term.coefficient], f"{where} has a term")\n',
        "",
    ),
    Mutant("terms have the tensor's axes", "len(term.axes) >= len(shape)", "True"),
    Mutant("further axes of a term are covers", " and covers, f", ", f"),
    Mutant("axes of a term are different", "len(set(term.follows)) == len(term.follows)", "True"),
    Mutant(
        "axes of a term fit",
        '        _check_axis(axis, space, size, f"{where} has a term")\n',
        "        pass\n",
    ),
    Mutant(
        "constants are field elements",
        '    _check_numbers([constant.value], f"{where} has a constant")\n',
        "",
    ),
    Mutant("axes of a constant are different", "len(set(axes)) == len(axes)", "True"),
    Mutant("maps of a constant fit", '        _check_axis(cover, space, 1, f"{where} has a constant")\n', ""),
    Mutant("maps of a constant are covers", "require(cover.is_cover,", "require(True,"),
    Mutant("an axis is met by taps once", "len(set(met)) == len(met)", "True"),
    Mutant("taps are over an axis", "0 <= taps.contracted < len(product.contracted)", "True"),
    Mutant("axes that taps follow are different", "len(set(taps.map.axes)) == len(taps.map.axes)", "True"),
    Mutant("maps of taps fit", '    _check_axis(taps.map, space, size, f"{where} has taps")\n', ""),
    Mutant("axes that are followed exist", "all(0 <= k < len(space) for k in followed(axis))", "True"),
    Mutant("axes have one size", "space[axis] == size, f", "True, f"),
    Mutant("maps are checked", "        _check_map(axis, space, size, what)\n", "        pass\n"),
    Mutant("maps follow an axis", "len(axis.axes) > 0", "True"),
    Mutant("maps do not lead to samples", "size == BATCH or any", "any"),
    Mutant("maps do not follow samples", " or any(space[k] == BATCH for k in axis.axes)", ""),
    Mutant(
        "maps have no negative numbers",
        "min(numbers) >= 0 and max(numbers) <= MAX_STEP",
        "max(numbers) <= MAX_STEP",
    ),
    Mutant("maps have small numbers", "min(numbers) >= 0 and max(numbers) <= MAX_STEP", "min(numbers) >= 0"),
    Mutant("maps are within their axes", "0 <= axis.first <= axis.end <= count", "True"),
    Mutant("maps have a factor for each position", "len(axis.scale) in (0, count)", "True"),
    Mutant("factors of maps are field elements", "    _check_numbers(axis.scale, what)\n", ""),
    Mutant("numbers are field elements", "max(map(abs, numbers), default=0) < MODULUS", "True"),
)

TABLE = source(
    "deepprove_dist/protocol/system/table.py",
    ("protocol/system/test_table.py", "attacks/test_packed_tables.py"),
    Mutant(
        "arguments are above the field's least",
        "max(abs(self.first), abs(self.first + self.size - 1))",
        "abs(self.first + self.size - 1)",
    ),
    Mutant(
        "arguments are below the field's largest",
        "abs(self.first + self.size - 1)) > LARGEST_SIGNED",
        "0) > LARGEST_SIGNED",
    ),
)

SYSTEMS = (
    CHECK,
    CHECK_EXPRESSIONS,
    PRODUCT_RANGES,
    SYSTEM,
    INTERVALS,
    MAXIMA,
    TABLE,
    DETERMINISM,
    REMAINDERS,
    DIGITS,
)
