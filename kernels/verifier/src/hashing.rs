//! The two hash functions of a Merkle tree, many inputs at a time.
//!
//! Leaves and nodes are BLAKE3 in keyed mode under two different keys, so a leaf is never taken for a
//! node. A leaf is the canonical encoding of a row of base elements, zero-padded to whole 64-byte
//! blocks (injective, because the verifier knows the width of a row); a node is its two children, one
//! block. BLAKE3 hashes up to 16 equally long inputs in one sequence of vector instructions; only
//! its doc-hidden `Platform` offers that, hence the exact version pin and the property tests against
//! `blake3::keyed_hash`.

use blake3::IncrementCounter;
use blake3::platform::Platform;
use p3_field::{PrimeCharacteristicRing, PrimeField32};

use crate::field::{BASE_BYTES, F};

/// A BLAKE3 hash value.
pub type Digest = [u8; 32];

const LEAF_KEY: &Digest = b"deepprove-dist Merkle leaf v1 \0\0";
const NODE_KEY: &Digest = b"deepprove-dist Merkle node v1 \0\0";
const BLOCK_BYTES: usize = 64;
const BLOCK_ELEMENTS: usize = BLOCK_BYTES / BASE_BYTES;
/// A BLAKE3 chunk: longer inputs have inner nodes of BLAKE3's tree, which `hash_many` does not make.
const CHUNK_BYTES: usize = 1024;
/// Inputs per call: the widest vector registers that BLAKE3 knows.
pub const LANES: usize = 16;

// Flags of the BLAKE3 specification, section 2.1.
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;
const KEYED_HASH: u8 = 1 << 4;

/// Base elements of a leaf with a row of `width`, filled up with zeros to whole blocks.
pub fn padded_width(width: usize) -> usize {
    width.checked_next_multiple_of(BLOCK_ELEMENTS).unwrap_or(width).max(BLOCK_ELEMENTS)
}

/// Hashes `out.len()` rows of `width` base elements. `write(i, leaves)` writes row i and those that follow, at
/// most [`LANES`] and as many as there is room for, each at the start of its [`padded_width`] elements.
pub fn hash_leaves(width: usize, write: impl Fn(usize, &mut [F]), out: &mut [Digest]) {
    let padded = padded_width(width);
    let values = padded.saturating_mul(LANES.min(out.len()));
    let (mut leaves, mut words) = (F::zero_vec(values), vec![[0; BASE_BYTES]; values]);
    for (batch, digests) in out.chunks_mut(LANES).enumerate() {
        leaves.truncate(padded.saturating_mul(digests.len()));
        write(batch.saturating_mul(LANES), &mut leaves);
        // All leaves at once: many of them may be shorter than a register.
        for (word, value) in words.iter_mut().zip(&leaves) {
            *word = value.as_canonical_u32().to_le_bytes();
        }
        hash_batch(LEAF_KEY, padded.saturating_mul(BASE_BYTES), words.as_flattened(), digests);
    }
}

/// Hashes children 2i and 2i + 1 into node i.
pub fn hash_nodes(children: &[Digest], out: &mut [Digest]) {
    let batches = children.chunks(2 * LANES).map(<[Digest]>::as_flattened);
    for (pairs, digests) in batches.zip(out.chunks_mut(LANES)) {
        hash_batch(NODE_KEY, BLOCK_BYTES, pairs, digests);
    }
}

/// Hashes the first `out.len()` (at most 16) inputs of `length` bytes each, a multiple of 64.
fn hash_batch(key: &Digest, length: usize, inputs: &[u8], out: &mut [Digest]) {
    macro_rules! by_blocks {
        ($($blocks:literal)*) => {
            match length / BLOCK_BYTES {
                $($blocks => hash_equal::<{ $blocks * BLOCK_BYTES }>(key, inputs, out),)*
                _ => {
                    for (input, digest) in inputs.chunks_exact(length).zip(out) {
                        *digest = *blake3::keyed_hash(key, input).as_bytes();
                    }
                }
            }
        };
    }
    by_blocks!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
}

fn hash_equal<const N: usize>(key: &Digest, inputs: &[u8], out: &mut [Digest]) {
    const { assert!(N.is_multiple_of(BLOCK_BYTES) && N <= CHUNK_BYTES) };
    let (inputs, _) = inputs.as_chunks::<N>();
    let Some(first) = inputs.first() else { return };
    let mut lanes = [first; LANES];
    for (lane, input) in lanes.iter_mut().zip(inputs) {
        *lane = input;
    }
    let (words, _) = key.as_chunks::<4>();
    let mut key = [0; 8];
    key.iter_mut().zip(words).for_each(|(number, &word)| *number = u32::from_le_bytes(word));
    Platform::detect().hash_many(
        lanes.get(..out.len()).unwrap_or_default(),
        &key,
        0,
        IncrementCounter::No,
        KEYED_HASH,
        CHUNK_START,
        CHUNK_END | ROOT,
        out.as_flattened_mut(),
    );
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_leaf_of_the_bytes_of_two_children_is_no_node() {
        let (row, children) = ([F::ZERO; 16], [Digest::default(); 2]);
        let (mut leaf, mut node) = ([Digest::default()], [Digest::default()]);
        hash_leaves(row.len(), |_, leaf| leaf.copy_from_slice(&row), &mut leaf);
        hash_nodes(&children, &mut node);
        assert_ne!(leaf, node);
    }

    proptest! {
        #[test]
        fn leaves_are_keyed_hashes_of_padded_rows(width in 0_usize..300, count in 1_usize..40, seed: u32) {
            let values: Vec<F> = (0..width * count)
                .map(|i| F::new(seed.wrapping_mul(i as u32 + 1) % F::ORDER_U32))
                .collect();
            let row = |i: usize| &values[i * width..(i + 1) * width];
            let mut digests = vec![[0; 32]; count];
            let write = |first: usize, leaves: &mut [F]| {
                let leaves = (first..count).zip(leaves.chunks_exact_mut(padded_width(width)));
                leaves.for_each(|(i, leaf)| leaf[..width].copy_from_slice(row(i)));
            };
            hash_leaves(width, write, &mut digests);
            for (i, digest) in digests.iter().enumerate() {
                let mut bytes: Vec<u8> =
                    row(i).iter().flat_map(|value| value.as_canonical_u32().to_le_bytes()).collect();
                bytes.resize(bytes.len().next_multiple_of(64).max(64), 0);
                prop_assert_eq!(*digest, *blake3::keyed_hash(LEAF_KEY, &bytes).as_bytes());
            }
        }

        #[test]
        fn nodes_are_keyed_hashes_of_two_children(children in prop::collection::vec(any::<Digest>(), 1..40)) {
            let children = [children.clone(), children].concat();
            let mut nodes = vec![[0; 32]; children.len() / 2];
            hash_nodes(&children, &mut nodes);
            for (node, pair) in nodes.iter().zip(children.chunks_exact(2)) {
                prop_assert_eq!(*node, *blake3::keyed_hash(NODE_KEY, pair.as_flattened()).as_bytes());
            }
        }
    }
}
