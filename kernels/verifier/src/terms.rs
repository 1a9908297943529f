//! Terms of linear claims and the weight vector that they make.
//!
//! A tensor is stored as dyadic blocks ([`crate::blocks`]). A term weighs position
//! (i_1, ..., i_k) by coefficient * prod_j v_j[i_j] (one vector an axis), or, block by block, by
//! factor * eq(last coordinates of a point, position in the block) (the leaves of a fraction tree), or by
//! powers of z, from an exponent of the block on (an out-of-domain sample).
//!
//! The prover expands terms into w over all addresses; the verifier evaluates w's multilinear extension
//! at one point, a few operations a block ([`crate::evaluation`]).

use std::sync::Arc;

use p3_field::{Algebra, PrimeCharacteristicRing};

use crate::at_point::AtPoint;
use crate::blocks::{TensorBlocks, power};
use crate::eq::{eq_prefix_sum, eq_scalars};
use crate::error::{Error, Result};
use crate::evaluation::UNFIT;
use crate::field::{EF, F};

/// The weights along one axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AxisVector {
    /// eq(u, i), for an axis of at most 2^|u| indices.
    Eq(Arc<Vec<EF>>),
    /// 1 everywhere.
    Ones,
    /// 1 at one index, 0 elsewhere.
    OneHot(usize),
    /// Any values, as many as the axis has indices.
    Explicit(Arc<Vec<EF>>),
}

impl AxisVector {
    /// eq of a point.
    pub fn eq(point: Vec<EF>) -> Self {
        Self::Eq(Arc::new(point))
    }

    /// These values.
    pub fn explicit(values: Vec<EF>) -> Self {
        Self::Explicit(Arc::new(values))
    }

    /// Whether the vector has a value at every index below `end`.
    pub(crate) fn covers(&self, end: usize) -> bool {
        match self {
            Self::Eq(u) => end <= power(u.len()),
            Self::Ones | Self::OneHot(_) => true,
            Self::Explicit(values) => end <= values.len(),
        }
    }

    /// The values at indices below `len`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the vector is shorter.
    pub fn dense(&self, len: usize) -> Result<Vec<EF>> {
        const SHORT: Error = Error::Shape("a weight vector is shorter than its axis");
        if !self.covers(len) {
            return Err(SHORT);
        }
        Ok(match self {
            Self::Eq(u) => {
                let mut values = eq_scalars(u, EF::ONE);
                values.truncate(len);
                values
            }
            Self::Ones => vec![EF::ONE; len],
            Self::OneHot(index) => (0..len).map(|i| EF::from_bool(i == *index)).collect(),
            Self::Explicit(values) => values.get(..len).ok_or(SHORT)?.to_vec(),
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

/// Claims and their scales differ in number.
pub const OTHER_SCALES: Error = Error::Shape("each claim has a scale");

/// How a term weighs the positions of a tensor.
#[derive(Clone, Debug)]
pub enum Weights {
    /// A product of one vector an axis.
    Product(Vec<AxisVector>),
    /// For each block its factor, times eq(the last coordinates of the point, position in the block).
    BlockDiagonal {
        /// One factor a block.
        factors: Arc<Vec<EF>>,
        /// The point; a block of 2^b positions uses the last b coordinates.
        point: Arc<Vec<EF>>,
    },
    /// z^(exponent of the block + position in the block).
    Powers {
        /// The point.
        z: EF,
        /// The exponent of each block's first position.
        exponents: Vec<usize>,
    },
}

/// coefficient * weights on one tensor.
#[derive(Clone, Debug)]
pub struct Term {
    /// Scales all weights.
    pub coefficient: EF,
    /// Where the tensor stands.
    pub blocks: Arc<TensorBlocks>,
    /// The weights.
    pub weights: Weights,
}

impl Term {
    /// A term whose weights fit the tensor.
    ///
    /// # Errors
    /// [`Error::Shape`] otherwise.
    pub fn new(coefficient: EF, blocks: Arc<TensorBlocks>, weights: Weights) -> Result<Self> {
        let fits = match &weights {
            Weights::Product(vectors) => {
                let ends = &blocks.shape.ends;
                let covered = || vectors.iter().zip(ends).all(|(vector, &end)| vector.covers(end));
                blocks.is_empty() || vectors.len() == ends.len() && covered()
            }
            Weights::BlockDiagonal { factors, point } => {
                factors.len() == blocks.len() && blocks.shape.logs.iter().all(|&log| log <= point.len())
            }
            Weights::Powers { exponents, .. } => exponents.len() == blocks.len(),
        };
        if !fits {
            return Err(UNFIT);
        }
        Ok(Self { coefficient, blocks, weights })
    }
}

/// Those of [`Weights`] that are about a tensor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TensorWeights {
    /// A product of one vector an axis.
    Product(Vec<AxisVector>),
    /// For each block its factor, times eq(the last coordinates of the point, position in the block).
    BlockDiagonal {
        /// One factor a block.
        factors: Arc<Vec<EF>>,
        /// The point.
        point: Arc<Vec<EF>>,
    },
}

impl From<TensorWeights> for Weights {
    fn from(weights: TensorWeights) -> Self {
        match weights {
            TensorWeights::Product(vectors) => Self::Product(vectors),
            TensorWeights::BlockDiagonal { factors, point } => Self::BlockDiagonal { factors, point },
        }
    }
}

/// coefficient * weights on a tensor that is known by its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TensorTerm {
    /// Scales all weights.
    pub coefficient: EF,
    /// The tensor's index.
    pub tensor: usize,
    /// The weights.
    pub weights: TensorWeights,
}

impl TensorTerm {
    /// `scale` times the term, where tensors have these blocks.
    ///
    /// # Errors
    /// [`Error::Shape`] where there is no such tensor, or its weights do not fit it.
    pub fn stored(&self, scale: EF, tensors: &[Arc<TensorBlocks>]) -> Result<Term> {
        let blocks = tensors.get(self.tensor).ok_or(Error::Shape("a term is about no tensor"))?;
        Term::new(scale * self.coefficient, blocks.clone(), self.weights.clone().into())
    }
}

/// A point without its last `count` coordinates, and these.
pub(crate) fn split_last(point: &[EF], count: usize) -> Option<(&[EF], &[EF])> {
    point.split_at_checked(point.len().checked_sub(count)?)
}

/// index / 2^log.
pub(crate) fn shifted(index: usize, log: usize) -> usize {
    u32::try_from(log).ok().and_then(|log| index.checked_shr(log)).unwrap_or(0)
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

/// sum_k coefficients[k] * [`powers_at`] of points[k].
///
/// # Errors
/// [`Error::Shape`] where points and coefficients differ in number.
pub fn base_powers_at(points: &[F], coefficients: &[EF], point: &[EF]) -> Result<EF> {
    if points.len() != coefficients.len() {
        return Err(Error::Shape("points and coefficients differ in number"));
    }
    Ok(points.iter().zip(coefficients).map(|(&x, &c)| c * powers_at(x, point)).sum())
}

/// The multilinear extension of all terms' weight vector at `point`.
///
/// # Errors
/// As [`Term::evaluate`].
pub fn evaluate(terms: &[Term], point: &[EF]) -> Result<EF> {
    let mut at = AtPoint::new(point);
    terms.iter().map(|term| term.evaluate_at(&mut at)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn a_term_is_the_multilinear_extension_of_its_weights() {
        let first = dyadic_blocks(&[6, 5, 40], 0);
        let second = dyadic_blocks(&[6, 5, 40], 2048);
        let vectors =
            vec![AxisVector::eq(elements(1, 3)), AxisVector::explicit(elements(2, 5)), AxisVector::Ones];
        let hot = vec![AxisVector::Ones, AxisVector::OneHot(4), AxisVector::eq(elements(3, 6))];
        let diagonal = Weights::BlockDiagonal {
            factors: Arc::new(elements(4, first.len())),
            point: Arc::new(elements(5, 14)),
        };
        let exponents = (0..first.len()).map(|index| 97 * index % 1000).collect();
        let powers = Weights::Powers { z: element(7), exponents };
        let terms = [
            Term::new(element(1), first.clone(), Weights::Product(vectors)).unwrap(),
            Term::new(element(2), second, Weights::Product(hot)).unwrap(),
            Term::new(element(3), first, diagonal).unwrap(),
            Term::new(element(6), dyadic_blocks(&[6, 5, 40], 0), powers).unwrap(),
        ];
        let point = elements(9, 12);
        assert_eq!(evaluate(&terms, &point).unwrap(), multilinear(&expanded(&terms, 4096), &point));
        assert!(evaluate(&terms, &elements(9, 11)).is_err());
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let blocks = || dyadic_blocks(&[6, 5, 40], 0);
        let short = vec![AxisVector::eq(elements(1, 2)), AxisVector::Ones, AxisVector::Ones];
        assert!(Term::new(EF::ONE, blocks(), Weights::Product(short)).is_err());
        assert!(Term::new(EF::ONE, blocks(), Weights::Product(vec![AxisVector::Ones])).is_err());
        let explicit = vec![AxisVector::Ones, AxisVector::explicit(elements(1, 4)), AxisVector::Ones];
        assert!(Term::new(EF::ONE, blocks(), Weights::Product(explicit)).is_err());
        let point = Arc::new(elements(1, 14));
        let few = Weights::BlockDiagonal { factors: Arc::new(elements(1, 1)), point };
        assert!(Term::new(EF::ONE, blocks(), few).is_err());
        let few = Weights::Powers { z: element(1), exponents: vec![0] };
        assert!(Term::new(EF::ONE, blocks(), few).is_err());
    }
}
