//! What the vectors of a product make of the intervals of their axes, at the coordinates of one point.

use p3_field::PrimeCharacteristicRing;

use crate::at_point::AtPoint;
use crate::eq::{eq_index, eq_points, eq_scalars};
use crate::field::EF;
use crate::terms::{AxisVector, Interval, power, shifted, split_last};

/// Intervals of an axis of which the extension is kept: those of an axis that columns do not cut are fewer, and
/// looking for one among them takes no longer than computing it.
const MOST_KNOWN: usize = 64;

/// An axis vector, and its multilinear extension on intervals, by the first of their coordinates.
pub(crate) struct KnownAxis<'a> {
    vector: &'a AxisVector,
    known: Vec<(Interval, usize, EF)>,
}

impl<'a> KnownAxis<'a> {
    pub(crate) fn new(vector: &'a AxisVector) -> Self {
        Self { vector, known: Vec::new() }
    }

    /// The extension on an interval, at coordinates of the point from `first` on; none where it is shorter.
    pub(crate) fn value(&mut self, interval: Interval, first: usize, at: &mut AtPoint) -> Option<EF> {
        // No coordinate is read for a single index.
        let first = if interval.log == 0 { 0 } else { first };
        let same = |(known, at, _): &&(Interval, usize, EF)| *known == interval && *at == first;
        if let Some((_, _, value)) = self.known.iter().find(same) {
            return Some(*value);
        }
        let Interval { start, log } = interval;
        let coordinates = at.coordinates(first, log)?;
        let value = match self.vector {
            AxisVector::Eq(u) => {
                let (high, low) = split_last(u, log)?;
                let number = shifted(start, log);
                (number < power(high.len())).then(|| eq_points(low, coordinates) * eq_index(high, number))?
            }
            AxisVector::Ones => EF::ONE,
            AxisVector::OneHot(index) => one_hot(*index, interval, coordinates),
            AxisVector::Explicit(values) => {
                let (values, weights) = (values.get(start..interval.end())?, at.expansion(first, log)?);
                values.iter().zip(weights.iter()).map(|(&v, &w)| v * w).sum()
            }
        };
        if self.known.len() < MOST_KNOWN {
            self.known.push((interval, first, value));
        }
        Some(value)
    }
}

/// The multilinear extension of an axis vector at one point of intervals of one length.
pub(crate) enum AxisAt<'a> {
    /// eq of the high coordinates and the interval's number; the low ones are in the common factor.
    Eq(EqIndices<'a>),
    /// 1.
    Ones,
    /// eq of the coordinates and the index, if the interval has it.
    OneHot(usize, &'a [EF]),
    /// The values, eq of the coordinates, and the last interval's start with its result.
    Explicit(&'a [EF], Vec<EF>, Option<(usize, EF)>),
}

impl<'a> AxisAt<'a> {
    /// At `point`, for about `count` intervals; `common` takes what is alike in all.
    pub(crate) fn new(
        vector: &'a AxisVector,
        point: &'a [EF],
        count: usize,
        common: &mut EF,
    ) -> Option<Self> {
        Some(match vector {
            AxisVector::Eq(u) => {
                let (high, low) = split_last(u, point.len())?;
                *common *= eq_points(low, point);
                Self::Eq(EqIndices::new(high, count))
            }
            AxisVector::Ones => Self::Ones,
            AxisVector::OneHot(index) => Self::OneHot(*index, point),
            AxisVector::Explicit(values) => Self::Explicit(values, eq_scalars(point, EF::ONE), None),
        })
    }

    /// `factor` times the vector's extension on an interval; none where the vector is shorter.
    pub(crate) fn scale(&mut self, factor: EF, interval: Interval) -> Option<EF> {
        Some(match self {
            Self::Eq(indices) => factor * indices.get(shifted(interval.start, interval.log))?,
            Self::Ones => factor,
            Self::OneHot(index, point) => factor * one_hot(*index, interval, point),
            // Blocks stand in row-major order, so most have the interval of the block before.
            Self::Explicit(_, _, Some((start, value))) if *start == interval.start => factor * *value,
            Self::Explicit(values, weights, last) => {
                let values = values.get(interval.start..interval.end())?;
                let value = values.iter().zip(&*weights).map(|(&v, &w)| v * w).sum();
                *last = Some((interval.start, value));
                factor * value
            }
        })
    }
}

/// The extension of a vector that is 1 at one index, on an interval.
fn one_hot(index: usize, interval: Interval, coordinates: &[EF]) -> EF {
    match index.checked_sub(interval.start) {
        Some(offset) if offset < power(interval.log) => eq_index(coordinates, offset),
        _ => EF::ZERO,
    }
}

/// eq(u, index) for many indices below 2^|u|: the product of one value from each of two tables.
pub(crate) enum EqIndices<'a> {
    /// Few indices need no tables.
    Direct(&'a [EF]),
    /// eq of the first coordinates, eq of the last ones, and how many these are.
    Tables(Vec<EF>, Vec<EF>, usize),
}

impl<'a> EqIndices<'a> {
    /// For about `count` indices.
    fn new(u: &'a [EF], count: usize) -> Self {
        let log = u.len() / 2;
        match split_last(u, log) {
            Some((high, low)) if power(high.len()) < count.saturating_mul(high.len()) => {
                Self::Tables(eq_scalars(high, EF::ONE), eq_scalars(low, EF::ONE), log)
            }
            _ => Self::Direct(u),
        }
    }

    /// eq(u, index); none where the index has more bits than u.
    fn get(&self, index: usize) -> Option<EF> {
        match self {
            Self::Direct(u) => (index < power(u.len())).then(|| eq_index(u, index)),
            Self::Tables(high, low, log) => {
                let remainder = index & power(*log).saturating_sub(1);
                Some(*high.get(shifted(index, *log))? * *low.get(remainder)?)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn tables_agree_with_single_indices() {
        for bits in 0..9 {
            let u = elements(bits, bits as usize);
            for count in [0, 1, 1000] {
                let indices = EqIndices::new(&u, count);
                assert!((0..1 << bits).all(|index| indices.get(index) == Some(eq_index(&u, index))));
                assert_eq!(indices.get(1 << bits), None);
            }
        }
    }
}
