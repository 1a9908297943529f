//! Base elements as few bytes, for messages: most values of a witness are small integers of either sign.
//!
//! The number of values, in eight bytes, then blocks of [`BLOCK`] values. A block is its width in one byte, and
//! its values in as many bytes each: a value v of one or two bytes as v plus half of what these can hold, one of
//! four as its representative. The width is the least that holds the block, so that a vector has one encoding.

use p3_field::PrimeField32;

use crate::error::{Error, Result};
use crate::field::{BASE_BYTES, F, canonical_numbers, extend_canonical, representatives};

/// Values of a block: a few wide ones make all of them wide.
const BLOCK: usize = 1 << 8;
/// Values of some blocks, which stay in the cache while they are encoded.
const AT_ONCE: usize = BLOCK << 4;
const COUNT_BYTES: usize = 8;
/// What is added to values of a block of one byte each, and of two.
const HALF: [u32; 2] = [1 << 7, 1 << 15];

/// Encodes a vector.
pub fn pack(values: &[F]) -> Vec<u8> {
    let blocks = values.len().div_ceil(BLOCK);
    let mut out = Vec::with_capacity(COUNT_BYTES + blocks + 2 * values.len());
    out.extend((values.len() as u64).to_le_bytes());
    let mut numbers = [0; AT_ONCE];
    for values in values.chunks(AT_ONCE) {
        let numbers = &mut numbers[..values.len()];
        representatives(values, numbers);
        numbers.chunks(BLOCK).for_each(|block| pack_block(block, &mut out));
    }
    out
}

fn pack_block(numbers: &[u32], out: &mut Vec<u8>) {
    let width = least_width(numbers);
    out.push(width as u8);
    let start = out.len();
    out.resize(start + width * numbers.len(), 0);
    let block = &mut out[start..];
    match width {
        1 => write(numbers, block, |v| [shifted(v, HALF[0]) as u8]),
        2 => write(numbers, block, |v| (shifted(v, HALF[1]) as u16).to_le_bytes()),
        _ => write(numbers, block, u32::to_le_bytes),
    }
}

/// Decodes a vector.
///
/// # Errors
/// [`Error::Shape`] for bytes that [`pack`] does not give, and [`Error::Rejected`] as for
/// [`crate::field::decode_base`].
pub fn unpack(bytes: &[u8]) -> Result<Vec<F>> {
    let wrong = Error::Shape("bytes that are no packed vector");
    let (count, mut bytes) = bytes.split_first_chunk().ok_or(wrong)?;
    let mut missing = usize::try_from(u64::from_le_bytes(*count)).map_err(|_| wrong)?;
    // Values take a byte at least: so the memory that is asked for is bounded by what has come.
    if missing > bytes.len() {
        return Err(wrong);
    }
    let mut values = Vec::with_capacity(missing);
    let mut numbers = [0; BLOCK];
    while missing > 0 {
        let length = missing.min(BLOCK);
        let (&width, rest) = bytes.split_first().ok_or(wrong)?;
        let (block, rest) = rest.split_at_checked(length * width as usize).ok_or(wrong)?;
        let numbers = &mut numbers[..length];
        match width {
            1 => read(block, numbers, |[v]| unshifted(v as u32, HALF[0])),
            2 => read(block, numbers, |v| unshifted(u16::from_le_bytes(v) as u32, HALF[1])),
            4 => numbers.copy_from_slice(&canonical_numbers(block)?),
            _ => return Err(wrong),
        }
        if least_width(numbers) != width as usize {
            return Err(wrong);
        }
        extend_canonical(numbers, &mut values);
        (missing, bytes) = (missing - length, rest);
    }
    if !bytes.is_empty() {
        return Err(wrong);
    }
    Ok(values)
}

fn write<const N: usize>(numbers: &[u32], out: &mut [u8], encode: impl Fn(u32) -> [u8; N]) {
    let (words, _) = out.as_chunks_mut();
    words.iter_mut().zip(numbers).for_each(|(word, &number)| *word = encode(number));
}

fn read<const N: usize>(bytes: &[u8], out: &mut [u32], decode: impl Fn([u8; N]) -> u32) {
    let (words, _) = bytes.as_chunks();
    words.iter().zip(out).for_each(|(&word, number)| *number = decode(word));
}

/// The least bytes that hold each of some representatives.
fn least_width(numbers: &[u32]) -> usize {
    let [bits8, bits16] = HALF.map(|half| numbers.iter().fold(0, |bits, &v| bits | shifted(v, half)));
    if bits8 >> 8 == 0 {
        1
    } else if bits16 >> 16 == 0 {
        2
    } else {
        BASE_BYTES
    }
}

/// v + half modulo p: what is not below p after the sum wraps where p is taken off.
fn shifted(v: u32, half: u32) -> u32 {
    let sum = v + half;
    sum.min(sum.wrapping_sub(F::ORDER_U32))
}

/// v - half modulo p.
fn unshifted(v: u32, half: u32) -> u32 {
    let difference = v.wrapping_sub(half);
    difference.min(difference.wrapping_add(F::ORDER_U32))
}

#[cfg(test)]
mod tests {
    use p3_field::integers::QuotientMap;
    use proptest::prelude::*;

    use super::*;

    fn integers(values: &[i64]) -> Vec<F> {
        values.iter().map(|&v| F::from_int(v)).collect()
    }

    #[test]
    fn blocks_have_the_least_width() {
        let half = (F::ORDER_U32 / 2) as i64;
        for (bounds, width) in [
            ([-128, 127], 1),
            ([-129, 0], 2),
            ([0, 128], 2),
            ([-(1 << 15), (1 << 15) - 1], 2),
            ([0, 1 << 15], 4),
            ([-(1 << 15) - 1, 0], 4),
            ([-half, half], 4),
        ] {
            let values = integers(&bounds);
            let bytes = pack(&values);
            assert_eq!((bytes[COUNT_BYTES], bytes.len()), (width, COUNT_BYTES + 1 + 2 * width as usize));
            assert_eq!(unpack(&bytes).unwrap(), values);
        }
        assert_eq!(unpack(&pack(&[])).unwrap(), []);
    }

    proptest! {
        #[test]
        fn packed_vectors_are_the_same_again(
            small in prop::collection::vec(-200_i64..200, 0..20), large in any::<u32>(), repeats in 0_usize..700
        ) {
            // Several blocks, and one of another width at the end.
            let mut values = integers(&small).repeat(repeats);
            values.push(F::new(large % F::ORDER_U32));
            prop_assert_eq!(unpack(&pack(&values)).unwrap(), values);
        }

        #[test]
        fn a_vector_has_one_encoding(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(values) = unpack(&bytes) {
                prop_assert_eq!(pack(&values), bytes);
            }
        }

        #[test]
        fn other_bytes_are_refused(values in prop::collection::vec(-300_i64..300, 1..20), cut in 0_usize..20) {
            let bytes = pack(&integers(&values));
            prop_assert!(unpack(&bytes[..bytes.len() - 1 - cut.min(bytes.len() - 1)]).is_err());
            prop_assert!(unpack(&[&bytes[..], &[0]].concat()).is_err());
            let mut wide = bytes[..COUNT_BYTES].to_vec();
            wide.push(4);
            wide.extend(integers(&values).iter().flat_map(|v| v.as_canonical_u32().to_le_bytes()));
            prop_assert!(unpack(&wide).is_err());
        }
    }
}
