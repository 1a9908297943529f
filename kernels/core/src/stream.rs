//! Streams of uniform base elements from a seed, of which any range can be derived, and the seeds.
//!
//! Chunk j of the stream of a label is BLAKE3's extended output, keyed with the seed, over one frame as in
//! [`deepprove_verifier::transcript`]: kind 4, the label, j as eight bytes. It is read as 32-bit words without
//! their top bit; those from p on (about 1 in 128) are left out, and the first 4096 others are the chunk.
//!
//! A seed is BLAKE3, keyed with a secret, over frames of kind 5: one for each label and data.

use blake3::{Hasher, OutputReader};
use deepprove_verifier::transcript::Frame;
use p3_field::{PrimeCharacteristicRing, PrimeField32};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::{BASE_BYTES, F};
use crate::pool::Pool;

/// Bytes of a seed, and of a secret.
pub const SEED_BYTES: usize = 32;
/// Values of a chunk.
const CHUNK: usize = 1 << 12;
/// Values of a stream.
const MOST: usize = 1 << 48;
/// Words that are read at once: about as many as a chunk takes, then few.
const FIRST_WORDS: usize = CHUNK + CHUNK / 64;
const MORE_WORDS: usize = 16;

/// The seed of labelled parts, in their order.
pub fn derive_seed(secret: &[u8; SEED_BYTES], parts: &[(&str, &[u8])]) -> [u8; SEED_BYTES] {
    let mut hasher = Hasher::new_keyed(secret);
    for (label, data) in parts {
        Frame::Seed.begin(label, data.len(), &mut hasher);
        hasher.update(data);
    }
    hasher.finalize().into()
}

/// The values `first`, ..., `first + count - 1` of the stream of `label`; a pool takes a chunk a thread.
///
/// # Errors
/// [`Error::Shape`] where the range ends beyond 2^48 values.
pub fn random_values(
    seed: &[u8; SEED_BYTES],
    label: &str,
    first: usize,
    count: usize,
    pool: Option<&Pool>,
) -> Result<Vec<F>> {
    let end = first.checked_add(count).filter(|&end| end <= MOST);
    let end = end.ok_or(Error::Shape("a range of a stream ends beyond its last value"))?;
    let mut values = F::zero_vec(count);
    // Up to the end of the first chunk, where it is cut, and whole chunks, but for the last.
    let (head, tail) = values.split_at_mut(count.min(first.next_multiple_of(CHUNK) - first));
    let fill = |(index, out): (usize, &mut [F])| out.copy_from_slice(&chunk(seed, label, index)[..out.len()]);
    if !head.is_empty() {
        let start = first % CHUNK;
        head.copy_from_slice(&chunk(seed, label, first / CHUNK)[start..start + head.len()]);
    }
    let index = (end - tail.len()) / CHUNK;
    match pool {
        Some(pool) if tail.len() > CHUNK => {
            let chunks = tail.par_chunks_mut(CHUNK).enumerate().map(|(i, out)| (index + i, out));
            pool.install(|| chunks.for_each(fill));
        }
        _ => tail.chunks_mut(CHUNK).enumerate().map(|(i, out)| (index + i, out)).for_each(fill),
    }
    Ok(values)
}

/// Chunk `index` of the stream of a label.
fn chunk(seed: &[u8; SEED_BYTES], label: &str, index: usize) -> Vec<F> {
    let data = (index as u64).to_le_bytes();
    let mut hasher = Hasher::new_keyed(seed);
    Frame::Stream.begin(label, data.len(), &mut hasher);
    hasher.update(&data);
    let mut reader = hasher.finalize_xof();
    let mut values = Vec::with_capacity(FIRST_WORDS);
    read(&mut reader, FIRST_WORDS, &mut values);
    while values.len() < CHUNK {
        read(&mut reader, MORE_WORDS, &mut values);
    }
    values.truncate(CHUNK);
    values
}

/// Appends the elements among the next `count` words.
fn read(reader: &mut OutputReader, count: usize, values: &mut Vec<F>) {
    let mut words = vec![[0; BASE_BYTES]; count];
    reader.fill(words.as_flattened_mut());
    let candidates = words.into_iter().map(|word| u32::from_le_bytes(word) & (u32::MAX >> 1));
    values.extend(candidates.filter(|&candidate| candidate < F::ORDER_U32).map(F::new));
}
