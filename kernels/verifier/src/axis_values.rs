//! What the vectors of a product make of the intervals of their axes, at the coordinates of one point.
//!
//! The extension of eq(u, .) on an interval is eq of u's last coordinates and the interval's, times eq of u's first
//! ones and the interval's number. Both have few values: the one for each length of what is after the interval, the
//! other for each interval. Terms that share a vector share them.

use std::collections::HashMap;
use std::rc::Rc;

use p3_field::PrimeCharacteristicRing;

use crate::blocks::{Interval, power};
use crate::eq::{eq_index, eq_points, eq_scalars};
use crate::eq_prefixes::EqPrefixes;
use crate::field::EF;
use crate::terms::{AxisVector, shifted, split_last};

/// Intervals of an axis from which on tables of their numbers pay. Of fewer ones the values are kept: looking for one
/// among them takes no longer than computing it.
const LONG_AXIS: usize = 64;

/// Elements that several terms read.
pub(crate) type Shared = Rc<Vec<EF>>;

/// A point, one coordinate an address bit, and eq of all indices of some of its coordinates.
pub(crate) struct Coordinates<'a> {
    pub(crate) point: &'a [EF],
    expansions: HashMap<(usize, usize), Shared>,
}

impl<'a> Coordinates<'a> {
    pub(crate) fn new(point: &'a [EF]) -> Self {
        Self { point, expansions: HashMap::new() }
    }

    /// `count` coordinates before the last `after`.
    fn before(&self, after: usize, count: usize) -> Option<&'a [EF]> {
        let (before, _) = split_last(self.point, after)?;
        Some(split_last(before, count)?.1)
    }

    /// eq of these coordinates and every index.
    fn expansion(&mut self, after: usize, count: usize) -> Option<Shared> {
        let coordinates = self.before(after, count)?;
        let make = || Rc::new(eq_scalars(coordinates, EF::ONE));
        Some(self.expansions.entry((after, count)).or_insert_with(make).clone())
    }
}

/// A vector, and what is known of it.
pub(crate) struct AxisValues {
    vector: AxisVector,
    /// Of eq, by the coordinates after an interval: eq of none, one, two of the coordinates before these, and so on.
    low: Vec<(usize, Vec<EF>)>,
    /// Of eq, by the interval: eq of its number.
    high: Vec<(Interval, EF)>,
}

impl AxisValues {
    pub(crate) fn new(vector: &AxisVector) -> Self {
        Self { vector: vector.clone(), low: Vec::new(), high: Vec::new() }
    }

    /// The extension on some intervals, each before so many last coordinates; none where the vector is shorter.
    pub(crate) fn of(&mut self, pieces: &[(Interval, usize)], at: &mut Coordinates) -> Option<Vec<EF>> {
        let tables = match &self.vector {
            AxisVector::Eq(u) if pieces.len() >= LONG_AXIS => Some(EqPrefixes::new(u)),
            _ => None,
        };
        pieces.iter().map(|&(interval, after)| self.value(interval, after, tables.as_ref(), at)).collect()
    }

    fn value(
        &mut self,
        interval: Interval,
        after: usize,
        tables: Option<&EqPrefixes>,
        at: &mut Coordinates,
    ) -> Option<EF> {
        let Interval { start, log } = interval;
        match &self.vector {
            AxisVector::Eq(u) => {
                let high = match tables {
                    Some(tables) => tables.block(start, log)?,
                    None => high(&mut self.high, u, interval)?,
                };
                Some(high * low(&mut self.low, u, log, after, at)?)
            }
            AxisVector::Ones => Some(EF::ONE),
            AxisVector::OneHot(index) => Some(one_hot(*index, interval, at.before(after, log)?)),
            AxisVector::Explicit(values) => {
                let (values, weights) = (values.get(start..interval.end())?, at.expansion(after, log)?);
                // Maps lead to parts of an axis: most of their weights are 0.
                let pairs = values.iter().zip(weights.iter()).filter(|(value, _)| **value != EF::ZERO);
                Some(pairs.map(|(&value, &weight)| value * weight).sum())
            }
        }
    }
}

/// eq of u's first coordinates and the interval's number; none where that has more bits.
fn high(known: &mut Vec<(Interval, EF)>, u: &[EF], interval: Interval) -> Option<EF> {
    if let Some((_, value)) = known.iter().find(|(of, _)| *of == interval) {
        return Some(*value);
    }
    let (first, _) = split_last(u, interval.log)?;
    let number = shifted(interval.start, interval.log);
    let value = (number < power(first.len())).then(|| eq_index(first, number))?;
    if known.len() < LONG_AXIS {
        known.push((interval, value));
    }
    Some(value)
}

/// eq of u's last `log` coordinates and as many of the point before the last `after`.
fn low(
    known: &mut Vec<(usize, Vec<EF>)>,
    u: &[EF],
    log: usize,
    after: usize,
    at: &Coordinates,
) -> Option<EF> {
    let position = known.iter().position(|(of, _)| *of == after).unwrap_or_else(|| {
        known.push((after, vec![EF::ONE]));
        known.len() - 1
    });
    let (_, products) = known.get_mut(position)?;
    let (before, _) = split_last(at.point, after)?;
    let pairs = u.iter().rev().zip(before.iter().rev());
    for (&u, &x) in pairs.take(log).skip(products.len() - 1) {
        products.push(*products.last()? * eq_points(&[u], &[x]));
    }
    products.get(log).copied()
}

/// The extension of a vector that is 1 at one index, on an interval.
fn one_hot(index: usize, interval: Interval, coordinates: &[EF]) -> EF {
    match index.checked_sub(interval.start) {
        Some(offset) if offset < power(interval.log) => eq_index(coordinates, offset),
        _ => EF::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn values_are_those_of_the_definition() {
        let (point, u) = (elements(1, 12), elements(2, 7));
        let all = |log: usize| (0..128 >> log).map(move |number| Interval { start: number << log, log });
        let explicit: Vec<EF> = (0..128).map(|i| if i % 3 == 0 { EF::ZERO } else { element(i) }).collect();
        let vectors =
            [AxisVector::eq(u), AxisVector::Ones, AxisVector::OneHot(77), AxisVector::explicit(explicit)];
        for vector in vectors {
            let dense = vector.dense(128).unwrap();
            let mut at = Coordinates::new(&point);
            let mut known = AxisValues::new(&vector);
            // Long lists of intervals and short ones, in any order, some of them twice.
            for (log, after) in [(0, 3), (7, 5), (4, 5), (4, 0), (6, 2), (5, 5), (4, 5), (1, 4)] {
                let pieces: Vec<(Interval, usize)> = all(log).map(|interval| (interval, after)).collect();
                let expected = pieces.iter().map(|(interval, _)| {
                    let end = point.len() - after;
                    multilinear(&dense[interval.start..interval.end()], &point[end - log..end])
                });
                assert_eq!(known.of(&pieces, &mut at).unwrap(), expected.collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn what_is_outside_is_refused() {
        let point = elements(1, 8);
        let mut at = Coordinates::new(&point);
        let vectors = [AxisVector::eq(elements(2, 4)), AxisVector::explicit(elements(2, 16))];
        for vector in vectors {
            for (start, log, after) in [(16, 0, 0), (16, 4, 0), (0, 5, 0), (0, 4, 5), (0, 0, 9)] {
                let piece = (Interval { start, log }, after);
                assert!(AxisValues::new(&vector).of(&[piece], &mut at).is_none());
                assert!(AxisValues::new(&vector).of(&[piece; LONG_AXIS], &mut at).is_none());
            }
        }
    }
}
