//! The field of the protocol: KoalaBear, p = 2^31 - 2^24 + 1, and its quintic extension
//! X^5 + X^2 - 1 (about 154.9 bits), with their canonical encodings.
//!
//! An element is encoded as its canonical representative, four bytes, little endian; an extension
//! element as its five coefficients, constant first. Decoding refuses anything else.

use p3_field::extension::{PackedQuinticTrinomialExtensionField, QuinticTrinomialExtensionField};
use p3_field::{BasedVectorSpace, Field, PackedValue, PrimeField32};
use p3_koala_bear::KoalaBear;

use crate::error::{Error, Result};

/// The base field.
pub type F = KoalaBear;
/// The challenge field.
pub type EF = QuinticTrinomialExtensionField<F>;
/// As many base elements as a vector register of the target holds.
pub type PackedF = <F as Field>::Packing;
/// As many extension elements, transposed: five registers.
pub type PackedEF = PackedQuinticTrinomialExtensionField<F, PackedF>;

/// Coefficients of an extension element.
pub const EXTENSION_DEGREE: usize = 5;
/// Bytes of an encoded base element.
pub const BASE_BYTES: usize = 4;
/// Bytes of an encoded extension element.
pub const EXTENSION_BYTES: usize = BASE_BYTES * EXTENSION_DEGREE;
/// Elements in a packed value.
pub const WIDTH: usize = <PackedF as PackedValue>::WIDTH;
/// Its logarithm.
pub const LOG_WIDTH: usize = WIDTH.trailing_zeros() as usize;
/// The largest power of two that divides p - 1: no code is longer than 2^24.
pub const TWO_ADICITY: usize = 24;

/// The five coefficients of an extension element, constant first.
#[inline]
pub fn coefficients(value: &EF) -> &[F] {
    value.as_basis_coefficients_slice()
}

/// Appends the canonical encoding of base elements.
pub fn encode_base(values: &[F], out: &mut Vec<u8>) {
    out.reserve(values.len() * BASE_BYTES);
    for value in values {
        out.extend_from_slice(&value.as_canonical_u32().to_le_bytes());
    }
}

/// Appends the canonical encoding of extension elements.
pub fn encode_extension(values: &[EF], out: &mut Vec<u8>) {
    out.reserve(values.len() * EXTENSION_BYTES);
    for value in values {
        encode_base(coefficients(value), out);
    }
}

/// The canonical encoding of one extension element.
pub fn extension_to_bytes(value: &EF) -> [u8; EXTENSION_BYTES] {
    let mut out = [0; EXTENSION_BYTES];
    for (bytes, c) in out.chunks_exact_mut(BASE_BYTES).zip(coefficients(value)) {
        bytes.copy_from_slice(&c.as_canonical_u32().to_le_bytes());
    }
    out
}

/// Decodes base elements.
///
/// # Errors
/// [`Error::Encoding`] if the length is no multiple of four or a value is not below p.
pub fn decode_base(bytes: &[u8]) -> Result<Vec<F>> {
    let (chunks, []) = bytes.as_chunks::<BASE_BYTES>() else {
        return Err(Error::Encoding("length is not a whole number of field elements"));
    };
    // Two plain loops are several times faster than one that may end early.
    if chunks.iter().fold(0, |most, &chunk| most.max(u32::from_le_bytes(chunk))) >= F::ORDER_U32 {
        return Err(Error::Encoding("field element is not below the modulus"));
    }
    Ok(chunks.iter().map(|&chunk| F::new(u32::from_le_bytes(chunk))).collect())
}

/// Decodes extension elements.
///
/// # Errors
/// [`Error::Encoding`] as for [`decode_base`].
pub fn decode_extension(bytes: &[u8]) -> Result<Vec<EF>> {
    if !bytes.len().is_multiple_of(EXTENSION_BYTES) {
        return Err(Error::Encoding("length is not a whole number of extension elements"));
    }
    Ok(EF::reconstitute_from_base(decode_base(bytes)?))
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn encoding_round_trips(raw in prop::collection::vec(0..F::ORDER_U32, 0..40)) {
            let values: Vec<F> = raw.iter().map(|&v| F::new(v)).collect();
            let mut bytes = Vec::new();
            encode_base(&values, &mut bytes);
            prop_assert_eq!(decode_base(&bytes).unwrap(), values);
        }
    }

    #[test]
    fn non_canonical_values_are_refused() {
        assert!(decode_base(&F::ORDER_U32.to_le_bytes()).is_err());
        assert!(decode_base(&u32::MAX.to_le_bytes()).is_err());
        assert!(decode_base(&[0; 5]).is_err());
        assert!(decode_extension(&[0; 24]).is_err());
    }

    #[test]
    fn the_modulus_of_the_extension_is_x5_plus_x2_minus_1() {
        let x = EF::from_basis_coefficients_fn(|i| F::from_bool(i == 1));
        assert_eq!(x.exp_u64(5) + x.exp_u64(2) - EF::ONE, EF::ZERO);
    }
}
