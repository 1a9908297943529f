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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SEED: [u8; SEED_BYTES] = *b"0123456789abcdef0123456789abcdef";

    const PADS: [u32; 4] = [436796821, 845458919, 2029889168, 192122696];
    const ROWS: [u32; 4] = [1929907370, 259332915, 212022075, 75566482];
    const DERIVED: [u8; 8] = [148, 218, 203, 180, 209, 73, 82, 227];

    fn frame(kind: u8, label: &[u8], data: &[u8]) -> Vec<u8> {
        let lengths = [label.len() as u64, data.len() as u64].map(u64::to_le_bytes);
        [&[kind], lengths.as_flattened(), label, data].concat()
    }

    fn numbers(values: &[F]) -> Vec<u32> {
        values.iter().map(PrimeField32::as_canonical_u32).collect()
    }

    #[test]
    fn the_stream_is_the_documented_one() {
        let mut expected = Vec::new();
        for j in 0..3_u64 {
            let mut reader =
                Hasher::new_keyed(&SEED).update(&frame(4, b"pads", &j.to_le_bytes())).finalize_xof();
            let mut bytes = vec![0; 4 * 2 * CHUNK];
            reader.fill(&mut bytes);
            let (words, _) = bytes.as_chunks::<4>();
            let words = words.iter().map(|&word| u32::from_le_bytes(word) & 0x7fff_ffff);
            expected.extend(words.filter(|&word| word < F::ORDER_U32).take(CHUNK));
        }
        assert_eq!(numbers(&random_values(&SEED, "pads", 0, 3 * CHUNK, None).unwrap()), expected);
        assert_ne!(numbers(&random_values(&SEED, "rows", 0, 3 * CHUNK, None).unwrap()), expected);
    }

    #[test]
    fn the_construction_is_pinned() {
        let at = |label, first| numbers(&random_values(&SEED, label, first, 4, None).unwrap());
        assert_eq!(at("pads", 0), PADS);
        assert_eq!(at("rows", CHUNK - 2), ROWS);
        let seed = derive_seed(&SEED, &[("counter", &[1, 2, 3]), ("statement", b"abc")]);
        let input = [frame(5, b"counter", &[1, 2, 3]), frame(5, b"statement", b"abc")].concat();
        assert_eq!(seed, *blake3::keyed_hash(&SEED, &input).as_bytes());
        assert_eq!(seed[..8], DERIVED);
    }

    #[test]
    fn each_part_of_a_seed_matters() {
        let seeds = [
            derive_seed(&SEED, &[]),
            derive_seed(&SEED, &[("", b"")]),
            derive_seed(&SEED, &[("a", b"bc")]),
            derive_seed(&SEED, &[("ab", b"c")]),
            derive_seed(&SEED, &[("a", b"b"), ("", b"c")]),
            derive_seed(&SEED, &[("", b"c"), ("a", b"b")]),
            derive_seed(&[0; SEED_BYTES], &[("a", b"bc")]),
        ];
        for (i, seed) in seeds.iter().enumerate() {
            assert!(seeds[..i].iter().all(|other| other != seed));
        }
    }

    #[test]
    fn values_are_uniform_below_p() {
        const BINS: u64 = 64;
        let values = numbers(&random_values(&SEED, "rows", 5, 1 << 18, None).unwrap());
        let mut counts = [0_i64; BINS as usize];
        for value in values {
            assert!(value < F::ORDER_U32);
            counts[(u64::from(value) * BINS / u64::from(F::ORDER_U32)) as usize] += 1;
        }
        // 4096 expected in each bin, with a deviation of 64.
        assert!(counts.iter().all(|count| (count - 4096).abs() < 6 * 64), "{counts:?}");
    }

    #[test]
    fn a_range_that_has_no_end_is_refused() {
        for (first, count) in [(usize::MAX, 1), (usize::MAX - 3, 3), (MOST, 1)] {
            assert!(random_values(&SEED, "s", first, count, None).is_err());
        }
        assert!(random_values(&SEED, "s", MOST - 1, 1, None).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]

        #[test]
        fn a_range_is_a_slice_of_the_whole(first in 0..3 * CHUNK, count in 0..4 * CHUNK, pooled: bool) {
            let whole = random_values(&SEED, "rows", 0, 7 * CHUNK, None).unwrap();
            let pool = Pool::new(2).unwrap();
            let range = random_values(&SEED, "rows", first, count, pooled.then_some(&pool)).unwrap();
            prop_assert_eq!(&range[..], &whole[first..first + count]);
        }
    }
}
