//! The field of the protocol: KoalaBear, p = 2^31 - 2^24 + 1, and its quintic extension
//! X^5 + X^2 - 1 (about 154.9 bits), with their canonical encodings.
//!
//! An element is encoded as its canonical representative, four bytes, little endian; an extension
//! element as its five coefficients, constant first. Decoding refuses anything else.

use p3_field::extension::QuinticTrinomialExtensionField;
use p3_field::{BasedVectorSpace, PrimeField32};
use p3_koala_bear::KoalaBear;

use crate::error::{Check, Rejection, Result};

/// The base field.
pub type F = KoalaBear;
/// The challenge field.
pub type EF = QuinticTrinomialExtensionField<F>;

/// Coefficients of an extension element.
pub const EXTENSION_DEGREE: usize = 5;
/// Bytes of an encoded base element.
pub const BASE_BYTES: usize = 4;
/// Bytes of an encoded extension element.
pub const EXTENSION_BYTES: usize = BASE_BYTES * EXTENSION_DEGREE;
/// The largest power of two that divides p - 1: no code is longer than 2^24.
pub const TWO_ADICITY: usize = 24;

/// The five coefficients of an extension element, constant first.
#[inline]
pub fn coefficients(value: &EF) -> &[F] {
    value.as_basis_coefficients_slice()
}

/// The canonical encoding of one extension element.
pub fn extension_to_bytes(value: &EF) -> [u8; EXTENSION_BYTES] {
    let mut out = [0; EXTENSION_BYTES];
    let (words, _) = out.as_chunks_mut::<BASE_BYTES>();
    words
        .iter_mut()
        .zip(coefficients(value))
        .for_each(|(word, c)| *word = c.as_canonical_u32().to_le_bytes());
    out
}

/// The numbers below p that encoded base elements are.
///
/// # Errors
/// [`Check::BaseLength`] if the length is no multiple of four bytes, [`Check::CanonicalElement`] with the index
/// of the first number that is not below p.
pub fn canonical_numbers(bytes: &[u8]) -> Result<Vec<u32>> {
    let (chunks, []) = bytes.as_chunks::<BASE_BYTES>() else {
        return Err(Rejection::of(Check::BaseLength).into());
    };
    let numbers: Vec<u32> = chunks.iter().map(|&chunk| u32::from_le_bytes(chunk)).collect();
    // A plain loop is several times faster than one that may end early.
    if numbers.iter().fold(0, |most, &number| most.max(number)) >= F::ORDER_U32 {
        let index = numbers.iter().position(|&number| number >= F::ORDER_U32).unwrap_or_default();
        return Err(Rejection::at_index(Check::CanonicalElement, index).into());
    }
    Ok(numbers)
}

/// Decodes base elements.
///
/// # Errors
/// As [`canonical_numbers`].
pub fn decode_base(bytes: &[u8]) -> Result<Vec<F>> {
    Ok(canonical_numbers(bytes)?.into_iter().map(F::new).collect())
}

/// Checks that bytes may be encoded extension elements.
///
/// # Errors
/// [`Check::ExtensionLength`] if their number is no multiple of twenty.
pub fn check_extension_length(bytes: &[u8]) -> Result<()> {
    if !bytes.len().is_multiple_of(EXTENSION_BYTES) {
        return Err(Rejection::of(Check::ExtensionLength).into());
    }
    Ok(())
}

/// Decodes extension elements.
///
/// # Errors
/// As [`check_extension_length`] and [`canonical_numbers`].
pub fn decode_extension(bytes: &[u8]) -> Result<Vec<EF>> {
    check_extension_length(bytes)?;
    let (elements, _) = bytes.as_chunks::<EXTENSION_BYTES>();
    let decoded = decode_base(elements.as_flattened())?;
    let (elements, _) = decoded.as_chunks::<EXTENSION_DEGREE>();
    Ok(elements.iter().map(|&element| extension(element)).collect())
}

/// The extension element with these coefficients, constant first.
#[inline]
pub fn extension(coefficients: [F; EXTENSION_DEGREE]) -> EF {
    let mut coefficients = coefficients.into_iter();
    EF::from_basis_coefficients_fn(|_| coefficients.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn representatives_are_decoded(raw in prop::collection::vec(0..F::ORDER_U32, 0..100)) {
            let values: Vec<F> = raw.iter().map(|&v| F::new(v)).collect();
            let bytes: Vec<u8> = raw.iter().flat_map(|v| v.to_le_bytes()).collect();
            prop_assert_eq!(decode_base(&bytes).unwrap(), values.clone());
            let count = values.len() / EXTENSION_DEGREE;
            let elements = EF::reconstitute_from_base(values[..count * EXTENSION_DEGREE].to_vec());
            let bytes = &bytes[..count * EXTENSION_BYTES];
            prop_assert_eq!(decode_extension(bytes).unwrap(), elements.clone());
            prop_assert_eq!(elements.iter().flat_map(extension_to_bytes).collect::<Vec<u8>>(), bytes);
        }
    }

    #[test]
    fn non_canonical_values_are_rejected() {
        let refused = |bytes: &[u8]| decode_base(bytes).unwrap_err();
        let large = F::ORDER_U32.to_le_bytes();
        assert_eq!(refused(&large), Rejection::at_index(Check::CanonicalElement, 0).into());
        assert_eq!(
            refused(&[[0; 4], [255; 4]].concat()),
            Rejection::at_index(Check::CanonicalElement, 1).into()
        );
        assert_eq!(refused(&[0; 5]), Rejection::of(Check::BaseLength).into());
        assert_eq!(decode_extension(&[0; 24]).unwrap_err(), Rejection::of(Check::ExtensionLength).into());
    }

    #[test]
    fn the_modulus_of_the_extension_is_x5_plus_x2_minus_1() {
        let x = EF::from_basis_coefficients_fn(|i| F::from_bool(i == 1));
        assert_eq!(x.exp_u64(5) + x.exp_u64(2) - EF::ONE, EF::ZERO);
    }
}
