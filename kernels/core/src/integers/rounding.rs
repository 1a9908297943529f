//! Real weights as multiples of a unit, and sums of weights, each in one pass.

use crate::samples::Real;
use crate::samples::extremes::extremes;

/// An integer of some width.
pub trait Narrow: Copy {
    /// Of a whole number that fits.
    fn of(whole: f64) -> Self;
    /// Of an integer that fits.
    fn of_wide(wide: i64) -> Self;
    fn wide(self) -> i64;
}

macro_rules! narrow {
    ($($kind:ty),*) => {$(
        impl Narrow for $kind {
            #[inline(always)]
            fn of(whole: f64) -> Self {
                whole as Self
            }

            #[inline(always)]
            fn of_wide(wide: i64) -> Self {
                wide as Self
            }

            #[inline(always)]
            fn wide(self) -> i64 {
                self as i64
            }
        }
    )*};
}

narrow!(i8, i16, i32, i64);

const BLOCK: usize = 1024;

/// Rounds factor * scale * value / unit, halves to even; the least and the largest integer, NaN where a value is none.
///
/// What does not fit the type is cut at its ends. The caller sees that by what is returned.
pub fn round_to_units<R: Real, N: Narrow>(
    values: &[R],
    (factor, scale, unit): (f64, f64, f64),
    rounded: &mut [N],
) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
    let mut block = [0.0; BLOCK];
    for (values, rounded) in values.chunks(BLOCK).zip(rounded.chunks_mut(BLOCK)) {
        let block = &mut block[..values.len()];
        for (whole, value) in block.iter_mut().zip(values) {
            *whole = (value.wide() * factor * scale / unit).round_ties_even();
        }
        let (low, high) = extremes(block);
        if low.is_nan() {
            return (low, high);
        }
        least = least.min(low);
        most = most.max(high);
        for (rounded, &whole) in rounded.iter_mut().zip(block.iter()) {
            *rounded = N::of(whole);
        }
    }
    (least, most)
}

/// The sums of a row's positive and of its negative integers.
pub fn signed_sums<N: Narrow>(row: &[N]) -> (i64, i64) {
    let (mut total, mut size) = (0, 0);
    for block in row.chunks(BLOCK) {
        let (mut sum, mut magnitudes) = (0i64, 0i64);
        for value in block {
            let wide = value.wide();
            sum += wide;
            magnitudes += wide.abs();
        }
        total += sum;
        size += magnitudes;
    }
    ((size + total) / 2, (total - size) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_to_even() {
        let mut rounded = [0i16; 5];
        let ends = round_to_units(&[0.25f32, 0.75, -0.25, -0.5, 1.5], (1.0, 2.0, 1.0), &mut rounded);
        assert_eq!(rounded, [0, 2, 0, -1, 3]);
        assert_eq!(ends, (-1.0, 3.0));
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut rounded = [0i8; 2];
        assert_eq!(round_to_units(&[3.0f64, 500.0], (1.0, 1.0, 1.0), &mut rounded), (3.0, 500.0));
        assert!(round_to_units(&[3.0, f64::NAN], (1.0, 1.0, 1.0), &mut rounded).0.is_nan());
    }

    #[test]
    fn sums_are_of_either_sign() {
        let row: Vec<i16> = (-1500..2000).collect();
        assert_eq!(signed_sums(&row), (1999 * 2000 / 2, -1500 * 1501 / 2));
        assert_eq!(signed_sums(&[i16::MIN, 0]), (0, i64::from(i16::MIN)));
    }
}
