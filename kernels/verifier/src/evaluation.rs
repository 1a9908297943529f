//! The multilinear extension of a term's weights at a point.
//!
//! A tensor may have thousands of blocks, but few shapes. Blocks of one size stand in a run. What the point's low
//! coordinates make of a block's weights, but for its factor, is alike in all of a run.

use p3_field::PrimeCharacteristicRing;

use crate::at_point::AtPoint;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::{Term, Weights, powers_at, split_last};

/// Weights that do not fit their tensor: [`Term::new`] makes no such term.
pub(crate) const UNFIT: Error = Error::Shape("the weights of a term do not fit its tensor");

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
        let sum = match &self.weights {
            Weights::Product(_) if addresses.is_empty() => Some(EF::ZERO),
            Weights::Product(vectors) => at.product(&self.blocks.shape, vectors, &addresses),
            Weights::BlockDiagonal { factors, point } => {
                let suffixes = at.suffixes(point);
                self.sum_runs(&addresses, factors.iter().copied(), |log| suffixes.get(log).copied())
            }
            Weights::Powers { z, exponents } => {
                let (mut powers, point) = (PowersInTurn::new(*z), at.point());
                let factors = exponents.iter().map(|&exponent| powers.next(exponent));
                self.sum_runs(&addresses, factors, |log| Some(powers_at(*z, split_last(point, log)?.1)))
            }
        };
        Ok(sum.ok_or(UNFIT)? * self.coefficient)
    }

    /// The sum over all blocks of eq of the address, the block's factor, and what is alike in blocks of a size.
    fn sum_runs(
        &self,
        addresses: &[EF],
        mut factors: impl Iterator<Item = EF>,
        common: impl Fn(usize) -> Option<EF>,
    ) -> Option<EF> {
        let (mut total, mut remaining) = (EF::ZERO, addresses);
        for run in self.blocks.shape.logs.chunk_by(|first, second| first == second) {
            let (eq, tail) = remaining.split_at_checked(run.len())?;
            remaining = tail;
            let sum: EF = eq.iter().zip(&mut factors).map(|(&eq, factor)| eq * factor).sum();
            total += sum * common(*run.first()?)?;
        }
        Some(total)
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
    use crate::blocks::{DyadicBlock, Interval, TensorBlocks};
    use crate::terms::AxisVector;
    use crate::testing::*;

    /// A tensor [2^first, 2^second] of which all but the last axis's low `log` bits are cut, in row-major order.
    fn cut_blocks(first: usize, second: usize, log: usize) -> Arc<TensorBlocks> {
        let parts = 1_usize << (second - log);
        let block = |index: usize| {
            let start = (index % parts) << log;
            let intervals = vec![Interval { start: index / parts, log: 0 }, Interval { start, log }];
            // An order of addresses that is not that of blocks.
            let address = (index.reverse_bits() >> (usize::BITS as usize - first - second + log)) << log;
            DyadicBlock::new(address, intervals).unwrap()
        };
        stored((0..parts << first).map(block).collect())
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
