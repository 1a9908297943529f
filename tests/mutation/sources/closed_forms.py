"""Weights in closed form: eq, terms and their extensions, tables, lists and maps of indices."""

from tests.mutation.mutants import Mutant, source

ARGUMENTS = "attacks/test_kernel_arguments.py"
WINDOWS = ("attacks/test_windows.py", "attacks/test_convolutions.py", "protocol/relations/test_affine.py")

EQ = source(
    "kernels/verifier/src/eq.rs",
    ("attacks/test_windows.py", "attacks/test_reference_prover.py", "cargo:eq"),
    Mutant("eq of two points", "(u * x).double() + EF::ONE - u - x", "u * x + EF::ONE - u - x"),
    Mutant(
        "zeros of an index",
        "if is_set(index, log) { u } else { EF::ONE - u }",
        "if is_set(index, log) { u } else { EF::ONE }",
    ),
    Mutant(
        "the whole sum is one",
        "count.checked_ilog2().is_some_and(|log| log as usize >= u.len())",
        "count.checked_ilog2().is_some_and(|log| log as usize > u.len())",
        ("protocol/relations/test_affine.py", "cargo:eq"),
    ),
    Mutant("prefixes of a sum", "prefix *= u;", "", ("protocol/relations/test_affine.py", "cargo:eq")),
    Mutant(
        "other prefixes of a sum",
        "prefix *= EF::ONE - u;",
        "",
        ("protocol/relations/test_affine.py", "cargo:eq"),
    ),
)

AT_POINT = source(
    "kernels/verifier/src/at_point.rs",
    (
        "attacks/test_reference_prover.py",
        "protocol/claims/test_claim.py",
        "cargo:at_point",
        "cargo:evaluation",
    ),
    Mutant(
        "blocks have their address",
        "self.prefixes.block(block.address, log)",
        "self.prefixes.block(0, log)",
    ),
    Mutant(
        "blocks that addresses are known of are held",
        "(blocks.clone(), values.clone())",
        "(Arc::new(TensorBlocks::new(Vec::new())?), values.clone())",
        ("cargo:at_point",),
    ),
    Mutant(
        "a product is of its shape",
        "self.product.shape.as_ref().is_some_and(|known| Arc::ptr_eq(known, shape))",
        "self.product.shape.as_ref().is_some_and(|known| known.suffixes.len() == shape.suffixes.len())",
    ),
    Mutant("a product is of its vectors", "self.product.vectors != vectors", "false"),
    Mutant("blocks count once", "total += factor * *values.get(suffix)?;", "total += *values.get(suffix)?;"),
    Mutant("what is common to all blocks counts", "total * *common", "total"),
    Mutant("a single piece counts", "common *= *value;", ""),
    Mutant(
        "suffixes have the values of what is after them",
        "*axis.get(piece)? * *values.get(after)?",
        "*axis.get(piece)? * *values.first()?",
    ),
    Mutant(
        "points are known by themselves",
        "known.iter().position(|values| values.is_of(point))",
        "known.iter().position(|_| true)",
    ),
    Mutant(
        "a point takes the memory of another one",
        "*known.get_mut(*next)? = EqValues::new(point);",
        "",
    ),
    Mutant("a tree has its point", "known == other", "known.len() >= other.len() / 2"),
)

EQ_PREFIXES = source(
    "kernels/verifier/src/eq_prefixes.rs",
    ("attacks/test_reference_prover.py", "protocol/claims/test_claim.py", "cargo:eq_prefixes"),
    Mutant(
        "blocks are inside the point's indices",
        "number >= power(remaining)",
        "false",
        (ARGUMENTS, "cargo:eq_prefixes", "cargo:at_point"),
    ),
    Mutant("blocks have their number", "shifted(start, log)", "0 * shifted(start, log)"),
    Mutant(
        "chunks have the bits from the first on",
        "shifted(number, remaining) & power(count).saturating_sub(1)",
        "number & power(count).saturating_sub(1)",
    ),
    Mutant("zeros of a number", "[value - high, high]", "[value, high]"),
)

BLOCKS = source(
    "kernels/verifier/src/blocks.rs",
    ("attacks/test_reference_prover.py", "protocol/claims/test_claim.py", "cargo:blocks", "cargo:evaluation"),
    Mutant(
        "blocks are aligned",
        "!aligned(address, block.log_size()) || !block.intervals.iter().all(|i| aligned(i.start, i.log))",
        "false",
        (ARGUMENTS, "cargo:blocks"),
    ),
    Mutant(
        "blocks of a tensor have as many axes",
        "intervals.iter().any(|block| block.len() != axes)",
        "false",
        (ARGUMENTS, "cargo:blocks"),
    ),
    Mutant(
        "intervals have coordinates before those of later axes",
        "if interval.log == 0 { 0 } else { *after }",
        "0",
    ),
    Mutant("all later axes count", "*after = after.saturating_add(interval.log);", "*after = interval.log;"),
    Mutant("axes have the end of their last interval", "interval.end().max(*end)", "interval.end()"),
    Mutant("suffixes are by what is after them", "here.number((piece, *suffix))", "here.number((piece, 0))"),
    Mutant(
        "every block has an address",
        "shape.intervals.len() != addresses.len()",
        "false",
        (ARGUMENTS, "cargo:blocks"),
    ),
)

LEAVES = source(
    "kernels/verifier/src/leaves.rs",
    ("attacks/test_reference_prover.py", "protocol/lookup/test_lookup.py", "cargo:leaves"),
    Mutant("blocks of leaves have their first leaf", "prefixes.block(leaf, log)", "prefixes.block(0, log)"),
    Mutant(
        "terms have the rows that are asked for",
        "first..first.saturating_add(tensors.len())",
        "0..tensors.len()",
    ),
    Mutant(
        "a table has as many blocks as its row",
        "starts.len() != weights.len()",
        "false",
        (ARGUMENTS, "cargo:leaves"),
    ),
    Mutant(
        "blocks of a table have their weight",
        "weight * table::evaluate(pieces.pieces(), start, low)?",
        "EF::default() * weight + table::evaluate(pieces.pieces(), start, low)?",
    ),
    Mutant(
        "blocks of a table are at the last coordinates",
        "split_last(&self.point, log)",
        "split_last(&self.point, self.point.len() - log).map(|(first, last)| (last, first))",
    ),
)

AXIS_VALUES = source(
    "kernels/verifier/src/axis_values.rs",
    (
        "attacks/test_reference_prover.py",
        "protocol/claims/test_claim.py",
        "cargo:axis_values",
        "cargo:evaluation",
    ),
    Mutant(
        "coordinates are before those after an interval",
        "split_last(before, count)?.1",
        "before.get(..count)?",
    ),
    Mutant(
        "expansions have their coordinates",
        "self.expansions.entry((after, count))",
        "self.expansions.entry((0, count))",
    ),
    Mutant(
        "explicit weights start where the interval does",
        "values.get(interval.start..interval.end())?",
        "values.get(..power(interval.log))?",
    ),
    Mutant("only zeros are left out", "**value != EF::ZERO", "**value == EF::ONE"),
    Mutant(
        "eq keeps the values of one level",
        "*number == level && Arc::ptr_eq(of, shape)",
        "Arc::ptr_eq(of, shape)",
    ),
    Mutant(
        "eq keeps the values of one shape",
        "*number == level && Arc::ptr_eq(of, shape)",
        "*number == level",
    ),
    Mutant(
        "tables have the interval's number",
        "tables.block(interval.start, interval.log)?",
        "tables.block(0, interval.log)?",
    ),
    Mutant(
        "intervals have their coordinates",
        "if interval.log == 0 { high } else { high * self.low(interval.log, after, point)? }",
        "high",
    ),
    Mutant(
        "known numbers are of an interval",
        "self.high.iter().find(|(of, _)| *of == interval)",
        "self.high.first()",
    ),
    Mutant(
        "a number is inside",
        "(number < power(first.len())).then(|| eq_index(first, number))?",
        "eq_index(first, number)",
        ("cargo:axis_values",),
    ),
    Mutant(
        "known products are before so many coordinates",
        "self.low.iter().position(|(of, _)| *of == after)",
        "self.low.iter().position(|_| true)",
    ),
    Mutant(
        "products go on from the last",
        "*products.last()? * eq_points(&[u], &[x])",
        "eq_points(&[u], &[x])",
    ),
    Mutant(
        "one index is in one interval",
        "offset < power(interval.log)",
        "offset < power(interval.log) || interval.log > 0",
    ),
)

EVALUATION = source(
    "kernels/verifier/src/evaluation.rs",
    ("attacks/test_reference_prover.py", "protocol/claims/test_claim.py", "cargo:evaluation"),
    Mutant("terms have coefficients", "sum.ok_or(UNFIT)? * self.coefficient", "sum.ok_or(UNFIT)?"),
    Mutant("blocks of one size make a run", "first == second", "true"),
    Mutant("addresses go on with the run", "remaining = tail;", ""),
    Mutant(
        "all runs count",
        "total += sum * common(*run.first()?)?;",
        "total = sum * common(*run.first()?)?;",
    ),
    Mutant("blocks have factors", "eq * factor", "eq + EF::ZERO * factor"),
    Mutant("powers go on from the last", "self.last.1 * self.step.1", "self.step.1"),
    Mutant(
        "steps of powers change",
        "step != self.step.0",
        "self.step.0 == 0",
        ("cargo:evaluation", "cargo:terms"),
    ),
    Mutant(
        "the last power goes with its exponent",
        "self.last = (exponent, value);",
        "self.last = (exponent, self.last.1);",
    ),
)

TERMS = source(
    "kernels/verifier/src/terms.rs",
    ("attacks/test_reference_prover.py", "protocol/claims/test_claim.py", "cargo:terms"),
    Mutant(
        "weights fit a tensor", "!fits", "false", (ARGUMENTS, "protocol/claims/test_claim.py", "cargo:terms")
    ),
    Mutant("terms have the scale of their claim", "scale * self.coefficient", "self.coefficient"),
    Mutant("powers are squared", "power = power.square();", ""),
    Mutant(
        "powers are of the point",
        "product *= EF::ONE + u * (EF::from(power) - EF::ONE);",
        "product *= EF::from(power);",
    ),
    Mutant(
        "powers of points have coefficients",
        "c * powers_at(x, point)",
        "powers_at(x, point) + EF::default() * c",
    ),
    Mutant(
        "points and coefficients are as many",
        "points.len() != coefficients.len()",
        "false",
        (ARGUMENTS, "test_kernels.py"),
    ),
)

TABLE = source(
    "kernels/verifier/src/table.rs",
    ("attacks/test_reference_prover.py", "protocol/lookup/test_lookup.py", "cargo:table"),
    Mutant(
        "pieces end where the next starts",
        "sums.add(piece.start.saturating_sub(start), constant - next, slope - step);",
        "sums.add(piece.start.saturating_sub(start), -next, -step);",
    ),
    Mutant(
        "the piece that holds the first offset counts",
        "pieces.partition_point(|piece| piece.start <= start).saturating_sub(1)",
        "pieces.partition_point(|piece| piece.start <= start)",
    ),
    Mutant("the last piece ends with the interval", "sums.add(size, constant, slope);", ""),
    Mutant(
        "a line is moved to the interval's start",
        "(F::from_usize(start) - F::from_usize(piece.start))",
        "F::ZERO",
    ),
    Mutant(
        "every run counts",
        "self.close_run();\n            self.current = high;",
        "self.current = high;",
    ),
    Mutant("moments count from the run's start", "run.inner + run.shifted * base", "run.inner"),
    Mutant("moments of what stands before", "moment += below * (mean + base);", "moment += below * mean;"),
    Mutant(
        "tables are small",
        "point.len() > MAX_VARIABLES",
        "false",
        (ARGUMENTS, "cargo:table"),
    ),
)

LINEAR_PIECES = source(
    "kernels/verifier/src/linear_pieces.rs",
    ("attacks/test_packed_tables.py", "cargo:linear_pieces"),
    Mutant("a table has a piece", "self.pieces.is_empty()", "false"),
    Mutant("a piece has a value", "length == 0", "false"),
    Mutant("a table is a column at most", "length > (MAX_SIZE - self.size) as u64", "false"),
    Mutant("a piece of one value is the last", "self.length == 1", "false"),
    Mutant("pieces are as long as they can be", "bend == 0 && self.size > 0", "false"),
    Mutant("one value has no slope", "length == 1 && slope != 0", "false"),
    Mutant("values are not below the field", "low < -LARGEST", "false"),
    Mutant("values are not above the field", "high > LARGEST", "false"),
    Mutant("ends of pieces are in the field", "value + slope * (length as i64 - 1)", "value"),
    Mutant("bends count from the line", "self.value + bend", "bend"),
    Mutant("turns count from the slope", "self.slope + turn", "turn"),
    Mutant("the interval has every piece", "(self.lowest.min(low), self.highest.max(high))", "(low, high)"),
    Mutant("numbers are whole", "numbers.unsigned()?", "numbers.unsigned().unwrap_or(1)"),
    Mutant("numbers have no group of zeros", "byte == 0 && shift > 0", "false"),
    Mutant("numbers have five groups", "shift == LAST_GROUP", "false"),
)

INDEX_LIST = source(
    "kernels/verifier/src/index_list.rs",
    (ARGUMENTS, "protocol/system/test_index_map.py", "cargo:index_list"),
    Mutant("positions and weights are as many", "weights.len() != self.indices.len()", "false"),
    Mutant("lists lead to axes of a size", "self.size > LIMIT", "false", ("cargo:index_list",)),
    Mutant("-1 is none", "index == -1", "false"),
    Mutant(
        "weights of one index of a list add up",
        '*sum.ok_or(Error::Shape("a list has an index outside of its axis"))? += weight',
        '*sum.ok_or(Error::Shape("outside"))? = weight',
    ),
)

INDEX_MAP = source(
    "kernels/verifier/src/index_map.rs",
    ("protocol/system/test_index_map.py", *WINDOWS, "cargo:index_map"),
    Mutant(
        "maps are small",
        "sizes.iter().any(|&s| s > LIMIT) || self.offset.unsigned_abs() > LIMIT as u64",
        "false",
        (
            ARGUMENTS,
            "cargo:index_map",
        ),
    ),
    Mutant(
        "indices are inside",
        "usize::try_from(x).ok().filter(|&x| x < self.size)",
        "Some((x.max(0) as usize).min(self.size - 1))",
    ),
    Mutant(
        "a stride",
        "(self.stride as u64 * h as u64 + self.dilation as u64 * i as u64) as i64 + self.offset",
        "(h as u64 + self.dilation as u64 * i as u64) as i64 + self.offset",
    ),
    Mutant(
        "a dilation",
        "(self.stride as u64 * h as u64 + self.dilation as u64 * i as u64) as i64 + self.offset",
        "(self.stride as u64 * h as u64 + i as u64) as i64 + self.offset",
    ),
    Mutant(
        "an offset",
        "(self.stride as u64 * h as u64 + self.dilation as u64 * i as u64) as i64 + self.offset",
        "(self.stride as u64 * h as u64 + self.dilation as u64 * i as u64) as i64",
    ),
    Mutant(
        "all taps are pulled",
        "(0..self.taps)",
        "(0..self.taps.min(1))",
    ),
    Mutant(
        "weights of one index add up",
        "pulled.get_mut(x).into_iter().for_each(|sum| *sum += weight)",
        "pulled.get_mut(x).into_iter().for_each(|sum| *sum = weight)",
    ),
    Mutant(
        "weights of one index of a tap add up",
        "index.into_iter().for_each(|sum| *sum += weight)",
        "index.into_iter().for_each(|sum| *sum = weight)",
    ),
    Mutant("maps are checked before they take memory", "self.check(positions)?;", "", ("cargo:index_map",)),
    Mutant("a tap has its indices", "self.index(h, tap)", "self.index(h, 0)"),
    Mutant("taps have weights", "*sum += scale * weight", "*sum += weight"),
    Mutant("taps add up", "*sum += scale * weight", "*sum = scale * weight"),
    Mutant(
        "all taps have a weight",
        "taps.len() != self.taps",
        "false",
        (
            ARGUMENTS,
            "cargo:index_map",
        ),
    ),
)

CLOSED_FORMS = (
    EQ,
    EQ_PREFIXES,
    BLOCKS,
    AT_POINT,
    LEAVES,
    AXIS_VALUES,
    EVALUATION,
    TERMS,
    TABLE,
    LINEAR_PIECES,
    INDEX_LIST,
    INDEX_MAP,
)
