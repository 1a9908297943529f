//! Multilinear extensions of piecewise linear tables on dyadic intervals, in closed form.
//!
//! With S0(b) = sum_{i<b} eq(u, i) and S1(b) = sum_{i<b} i eq(u, i), both O(|u|), a piece that has value
//! v at offset a and slope s up to offset b contributes v (S0(b) - S0(a)) + s (S1(b) - S1(a) - a (S0(b) - S0(a))).

use p3_field::PrimeCharacteristicRing;

use crate::eq::is_set;
use crate::error::{Error, Result};
use crate::field::{EF, F};

/// More variables than these no table has.
const MAX_VARIABLES: usize = 32;

/// A piece of a table: from offset `start` up to the next piece, `value + slope * (offset - start)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// First offset.
    pub start: usize,
    /// Value there.
    pub value: F,
    /// Step from one offset to the next.
    pub slope: F,
}

/// (sum_{i<count} eq(u, i), sum_{i<count} i eq(u, i)), of at most [`MAX_VARIABLES`] variables.
fn prefix_moments(u: &[EF], count: usize) -> (EF, EF) {
    // Of each variable, from the last on: the sum over the full cube of those after it of eq * index.
    let (mut means, mut mean) = (Vec::with_capacity(u.len()), EF::ZERO);
    let mut step = EF::ONE;
    for &u in u.iter().rev() {
        means.push(mean);
        mean += u * step;
        step = step.double();
    }
    if count.checked_ilog2().is_some_and(|log| log as usize >= u.len()) {
        return (EF::ONE, mean);
    }
    let (mut sum, mut moment, mut prefix, mut base) = (EF::ZERO, EF::ZERO, EF::ONE, EF::ZERO);
    for ((log, &u), &mean) in (0..u.len()).rev().zip(u).zip(means.iter().rev()) {
        if is_set(count, log) {
            let block = prefix * (EF::ONE - u);
            sum += block;
            moment += block * (mean + base);
            prefix *= u;
            base += EF::TWO.exp_u64(log as u64);
        } else {
            prefix *= EF::ONE - u;
        }
    }
    (sum, moment)
}

/// The multilinear extension, at `point`, of the table on offsets [start, start + 2^|point|).
///
/// # Errors
/// [`Error::Shape`] for more than 32 variables, or offsets that cannot be counted.
pub fn evaluate(pieces: &[Piece], start: usize, point: &[EF]) -> Result<EF> {
    const LARGE: Error = Error::Shape("a table has at most 2^32 offsets");
    if point.len() > MAX_VARIABLES {
        return Err(LARGE);
    }
    let size = u32::try_from(point.len()).ok().and_then(|log| 1_usize.checked_shl(log));
    let end = size.and_then(|size| start.checked_add(size)).ok_or(LARGE)?;
    let mut total = EF::ZERO;
    let nexts = pieces.iter().skip(1).map(|piece| piece.start).chain([usize::MAX]);
    for (piece, next) in pieces.iter().zip(nexts) {
        let (from, to) = (piece.start.max(start), next.min(end));
        if from >= to {
            continue;
        }
        let (sum_to, moment_to) = prefix_moments(point, to.saturating_sub(start));
        let (sum_from, moment_from) = prefix_moments(point, from.saturating_sub(start));
        let (sum, moment) = (sum_to - sum_from, moment_to - moment_from);
        // Offsets count from the interval's start; the piece's line from the piece's start.
        let shift = F::from_usize(start) - F::from_usize(piece.start);
        total += sum * (piece.value + piece.slope * shift) + moment * piece.slope;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn the_closed_form_is_the_multilinear_extension() {
        let piece = |start, value: i32, slope: i32| Piece {
            start,
            value: F::from_i32(value),
            slope: F::from_i32(slope),
        };
        let pieces = [piece(0, -7, 0), piece(5, -7, 1), piece(40, 100, -3), piece(41, 2, 5)];
        let values: Vec<EF> = (0..64)
            .map(|i| {
                let p = pieces.iter().rev().find(|p| p.start <= i).unwrap();
                EF::from(p.value + p.slope * F::from_usize(i - p.start))
            })
            .collect();
        for (start, bits) in [(0, 6), (0, 3), (8, 3), (32, 5), (41, 0), (40, 3)] {
            let point = elements(3, bits);
            let expected = multilinear(&values[start..start + (1 << bits)], &point);
            assert_eq!(evaluate(&pieces, start, &point), Ok(expected), "[{start}, +2^{bits})");
        }
        assert!(evaluate(&pieces, 0, &elements(1, 33)).is_err());
        assert!(evaluate(&pieces, usize::MAX, &elements(1, 1)).is_err());
    }
}
