//! Multilinear extensions of piecewise linear tables on dyadic intervals, in closed form.
//!
//! With S0(b) = sum_{i<b} eq(u, i) and S1(b) = sum_{i<b} i eq(u, i), both O(|u|), a piece that has value
//! v at offset a and slope s up to offset b contributes v (S0(b) - S0(a)) + s (S1(b) - S1(a) - a (S0(b) - S0(a))).

use p3_field::PrimeCharacteristicRing;

use crate::field::{EF, F};

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

/// (sum_{i<count} eq(u, i), sum_{i<count} i eq(u, i)).
fn prefix_moments(u: &[EF], count: usize) -> (EF, EF) {
    let n = u.len();
    // mean[j] = sum over the full cube of the last n - j bits of eq * index.
    let mut mean = vec![EF::ZERO; n + 1];
    for j in (0..n).rev() {
        mean[j] = mean[j + 1] + u[j] * EF::from_usize(1 << (n - 1 - j));
    }
    if count >= 1 << n {
        return (EF::ONE, mean[0]);
    }
    let (mut sum, mut moment, mut prefix, mut base) = (EF::ZERO, EF::ZERO, EF::ONE, 0);
    for (j, &u) in u.iter().enumerate() {
        let bit = 1 << (n - 1 - j);
        if count & bit != 0 {
            let block = prefix * (EF::ONE - u);
            sum += block;
            moment += block * (mean[j + 1] + EF::from_usize(base));
            prefix *= u;
            base += bit;
        } else {
            prefix *= EF::ONE - u;
        }
    }
    (sum, moment)
}

/// The multilinear extension, at `point`, of the table on offsets [start, start + 2^|point|).
pub fn evaluate(pieces: &[Piece], start: usize, point: &[EF]) -> EF {
    let end = start + (1 << point.len());
    let mut total = EF::ZERO;
    for (k, piece) in pieces.iter().enumerate() {
        let next = pieces.get(k + 1).map_or(usize::MAX, |p| p.start);
        let (from, to) = (piece.start.max(start), next.min(end));
        if from >= to {
            continue;
        }
        let (sum_to, moment_to) = prefix_moments(point, to - start);
        let (sum_from, moment_from) = prefix_moments(point, from - start);
        let (sum, moment) = (sum_to - sum_from, moment_to - moment_from);
        // Offsets count from the interval's start; the piece's line from its own.
        let shift = F::from_usize(start) - F::from_usize(piece.start);
        total += sum * (piece.value + piece.slope * shift) + moment * piece.slope;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

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
            assert_eq!(evaluate(&pieces, start, &point), expected, "[{start}, +2^{bits})");
        }
    }
}
