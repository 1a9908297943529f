"""What a proof says, and the claims that it ends in."""

from tests.mutation.mutants import Mutant, source

SAID = ("attacks/test_statements.py", "attacks/test_public_weights.py")
REPLAY = ("attacks/test_replay.py",)
CHECKS = ("attacks/test_checks.py",)
HIDDEN = ("attacks/test_reference_prover.py", "attacks/test_badly_hidden.py")

VERIFIER = source(
    "deepprove_dist/verifier.py",
    (*SAID, "attacks/test_lying_provers.py"),
    Mutant("the expected key", "key_digest is not None and key_digest != key.digest", "False"),
    Mutant("the expected context", "context is not None and context != parsed.statement.context", "False"),
    Mutant("the expected values are compared", "if expected is not None:", "if False:"),
    Mutant("the expected names", "set(expected) != {tensor.name for tensor in tensors}", "False"),
    Mutant("the expected shape", "values.shape != integers.shape or not np", "not np"),
    Mutant("the expected integers", "not np.array_equal(rounded, integers)", "False"),
    Mutant(
        "the expected outputs, not inputs",
        "(Check.EXPECTED_OUTPUT, output,",
        "(Check.EXPECTED_OUTPUT, input,",
    ),
    Mutant(
        "the proof's key", "statement.key_digest != key.digest", "False", ("attacks/test_fields.py", *SAID)
    ),
    Mutant(
        "the number of samples is allowed",
        "system = key.instance(statement.batch).system",
        "system = key._instances(statement.batch).system",
    ),
    Mutant(
        "the argument is checked",
        "argument.verify(key, proof, ",
        "(lambda *_: None)(key, proof, ",
        ("attacks/test_fields.py",),
    ),
    Mutant(
        "public weights are asked for",
        "key.weights is None and any(t.matrix is Matrix.WEIGHTS for t in key.system.tensors)",
        "False",
    ),
    Mutant("public weights are a model's", "if not isinstance(weights, PublicWeights):", "if False:"),
    Mutant("public weights are of the key's model", "weights.model_digest != key.model_digest or ", ""),
    Mutant("public weights are of the key's system", " or weights.system != key.system", ""),
    Mutant("a model's digest is the key's", "if digest_bytes(data) != key.model_digest:", "if False:"),
    Mutant(
        "a model is lowered to the key's system",
        "if parts := key.other_parts(weights.system):",
        "if parts := []:",
    ),
    Mutant(
        "a proof's length",
        "if len(data) > key.max_proof_bytes(key.max_batch) and len(data) > (most := _most_bytes(key)):",
        "if (most := 0):",
        ("attacks/test_limits.py",),
    ),
)

GENERATIONS = source(
    "deepprove_dist/generations.py",
    ("test_generations.py", *CHECKS),
    Mutant(
        "a generation's context",
        "if stated is None:\n        raise VerificationError",
        "if False:\n        raise VerificationError",
    ),
    Mutant("a generation is one sample", "if samples != 1:", "if False:"),
    Mutant("a generation has a prompt", "0 < stated.prompt < stated", "0 <= stated.prompt < stated"),
    Mutant("a generation has an answer", "stated.prompt < stated.length", "stated.prompt <= stated.length"),
    Mutant("an answer ends within the key", " <= tensors.length", ""),
    Mutant("padding is not negative", "0 <= stated.padding <", "stated.padding <"),
    Mutant("padding is in the vocabulary", "stated.padding < tensors.vocabulary", "True"),
    Mutant("tokens are not negative", "if token < 0:", "if False:"),
    Mutant("tokens are checked", "    _check_tokens(tensors, ids)\n", ""),
    Mutant("padding is checked", "    _check_padding(tensors, statement, stated, ids)\n", ""),
    Mutant("the mask is checked", "if tensors.mask is not None:", "if False:"),
    Mutant("the answer is checked", "    _check_answer(tensors, stated, ids, answers)\n", ""),
    Mutant("the first token of the answer", "range(stated.prompt, stated", "range(stated.prompt + 1, stated"),
    Mutant(
        "the last token of the answer",
        "range(stated.prompt, stated.length)",
        "range(stated.prompt, stated.length - 1)",
    ),
    Mutant("the position before a token", "answers[position - 1]", "answers[position]"),
    Mutant("the expected prompt", "generation.prompt != tuple(prompt)", "False"),
    Mutant("the expected context of a generation", "stated.context) != context", "stated.context) is None"),
)

TOKENS = source(
    "deepprove_dist/token_tensors.py",
    ("test_token_tensors.py", "test_generations.py"),
    Mutant("tokens are one sequence", "if not _is_sequence(ids):", "if False:"),
    Mutant(
        "a mask is one sequence",
        "all(_is_sequence(mask, length) for",
        "all(prod(mask.shape) == length for",
    ),
    Mutant(
        "answers are one sequence", "and _is_sequence(tensor, length)", "and prod(tensor.shape) == length"
    ),
)

ARGUMENT = source(
    "deepprove_dist/protocol/argument/verify.py",
    (*SAID, "attacks/test_lying_provers.py"),
    Mutant(
        "relations have the statement's indices",
        ".stating(public)",
        "",
        ("operators/test_arg_max.py",),
    ),
    Mutant(
        "the number of samples is allowed",
        "key.instance(proof.statement.batch)",
        "key._instances(proof.statement.batch)",
        ("protocol/argument/test_verify.py",),
    ),
    Mutant(
        "the witness's root is absorbed",
        "absorb_root(transcript, proof.witness.root)",
        "absorb_root(transcript, b'')",
    ),
    Mutant(
        "the witness's answer is absorbed",
        "absorb_answer(transcript, z, proof.witness.answer)",
        "absorb_answer(transcript, z, z)",
        REPLAY,
    ),
    Mutant(
        "public tensors are bound",
        "claims = bind_public(system, public, transcript, pool)",
        "claims = bind_public(system, public, transcript, pool)[:0]",
        ("attacks/test_witness.py",),
    ),
    Mutant(
        "relations and lookups are claimed",
        "    claims += reduced.claims\n",
        "",
        ("attacks/test_witness.py",),
    ),
    Mutant("the mode is checked", "    _check_mode(code.hiding, proof)\n", "", CHECKS),
    Mutant(
        "a hiding key has hiding proofs",
        "hiding != (proof.mask is not None)",
        "hiding < (proof.mask is not None)",
        CHECKS,
    ),
    Mutant(
        "a transparent key has transparent proofs",
        "hiding != (proof.mask is not None)",
        "hiding > (proof.mask is not None)",
        HIDDEN,
    ),
    Mutant(
        "a transparent proof has no sumcheck of products", " or (not hiding and products > 0)", "", HIDDEN
    ),
    Mutant("omega is drawn", "omega = draw_mask(code, transcript)", "omega = ExtensionVector([])", REPLAY),
    Mutant("no denominator is zero", "        require_denominator(proof.fractions)\n", "", CHECKS),
    Mutant("products of sent values are checked", "        require_products(reduced.products)\n", "", CHECKS),
    Mutant(
        "products of hidden values are checked",
        "        claims += verify_products(",
        "        verify_products(",
        HIDDEN,
    ),
    Mutant(
        "the mask claim is the first one",
        "claims.insert(0, absorb_mask(transcript, proof.mask.value))",
        "claims.append(absorb_mask(transcript, proof.mask.value))",
        HIDDEN,
    ),
    Mutant("claims weigh their pads", ".with_pads(instance)", "", HIDDEN),
    Mutant(
        "the opening is checked",
        "    verify_opening_proof(key.schedule,",
        "    (lambda *_: None)(key.schedule,",
        ("attacks/test_fields.py",),
    ),
)

SHARED = source(
    "deepprove_dist/protocol/argument/shared.py",
    ("attacks/test_reference_prover.py", *REPLAY),
    Mutant("both sides absorb the witness's root", 'transcript.absorb("witness/root", root)', "pass", REPLAY),
    Mutant(
        "both sides absorb the witness's answer",
        'transcript.absorb_extension("witness/answer", ExtensionVector([answer]))',
        "pass",
        REPLAY,
    ),
    Mutant(
        "the sample's point is drawn", 'transcript.challenge("witness/out-of-domain")', "Extension(3)", REPLAY
    ),
    Mutant("the samples are opened", "combine([*claims, *sampled], challenge)", "combine(claims, challenge)"),
    Mutant(
        "the witness's sample is opened",
        "combine([*claims, *sampled], challenge)",
        "combine([*claims, *sampled[1:]], challenge)",
    ),
    Mutant(
        "the weights' sample is opened",
        "combine([*claims, *sampled], challenge)",
        "combine([*claims, *sampled[:1]], challenge)",
    ),
    Mutant(
        "an out-of-domain claim has all columns",
        "PowersTerm(layout.addresses_of(matrix),",
        "PowersTerm(layout.addresses_of(matrix)[:1],",
    ),
    Mutant(
        "the weights' point is derived from the root",
        "out_of_domain_point(key.security, weights.root)",
        "out_of_domain_point(key.security, bytes(32))",
    ),
    Mutant(
        "the mask claim's value is absorbed",
        'transcript.absorb_extension("mask/value", ExtensionVector([value]))',
        "pass",
        REPLAY,
    ),
    Mutant(
        "random rows have the scale of the witness's sample",
        "scale = combined.scales[len(claims)]",
        "scale = combined.scales[0]",
    ),
    Mutant(
        "random rows have the point of the witness's sample",
        "RandomRowWeights(code, omega, samples[0].z, scale)",
        "RandomRowWeights(code, omega, samples[-1].z, scale)",
    ),
    Mutant(
        "the pads of row K are in the tensor",
        "instance.pads + FINALS",
        "instance.pads",
    ),
    Mutant(
        "checks of lookups are products",
        "self.of_relations.products + self.of_lookups.products",
        "self.of_relations.products",
    ),
    Mutant(
        "checks of relations are products",
        "self.of_relations.products + self.of_lookups.products",
        "self.of_lookups.products",
    ),
    Mutant(
        "claims are combined by a challenge",
        'challenge = transcript.challenge("opening/claims")',
        "challenge = Extension(1)",
    ),
)

STATEMENT = source(
    "deepprove_dist/protocol/messages/statement.py",
    ("protocol/messages/test_statement.py", *SAID),
    Mutant("the number of tensors", "if len(data) != len(tensors):", "if False:"),
    Mutant("the protocol's name", "Transcript(PROTOCOL)", 'Transcript(b"")', REPLAY),
    Mutant("parameters are absorbed", 'transcript.absorb("parameters", security)', "pass"),
    Mutant("the key is absorbed", 'transcript.absorb("key", statement.key_digest)', "pass"),
    Mutant(
        "the number of samples is absorbed",
        'transcript.absorb("batch", statement.batch.to_bytes(8, "little"))',
        "pass",
    ),
    Mutant("inputs are absorbed", 'transcript.absorb("input", data)', "pass"),
    Mutant("outputs are absorbed", 'transcript.absorb("output", data)', "pass"),
    Mutant("the context is absorbed", 'transcript.absorb("context", statement.context)', "pass"),
)

INTEGERS = source(
    "deepprove_dist/protocol/messages/public_integers.py",
    ("protocol/messages/test_public_integers.py", *SAID),
    Mutant(
        "one integer for each element",
        "batch * prod(public.shape), public.lo, public.hi)\n    return",
        "prod(public.shape), public.lo, public.hi)\n    return",
    ),
    Mutant(
        "integers are the range's",
        "prod(public.shape), public.lo, public.hi)\n    return",
        "prod(public.shape), public.lo, public.hi + 1)\n    return",
    ),
    Mutant(
        "elements are those of the integers",
        "BaseVector.from_signed(self.data)",
        "BaseVector.from_signed(self.data[4:] + self.data[:4])",
    ),
)

INTEGER_CODE = source(
    "kernels/verifier/src/integer_code.rs",
    ("protocol/messages/test_public_integers.py", *SAID, "cargo:integer_code"),
    Mutant("integers are in the range", "!range.contains(&value)", "false"),
    Mutant("bytes end with the last integer", "!bits.is_filled_with_zeros()", "false"),
    Mutant("integers have one form", "shortest(&values, span) != form", "false"),
    Mutant("of equal forms the first is taken", "length < least", "length <= least"),
    Mutant("differences are to the integer before", "before = value;", "before = 0;"),
    Mutant("a long run is no integer", "ones.min(1 << (MAX_BITS - parameter))", "ones"),
)

BITS = source(
    "kernels/verifier/src/bits.rs",
    ("protocol/messages/test_public_integers.py", *SAID, "cargo:bits", "cargo:integer_code"),
    Mutant("the last bits are zeros", "self.filled < 8 && self.buffer == 0", "self.filled < 8"),
    Mutant("no byte comes after the last bits", "self.filled < 8 && self.buffer == 0", "self.buffer == 0"),
)

PUBLIC = source(
    "deepprove_dist/protocol/claims/public.py",
    ("protocol/claims/test_public.py", "attacks/test_other_shapes.py", "attacks/test_witness.py"),
    Mutant("inputs are claimed", '("input", system.inputs, public.inputs), ', ""),
    Mutant("outputs are claimed", ', ("output", system.outputs, public.outputs)', ","),
    Mutant(
        "each tensor is claimed",
        "for tensor in tensors:",
        "for tensor in tensors[:1]:",
        ("attacks/test_other_shapes.py",),
    ),
    Mutant(
        "points of public tensors are drawn",
        'transcript.challenges(f"public/{direction}", space_bits(shape))',
        "ExtensionVector([0] * space_bits(shape))",
    ),
    Mutant(
        "points of public tensors are used",
        "axes = split_point(point, shape)",
        "axes = split_point(ExtensionVector([0] * len(point)), shape)",
    ),
    Mutant(
        "the value is that of the statement",
        "Claim(value, ClaimTerms([term]))",
        "Claim(value * 0, ClaimTerms([term]))",
    ),
)

CLAIMS = source(
    "deepprove_dist/protocol/claims/claim.py",
    ("protocol/claims/test_claim.py", "attacks/test_lying_provers.py"),
    Mutant(
        "claims have different powers",
        "scales = ExtensionVector.powers(challenge, len(claims))",
        "scales = ExtensionVector([1] * len(claims))",
        ("protocol/claims/test_claim.py", "attacks/test_replay.py"),
    ),
    Mutant(
        "values have the powers of their terms",
        "scales.dot(ExtensionVector([claim.value for claim in claims]))",
        "ExtensionVector([claim.value for claim in claims]).total()",
    ),
    Mutant("axes have coordinates of their own", "        start = end", "        start = 0"),
)

WEIGHTS = source(
    "deepprove_dist/protocol/key/weights.py",
    ("protocol/key/test_weights.py", "attacks/test_public_weights.py"),
    Mutant("the schedule fixes the point", 'transcript.absorb("parameters", security)', "pass"),
    Mutant("the root fixes the point", 'transcript.absorb("root", root)', "pass"),
    Mutant("the point is drawn", 'return transcript.challenge("out-of-domain")', "return Extension(3)"),
    Mutant("public weights are there", "index not in weights or ", "index in weights and "),
    Mutant("public weights have their sizes", " or len(weights[index]) != prod(tensor.shape)", ""),
    Mutant("weights move to the value", "value -= term.coefficient *", "value -= 0 * term.coefficient *"),
    Mutant("the factor of weights", "value -= term.coefficient * evaluate", "value -= evaluate"),
    Mutant("a claim about weights alone is decided", "elif value != Extension(0):", "elif False:"),
    Mutant(
        "the other claims are kept",
        "        if terms or claim.pads.runs:\n",
        "        if terms and not claims:\n",
    ),
)

STATEMENTS = (
    *(VERIFIER, GENERATIONS, TOKENS, ARGUMENT, SHARED, STATEMENT),
    *(INTEGERS, INTEGER_CODE, BITS, PUBLIC, CLAIMS, WEIGHTS),
)
