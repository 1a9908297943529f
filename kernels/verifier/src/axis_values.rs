//! What the vectors of a product make of the intervals of their axes, at the coordinates of one point.
//!
//! The extension of eq(u, .) on an interval is eq of u's last coordinates and the interval's, times eq of u's first
//! ones and the interval's number. Both have few values: the one for each length of what is after the interval, the
//! other for each interval. Terms that share a vector share them.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::blocks::{BlockShape, Interval, power};
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

/// The extensions of a vector on some intervals, each before so many last coordinates; none where it is shorter.
pub(crate) fn values_of(
    vector: &AxisVector,
    pieces: &[(Interval, usize)],
    at: &mut Coordinates,
) -> Option<Vec<EF>> {
    let value = |&(interval, after): &(Interval, usize)| match vector {
        AxisVector::Eq(u) => EqValues::new(u).value(interval, after, None, at.point),
        AxisVector::Ones => Some(EF::ONE),
        AxisVector::OneHot(index) => Some(one_hot(*index, interval, at.before(after, interval.log)?)),
        AxisVector::Explicit(values) => {
            let values = values.get(interval.start..interval.end())?;
            let weights = at.expansion(after, interval.log)?;
            // Maps lead to parts of an axis: most of their weights are 0.
            let pairs = values.iter().zip(weights.iter()).filter(|(value, _)| **value != EF::ZERO);
            Some(pairs.map(|(&value, &weight)| value * weight).sum())
        }
    };
    pieces.iter().map(value).collect()
}

/// The extensions of eq of a point.
pub(crate) struct EqValues {
    u: Arc<Vec<EF>>,
    /// By the coordinates after an interval: eq of none, one, two of the coordinates before these, and so on.
    low: Vec<(usize, Vec<EF>)>,
    /// By the interval: eq of its number.
    high: Vec<(Interval, EF)>,
    /// Those of the last level of a shape.
    last: Option<(Arc<BlockShape>, usize, Shared)>,
}

impl EqValues {
    pub(crate) fn new(u: &Arc<Vec<EF>>) -> Self {
        Self { u: u.clone(), low: Vec::new(), high: Vec::new(), last: None }
    }

    /// Whether this is eq of that very point.
    pub(crate) fn is_of(&self, u: &Arc<Vec<EF>>) -> bool {
        Arc::ptr_eq(&self.u, u)
    }

    /// The extensions on the pieces of a level of a shape; none where eq has fewer values.
    pub(crate) fn of(&mut self, shape: &Arc<BlockShape>, level: usize, point: &[EF]) -> Option<Shared> {
        match &self.last {
            Some((of, number, values)) if *number == level && Arc::ptr_eq(of, shape) => {
                return Some(values.clone());
            }
            _ => {}
        }
        let pieces = &shape.levels.get(level)?.pieces;
        let tables = (pieces.len() >= LONG_AXIS).then(|| EqPrefixes::new(&self.u));
        let value =
            |&(interval, after): &(Interval, usize)| self.value(interval, after, tables.as_ref(), point);
        let values: Shared = Rc::new(pieces.iter().map(value).collect::<Option<_>>()?);
        self.last = Some((shape.clone(), level, values.clone()));
        Some(values)
    }

    fn value(
        &mut self,
        interval: Interval,
        after: usize,
        tables: Option<&EqPrefixes>,
        point: &[EF],
    ) -> Option<EF> {
        let high = match tables {
            Some(tables) => tables.block(interval.start, interval.log)?,
            None => self.high(interval)?,
        };
        Some(if interval.log == 0 { high } else { high * self.low(interval.log, after, point)? })
    }

    /// eq of u's first coordinates and the interval's number; none where that has more bits.
    fn high(&mut self, interval: Interval) -> Option<EF> {
        if let Some((_, value)) = self.high.iter().find(|(of, _)| *of == interval) {
            return Some(*value);
        }
        let (first, _) = split_last(&self.u, interval.log)?;
        let number = shifted(interval.start, interval.log);
        let value = (number < power(first.len())).then(|| eq_index(first, number))?;
        if self.high.len() < LONG_AXIS {
            self.high.push((interval, value));
        }
        Some(value)
    }

    /// eq of u's last `log` coordinates and as many of the point before the last `after`.
    fn low(&mut self, log: usize, after: usize, point: &[EF]) -> Option<EF> {
        let position = self.low.iter().position(|(of, _)| *of == after).unwrap_or_else(|| {
            self.low.push((after, vec![EF::ONE]));
            self.low.len() - 1
        });
        let (_, products) = self.low.get_mut(position)?;
        let (before, _) = split_last(point, after)?;
        let pairs = self.u.iter().rev().zip(before.iter().rev());
        for (&u, &x) in pairs.take(log).skip(products.len() - 1) {
            products.push(*products.last()? * eq_points(&[u], &[x]));
        }
        products.get(log).copied()
    }
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

    /// The values of a vector on the first axis of blocks with these intervals, which are before `after` coordinates.
    fn values(vector: &AxisVector, intervals: &[Interval], after: usize, point: &[EF]) -> Option<Vec<EF>> {
        let tail = Interval { start: 0, log: after };
        let blocks = intervals.iter().map(|&interval| vec![interval, tail]).collect();
        let shape = Arc::new(BlockShape::new(blocks).unwrap());
        match vector {
            AxisVector::Eq(u) => EqValues::new(u).of(&shape, 1, point).map(|values| values.to_vec()),
            others => values_of(others, &shape.levels[1].pieces, &mut Coordinates::new(point)),
        }
    }

    #[test]
    fn values_are_those_of_the_definition() {
        let (point, u) = (elements(1, 12), elements(2, 7));
        let explicit: Vec<EF> = (0..128).map(|i| if i % 3 == 0 { EF::ZERO } else { element(i) }).collect();
        let vectors =
            [AxisVector::eq(u), AxisVector::Ones, AxisVector::OneHot(77), AxisVector::explicit(explicit)];
        for vector in vectors {
            let dense = vector.dense(128).unwrap();
            for (log, after) in [(0, 3), (7, 5), (4, 5), (4, 0), (6, 2), (1, 4)] {
                let intervals: Vec<Interval> =
                    (0..128 >> log).map(|number| Interval { start: number << log, log }).collect();
                let end = point.len() - after;
                let extension = |interval: &Interval| {
                    multilinear(&dense[interval.start..interval.end()], &point[end - log..end])
                };
                let expected: Vec<EF> = intervals.iter().map(extension).collect();
                assert_eq!(values(&vector, &intervals, after, &point).unwrap(), expected);
            }
        }
    }

    #[test]
    fn eq_keeps_the_values_of_the_level_that_is_asked_for() {
        let (point, u) = (elements(1, 12), Arc::new(elements(2, 3)));
        let interval = |start, log| Interval { start, log };
        let shape = |logs: [usize; 2]| {
            let block = |start, log, after| vec![interval(0, 1), interval(start, log), interval(0, after)];
            Arc::new(BlockShape::new(vec![block(0, 2, logs[0]), block(4, 1, logs[1])]).unwrap())
        };
        let (first, second) = (shape([1, 3]), shape([3, 2]));
        let mut known = EqValues::new(&u);
        assert!(known.is_of(&u) && !known.is_of(&Arc::new(u.to_vec())));
        for (shape, level) in [(&first, 1), (&first, 1), (&second, 1), (&first, 2), (&first, 0), (&first, 1)]
        {
            let values = known.of(shape, level, &point).unwrap();
            let pieces = shape.levels[level].pieces.iter();
            let fresh: Option<Vec<EF>> = pieces
                .map(|&(interval, after)| EqValues::new(&u).value(interval, after, None, &point))
                .collect();
            assert_eq!(*values, fresh.unwrap());
        }
    }

    #[test]
    fn what_is_outside_is_refused() {
        let point = elements(1, 8);
        for vector in [AxisVector::eq(elements(2, 4)), AxisVector::explicit(elements(2, 16))] {
            for (start, log, after) in [(16, 0, 0), (16, 4, 0), (0, 5, 0), (0, 4, 5)] {
                let outside = Interval { start, log };
                assert!(values(&vector, &[outside], after, &point).is_none());
                let mut long = vec![Interval { start: 0, log: 1 }; LONG_AXIS];
                for (number, interval) in long.iter_mut().enumerate() {
                    interval.start = 2 * number;
                }
                long.push(outside);
                assert!(values(&vector, &long, after, &point).is_none());
            }
        }
    }
}
