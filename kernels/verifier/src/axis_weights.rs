//! Weights on the axes of an expression, and what index maps make of them.
//!
//! The weights of an axis are eq of a point's coordinates, or any values. Those of several axes taken as one are
//! their products. A map leads positions h of such axes to indices of a tensor's axis. With weights e[h], times the
//! map's factors, index x is weighed by sum_h e[h] [x is the index of h], and by all taps of h alike.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use p3_field::PrimeCharacteristicRing;

use crate::blocks::power;
use crate::eq::{eq_prefix_sum, eq_scalars};
use crate::error::{Error, Result};
use crate::field::{EF, F};
use crate::index_list::IndexList;
use crate::index_map::IndexMap;
use crate::terms::AxisVector;

/// Coordinates of which all values of eq are expanded, at most.
const MOST_EXPANDED: usize = 32;

const NO_AXIS: Error = Error::Shape("an expression follows an axis that it has no weights for");

/// The weights of the positions of one axis.
#[derive(Clone, Debug)]
pub struct AxisWeights {
    size: usize,
    values: Values,
    /// All of them, once they were asked for.
    dense: OnceLock<Arc<Vec<EF>>>,
}

#[derive(Clone, Debug)]
enum Values {
    /// eq of a point, of at least as many values as there are positions.
    Eq(Arc<Vec<EF>>),
    /// One a position.
    Explicit(Arc<Vec<EF>>),
}

impl AxisWeights {
    /// eq of a point on an axis of `size` positions.
    ///
    /// # Errors
    /// [`Error::Shape`] where eq has fewer values.
    pub fn eq(size: usize, point: Vec<EF>) -> Result<Self> {
        if size > power(point.len()) {
            return Err(Error::Shape("an axis has more positions than its point"));
        }
        Ok(Self { size, values: Values::Eq(Arc::new(point)), dense: OnceLock::new() })
    }

    /// Explicit weights, one a position.
    pub fn explicit(values: Vec<EF>) -> Self {
        Self { size: values.len(), values: Values::Explicit(Arc::new(values)), dense: OnceLock::new() }
    }

    /// eq of a point on each axis of an index space: an axis of d positions takes the next ceil(log2 d) coordinates.
    ///
    /// # Errors
    /// [`Error::Shape`] where the point has another number of coordinates.
    pub fn split(point: &[EF], space: &[usize]) -> Result<Vec<Self>> {
        const OTHER: Error = Error::Shape("a point has another number of coordinates than its space");
        let (mut remaining, mut axes) = (point, Vec::with_capacity(space.len()));
        for &size in space {
            let (coordinates, tail) = remaining.split_at_checked(axis_bits(size)).ok_or(OTHER)?;
            remaining = tail;
            axes.push(Self::eq(size, coordinates.to_vec())?);
        }
        if remaining.is_empty() { Ok(axes) } else { Err(OTHER) }
    }

    /// The number of positions.
    pub fn size(&self) -> usize {
        self.size
    }

    /// The coordinates of the point; none of explicit weights.
    pub fn point(&self) -> Option<&[EF]> {
        match &self.values {
            Values::Eq(point) => Some(point),
            Values::Explicit(_) => None,
        }
    }

    /// The weights as the vector of a term.
    pub fn vector(&self) -> AxisVector {
        match &self.values {
            Values::Eq(point) => AxisVector::Eq(point.clone()),
            Values::Explicit(values) => AxisVector::Explicit(values.clone()),
        }
    }

    /// All weights.
    ///
    /// # Errors
    /// [`Error::Shape`] for eq of more than 32 coordinates.
    pub fn dense(&self) -> Result<Arc<Vec<EF>>> {
        match &self.values {
            Values::Explicit(values) => Ok(values.clone()),
            Values::Eq(point) if point.len() > MOST_EXPANDED => {
                Err(Error::Shape("an axis has too many positions"))
            }
            Values::Eq(point) => {
                let expand = || {
                    let mut values = eq_scalars(point, EF::ONE);
                    values.truncate(self.size);
                    Arc::new(values)
                };
                Ok(self.dense.get_or_init(expand).clone())
            }
        }
    }

    /// The sum of all weights.
    pub fn total(&self) -> EF {
        self.sum(0, self.size)
    }

    /// The sum of the weights of positions first, ..., end - 1.
    pub fn sum(&self, first: usize, end: usize) -> EF {
        match &self.values {
            Values::Eq(point) if first == 0 => eq_prefix_sum(point, end),
            Values::Eq(point) => eq_prefix_sum(point, end) - eq_prefix_sum(point, first),
            Values::Explicit(values) => values.iter().take(end).skip(first).copied().sum(),
        }
    }

    /// The weights of several axes taken as one, the last of them running fastest.
    ///
    /// Where all axes but the first have a power of two of positions, and eq on all of them, the bits of their
    /// positions stand side by side: it is eq of all coordinates.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are no such axes, or too many positions.
    pub fn joined<'a>(axes: &[&'a Self]) -> Result<Cow<'a, Self>> {
        let (first, others) = axes.split_first().ok_or(NO_AXIS)?;
        if others.is_empty() {
            return Ok(Cow::Borrowed(first));
        }
        let mut coordinates = Some(Vec::new());
        for (index, axis) in axes.iter().enumerate() {
            match (&mut coordinates, &axis.values) {
                (Some(all), Values::Eq(u)) if index == 0 || axis.size == power(u.len()) => {
                    all.extend_from_slice(u);
                }
                _ => coordinates = None,
            }
        }
        if let Some(coordinates) = coordinates {
            let size = axes.iter().fold(1, |size: usize, axis| size.saturating_mul(axis.size));
            return Self::eq(size, coordinates).map(Cow::Owned);
        }
        let mut products = first.dense()?.to_vec();
        for axis in others {
            let weights = axis.dense()?;
            products = products.iter().flat_map(|&a| weights.iter().map(move |&b| a * b)).collect();
        }
        Ok(Cow::Owned(Self::explicit(products)))
    }
}

/// Coordinates that an axis of `size` positions takes: ceil(log2 size).
pub fn axis_bits(size: usize) -> usize {
    size.checked_next_power_of_two().map_or(usize::BITS, usize::ilog2) as usize
}

/// How positions lead to indices of a tensor's axis.
#[derive(Clone, Debug)]
pub enum Indices {
    /// By steps; the sizes of maps are those of the axes that they are used on.
    Steps {
        /// The index of tap 0 at position 0.
        offset: i64,
        /// From a position's index to the next position's.
        stride: usize,
        /// Indices of a position.
        taps: usize,
        /// From a tap's index to the next tap's.
        dilation: usize,
    },
    /// The index of each position, -1 for none.
    List(Vec<i64>),
}

/// A map from axes of an expression, taken as one, to an axis of a tensor.
#[derive(Clone, Debug)]
pub struct AxisMap {
    /// The axes that are followed; the last one runs fastest.
    pub axes: Vec<usize>,
    /// Positions from here on count,
    pub first: usize,
    /// and those before this one.
    pub end: usize,
    /// Where they lead to.
    pub indices: Indices,
    /// A factor for each position; 1 everywhere where there is none.
    pub scale: Vec<F>,
}

impl AxisMap {
    /// The weights of an axis of `size` indices, from `weights` of the expression's axes.
    ///
    /// # Errors
    /// [`Error::Shape`] where the map does not fit the axes.
    pub fn pull_back(&self, weights: &[&AxisWeights], size: usize) -> Result<AxisVector> {
        let joined = self.joined(weights)?;
        if self.is_identity(joined.size, size) {
            return Ok(joined.vector());
        }
        let weights = self.weighed(&joined)?;
        let pulled = match &self.indices {
            &Indices::Steps { offset, stride, taps, dilation } => {
                IndexMap { size, taps, stride, dilation, offset }.pull(&weights)?
            }
            Indices::List(indices) => IndexList { size, indices: indices.clone() }.pull(&weights)?,
        };
        Ok(AxisVector::explicit(pulled))
    }

    /// The sum of the weights of the positions that count: all that a map has that covers these and leads nowhere.
    ///
    /// # Errors
    /// [`Error::Shape`] where the map does not fit the axes.
    pub fn covered(&self, weights: &[&AxisWeights]) -> Result<EF> {
        Ok(self.joined(weights)?.sum(self.first, self.end))
    }

    fn joined<'a>(&self, weights: &[&'a AxisWeights]) -> Result<Cow<'a, AxisWeights>> {
        let followed: Option<Vec<_>> = self.axes.iter().map(|&axis| weights.get(axis).copied()).collect();
        AxisWeights::joined(&followed.ok_or(NO_AXIS)?)
    }

    /// Whether each position h has index h alone, and there are as many of both.
    fn is_identity(&self, positions: usize, size: usize) -> bool {
        let plain = matches!(self.indices, Indices::Steps { offset: 0, stride: 1, taps: 1, dilation: 1 });
        plain && self.scale.is_empty() && positions == size && self.first == 0 && self.end == size
    }

    /// The weights of all positions times their factors: zero where a position does not count.
    fn weighed(&self, joined: &AxisWeights) -> Result<Arc<Vec<EF>>> {
        let weights = joined.dense()?;
        if self.scale.is_empty() && self.first == 0 && self.end == weights.len() {
            return Ok(weights);
        }
        if !self.scale.is_empty() && self.scale.len() != weights.len() {
            return Err(Error::Shape("an index map has a factor for each position"));
        }
        let factor = |h: usize| self.scale.get(h).copied().unwrap_or(F::ONE);
        let counted = |h: usize| self.first <= h && h < self.end;
        let weigh = |(h, &weight): (usize, &EF)| if counted(h) { weight * factor(h) } else { EF::ZERO };
        Ok(Arc::new(weights.iter().enumerate().map(weigh).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eq::eq_index;
    use crate::testing::*;

    /// Axes of these sizes with eq of a point, or explicit weights.
    fn axes(sizes: &[usize], explicit: bool) -> Vec<AxisWeights> {
        let axis = |(seed, &size): (u64, &usize)| {
            if explicit {
                return AxisWeights::explicit(elements(seed, size));
            }
            AxisWeights::eq(size, elements(seed, axis_bits(size))).unwrap()
        };
        (0..).zip(sizes).map(axis).collect()
    }

    fn steps(axes: &[usize], first: usize, end: usize, indices: Indices) -> AxisMap {
        AxisMap { axes: axes.to_vec(), first, end, indices, scale: Vec::new() }
    }

    #[test]
    fn weights_are_those_of_their_vector() {
        for explicit in [false, true] {
            for size in 1..10 {
                let axis = &axes(&[size], explicit)[0];
                let values = axis.vector().dense(size).unwrap();
                // Once made, and once kept.
                assert_eq!((&*axis.dense().unwrap(), &*axis.dense().unwrap()), (&values, &values));
                assert_eq!(axis.total(), values.iter().copied().sum());
                for first in 0..=size {
                    for end in first..=size {
                        assert_eq!(axis.sum(first, end), values[first..end].iter().copied().sum());
                    }
                }
            }
        }
    }

    #[test]
    fn a_point_is_split_into_the_coordinates_of_its_axes() {
        let point = elements(1, 7);
        let split = AxisWeights::split(&point, &[5, 1, 16]).unwrap();
        let dense: Vec<Vec<EF>> = split.iter().map(|axis| axis.dense().unwrap().to_vec()).collect();
        assert_eq!(dense[0], (0..5).map(|i| eq_index(&point[..3], i)).collect::<Vec<_>>());
        assert_eq!(dense[1], [EF::ONE]);
        assert_eq!(dense[2], (0..16).map(|i| eq_index(&point[3..], i)).collect::<Vec<_>>());
        for space in [&[5, 1][..], &[5, 17], &[usize::MAX]] {
            assert!(AxisWeights::split(&point, space).is_err());
        }
    }

    #[test]
    fn joined_weights_are_all_products() {
        for (sizes, closed) in [(&[3, 4][..], true), (&[4, 3], false), (&[2, 1, 8], true), (&[5], true)] {
            for explicit in [false, true] {
                let axes = axes(sizes, explicit);
                let all: Vec<&AxisWeights> = axes.iter().collect();
                let joined = AxisWeights::joined(&all).unwrap();
                let mut products = vec![EF::ONE];
                for axis in &axes {
                    let weights = axis.dense().unwrap();
                    products = products.iter().flat_map(|&a| weights.iter().map(move |&b| a * b)).collect();
                }
                assert_eq!(*joined.dense().unwrap(), products);
                assert_eq!(joined.point().is_some(), closed && !explicit);
            }
        }
        assert!(AxisWeights::joined(&[]).is_err());
    }

    #[test]
    fn maps_pull_weights_back_as_they_say() {
        let axes = axes(&[2, 3], false);
        let weights: Vec<&AxisWeights> = axes.iter().collect();
        let e = AxisWeights::joined(&weights).unwrap().dense().unwrap();
        let by_steps = |offset| Indices::Steps { offset, stride: 1, taps: 2, dilation: 2 };
        let listed = vec![4, -1, 0, 0, 1, 4];
        let index = |h: usize, tap: usize| h + 2 * tap;
        let expected = |x: usize| {
            let inside = (1..5).flat_map(|h| (0..2).map(move |tap| (h, tap)));
            inside
                .filter(|&(h, tap)| index(h, tap) == x + 1)
                .map(|(h, _)| e[h] * F::from_usize(h))
                .sum::<EF>()
        };
        let mut map = steps(&[0, 1], 1, 5, by_steps(-1));
        map.scale = (0..6).map(F::from_usize).collect();
        let pulled = map.pull_back(&weights, 6).unwrap();
        assert_eq!(pulled.dense(6).unwrap(), (0..6).map(expected).collect::<Vec<_>>());
        assert_eq!(map.covered(&weights).unwrap(), e[1..5].iter().copied().sum());
        let pulled = steps(&[0, 1], 0, 6, Indices::List(listed)).pull_back(&weights, 5).unwrap();
        assert_eq!(pulled.dense(5).unwrap(), [e[2] + e[3], e[4], EF::ZERO, EF::ZERO, e[0] + e[5]]);
        let plain = |offset| steps(&[1], 0, 3, Indices::Steps { offset, stride: 1, taps: 1, dilation: 1 });
        assert_eq!(plain(0).pull_back(&weights, 3).unwrap(), axes[1].vector());
        let moved = plain(1).pull_back(&weights, 3).unwrap().dense(3).unwrap();
        assert_eq!(moved, [&[EF::ZERO], &axes[1].dense().unwrap()[..2]].concat());
    }

    #[test]
    fn maps_that_do_not_fit_are_refused() {
        let axes = axes(&[2, 3], false);
        let weights: Vec<&AxisWeights> = axes.iter().collect();
        let plain = Indices::Steps { offset: 0, stride: 1, taps: 1, dilation: 1 };
        assert!(steps(&[2], 0, 3, plain.clone()).pull_back(&weights, 3).is_err());
        assert!(steps(&[], 0, 3, plain.clone()).covered(&weights).is_err());
        assert!(
            AxisMap { scale: vec![F::ONE; 2], ..steps(&[1], 0, 3, plain) }.pull_back(&weights, 3).is_err()
        );
        assert!(steps(&[1], 0, 3, Indices::List(vec![0, 1])).pull_back(&weights, 3).is_err());
        assert!(AxisWeights::eq(3, elements(1, 33)).unwrap().dense().is_err());
        assert!(AxisWeights::eq(5, elements(1, 2)).is_err());
    }
}
