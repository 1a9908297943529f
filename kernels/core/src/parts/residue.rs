//! Parts of a vector: the values whose index has given low bits.
//!
//! Every step binds top bits first, so the machine that owns the indices q mod 2^s owns the same residue of
//! whatever is left of them.

use crate::error::{Error, Result};
use crate::field::{BASE_BYTES, F, decode_base};

/// One of 2^log_parts parts: the indices that are `index` modulo 2^log_parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Residue {
    /// Logarithm of the number of parts.
    pub log_parts: usize,
    /// The low bits of its indices.
    pub index: usize,
}

impl Residue {
    /// All indices.
    pub const WHOLE: Self = Self { log_parts: 0, index: 0 };

    /// Part `index` of 2^`log_parts`.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not so many parts, or too many.
    pub fn new(log_parts: usize, index: usize) -> Result<Self> {
        if log_parts > 24 || index >> log_parts != 0 {
            return Err(Error::Shape("there is no such part"));
        }
        Ok(Self { log_parts, index })
    }

    /// The part's values of a vector whose length is a multiple of the number of parts.
    pub fn take<T: Copy>(self, values: &[T]) -> Vec<T> {
        values.iter().skip(self.index).step_by(1 << self.log_parts).copied().collect()
    }
}

/// Values that are distributed at a time: they stay in the first cache, which every part reads them from.
const BLOCK: usize = 1 << 12;

/// All 2^`log_parts` parts of a vector, in their order; `log_parts` is that of some [`Residue`].
pub fn split<T: Copy>(values: &[T], log_parts: usize) -> Vec<Vec<T>> {
    let count = 1 << log_parts;
    let mut parts: Vec<_> = (0..count).map(|_| Vec::with_capacity(values.len().div_ceil(count))).collect();
    for block in values.chunks(BLOCK.max(count)) {
        for (index, part) in parts.iter_mut().enumerate() {
            part.extend(block.iter().skip(index).step_by(count));
        }
    }
    parts
}

/// The vector whose parts, all of one length, these are.
///
/// # Errors
/// [`Error::Shape`] where they are no power of two of equally long vectors.
pub fn interleave<T: Copy, V: AsRef<[T]>>(parts: &[V]) -> Result<Vec<T>> {
    let parts: Vec<&[T]> = parts.iter().map(AsRef::as_ref).collect();
    let len = parts.first().map_or(0, |part| part.len());
    if !parts.len().is_power_of_two() || parts.iter().any(|part| part.len() != len) {
        return Err(Error::Shape("the parts of a vector differ in length"));
    }
    let mut whole = Vec::with_capacity(len * parts.len());
    for i in 0..len {
        whole.extend(parts.iter().map(|part| part[i]));
    }
    Ok(whole)
}

/// The vector whose parts these are, encoded, in rows of `width` elements that are not cut.
///
/// # Errors
/// [`Error::Shape`] where they are no power of two of equally long vectors of whole rows, and
/// [`Error::Rejected`] as for [`decode_base`].
pub fn interleave_encoded(parts: &[&[u8]], width: usize) -> Result<Vec<F>> {
    let row = width.saturating_mul(BASE_BYTES);
    let length = parts.first().map_or(0, |part| part.len());
    let whole_rows = row != 0 && length.is_multiple_of(row);
    if !whole_rows || !parts.len().is_power_of_two() || parts.iter().any(|part| part.len() != length) {
        return Err(Error::Shape("the parts of a vector differ in length, or cut its rows"));
    }
    let mut whole = Vec::with_capacity(length / BASE_BYTES * parts.len());
    let mut block = Vec::new();
    // Rows are put in order and decoded while they are in the first cache.
    let step = (BLOCK / (width * parts.len())).max(1) * row;
    for first in (0..length).step_by(step) {
        block.clear();
        for start in (first..length.min(first + step)).step_by(row) {
            parts.iter().for_each(|part| block.extend_from_slice(&part[start..start + row]));
        }
        whole.extend(decode_base(&block)?);
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_interleave_to_the_whole() {
        let whole: Vec<u32> = (0..3 * BLOCK as u32 / 2).collect();
        for log_parts in 0..4 {
            let parts: Vec<_> =
                (0..1 << log_parts).map(|q| Residue::new(log_parts, q).unwrap().take(&whole)).collect();
            assert_eq!(interleave(&parts).unwrap(), whole);
            assert_eq!(split(&whole, log_parts), parts);
            let encoded = |values: &[u32]| -> Vec<u8> {
                values
                    .iter()
                    .flat_map(|&i| [3 * i, 3 * i + 1, 3 * i + 2])
                    .flat_map(u32::to_le_bytes)
                    .collect()
            };
            let rows: Vec<Vec<u8>> = parts.iter().map(|part| encoded(part)).collect();
            let rows: Vec<&[u8]> = rows.iter().map(Vec::as_slice).collect();
            assert_eq!(interleave_encoded(&rows, 3).unwrap(), decode_base(&encoded(&whole)).unwrap());
            for width in [0, 5, usize::MAX] {
                assert!(interleave_encoded(&rows, width).is_err());
            }
        }
        assert!(interleave(&[vec![1], vec![1, 2]]).is_err());
        assert!(interleave::<u32, Vec<u32>>(&[]).is_err());
        assert!(interleave_encoded(&[], 1).is_err());
        assert!(interleave_encoded(&[&[0; 8], &[0; 4]], 1).is_err());
        assert!(interleave_encoded(&[&[0xff; 4]], 1).is_err());
        assert!(Residue::new(2, 4).is_err());
    }
}
