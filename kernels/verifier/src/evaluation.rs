//! The multilinear extension of a term's weights at a point.
//!
//! A tensor may have thousands of blocks, but few shapes. The blocks of one shape stand in a run. What the
//! point's low coordinates make of a block is alike in all of them and computed once. Only the high bits of
//! intervals and of addresses differ, and small tables hold eq of these.

use p3_field::PrimeCharacteristicRing;

use crate::eq::{eq_index, eq_points, eq_scalars};
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::{AxisVector, DyadicBlock, Interval, Term, Weights, power, powers_at, shifted, split_last};

/// Weights that do not fit their tensor: [`Term::new`] makes no such term.
pub(crate) const UNFIT: Error = Error::Shape("the weights of a term do not fit its tensor");
const OUTSIDE: Error = Error::Shape("a block lies outside the committed addresses");

impl Term {
    /// The multilinear extension of the term's weight vector at `point`, one coordinate an address bit.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block lies outside the addresses.
    pub fn evaluate(&self, point: &[EF]) -> Result<EF> {
        let (mut total, mut first) = (EF::ZERO, 0_usize);
        for run in self.blocks.chunk_by(alike) {
            total += self.evaluate_run(run, first, point)?;
            first = first.saturating_add(run.len());
        }
        Ok(total * self.coefficient)
    }

    /// What the blocks of a run add; `first` is the index of its first block.
    fn evaluate_run(&self, run: &[DyadicBlock], first: usize, point: &[EF]) -> Result<EF> {
        let Some(log) = run.first().map(DyadicBlock::log_size) else { return Ok(EF::ZERO) };
        let (high, low) = split_last(point, log).ok_or(OUTSIDE)?;
        let addresses = EqIndices::new(high, run.len());
        let mut inside = RunWeights::new(&self.weights, run, low).ok_or(UNFIT)?;
        let mut total = EF::ZERO;
        for (index, block) in (first..).zip(run) {
            let address = addresses.get(shifted(block.address, log)).ok_or(OUTSIDE)?;
            total += address * inside.of_block(index, block).ok_or(UNFIT)?;
        }
        Ok(total * inside.common)
    }
}

/// Whether two blocks have intervals of the same lengths.
fn alike(first: &DyadicBlock, second: &DyadicBlock) -> bool {
    first.intervals.len() == second.intervals.len()
        && first.intervals.iter().zip(&second.intervals).all(|(a, b)| a.log == b.log)
}

/// eq(u, index) for many indices below 2^|u|: the product of one value from each of two tables.
enum EqIndices<'a> {
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
    fn new(weights: &'a Weights, run: &[DyadicBlock], point: &'a [EF]) -> Option<Self> {
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
                let (_, low) = split_last(coordinates, point.len())?;
                (eq_points(low, point), BlockFactors::Given(factors))
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

/// The multilinear extension of an axis vector at one point of intervals of one length.
enum AxisAt<'a> {
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
    fn new(vector: &'a AxisVector, point: &'a [EF], count: usize, common: &mut EF) -> Option<Self> {
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
    fn scale(&mut self, factor: EF, interval: Interval) -> Option<EF> {
        Some(match self {
            Self::Eq(indices) => factor * indices.get(shifted(interval.start, interval.log))?,
            Self::Ones => factor,
            Self::OneHot(index, point) => match index.checked_sub(interval.start) {
                Some(offset) if offset < power(interval.log) => factor * eq_index(point, offset),
                _ => EF::ZERO,
            },
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
            0 => AxisVector::Eq(elements(seed, bits)),
            1 => AxisVector::Ones,
            2 => AxisVector::OneHot((1 << bits) - 1),
            _ => AxisVector::Explicit(elements(seed, 1 << bits)),
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
            let (factors, point) = (elements(seed + 3, blocks.len()), Arc::new(elements(seed + 4, bits)));
            let rising = (0..blocks.len()).map(|index| index << log).collect();
            let falling = (0..blocks.len()).rev().collect();
            let z = element(seed + 5);
            let all = [
                Weights::Product(axes),
                Weights::BlockDiagonal { factors, point },
                Weights::Powers { z, exponents: rising },
                Weights::Powers { z, exponents: falling },
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
