"""Relations: their points, sums and factors; index maps, shared axes and constants."""

from tests.mutation.mutants import Mutant, source

REPLAY = ("attacks/test_replay.py",)
LIES = ("attacks/test_windows.py", "attacks/test_witness.py", "attacks/test_convolutions.py")
CLAIMED = ("protocol/relations/test_contractions.py", "protocol/relations/test_relations.py")
TERMS = ("protocol/relations/test_affine.py",)
MAPS = ("protocol/system/test_index_map.py", "protocol/relations/test_joined_axes.py")

VERIFY = source(
    "deepprove_dist/protocol/relations/verify.py",
    (*CLAIMED, *LIES),
    Mutant(
        "the number of sums",
        "if len(proof.sums) != len(products):",
        "if False:",
        ("attacks/test_structure.py",),
    ),
    Mutant(
        "sums are absorbed", 'transcript.absorb_extension("contraction/sums", proof.sums)', "pass", REPLAY
    ),
    Mutant("both sides are claimed", "        *claim_affine_sides(system, relations, proof.sums),\n", ""),
    Mutant(
        "sums are those of the affine sides",
        "claim_affine_sides(system, relations, proof.sums)",
        "claim_affine_sides(system, relations, ExtensionVector([0] * len(products)))",
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
    Mutant("the factor of shared axes is checked", "    _check_shared(relations, point, proof.finals)\n", ""),
    Mutant(
        "the factor of shared axes is eq",
        "if finals[end - 1] != u.eq_at(instance_point(instance, point)[: len(u)]):",
        "if False:",
    ),
    Mutant("the factor of shared axes stands third", "finals[end - 1] != u", "finals[end - 2] != u"),
    Mutant("factors are claimed", "        *claim_factors(system, products, point, proof.finals),\n", ""),
)

CONTRACTION = source(
    "deepprove_dist/protocol/relations/contraction.py",
    (*CLAIMED, *LIES, *REPLAY),
    Mutant(
        "points of relations are drawn",
        "point = transcript.challenges(label, space_bits(relation.affine.space))",
        "point = ExtensionVector([0] * space_bits(relation.affine.space))",
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
        "for bound in relations for product in bound.relation.products\n",
        "for bound in relations for product in bound.relation.products[:1]\n",
    ),
    Mutant(
        "products have their coefficients", "sums[first + index] * product.coefficient", "sums[first + index]"
    ),
    Mutant("all products of a relation count", "total += sums[first + index]", "total = sums[first + index]"),
    Mutant("every relation has sums of its own", "first += len(bound.relation.products)", "first += 0"),
    Mutant(
        "constants of the affine side count",
        "Claim(total - known, tuple(terms))",
        "Claim(total, tuple(terms))",
    ),
    Mutant(
        "constants of a factor count",
        "Claim(finals[first + side] - known, tuple(terms))",
        "Claim(finals[first + side], tuple(terms))",
    ),
    Mutant(
        "both factors are claimed",
        "for side, factor in enumerate(instance.factors):",
        "for side, factor in enumerate(instance.factors[:1]):",
    ),
    Mutant("the second factor has its evaluation", "finals[first + side] - known", "finals[first] - known"),
    Mutant(
        "instances have evaluations of their own",
        "        first += instance.degree\n",
        "        first += 0\n",
    ),
    Mutant(
        "shared axes make the degree three",
        "len(self.factors) + (1 if self.shared else 0)",
        "len(self.factors)",
    ),
    Mutant(
        "an instance has the last challenges",
        "return point[len(point) - instance.variables :]",
        "return point[: instance.variables]",
    ),
    Mutant(
        "shared axes are at the sumcheck's point",
        "        outputs[axis] = weights\n",
        "        outputs[axis] = outputs[axis]\n",
    ),
    Mutant(
        "shared axes come before contracted ones",
        "axes[: len(instance.shared)], axes[len(instance.shared) :]",
        "axes[len(axes) - len(instance.shared) :], axes[: len(axes) - len(instance.shared)]",
    ),
    Mutant("the shared point has all shared axes", "point = point + coordinates", "point = coordinates"),
    Mutant(
        "taps are at the output's point",
        "weigh_taps(instance.outputs, taps.map, contracted",
        "weigh_taps(contracted, taps.map, contracted",
    ),
    Mutant(
        "taps are over their axis",
        "contracted[taps.contracted])",
        "contracted[0])",
    ),
)

AFFINE = source(
    "deepprove_dist/protocol/relations/affine.py",
    (*TERMS, *CLAIMED, *LIES),
    Mutant(
        "coefficients of terms",
        "coefficient = scale * term.coefficient * _total",
        "coefficient = scale * _total",
    ),
    Mutant(
        "terms have their scale",
        "coefficient = scale * term.coefficient * _total",
        "coefficient = Extension(term.coefficient) * _total",
    ),
    Mutant(
        "axes that a term lacks are summed",
        "        if index not in present:\n            total *= axis.total\n",
        "        pass\n",
    ),
    Mutant(
        "axes that a map follows are not summed again",
        "_total_without(weights, term.follows)",
        "_total_without(weights, [axis for axis in term.axes if isinstance(axis, int)])",
    ),
    Mutant(
        "constants are added", "known += scale * constant.value * _covered(constant, weights)", "known += 0"
    ),
    Mutant(
        "constants have their positions", "        product *= covered(weights, cover)\n", "        pass\n"
    ),
    Mutant(
        "axes that a constant covers are not summed again",
        "[axis for cover in constant.within for axis in cover.axes])",
        "[])",
    ),
)

WEIGHTS = source(
    "deepprove_dist/protocol/relations/axis_weights.py",
    (*MAPS, *TERMS, *CLAIMED, *LIES),
    Mutant(
        "a sum of weights has a start",
        "self.point.eq_prefix_sum(end) - self.point.eq_prefix_sum(first)",
        "self.point.eq_prefix_sum(end)",
    ),
    Mutant(
        "a sum of explicit weights has a start",
        "self.dense[first:end].dot(",
        "self.dense[: end - first].dot(",
    ),
    Mutant(
        "weights of positions outside an axis do not count",
        "ExtensionVector.eq(self.point)[: self.size]",
        "ExtensionVector.eq(self.point)",
    ),
    Mutant("the sum of an axis ends with it", "return self.sum(0, self.size)", "return Extension(1)"),
    Mutant(
        "a map has its factors when it is pulled back",
        "pull(_weighed(joined, axis))",
        "pull(joined.dense)",
    ),
    Mutant(
        "a map has its factors on taps",
        "taps(_weighed(_joined(weights, axis), axis), indices.dense)",
        "taps(_joined(weights, axis).dense, indices.dense)",
    ),
    Mutant(
        "only a map that is the identity keeps its weights",
        "if axis.is_identity([followed.size for followed in weights], size):",
        "if joined.size == size:",
    ),
    Mutant("a cover has its positions", "sum(cover.first, cover.end)", "total"),
    Mutant(
        "joined axes have a closed form where bits stand side by side",
        "closed_form([axis.size",
        "any([axis.size",
    ),
)

INDEX_MAP = source(
    "deepprove_dist/protocol/system/index_map.py",
    (*MAPS, *TERMS, "protocol/system/test_check_expressions.py", *CLAIMED),
    Mutant("a map has its factors", "scale = self.scale or (1,) * positions", "scale = (1,) * positions"),
    Mutant("a map has a first position", "if self.first <= h < self.end else", "if h < self.end else"),
    Mutant("a map has an end", "if self.first <= h < self.end else", "if self.first <= h else"),
    Mutant("a map has an offset", "self.dilation, self.offset)\n", "self.dilation, 0)\n"),
    Mutant(
        "a map has a dilation", "self.stride, self.dilation, self.offset)\n", "self.stride, 1, self.offset)\n"
    ),
    Mutant(
        "a map has a stride", "self.stride, self.dilation, self.offset)\n", "1, self.dilation, self.offset)\n"
    ),
    Mutant("a map has taps", "kernels.IndexMap(size, self.taps,", "kernels.IndexMap(size, 1,"),
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

EXPRESSIONS = (VERIFY, CONTRACTION, AFFINE, WEIGHTS, INDEX_MAP)
