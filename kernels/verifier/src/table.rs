//! Multilinear extensions of piecewise linear tables on dyadic intervals, in closed form.
//!
//! With S0(b) = sum_{i<b} eq(u, i) and S1(b) = sum_{i<b} i eq(u, i), a piece that has the line c + s i from offset
//! a up to offset b contributes c (S0(b) - S0(a)) + s (S1(b) - S1(a)). Added up by offsets, each b at which lines
//! change adds S0(b) times the change of c, and S1(b) times that of s. An offset is b = (h, l). Sums over the
//! indices that share its h come from a list, which is made once for all l. Those below are found once for each h.
//! So of P pieces most cost two products of a base element and an extension element.

use p3_field::PrimeCharacteristicRing;

use crate::eq::{eq_scalars, is_set};
use crate::error::{Error, Result};
use crate::field::{EF, F};
use crate::linear_pieces::Piece;

/// More variables than these no table has.
const MAX_VARIABLES: usize = 32;

/// The multilinear extension, at `point`, of the table on offsets [start, start + 2^|point|).
///
/// # Errors
/// [`Error::Shape`] for more than 32 variables, or offsets that cannot be counted.
pub fn evaluate(pieces: &[Piece], start: usize, point: &[EF]) -> Result<EF> {
    const LARGE: Error = Error::Shape("a table has at most 2^32 offsets");
    if point.len() > MAX_VARIABLES {
        return Err(LARGE);
    }
    let size = u32::try_from(point.len()).ok().and_then(|log| 1_usize.checked_shl(log)).ok_or(LARGE)?;
    start.checked_add(size).ok_or(LARGE)?;
    // The piece that holds the first offset, and those that begin within the interval.
    let first = pieces.partition_point(|piece| piece.start <= start).saturating_sub(1);
    let count =
        pieces.partition_point(|piece| piece.start.saturating_sub(start) < size).saturating_sub(first);
    let inside = pieces.get(first..).and_then(|rest| rest.get(..count)).unwrap_or_default();
    let mut sums = PrefixSums::new(point, inside.len());
    let (mut constant, mut slope) = (F::ZERO, F::ZERO);
    for piece in inside {
        let (value, step) = (F::from_i32(piece.value), F::from_i32(piece.slope));
        // Offsets count from the interval's start; the piece's line from the piece's start.
        let next = value + step * (F::from_usize(start) - F::from_usize(piece.start));
        sums.add(piece.start.saturating_sub(start), constant - next, slope - step);
        (constant, slope) = (next, step);
    }
    sums.add(size, constant, slope);
    Ok(sums.total())
}

/// Adds up constant * S0(b) + slope * S1(b), of offsets b that do not decrease.
struct PrefixSums<'a> {
    /// The coordinates of h, an offset's high bits.
    high: &'a [EF],
    /// The sum of eq * index over all indices of the coordinates after each of `high`.
    means: Vec<EF>,
    /// The same of all coordinates.
    mean: EF,
    /// Of each l: the sums of eq and of eq * index over lower indices of its coordinates.
    low: Vec<(EF, EF)>,
    low_log: usize,
    /// The h of the offsets in `run`.
    current: usize,
    run: Run,
    total: EF,
}

/// Sums over offsets (h, l) of one h, with S0 and S1 of l alone.
#[derive(Default)]
struct Run {
    constant: F,
    slope: F,
    /// Of constant * S0(l) + slope * S1(l).
    inner: EF,
    /// Of slope * S0(l).
    shifted: EF,
}

impl<'a> PrefixSums<'a> {
    /// For about `count` offsets: the list has as many entries, but is no longer than h has values.
    fn new(point: &'a [EF], count: usize) -> Self {
        let low_log = (count.max(1).ilog2() as usize).min(point.len().div_ceil(2));
        let (high, low_point) = point.split_at(point.len().saturating_sub(low_log));
        let (mut before, mut index) = ((EF::ZERO, EF::ZERO), F::ZERO);
        let mut low = Vec::with_capacity(1 << low_log);
        for eq in eq_scalars(low_point, EF::ONE) {
            low.push(before);
            before = (before.0 + eq, before.1 + eq * index);
            index += F::ONE;
        }
        let (mut mean, mut step) = (before.1, F::TWO.exp_u64(low_log as u64));
        let mut means = Vec::with_capacity(high.len());
        for &u in high.iter().rev() {
            means.push(mean);
            mean += u * step;
            step = step.double();
        }
        means.reverse();
        Self { high, means, mean, low, low_log, current: 0, run: Run::default(), total: EF::ZERO }
    }

    fn add(&mut self, offset: usize, constant: F, slope: F) {
        let high = offset >> self.low_log;
        if high != self.current {
            self.close_run();
            self.current = high;
        }
        let (sum, moment) = self.low.get(offset & (self.low.len() - 1)).copied().unwrap_or_default();
        self.run.constant += constant;
        self.run.slope += slope;
        self.run.inner += sum * constant + moment * slope;
        self.run.shifted += sum * slope;
    }

    /// S0 and S1 of the offset (h, 0), and eq(u, h): O(|h|).
    fn sums_below(&self, h: usize) -> (EF, EF, EF) {
        if h.checked_ilog2().is_some_and(|log| log as usize >= self.high.len()) {
            return (EF::ONE, self.mean, EF::ZERO);
        }
        let (mut sum, mut moment, mut prefix, mut base) = (EF::ZERO, EF::ZERO, EF::ONE, F::ZERO);
        for ((log, &u), &mean) in (0..self.high.len()).rev().zip(self.high).zip(&self.means) {
            let above = prefix * u;
            let below = prefix - above;
            if is_set(h, log) {
                sum += below;
                moment += below * (mean + base);
                prefix = above;
                base += F::TWO.exp_u64((log + self.low_log) as u64);
            } else {
                prefix = below;
            }
        }
        (sum, moment, prefix)
    }

    fn close_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        let (sum, moment, eq) = self.sums_below(self.current);
        let base = F::from_usize(self.current) * F::TWO.exp_u64(self.low_log as u64);
        self.total += sum * run.constant + moment * run.slope + eq * (run.inner + run.shifted * base);
    }

    fn total(mut self) -> EF {
        self.close_run();
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn the_closed_form_is_the_multilinear_extension() {
        let piece = |start, value, slope| Piece { start, value, slope };
        let integer = |value| EF::from(F::from_i32(value));
        let pieces = [piece(0, -7, 0), piece(5, -7, 1), piece(40, 100, -3), piece(41, 2, 5)];
        let values: Vec<EF> = (0..64)
            .map(|i| {
                let p = pieces.iter().rev().find(|p| p.start <= i).unwrap();
                integer(p.value + p.slope * (i - p.start) as i32)
            })
            .collect();
        // As many pieces as values too: each but the last ends where the next begins.
        let points: Vec<Piece> =
            (0..64).map(|i| piece(i, (i * i * i % 101) as i32, (i % 7) as i32 - 3)).collect();
        let steps: Vec<EF> = points.iter().map(|p| integer(p.value)).collect();
        for (pieces, values) in [(&pieces[..], &values), (&points, &steps)] {
            for (start, bits) in [(0, 6), (0, 3), (8, 3), (32, 5), (41, 0), (40, 3), (16, 4), (0, 5), (0, 0)]
            {
                let point = elements(3, bits);
                let expected = multilinear(&values[start..start + (1 << bits)], &point);
                assert_eq!(evaluate(pieces, start, &point), Ok(expected), "[{start}, +2^{bits})");
            }
        }
        assert_eq!(evaluate(&[], 0, &elements(1, 3)), Ok(EF::ZERO));
        assert!(evaluate(&pieces, 0, &elements(1, 33)).is_err());
        assert!(evaluate(&pieces, usize::MAX, &elements(1, 1)).is_err());
    }
}
