"""Transcript, hashes and Merkle trees in the kernels."""

from tests.mutation.mutants import Mutant, source

ARGUMENTS = "attacks/test_kernel_arguments.py"
REPLAY = ("attacks/test_replay.py", "attacks/test_blake3.py")
OPENINGS = ("attacks/test_structure.py", "attacks/test_fields.py", "attacks/test_liars.py", *REPLAY)

TRANSCRIPT = source(
    "kernels/core/src/transcript.rs",
    (*REPLAY, "attacks/test_transcript.py"),
    Mutant(
        "the protocol's name", "blake3::derive_key(CONTEXT, protocol)", 'blake3::derive_key(CONTEXT, b"")'
    ),
    Mutant("bytes are absorbed", "self.hasher.update(bytes);", ""),
    Mutant(
        "elements are absorbed",
        "self.elements(coefficients(value));",
        "self.elements(&coefficients(value)[..1]);",
    ),
    Mutant("the kind of a frame", "header[0] = frame as u8;", ""),
    Mutant("the length of a label", "header[1..9].copy_from_slice(&(label.len() as u64).to_le_bytes());", ""),
    Mutant("the length of data", "header[9..].copy_from_slice(&(data_length as u64).to_le_bytes());", ""),
    Mutant("the label", "self.hasher.update(label.as_bytes());", ""),
    Mutant("the header", "self.hasher.update(&header);", ""),
    Mutant("a draw's request", "self.hasher.update(request);", ""),
    Mutant("a draw's own frame", "self.header(frame, label, request.len());", ""),
    Mutant(
        "the state is replaced", "Hasher::new_keyed(&words.state())", "{ words.state(); self.hasher.clone() }"
    ),
    Mutant("the state is not what is drawn", "self.position = STATE_BYTES;", "self.position = 0;"),
    Mutant("all bits of an index", "(1_u64 << bits) - 1", "(1_u64 << bits >> 1).max(1) - 1"),
    Mutant(
        "the number of bits is absorbed", "request[8..].copy_from_slice(&(bits as u64).to_le_bytes());", ""
    ),
    Mutant(
        "the number of indices is absorbed",
        "request[..8].copy_from_slice(&(count as u64).to_le_bytes());",
        "",
    ),
    Mutant("words are not drawn twice", "self.position += WORD_BYTES;", ""),
    Mutant(
        "challenges are of the extension",
        "self.draw_challenges(label, 1).challenge()",
        "EF::from(coefficients(&self.draw_challenges(label, 1).challenge())[0])",
    ),
    Mutant("challenges are uniform", "candidate < F::ORDER_U32", "true"),
    Mutant("the digest has a frame of its own", 'copy.header(Frame::Digest, "", 0);', ""),
)

HASHING = source(
    "kernels/core/src/hashing.rs",
    OPENINGS[-2:],
    Mutant(
        "leaves have a key of their own",
        "hash_batch(LEAF_KEY, leaf_bytes, &buffer, digests);",
        "hash_batch(NODE_KEY, leaf_bytes, &buffer, digests);",
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
    "kernels/core/src/merkle.rs",
    OPENINGS,
    Mutant("a node is left over", "nodes.next().is_some()", "false"),
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
    Mutant("a sibling is on the other side", "children[0] ^ 1", "children[0]"),
)

COMMITMENT = source(
    "kernels/core/src/commitment.rs",
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
        "a group fits the code",
        "log_group > domain.log_length()",
        "false",
        (ARGUMENTS, "cargo:commitment", "attacks/test_malicious_keys.py"),
    ),
    Mutant(
        "a matrix has columns",
        "columns == 0 || columns > usize::MAX >> (TWO_ADICITY + 8)",
        "columns > usize::MAX >> (TWO_ADICITY + 8)",
        (
            ARGUMENTS,
            "cargo:commitment",
        ),
    ),
    Mutant(
        "leaves are found by reversed bits",
        "reverse_bits_len(position & ((1 << self.height()) - 1), self.height())",
        "(position & ((1 << self.height()) - 1))",
        ("protocol/opening/test_codes.py", *REPLAY),
    ),
    Mutant(
        "rows of a group share a leaf",
        "self.domain.log_length() - self.log_group",
        "self.domain.log_length()",
        ("protocol/opening/test_codes.py",),
    ),
    Mutant(
        "a group has all its rows",
        "self.columns << self.log_group",
        "self.columns",
        ("protocol/opening/test_opening.py", *OPENINGS),
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
        "core::verify_opening(root, &code.0, &indices, &rows.0, digests(nodes)?).map_err(raise)",
        "Ok(())",
    ),
    Mutant(
        "positions are in the code",
        "positions.iter().any(|&position| position >= length)",
        "false",
        (ARGUMENTS, "protocol/opening/test_codes.py", "test_kernels.py"),
    ),
    Mutant(
        "each position has its row of a group",
        "(position >> code.0.height()) * columns",
        "0",
        ("protocol/opening/test_opening.py", "protocol/opening/test_codes.py"),
    ),
    Mutant("each position has its leaf", "slot.checked_mul(width)?", "0_usize"),
    Mutant(
        "columns have weights of their own",
        "weights.0.iter().zip(row).map(|(&w, &x)| w * x).sum()",
        "weights.0.iter().zip(row).map(|(_, &x)| EF::from(x)).sum()",
    ),
    Mutant(
        "weights fit the code",
        "columns == 0 || !width.is_multiple_of(columns) || positions.len() != slots.len()",
        "columns == 0",
        (ARGUMENTS, "test_kernels.py", "protocol/opening/test_codes.py"),
    ),
    Mutant("points are powers of the generator", "g.exp_u64(j)", "g.exp_u64(j ^ 1)"),
    Mutant(
        "a code is no longer than the subgroup",
        "log_length > TWO_ADICITY",
        "log_length > 99",
        (ARGUMENTS, "test_kernels.py"),
    ),
)

HASHES = (TRANSCRIPT, HASHING, MERKLE, COMMITMENT, BINDING)
