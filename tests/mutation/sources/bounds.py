"""What a key states of values: what determines them, and their ranges."""

from tests.mutation.mutants import Mutant, source

RULES = (
    "protocol/system/test_check.py",
    "protocol/system/test_check_expressions.py",
    "attacks/test_malicious_keys.py",
)
RANGES = ("protocol/relations/test_affine.py", *RULES)

FUNCTIONS = ("protocol/system/test_determinism.py", "attacks/test_forged_keys.py")

DETERMINISM = source(
    "deepprove_dist/protocol/system/determinism.py",
    FUNCTIONS,
    Mutant(
        "scores determine their index where they are known",
        "bool(self.unknown) and self.scores not in self.unknown",
        "bool(self.unknown)",
        ("protocol/system/test_arg_max.py",),
    ),
    Mutant(
        "outputs are not known",
        "public.tensor for public in system.inputs}",
        "public.tensor for public in system.public}",
    ),
    Mutant("tensors of one value are known", "if span <= 0}", "if span <= 1}"),
    Mutant(
        "equations are solved", "        if not equation.determines_all(spans):\n            continue\n", ""
    ),
    Mutant(
        "factors are known",
        "yield Equation.of(system, relation.affine, factors, known)",
        "yield Equation.of(system, relation.affine, [], known)",
    ),
    Mutant(
        "arguments are known",
        "yield Equation.of(system, value, [argument], known)",
        "yield Equation.of(system, value, [], known)",
    ),
)

REMAINDERS = source(
    "deepprove_dist/protocol/system/remainders.py",
    ("protocol/system/test_remainders.py",),
    Mutant(
        "other products are of known factors",
        "        if not self.unknown.isdisjoint(self.apart):\n            return False\n",
        "",
    ),
    Mutant(
        "a root has no other product",
        "        if len(self.relation.products) > 1:\n            return False\n",
        "",
    ),
    Mutant("the product contracts nothing", "if not product.contracted and not product.taps]", "]"),
    Mutant("only one contracts nothing", "products[0] if len(products) == 1 else None", "products[0]"),
    Mutant("a divisor is known", "apart = not self._unknown_of(b.value) and not", "apart = not"),
    Mutant(
        "divisors have ranges",
        "if not all(term.tensor in self.ranges for term in b.value.terms):",
        "if False:",
    ),
    Mutant("remainders are not negative", "if low < 0 or product.coefficient", "if product.coefficient"),
    Mutant("quotients do not wrap", "* span + high - low >= MODULUS:", "* span + high - low >= 2 * MODULUS:"),
    Mutant(
        "remainders are less than divisors",
        "        return self._leaves(divisor, product.coefficient, remainder)",
        "        return True",
    ),
    # Without the last term it would live: of 46,159 neither sum wraps, of 46,160 both do.
    Mutant("roots do not wrap", "+ largest >= MODULUS", "+ largest >= 2 * MODULUS"),
)

DIGITS = source(
    "deepprove_dist/protocol/system/digits.py",
    FUNCTIONS,
    Mutant("maps cover no axis", "return whole and term.is_plain(space, shape)", "return whole"),
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
        "tensors of two terms are not solved for",
        "            twice.add(term.tensor)\n",
        "            pass\n",
    ),
    Mutant("factors are not solved for", "twice = set(needed)", "twice = set[int]()"),
)

INTERVALS = source(
    "deepprove_dist/protocol/system/ranges.py",
    ("protocol/system/test_ranges.py", *RANGES),
    Mutant(
        "parts that are on intervals may be absent",
        "values = [(*part.range, 0) if part.runs else part.range",
        "values = [part.range",
    ),
    Mutant(
        "parts count where they are",
        "any(low <= first and end <= high for low",
        "any(low <= first and end < high for low",
    ),
    Mutant("maps have taps", "axis.taps * factor for factor in scale", "factor for factor in scale"),
    Mutant("maps have factors", "scale = axis.scale or (1,)", "scale = (1,)"),
    Mutant("indices outside a tensor are zero", "for factor in scale), 0)", "for factor in scale),)"),
    Mutant("coefficients move a range", "times(values, [term.coefficient])", "values"),
    Mutant("only a map of one tap has an interval", "if axis.taps == 1:", "if True:"),
    Mutant(
        "only whole axes have no interval", "runs != [(0, _positions(space, axis.axes))]", "runs[0][0] > 0"
    ),
)

MAXIMA = source(
    "deepprove_dist/protocol/system/maxima.py",
    ("protocol/system/test_maxima.py", "protocol/system/test_ranges.py"),
    Mutant("the table is max(q, 0)", " or not _is_positive_part(table)", ""),
    Mutant(
        "the ends of a piece of max(q, 0)",
        "(value, value + slope * (last - first)) != (max(first, 0), max(last, 0))",
        "False",
    ),
    Mutant("what a gain is added to is there", "if mapped is not None and terms[mapped] > 0:", "if mapped:"),
    Mutant(
        "constants that a gain is added to are there",
        "if within is not None and constants[within] > 0:",
        "if within is not None:",
    ),
    Mutant(
        "maps of a gain are those of what it is added to",
        "if not all(is_followed or axis in single for axis, is_followed in enumerate(plain)):",
        "if False:",
    ),
    Mutant(
        "parts of constants are not seen through maps",
        "if not all(plain[axis] for cover in constant.within for axis in cover.axes):",
        "if False:",
    ),
    Mutant("constants under a map of one tap", "if axis.taps != 1 or axis.scale or", "if axis.scale or"),
    Mutant(
        "constants under a map without factors", "if axis.taps != 1 or axis.scale or", "if axis.taps != 1 or"
    ),
    Mutant(
        "coefficients of what a gain is added to",
        "return Term(term.coefficient * gain.coefficient, term.tensor, axes)",
        "return Term(term.coefficient, term.tensor, axes)",
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
