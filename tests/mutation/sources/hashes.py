"""Transcript, hashes and Merkle trees in the kernels."""

from tests.mutation.mutants import Mutant, source

ARGUMENTS = "attacks/test_kernel_arguments.py"
REPLAY = ("attacks/test_replay.py", "attacks/test_blake3.py")
OPENINGS = ("attacks/test_structure.py", "attacks/test_fields.py", "attacks/test_lying_provers.py", *REPLAY)

TRANSCRIPT = source(
    "kernels/verifier/src/transcript.rs",
    (*REPLAY, "attacks/test_transcript.py"),
    Mutant(
        "the protocol's name", "blake3::derive_key(CONTEXT, protocol)", 'blake3::derive_key(CONTEXT, b"")'
    ),
    Mutant("bytes are absorbed", "self.hasher.update(bytes);", ""),
    Mutant(
        "elements are absorbed",
        "write_elements(coefficients(value), &mut self.hasher);",
        "write_elements(&coefficients(value)[..1], &mut self.hasher);",
    ),
    Mutant("the kind of a frame", "self as u8", "0"),
    Mutant("the length of a label", "[label.len() as u64, length as u64]", "[0, length as u64]"),
    Mutant("the length of data", "[label.len() as u64, length as u64]", "[label.len() as u64, 0]"),
    Mutant("the label", "label.as_bytes()", 'b""'),
    Mutant("a draw's request", "self.hasher.update(request);", ""),
    Mutant("a draw's own frame", "self.header(frame, label, request.len());", ""),
    Mutant("the state is replaced", "self.hasher = Hasher::new_keyed(&state);", ""),
    Mutant("the state is not what is drawn", "STATE_BYTES / WORD_BYTES", "0"),
    Mutant(
        "all bits of an index",
        "u32::MAX.checked_shr(dropped).unwrap_or(0)",
        "u32::MAX.checked_shr(dropped).unwrap_or(0) >> 1",
    ),
    Mutant("the number of bits is absorbed", "[count as u64, bits as u64]", "[count as u64, 0]"),
    Mutant(
        "the number of indices is absorbed",
        "[count as u64, bits as u64]",
        "[0, bits as u64]",
    ),
    Mutant("words are not drawn twice", "self.position = self.position.saturating_add(1);", ""),
    Mutant(
        "challenges are of the extension",
        "self.draw_challenges(label, 1).challenge()",
        "EF::from(coefficients(&self.draw_challenges(label, 1).challenge())[0])",
    ),
    Mutant("challenges are uniform", "candidate < F::ORDER_U32", "true"),
    Mutant("the digest has a frame of its own", 'copy.header(Frame::Digest, "", 0);', ""),
)

HASHING = source(
    "kernels/verifier/src/hashing.rs",
    OPENINGS[-2:],
    Mutant(
        "leaves have a key of their own",
        "hash_batch(LEAF_KEY, padded.saturating_mul(BASE_BYTES), words.as_flattened(), digests);",
        "hash_batch(NODE_KEY, padded.saturating_mul(BASE_BYTES), words.as_flattened(), digests);",
    ),
    Mutant(
        "nodes have a key of their own",
        "hash_batch(NODE_KEY, BLOCK_BYTES, pairs, digests);",
        "hash_batch(LEAF_KEY, BLOCK_BYTES, pairs, digests);",
    ),
    Mutant(
        "all values of a leaf are hashed",
        "*word = value.as_canonical_u32().to_le_bytes();",
        "*word = (value.as_canonical_u32() & 0xff_ffff).to_le_bytes();",
        ("attacks/test_fields.py", *REPLAY),
    ),
    Mutant("a leaf is a root", "CHUNK_END | ROOT", "CHUNK_END"),
)

MERKLE = source(
    "kernels/verifier/src/merkle.rs",
    OPENINGS,
    Mutant("a node is left over", "surplus > 0", "false"),
    Mutant("the root", "digests != [*root]", "false"),
    Mutant(
        "the root's first half",
        "digests != [*root]",
        "digests[0][..16] != root[..16]",
        survives="no root is known that agrees in one half only; hashes are compared whole",
    ),
    Mutant(
        "digests and indices are as many",
        "digests.len() != indices.len()",
        "false",
        survives="the one caller makes a digest for each index; a missing one is refused as a node is",
    ),
    Mutant(
        "indices are in the tree",
        "last >= leaves",
        "false",
        (
            ARGUMENTS,
            "cargo:merkle",
        ),
    ),
    Mutant(
        "indices are distinct",
        "!indices.is_sorted_by(|a, b| a < b)",
        "!indices.is_sorted()",
        (
            ARGUMENTS,
            "cargo:merkle",
        ),
    ),
    Mutant("a sibling is on the other side", "child ^ 1", "*child"),
)

CODE = source(
    "kernels/verifier/src/code.rs",
    ("attacks/test_structure.py", "protocol/opening/test_codes.py", *OPENINGS),
    Mutant(
        "the length of rows",
        "rows.len() != expected",
        "false",
        ("attacks/test_structure.py",),
    ),
    Mutant(
        "rows may be longer",
        "rows.len() != expected",
        "rows.len() < expected",
        ("attacks/test_structure.py",),
    ),
    Mutant(
        "every position has the slot of its leaf",
        "leaves.partition_point(|leaf| leaf < index)",
        "leaves.partition_point(|leaf| leaf < index) / 2",
        ("protocol/opening/test_codes.py",),
    ),
    Mutant("leaves are distinct", "leaves.dedup();", "", ("protocol/opening/test_codes.py",)),
    Mutant(
        "a group fits the code",
        "log_group > log_length",
        "false",
        (ARGUMENTS, "cargo:code", "attacks/test_malicious_keys.py"),
    ),
    Mutant(
        "a matrix has columns",
        "columns == 0 || columns > MAX_COLUMNS",
        "columns > MAX_COLUMNS",
        (
            ARGUMENTS,
            "cargo:code",
        ),
    ),
    Mutant(
        "leaves are found by reversed bits",
        "position.reverse_bits().checked_shr(unused).unwrap_or(0)",
        "(position & ((1 << self.height()) - 1))",
        ("protocol/opening/test_codes.py", *REPLAY),
    ),
    Mutant(
        "rows of a group share a leaf",
        "self.log_length.saturating_sub(self.log_group)",
        "self.log_length",
        ("protocol/opening/test_codes.py",),
    ),
    Mutant(
        "a group has all its rows",
        "self.columns.saturating_mul(1 << self.log_group)",
        "self.columns",
        ("protocol/opening/test_opening.py", *OPENINGS),
    ),
    Mutant(
        "positions are in the code",
        "positions.iter().any(|position| position >> self.log_length != 0)",
        "false",
        (ARGUMENTS, "protocol/opening/test_codes.py", "test_kernels.py"),
    ),
    Mutant(
        "each position has its row of a group",
        "group.checked_mul(row_width)?",
        "0 * group",
        ("protocol/opening/test_opening.py", "protocol/opening/test_codes.py"),
    ),
    Mutant("each position has its leaf", "slot.checked_mul(width)?", "0_usize"),
    Mutant(
        "columns have weights of their own",
        "weights.iter().zip(row).map(|(&w, &x)| w * x).sum()",
        "weights.iter().zip(row).map(|(_, &x)| EF::from(x)).sum()",
    ),
    Mutant(
        "weights fit the code",
        "row_width == 0 || !width.is_multiple_of(row_width) || positions.len() != slots.len()",
        "row_width == 0",
        (ARGUMENTS, "test_kernels.py", "protocol/opening/test_codes.py"),
    ),
    Mutant("points are powers of the generator", "g.exp_u64(position)", "g.exp_u64(position ^ 1)"),
    Mutant(
        "a code is no longer than the subgroup",
        "log_length > TWO_ADICITY",
        "log_length > 99",
        (ARGUMENTS, "test_kernels.py"),
    ),
)

BINDING = source(
    "kernels/binding/src/commitment.rs",
    ("attacks/test_structure.py", "attacks/test_fields.py", "attacks/test_reference_prover.py"),
    Mutant(
        "bytes after the last whole node",
        "Err(raise(Rejection::of(Check::MerkleDigests)))",
        "Ok(nodes.as_chunks::<{ size_of::<Digest>() }>().0)",
    ),
    Mutant(
        "the length of a root",
        "verifier::verify_opening(root, &code.0, &indices, &rows.0, digests(nodes)?).map_err(raise)",
        "Ok(())",
    ),
)

HASHES = (TRANSCRIPT, HASHING, MERKLE, CODE, BINDING)
