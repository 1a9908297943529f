//! The field of the protocol over vector registers: packs of KoalaBear and of its quintic extension, whole
//! slices encoded and decoded at once. See [`deepprove_verifier::field`] for the field and its encodings.

pub mod vector;

use std::mem::ManuallyDrop;

use p3_field::extension::PackedQuinticTrinomialExtensionField;
use p3_field::integers::QuotientMap;
use p3_field::{
    BasedVectorSpace, Field, PackedValue, PrimeField32, PrimeField64, scale_slice_in_place_single_core,
};

pub(crate) use deepprove_verifier::field::canonical_numbers;
use deepprove_verifier::field::check_extension_length;
pub use deepprove_verifier::field::{
    BASE_BYTES, EF, EXTENSION_BYTES, EXTENSION_DEGREE, F, TWO_ADICITY, coefficients, extension_to_bytes,
};

use crate::error::Result;

/// As many base elements as a vector register of the target holds.
pub type PackedF = <F as Field>::Packing;
/// As many extension elements, transposed: five registers.
pub type PackedEF = PackedQuinticTrinomialExtensionField<F, PackedF>;

/// Elements in a packed value.
pub const WIDTH: usize = <PackedF as PackedValue>::WIDTH;
/// Its logarithm.
pub const LOG_WIDTH: usize = WIDTH.trailing_zeros() as usize;
/// In memory an element x is the number x 2^32 mod p (Montgomery's form), so that x 2^-32 is x itself: whole
/// slices turn into canonical representatives, and back, by a product, several to a register.
const SHIFT: F = F::new(((1_u64 << 32) % F::ORDER_U64) as u32);
/// 2^-32.
const UNSHIFT: F = F::new(inverse((1 << 32) % F::ORDER_U64) as u32);

/// x^(p - 2) mod p.
const fn inverse(x: u64) -> u64 {
    let (mut power, mut square, mut exponent) = (1, x, F::ORDER_U64 - 2);
    while exponent > 0 {
        if exponent & 1 == 1 {
            power = power * square % F::ORDER_U64;
        }
        square = square * square % F::ORDER_U64;
        exponent >>= 1;
    }
    power
}

/// Elements of which a copy stays in the cache while it is encoded; a multiple of the extension's degree.
const AT_ONCE: usize = EXTENSION_DEGREE << 10;

/// Appends the canonical encoding of extension elements.
pub fn encode_extension(values: &[EF], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + values.len() * EXTENSION_BYTES, 0);
    write_extension(values, &mut out[start..]);
}

/// Writes the canonical encoding of base elements over as many bytes as it has.
pub fn write_base(values: &[F], out: &mut [u8]) {
    let mut numbers = [0; AT_ONCE];
    for (values, out) in values.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE * BASE_BYTES)) {
        let numbers = &mut numbers[..values.len()];
        representatives(values, numbers);
        let (words, _) = out.as_chunks_mut::<BASE_BYTES>();
        words.iter_mut().zip(numbers).for_each(|(word, number)| *word = number.to_le_bytes());
    }
}

/// Writes the representatives of base elements over as many numbers.
pub(crate) fn representatives(values: &[F], out: &mut [u32]) {
    let mut copy = [F::default(); AT_ONCE];
    for (values, out) in values.chunks(AT_ONCE).zip(out.chunks_mut(AT_ONCE)) {
        let copy = &mut copy[..values.len()];
        copy.copy_from_slice(values);
        scale_slice_in_place_single_core(copy, UNSHIFT);
        out.iter_mut().zip(copy).for_each(|(number, value)| *number = value.to_unique_u32());
    }
}

/// Writes the canonical encoding of extension elements over as many bytes as it has.
pub fn write_extension(values: &[EF], out: &mut [u8]) {
    let at_once = AT_ONCE / EXTENSION_DEGREE;
    for (values, out) in values.chunks(at_once).zip(out.chunks_mut(at_once * EXTENSION_BYTES)) {
        write_base(&EF::flatten_to_base(values.to_vec()), out);
    }
}

/// Decodes base elements.
///
/// # Errors
/// As [`canonical_numbers`].
pub fn decode_base(bytes: &[u8]) -> Result<Vec<F>> {
    Ok(from_canonical(canonical_numbers(bytes)?))
}

/// Appends the elements that these numbers below p represent.
///
/// # Panics
/// In debug builds, where a number is not below p.
pub(crate) fn extend_canonical(numbers: &[u32], out: &mut Vec<F>) {
    debug_assert!(numbers.iter().all(|&number| number < F::ORDER_U32), "a number is below p");
    let start = out.len();
    // SAFETY: as in `from_canonical`; the memory stays the numbers'.
    out.extend_from_slice(unsafe { std::slice::from_raw_parts(numbers.as_ptr().cast(), numbers.len()) });
    scale_slice_in_place_single_core(&mut out[start..], SHIFT);
}

/// The elements that these numbers below p represent.
fn from_canonical(numbers: Vec<u32>) -> Vec<F> {
    let mut numbers = ManuallyDrop::new(numbers);
    let (start, length, capacity) = (numbers.as_mut_ptr().cast(), numbers.len(), numbers.capacity());
    // SAFETY: F is a transparent wrapper of a u32 below p, whichever, and all of these are; nothing else frees
    // their memory.
    let mut shifted: Vec<F> = unsafe { Vec::from_raw_parts(start, length, capacity) };
    scale_slice_in_place_single_core(&mut shifted, SHIFT);
    shifted
}

/// The residues of signed integers of any width.
pub fn from_integers<I: Copy + Into<i64>>(values: &[I]) -> Vec<F> {
    // Of integers between -p and p, as nearly all vectors hold, it takes one addition.
    let order = F::ORDER_U32 as i64;
    let integers = || values.iter().map(|&v| v.into());
    let bits = integers().fold(0, |bits, v| bits | (v.unsigned_abs() >= order as u64) as u8);
    if bits != 0 {
        return integers().map(F::from_int).collect();
    }
    from_canonical(integers().map(|v| (v + (v >> 63 & order)) as u32).collect())
}

/// Decodes extension elements.
///
/// # Errors
/// As [`check_extension_length`] and [`canonical_numbers`].
pub fn decode_extension(bytes: &[u8]) -> Result<Vec<EF>> {
    check_extension_length(bytes)?;
    Ok(EF::reconstitute_from_base(decode_base(bytes)?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn elements_are_encoded_as_their_representatives(
            raw in prop::collection::vec(0..F::ORDER_U32, 0..100), repeats in prop::sample::select(vec![1, 300])
        ) {
            // Also more than are encoded at once.
            let raw = raw.repeat(repeats);
            let values: Vec<F> = raw.iter().map(|&v| F::new(v)).collect();
            let expected: Vec<u8> = raw.iter().flat_map(|v| v.to_le_bytes()).collect();
            let mut bytes = vec![0; expected.len()];
            write_base(&values, &mut bytes);
            prop_assert_eq!(&bytes, &expected);
            prop_assert_eq!(decode_base(&bytes).unwrap(), values.clone());
            let whole = values.len() / EXTENSION_DEGREE;
            let elements = EF::reconstitute_from_base(values[..whole * EXTENSION_DEGREE].to_vec());
            bytes.clear();
            encode_extension(&elements, &mut bytes);
            prop_assert_eq!(&bytes, &expected[..whole * EXTENSION_BYTES]);
            prop_assert_eq!(decode_extension(&bytes).unwrap(), elements);
        }
    }

    #[test]
    fn integers_are_taken_modulo_p() {
        let p = F::ORDER_U32 as i64;
        for values in [vec![0, 1, -1, p - 1, 1 - p, 5, -7], vec![p, -p, 3, i64::MAX, i64::MIN, p + 1, -2]] {
            let expected: Vec<F> = values.iter().map(|&v: &i64| F::new(v.rem_euclid(p) as u32)).collect();
            assert_eq!(from_integers(&values), expected);
        }
    }

    #[test]
    fn non_canonical_values_are_refused() {
        assert!(decode_base(&F::ORDER_U32.to_le_bytes()).is_err());
        assert!(decode_base(&u32::MAX.to_le_bytes()).is_err());
        assert!(decode_base(&[0; 5]).is_err());
        assert!(decode_extension(&[0; 24]).is_err());
    }
}
