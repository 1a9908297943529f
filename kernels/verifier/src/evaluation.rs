//! The multilinear extension of a term's weights at a point.
//!
//! A tensor may have thousands of blocks, but few shapes. The blocks of one shape stand in a run. What the
//! point's low coordinates make of a block is alike in all of them and computed once. Only the high bits of
//! intervals and of addresses differ, and small tables hold eq of these. In short runs an axis has few intervals
//! at few coordinates of the point: what its vector makes of each of them is kept.

use p3_field::PrimeCharacteristicRing;

use crate::at_point::AtPoint;
use crate::axis_values::{AxisAt, KnownAxis};
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::{DyadicBlock, Term, Weights, powers_at, split_last};

/// Weights that do not fit their tensor: [`Term::new`] makes no such term.
pub(crate) const UNFIT: Error = Error::Shape("the weights of a term do not fit its tensor");

/// Blocks of a run from which on tables of its intervals pay.
const LONG_RUN: usize = 16;

impl Term {
    /// The multilinear extension of the term's weight vector at `point`, one coordinate an address bit.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block lies outside the addresses.
    pub fn evaluate(&self, point: &[EF]) -> Result<EF> {
        self.evaluate_at(&mut AtPoint::new(point))
    }

    /// The same at a point that it shares with other terms.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block lies outside the addresses.
    pub(crate) fn evaluate_at(&self, at: &mut AtPoint) -> Result<EF> {
        let addresses = at.addresses(&self.blocks)?;
        let mut remaining = addresses.as_slice();
        let mut axes = match &self.weights {
            Weights::Product(vectors) => vectors.iter().map(KnownAxis::new).collect(),
            _ => Vec::new(),
        };
        let (mut total, mut first) = (EF::ZERO, 0_usize);
        for run in self.blocks.chunk_by(alike) {
            let (eq, after) = remaining.split_at_checked(run.len()).ok_or(UNFIT)?;
            remaining = after;
            let short = !axes.is_empty() && run.len() < LONG_RUN;
            let sum =
                if short { sum_known(&mut axes, run, eq, at) } else { self.sum_run(run, eq, first, at) };
            total += sum.ok_or(UNFIT)?;
            first = first.saturating_add(run.len());
        }
        Ok(total * self.coefficient)
    }

    /// What the blocks of a run add; `first` is the index of its first block, `eq` that of their addresses.
    fn sum_run(&self, run: &[DyadicBlock], eq: &[EF], first: usize, at: &mut AtPoint) -> Option<EF> {
        let log = run.first()?.log_size();
        let (_, low) = split_last(at.point, log)?;
        let mut inside = RunWeights::new(&self.weights, run, low, at)?;
        let mut total = EF::ZERO;
        for (index, (block, &address)) in (first..).zip(run.iter().zip(eq)) {
            total += address * inside.of_block(index, block)?;
        }
        Some(total * inside.common)
    }
}

/// What the blocks of a short run add, each axis with a vector.
fn sum_known(axes: &mut [KnownAxis], run: &[DyadicBlock], eq: &[EF], at: &mut AtPoint) -> Option<EF> {
    let mut total = EF::ZERO;
    for (block, &address) in run.iter().zip(eq) {
        let (mut product, mut first) = (address, at.point.len().checked_sub(block.log_size())?);
        for (axis, &interval) in axes.iter_mut().zip(&block.intervals) {
            product *= axis.value(interval, first, at)?;
            first = first.checked_add(interval.log)?;
        }
        total += product;
    }
    Some(total)
}

/// Whether two blocks have intervals of the same lengths.
fn alike(first: &DyadicBlock, second: &DyadicBlock) -> bool {
    first.intervals.len() == second.intervals.len()
        && first.intervals.iter().zip(&second.intervals).all(|(a, b)| a.log == b.log)
}

/// The weights of the blocks of a run, at one point of a block.
struct RunWeights<'a> {
    /// A factor of all of them.
    common: EF,
    factors: BlockFactors<'a>,
}

/// The other factors of a block.
enum BlockFactors<'a> {
    /// One an axis.
    Axes(Vec<AxisAt<'a>>),
    /// One a block.
    Given(&'a [EF]),
    /// z^exponent.
    Powers(&'a [usize], PowersInTurn),
}

impl<'a> RunWeights<'a> {
    /// Of the weights of a term, where the blocks of `run` are alike; `point` has the coordinates of a block.
    fn new(weights: &'a Weights, run: &[DyadicBlock], point: &'a [EF], at: &mut AtPoint) -> Option<Self> {
        let (common, factors) = match weights {
            Weights::Product(vectors) => {
                let (mut common, mut remaining, mut axes) =
                    (EF::ONE, point, Vec::with_capacity(vectors.len()));
                for (vector, interval) in vectors.iter().zip(&run.first()?.intervals) {
                    let (coordinates, tail) = remaining.split_at_checked(interval.log)?;
                    remaining = tail;
                    axes.push(AxisAt::new(vector, coordinates, run.len(), &mut common)?);
                }
                (common, BlockFactors::Axes(axes))
            }
            Weights::BlockDiagonal { factors, point: coordinates } => {
                let common = *at.suffixes(coordinates).get(point.len())?;
                (common, BlockFactors::Given(factors))
            }
            Weights::Powers { z, exponents } => {
                (powers_at(*z, point), BlockFactors::Powers(exponents, PowersInTurn::new(*z)))
            }
        };
        Some(Self { common, factors })
    }

    /// The factors of the block at `index` of the tensor, but for the common one.
    fn of_block(&mut self, index: usize, block: &DyadicBlock) -> Option<EF> {
        match &mut self.factors {
            BlockFactors::Axes(axes) => {
                let mut product = EF::ONE;
                for (axis, &interval) in axes.iter_mut().zip(&block.intervals) {
                    product = axis.scale(product, interval)?;
                }
                Some(product)
            }
            BlockFactors::Given(factors) => factors.get(index).copied(),
            BlockFactors::Powers(exponents, powers) => Some(powers.next(*exponents.get(index)?)),
        }
    }
}

/// z^e for exponents e that mostly rise by one step.
struct PowersInTurn {
    z: EF,
    /// The last exponent and its power.
    last: (usize, EF),
    /// The last step and its power.
    step: (usize, EF),
}

impl PowersInTurn {
    fn new(z: EF) -> Self {
        Self { z, last: (0, EF::ONE), step: (0, EF::ONE) }
    }

    fn next(&mut self, exponent: usize) -> EF {
        let value = match exponent.checked_sub(self.last.0) {
            Some(step) => {
                if step != self.step.0 {
                    self.step = (step, self.z.exp_u64(step as u64));
                }
                self.last.1 * self.step.1
            }
            None => self.z.exp_u64(exponent as u64),
        };
        self.last = (exponent, value);
        value
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::terms::{AxisVector, Interval};
    use crate::testing::*;

    /// A tensor [2^first, 2^second] of which all but the last axis's low `log` bits are cut, in row-major order.
    fn cut_blocks(first: usize, second: usize, log: usize) -> Arc<Vec<DyadicBlock>> {
        let parts = 1_usize << (second - log);
        let block = |index: usize| {
            let start = (index % parts) << log;
            let intervals = vec![Interval { start: index / parts, log: 0 }, Interval { start, log }];
            // An order of addresses that is not that of blocks.
            let address = (index.reverse_bits() >> (usize::BITS as usize - first - second + log)) << log;
            DyadicBlock::new(address, intervals).unwrap()
        };
        Arc::new((0..parts << first).map(block).collect())
    }

    fn vectors(kind: usize, bits: usize, seed: u64) -> AxisVector {
        match kind {
            0 => AxisVector::eq(elements(seed, bits)),
            1 => AxisVector::Ones,
            2 => AxisVector::OneHot((1 << bits) - 1),
            _ => AxisVector::explicit(elements(seed, 1 << bits)),
        }
    }

    proptest! {
        #[test]
        fn many_blocks_of_one_shape_are_their_weights(
            first in 1_usize..5, second in 1_usize..5, cut in 0_usize..5, kinds in [0_usize..4, 0..4], seed: u16
        ) {
            let (seed, log) = (u64::from(seed), second.saturating_sub(cut));
            let (blocks, bits) = (cut_blocks(first, second, log), first + second);
            let axes = vec![vectors(kinds[0], first, seed + 1), vectors(kinds[1], second, seed + 2)];
            let (factors, point) =
                (Arc::new(elements(seed + 3, blocks.len())), Arc::new(elements(seed + 4, bits)));
            let rising = (0..blocks.len()).map(|index| index << log).collect();
            let falling = (0..blocks.len()).rev().collect();
            let squares = (0..blocks.len()).map(|index| index * index).collect();
            let z = element(seed + 5);
            let all = [
                Weights::Product(axes),
                Weights::BlockDiagonal { factors, point },
                Weights::Powers { z, exponents: rising },
                Weights::Powers { z, exponents: falling },
                Weights::Powers { z, exponents: squares },
            ];
            let point = elements(seed + 6, bits + 1);
            for weights in all {
                let term = Term::new(element(seed + 7), blocks.clone(), weights).unwrap();
                let dense = expanded(std::slice::from_ref(&term), 2 << bits);
                prop_assert_eq!(term.evaluate(&point).unwrap(), multilinear(&dense, &point));
                prop_assert!(term.evaluate(&point[2..]).is_err());
            }
        }
    }

    proptest! {
        #[test]
        fn blocks_of_many_shapes_are_their_weights(
            sizes in [1_usize..14, 1..14, 1..14], kinds in [0_usize..4, 0..4, 0..4], again in 0_usize..4, seed: u16
        ) {
            let seed = u64::from(seed);
            let blocks = dyadic_blocks(&sizes, 4096);
            let axes = |offset: u64| -> Vec<AxisVector> {
                kinds.iter().zip(0..).map(|(&kind, axis)| vectors(kind, 4, seed + offset + axis)).collect()
            };
            let factors = |offset| Arc::new(elements(seed + offset, blocks.len()));
            let tree = Arc::new(elements(seed + 7, 14));
            let other = Arc::new(elements(seed + 8, 12));
            let all = [
                Weights::Product(axes(1)),
                Weights::BlockDiagonal { factors: factors(4), point: tree.clone() },
                Weights::BlockDiagonal { factors: factors(5), point: other },
                Weights::BlockDiagonal { factors: factors(6), point: tree },
                Weights::Product(axes(9)),
            ];
            // Terms of one tensor and of another one, in any order, share a point.
            let tensors = [blocks, dyadic_blocks(&sizes, 0)];
            let terms: Vec<Term> = all
                .into_iter()
                .zip(0_usize..)
                .map(|(weights, index)| {
                    let blocks = tensors[(index >> (again / 2)) & 1].clone();
                    Term::new(element(seed + index as u64), blocks, weights).unwrap()
                })
                .collect();
            let point = elements(seed + 20, 13);
            prop_assert_eq!(crate::terms::evaluate(&terms, &point).unwrap(), multilinear(&expanded(&terms, 8192), &point));
            for term in &terms {
                let dense = expanded(std::slice::from_ref(term), 8192);
                prop_assert_eq!(term.evaluate(&point).unwrap(), multilinear(&dense, &point));
            }
        }
    }
}
