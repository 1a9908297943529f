//! Terms of linear claims and the weight vector that they make.
//!
//! A tensor is stored as boxes; a box is a product of aligned dyadic intervals, one an axis, at an
//! address that is a multiple of its size, its places in row-major order. A term weighs place
//! (i_1, ..., i_k) by coefficient * prod_j v_j[i_j] (one vector an axis), or, box by box, by
//! coefficient_B * eq(low coordinates of a point, place in the box) (the leaves of a fraction tree), or by
//! powers of z counted in addresses (an out-of-domain sample).
//!
//! The prover expands terms into w over all addresses; the verifier evaluates w's multilinear extension
//! at one point, a few operations a box: the two stand in `weights.rs` and here.

use std::sync::Arc;

use p3_field::{Algebra, PrimeCharacteristicRing};

use crate::eq::{eq_index, eq_points, eq_prefix_sum, eq_scalars};
use crate::error::{Error, Result};
use crate::field::EF;

/// The indices [start, start + 2^log) of an axis; start is a multiple of 2^log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    /// First index.
    pub start: usize,
    /// Logarithm of the length.
    pub log: usize,
}

/// A box of a tensor and the address of its first place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorBox {
    /// Address, a multiple of the box's size.
    pub address: usize,
    /// One interval an axis.
    pub intervals: Vec<Interval>,
}

impl TensorBox {
    /// Logarithm of the number of places.
    pub fn log_size(&self) -> usize {
        self.intervals.iter().map(|i| i.log).sum()
    }
}

/// The weights along one axis.
#[derive(Clone, Debug)]
pub enum AxisVector {
    /// eq(u, i), for an axis of at most 2^|u| places.
    Eq(Vec<EF>),
    /// 1 everywhere.
    Ones,
    /// 1 at one index, 0 elsewhere.
    OneHot(usize),
    /// Any values, as many as the axis has places.
    Explicit(Vec<EF>),
}

impl AxisVector {
    /// Whether the vector has a value at every index below `end`.
    fn covers(&self, end: usize) -> bool {
        match self {
            Self::Eq(u) => end <= 1 << u.len(),
            Self::Ones | Self::OneHot(_) => true,
            Self::Explicit(values) => end <= values.len(),
        }
    }

    /// The multilinear extension, at `point`, of the vector on `interval`.
    fn evaluate(&self, interval: Interval, point: &[EF]) -> EF {
        match self {
            Self::Eq(u) => {
                let (high, low) = u.split_at(u.len() - interval.log);
                eq_index(high, interval.start >> interval.log) * eq_points(low, point)
            }
            Self::Ones => EF::ONE,
            Self::OneHot(index) => match index.checked_sub(interval.start) {
                Some(offset) if offset < 1 << interval.log => eq_index(point, offset),
                _ => EF::ZERO,
            },
            Self::Explicit(values) => {
                let weights = eq_scalars(point, EF::ONE);
                let values = &values[interval.start..interval.start + weights.len()];
                values.iter().zip(weights).map(|(&v, w)| v * w).sum()
            }
        }
    }

    /// The values at indices below `len`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the vector is shorter.
    pub fn dense(&self, len: usize) -> Result<Vec<EF>> {
        if !self.covers(len) {
            return Err(Error::Shape("a weight vector is shorter than its axis"));
        }
        Ok(match self {
            Self::Eq(u) => {
                let mut values = eq_scalars(u, EF::ONE);
                values.truncate(len);
                values
            }
            Self::Ones => vec![EF::ONE; len],
            Self::OneHot(index) => (0..len).map(|i| EF::from_bool(i == *index)).collect(),
            Self::Explicit(values) => values[..len].to_vec(),
        })
    }

    /// The sum of the values at indices below `len`: what the vector makes of a constant.
    pub fn sum(&self, len: usize) -> EF {
        match self {
            Self::Eq(u) => eq_prefix_sum(u, len),
            Self::Ones => EF::from_usize(len),
            Self::OneHot(index) => EF::from_bool(*index < len),
            Self::Explicit(values) => values.iter().take(len).copied().sum(),
        }
    }
}

/// How a term weighs the places of a tensor.
#[derive(Clone, Debug)]
pub enum Weights {
    /// A product of one vector an axis.
    Product(Vec<AxisVector>),
    /// For each box its factor, times eq(the last coordinates of the point, place in the box).
    Boxwise {
        /// One factor a box.
        factors: Vec<EF>,
        /// The point; a box of 2^b places uses the last b coordinates.
        point: Arc<Vec<EF>>,
    },
    /// z^(address - address of the first box).
    Powers(EF),
}

/// coefficient * weights on one tensor.
#[derive(Clone, Debug)]
pub struct Term {
    /// Scales all weights.
    pub coefficient: EF,
    /// Where the tensor stands.
    pub boxes: Arc<Vec<TensorBox>>,
    /// The weights.
    pub weights: Weights,
}

impl Term {
    /// A term whose weights fit the tensor.
    ///
    /// # Errors
    /// [`Error::Shape`] otherwise.
    pub fn new(coefficient: EF, boxes: Arc<Vec<TensorBox>>, weights: Weights) -> Result<Self> {
        let fits = match &weights {
            Weights::Product(vectors) => boxes.iter().all(|b| {
                b.intervals.len() == vectors.len()
                    && b.intervals.iter().zip(vectors).all(|(i, v)| v.covers(i.start + (1 << i.log)))
            }),
            Weights::Boxwise { factors, point } => {
                factors.len() == boxes.len() && boxes.iter().all(|b| b.log_size() <= point.len())
            }
            Weights::Powers(_) => boxes.iter().all(|b| b.address >= boxes[0].address),
        };
        if !fits {
            return Err(Error::Shape("the weights of a term do not fit its tensor"));
        }
        Ok(Self { coefficient, boxes, weights })
    }

    /// The multilinear extension of the term's weight vector at `point`, one coordinate an address bit.
    ///
    /// # Errors
    /// [`Error::Shape`] where a box lies outside the addresses.
    pub fn evaluate(&self, point: &[EF]) -> Result<EF> {
        let mut total = EF::ZERO;
        for (index, b) in self.boxes.iter().enumerate() {
            let log = b.log_size();
            if log > point.len() || b.address >> log >= 1 << (point.len() - log) {
                return Err(Error::Shape("a box lies outside the committed addresses"));
            }
            let (high, low) = point.split_at(point.len() - log);
            let inside = match &self.weights {
                Weights::Product(vectors) => {
                    let mut rest = low;
                    let axes = vectors.iter().zip(&b.intervals);
                    axes.map(|(vector, &interval)| {
                        let (coordinates, tail) = rest.split_at(interval.log);
                        rest = tail;
                        vector.evaluate(interval, coordinates)
                    })
                    .product()
                }
                Weights::Boxwise { factors, point } => {
                    factors[index] * eq_points(&point[point.len() - log..], low)
                }
                Weights::Powers(z) => {
                    z.exp_u64((b.address - self.boxes[0].address) as u64) * powers_at(*z, low)
                }
            };
            total += inside * eq_index(high, b.address >> log);
        }
        Ok(total * self.coefficient)
    }
}

/// The multilinear extension of (1, x, x^2, ...) at `point`: prod_t (1 - u_t + u_t x^(2^t)).
pub fn powers_at<T>(x: T, point: &[EF]) -> EF
where
    T: PrimeCharacteristicRing + Copy,
    EF: Algebra<T>,
{
    let mut power = x;
    let mut product = EF::ONE;
    for &u in point.iter().rev() {
        product *= EF::ONE + u * (EF::from(power) - EF::ONE);
        power = power.square();
    }
    product
}

/// The multilinear extension of all terms' weight vector at `point`.
///
/// # Errors
/// As [`Term::evaluate`].
pub fn evaluate(terms: &[Term], point: &[EF]) -> Result<EF> {
    terms.iter().map(|term| term.evaluate(point)).sum()
}

#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// The dyadic boxes of a tensor, largest first, from `address` on.
    pub fn boxes(shape: &[usize], mut address: usize) -> Arc<Vec<TensorBox>> {
        let mut all: Vec<Vec<Interval>> = vec![Vec::new()];
        for &size in shape {
            let logs = (0..usize::BITS as usize).rev().filter(|log| size >> log & 1 == 1);
            let cut: Vec<_> =
                logs.map(|log| Interval { start: size >> (log + 1) << (log + 1), log }).collect();
            all = all.iter().flat_map(|b| cut.iter().map(|&i| [&b[..], &[i]].concat())).collect();
        }
        let mut all: Vec<_> = all.into_iter().map(|intervals| TensorBox { address: 0, intervals }).collect();
        all.sort_by_key(|b| std::cmp::Reverse(b.log_size()));
        for b in &mut all {
            b.address = address;
            address += 1 << b.log_size();
        }
        Arc::new(all)
    }

    /// The weights at all addresses below `len`, by the definition.
    pub fn expanded(terms: &[Term], len: usize) -> Vec<EF> {
        let mut weights = vec![EF::ZERO; len];
        for term in terms {
            for (index, b) in term.boxes.iter().enumerate() {
                for place in 0..1 << b.log_size() {
                    weights[b.address + place] += term.coefficient * term.at(index, place);
                }
            }
        }
        weights
    }

    impl Term {
        fn at(&self, index: usize, place: usize) -> EF {
            let b = &self.boxes[index];
            match &self.weights {
                Weights::Product(vectors) => {
                    let mut rest = place;
                    let axes = vectors.iter().zip(&b.intervals).rev();
                    axes.map(|(vector, interval)| {
                        let i = interval.start + rest % (1 << interval.log);
                        rest >>= interval.log;
                        match vector {
                            AxisVector::Eq(point) => eq_index(point, i),
                            AxisVector::Ones => EF::ONE,
                            AxisVector::OneHot(hot) => EF::from_bool(i == *hot),
                            AxisVector::Explicit(values) => values[i],
                        }
                    })
                    .product()
                }
                Weights::Boxwise { factors, point } => {
                    factors[index] * eq_index(&point[point.len() - b.log_size()..], place)
                }
                Weights::Powers(z) => z.exp_u64((b.address + place - self.boxes[0].address) as u64),
            }
        }
    }
}
