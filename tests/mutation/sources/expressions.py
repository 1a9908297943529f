"""Relations: their points, sums and factors; index maps, shared axes and constants."""

from tests.mutation.mutants import Mutant, source

HIDDEN = ("attacks/test_reference_prover.py", "attacks/test_badly_hidden.py")
WINDOWS = ("attacks/test_windows.py",)
REPLAY = ("attacks/test_replay.py",)
LIES = ("attacks/test_windows.py", "attacks/test_witness.py", "attacks/test_convolutions.py")
CLAIMED = ("protocol/relations/test_contractions.py", "protocol/relations/test_relations.py")
TERMS = ("protocol/relations/test_affine.py",)
ARGUMENTS = "attacks/test_kernel_arguments.py"
MAPS = ("protocol/system/test_index_map.py", "protocol/relations/test_joined_axes.py")

VERIFY = source(
    "deepprove_dist/protocol/relations/verify.py",
    (*CLAIMED, *LIES),
    Mutant(
        "the number of sums",
        '    _require(Check.RELATION_SUMS, len(products), len(proof.sums), "sums of products")\n',
        "",
        ("attacks/test_structure.py",),
    ),
    Mutant(
        "sums are absorbed", 'transcript.absorb_extension("contraction/sums", proof.sums)', "pass", REPLAY
    ),
    Mutant("both sides are claimed", "        *claim_affine_sides(system, relations, sums),\n", ""),
    Mutant(
        "sums are those of the affine sides",
        "claim_affine_sides(system, relations, sums)",
        "claim_affine_sides(system, relations, SentVector(ExtensionVector([0] * len(products))))",
    ),
    Mutant(
        "the batching is drawn",
        'batching = transcript.challenge("contraction/batching")',
        "batching = ONE",
        REPLAY,
    ),
    Mutant(
        "the batching is what was drawn",
        'batching = transcript.challenge("contraction/batching")',
        'batching = transcript.challenge("contraction/batching") * 0 + 1',
        ("attacks/test_reference_prover.py",),
    ),
    Mutant("the factor of shared axes counts", "scale *= instance.shared_weight(point)", "pass", WINDOWS),
    Mutant("factors are claimed", "        *claim_factors(system, products, point, finals),\n", ""),
    Mutant(
        "the number of final evaluations",
        '    _require(Check.SUMCHECK_FINALS, 2 * len(products), len(proof.finals), "final evaluations")\n',
        "",
        ("attacks/test_checks.py", "attacks/test_structure.py"),
    ),
    Mutant(
        "final evaluations are absorbed",
        'transcript.absorb_extension("sumcheck/finals", proof.finals)',
        "pass",
        REPLAY,
    ),
    Mutant(
        "products are checked",
        "    if not products:\n        return",
        "    if True:\n        return",
        ("attacks/test_lying_provers.py",),
    ),
    Mutant("products have powers of the batching", "scale = powers[index]", "scale = powers[0]", HIDDEN),
    Mutant("both factors of a product", "finals[2 * index + 1])", "finals[2 * index])", HIDDEN),
    Mutant("pads of sums in the last claim", "sums.pad_part(slopes[: len(sums)]) + ", "", HIDDEN),
    Mutant("pads of rounds in the last claim", " + rounds.pad_part(slopes[len(sums) :])", "", HIDDEN),
    Mutant(
        "pads of rounds have the slopes of rounds",
        "rounds.pad_part(slopes[len(sums) :])",
        "rounds.pad_part(slopes[: len(rounds)])",
        HIDDEN,
    ),
)

CONTRACTION = source(
    "deepprove_dist/protocol/relations/contraction.py",
    (*CLAIMED, *LIES, *REPLAY),
    Mutant(
        "points of relations are drawn",
        "point = transcript.challenges(label, relation.affine.bits)",
        "point = ExtensionVector([0] * relation.affine.bits)",
        REPLAY,
    ),
    Mutant(
        "points of relations are used",
        "relations.append(BoundRelation.at(relation, point))",
        "relations.append(BoundRelation.at(relation, ExtensionVector([0] * len(point))))",
    ),
    Mutant(
        "the kinds of points have labels",
        '"contraction/point" if relation.products else "linear/point"',
        '"linear/point"',
        REPLAY,
    ),
    Mutant(
        "every product has a sum",
        "for product, sumcheck in zip(bound.relation.products, bound.relation.sumchecks, strict=True)",
        "for product, sumcheck in zip(bound.relation.products[:1], bound.relation.sumchecks, strict=False)",
    ),
    Mutant(
        "products have their coefficients",
        "coefficients = [product.coefficient for product",
        "coefficients = [1 for product",
    ),
    Mutant(
        "all products of a relation count",
        "sums.part(first, end).dot(ExtensionVector(coefficients))",
        "sums.part(first, end).dot(ExtensionVector(coefficients[:1] + [0] * (end - first - 1)))",
    ),
    Mutant("every relation has sums of its own", "        first = end\n        terms", "        terms"),
    Mutant(
        "constants of the affine side count",
        "Claim.about(total - SentValue(known), terms)",
        "Claim.about(total, terms)",
    ),
    Mutant(
        "constants of a factor count",
        "Claim.about(next(values) - SentValue(known), terms)",
        "Claim.about(next(values), terms)",
    ),
    Mutant(
        "both factors are claimed",
        "        for factor in instance.factors:\n",
        "        for factor in instance.factors[:1]:\n",
    ),
    Mutant(
        "the third factor is eq of the shared point",
        "return u.eq_at(instance_point(self, point)[: len(u)])",
        "return u.eq_at(point[: len(u)])",
        WINDOWS,
    ),
    Mutant(
        "the third factor has the first coordinates",
        "return u.eq_at(instance_point(self, point)[: len(u)])",
        "return u.eq_at(u)",
        WINDOWS,
    ),
    Mutant(
        "an instance has the last challenges",
        "return point[len(point) - instance.sumcheck.variables :]",
        "return point[: instance.sumcheck.variables]",
    ),
    Mutant(
        "shared axes are at the sumcheck's point",
        "        outputs[axis] = axes[index]\n",
        "        outputs[axis] = outputs[axis]\n",
    ),
    Mutant(
        "shared axes come before contracted ones",
        "[axes[index] for index in range(first, len(axes))]",
        "[axes[index] for index in range(len(axes) - first)]",
    ),
    Mutant("the shared point has all shared axes", "point = point + coordinates", "point = coordinates"),
    Mutant(
        "taps are at the output's point",
        "spread_taps(instance.outputs, met.map,",
        "spread_taps(contracted, met.map,",
    ),
    Mutant(
        "taps are over their axis",
        "taps.append(contracted[met.contracted])",
        "taps.append(contracted[0])",
    ),
)

AFFINE = source(
    "deepprove_dist/protocol/relations/affine.py",
    (*TERMS, *CLAIMED, *LIES),
    Mutant(
        "expressions have their scale",
        "claim(weights, scale, system.shapes)",
        "claim(weights, Extension(1), system.shapes)",
    ),
)

KERNEL = source(
    "kernels/verifier/src/expression.rs",
    (*TERMS, *CLAIMED, *LIES, "cargo:expression"),
    Mutant(
        "coefficients of terms",
        "scale * term.coefficient * lacked(lacking) * covered",
        "scale * lacked(lacking) * covered",
    ),
    Mutant(
        "terms have their scale",
        "scale * term.coefficient * lacked(lacking) * covered",
        "lacked(lacking) * term.coefficient * covered",
    ),
    Mutant(
        "axes that a term lacks count",
        "scale * term.coefficient * lacked(lacking) * covered",
        "scale * term.coefficient * covered",
    ),
    Mutant(
        "further axes of a term are covered",
        "scale * term.coefficient * lacked(lacking) * covered",
        "scale * term.coefficient * lacked(lacking)",
    ),
    Mutant(
        "constants have their value and scale",
        "scale * constant.value * lacked(lacking) * covered",
        "scale * lacked(lacking) * covered",
    ),
    Mutant(
        "axes that a constant lacks are summed",
        "scale * constant.value * lacked(lacking) * covered",
        "scale * constant.value * covered",
    ),
    Mutant(
        "constants have their positions",
        "scale * constant.value * lacked(lacking) * covered",
        "scale * constant.value * lacked(lacking)",
    ),
    Mutant(
        "axes that a map follows are not summed again",
        "term.axes.iter().flat_map(Followed::axes).copied().collect()",
        "term.axes.iter().flat_map(Followed::axes).copied().take(1).collect()",
    ),
    Mutant(
        "axes that a constant covers are not summed again",
        "constant.within.iter().flat_map(|map| &map.axes).copied().collect()",
        "Vec::new()",
    ),
    Mutant(
        "weights are those of the space",
        "!self.space.iter().copied().eq(weights.iter().map(|axis| axis.size()))",
        "false",
        (ARGUMENTS, "cargo:expression"),
    ),
    Mutant(
        "axes of a tensor have its sizes",
        "weights.get(*axis).filter(|axis| axis.size() == size)",
        "weights.get(*axis)",
        (ARGUMENTS, "cargo:expression"),
    ),
)

WEIGHTS = source(
    "kernels/verifier/src/axis_weights.rs",
    (*MAPS, *TERMS, *CLAIMED, *LIES, "cargo:axis_weights"),
    Mutant(
        "a sum of weights has a start",
        "eq_prefix_sum(point, end) - eq_prefix_sum(point, first)",
        "eq_prefix_sum(point, end)",
    ),
    Mutant(
        "a sum of explicit weights has a start",
        "values.iter().take(end).skip(first)",
        "values.iter().take(end).skip(0)",
    ),
    Mutant(
        "a sum of explicit weights has an end",
        "values.iter().take(end).skip(first)",
        "values.iter().take(usize::MAX).skip(first)",
    ),
    Mutant("weights of positions outside an axis do not count", "values.truncate(self.size);", ""),
    Mutant("the sum of an axis ends with it", "self.sum(0, self.size)", "self.sum(0, usize::MAX)"),
    Mutant(
        "an axis has no more positions than eq has values",
        "size > power(point.len())",
        "false",
        (ARGUMENTS, "cargo:axis_weights"),
    ),
    Mutant("axes have coordinates of their own", "remaining = tail;", ""),
    Mutant(
        "a point has no more coordinates than its space",
        "if remaining.is_empty() { Ok(axes) } else { Err(OTHER) }",
        "Ok(axes)",
        (ARGUMENTS, "cargo:axis_weights"),
    ),
    Mutant("a map has its factors", "weight * factor(h)", "weight * factor(usize::MAX)"),
    Mutant("a map has a first position", "self.first <= h && h < self.end", "h < self.end"),
    Mutant("a map has an end", "self.first <= h && h < self.end", "self.first <= h"),
    Mutant(
        "only a map of all positions keeps their weights",
        "self.scale.is_empty() && self.first == 0 && self.end == weights.len()",
        "self.scale.is_empty()",
    ),
    Mutant(
        "only a map that is the identity keeps its weights",
        "plain && self.scale.is_empty() && positions == size && self.first == 0 && self.end == size",
        "positions == size",
    ),
    Mutant(
        "an identity has no factors",
        "plain && self.scale.is_empty() && positions == size && self.first == 0 && self.end == size",
        "plain && positions == size && self.first == 0 && self.end == size",
    ),
    Mutant(
        "factors are as many as positions",
        "!self.scale.is_empty() && self.scale.len() != weights.len()",
        "false",
        (ARGUMENTS, "cargo:axis_weights"),
    ),
    Mutant(
        "a cover has its positions",
        "self.joined(weights)?.sum(self.first, self.end)",
        "self.joined(weights)?.total()",
    ),
    Mutant(
        "joined axes have a closed form where bits stand side by side",
        "axis.size == power(u.len())",
        "axis.size <= power(u.len())",
    ),
    Mutant(
        "weights of joined axes are in their order",
        "axis.dense()?",
        "std::sync::Arc::new(axis.dense()?.iter().rev().copied().collect::<Vec<EF>>())",
    ),
)

TAPS = source(
    "deepprove_dist/protocol/relations/axis_weights.py",
    (*MAPS, *CLAIMED, *LIES),
    Mutant(
        "a map has its factors on taps",
        "spread(_weighed(_joined(weights, axis), axis), taps.dense)",
        "spread(_joined(weights, axis).dense, taps.dense)",
    ),
)

INDEX_MAP = source(
    "deepprove_dist/protocol/system/index_map.py",
    (*MAPS, *TERMS, "protocol/system/test_check_expressions.py", *CLAIMED),
    Mutant("a map has its factors", "scale = self.scale or (1,) * positions", "scale = (1,) * positions"),
    Mutant("a map has a first position", "if self.first <= h < self.end else", "if h < self.end else"),
    Mutant("a map has an end", "if self.first <= h < self.end else", "if self.first <= h else"),
    Mutant("a map has an offset", "self.dilation, self.start)\n", "self.dilation, 0)\n"),
    Mutant(
        "a map has a dilation", "self.stride, self.dilation, self.start)\n", "self.stride, 1, self.start)\n"
    ),
    Mutant(
        "a map has a stride", "self.stride, self.dilation, self.start)\n", "1, self.dilation, self.start)\n"
    ),
    Mutant("a map has taps", "kernels.IndexMap(size, self.taps,", "kernels.IndexMap(size, 1,"),
    Mutant(
        "a list has gaps",
        "for index in self.listed):",
        "for index in (0,) * len(self.listed)):",
        ("protocol/system/test_ranges.py", "protocol/system/test_index_map.py"),
    ),
    Mutant("the identity has as many positions", "positions(space, self) == size and self", "self"),
    Mutant("the identity is no other map", " and self == IndexMap(self.axes, 0, size)", ""),
    Mutant(
        "a cover does no more",
        "self == IndexMap.covering(self.axes, self.first, self.end)",
        "True",
    ),
    Mutant(
        "positions inside begin",
        "max(self.first, first), min",
        "self.first, min",
        ("protocol/system/test_ranges.py",),
    ),
    Mutant("positions inside end", "min(self.end, end)", "self.end", ("protocol/system/test_ranges.py",)),
)

EXPRESSIONS = (VERIFY, CONTRACTION, AFFINE, KERNEL, WEIGHTS, TAPS, INDEX_MAP)
