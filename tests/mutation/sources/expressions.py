"""Relations: their points, sums and factors; windows, shared axes and constants."""

from tests.mutation.mutants import Mutant, source

REPLAY = ("attacks/test_replay.py",)
LIES = ("attacks/test_windows.py", "attacks/test_witness.py", "attacks/test_convolutions.py")
CLAIMED = ("protocol/relations/test_contractions.py", "protocol/relations/test_relations.py")
TERMS = ("protocol/relations/test_affine.py",)

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
        "        outputs[axis] = own\n",
        "        outputs[axis] = outputs[axis]\n",
    ),
    Mutant(
        "shared axes come before contracted ones",
        "parts[: len(instance.shared)], parts[len(instance.shared) :]",
        "parts[len(parts) - len(instance.shared) :], parts[: len(parts) - len(instance.shared)]",
    ),
    Mutant("the shared point has all shared axes", "point = point + own", "point = own"),
    Mutant(
        "windows are at the output's point",
        "over = instance.window_weights(window).dense, contracted",
        "over = contracted[window.contracted].dense[: instance.window_weights(window).size], contracted",
    ),
    Mutant(
        "a window's offset",
        "window.stride, window.dilation, window.offset)",
        "window.stride, window.dilation, 0)",
    ),
    Mutant(
        "a window's dilation",
        "window.stride, window.dilation, window.offset)",
        "window.stride, 1, window.offset)",
    ),
    Mutant(
        "a window's stride",
        "window.stride, window.dilation, window.offset)",
        "1, window.dilation, window.offset)",
    ),
    Mutant(
        "all windows are kept",
        "windows.append(AxisWeights(window.taps, None, taps))",
        "windows[:] = [AxisWeights(window.taps, None, taps)] * len(instance.product.windows)",
    ),
)

AFFINE = source(
    "deepprove_dist/protocol/relations/affine.py",
    (*TERMS, *CLAIMED, *LIES),
    Mutant("coefficients of terms", "coefficient = scale * term.coefficient\n", "coefficient = scale\n"),
    Mutant(
        "terms have their scale",
        "coefficient = scale * term.coefficient\n",
        "coefficient = ONE * term.coefficient\n",
    ),
    Mutant(
        "an axis that a term lacks is summed",
        "                coefficient *= own.total\n",
        "                pass\n",
    ),
    Mutant(
        "an axis behind a window is not summed again",
        "present = set(term.follows)",
        "present = {axis for axis in term.axes if isinstance(axis, int)}",
    ),
    Mutant(
        "constants are added", "known += scale * constant.value * _covered(constant, weights)", "known += 0"
    ),
    Mutant(
        "constants have their places",
        "product *= weights_along(weights, axis).sum(first, end)",
        "product *= weights_along(weights, axis).total",
    ),
    Mutant(
        "constants on whole axes are summed", "        if index not in ranged:\n", "        if index < 0:\n"
    ),
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
        "weights of places outside an axis do not count",
        "ExtensionVector.eq(self.point)[: self.size]",
        "ExtensionVector.eq(self.point)",
    ),
    Mutant("the sum of an axis ends with it", "return self.sum(0, self.size)", "return ONE"),
    Mutant(
        "a window is pulled back",
        "window.pull(own.dense.weigh(_scale(axis, own.size)))",
        "window.pull(own.dense)",
    ),
    Mutant("a window has its scales", "scale = axis.scale or (1,) * size", "scale = (1,) * size"),
    Mutant("a window has a first place", "if axis.first <= h < axis.end", "if h < axis.end"),
    Mutant("a window has an end", "if axis.first <= h < axis.end", "if axis.first <= h"),
    Mutant(
        "a window of an expression has an offset",
        "axis.dilation, axis.offset)\n    return AxisVector",
        "axis.dilation, 0)\n    return AxisVector",
    ),
    Mutant(
        "a window of an expression has a dilation",
        "axis.stride, axis.dilation, axis.offset)\n",
        "axis.stride, 1, axis.offset)\n",
    ),
    Mutant(
        "a window of an expression has a stride",
        "axis.stride, axis.dilation, axis.offset)\n",
        "1, axis.dilation, axis.offset)\n",
    ),
    Mutant(
        "a window of an expression has its taps", "kernels.Window(size, axis.taps,", "kernels.Window(size, 1,"
    ),
)

EXPRESSIONS = (VERIFY, CONTRACTION, AFFINE)
