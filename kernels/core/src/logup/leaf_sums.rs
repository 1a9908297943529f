//! The first round of the layer above the leaves: its sums are bilinear in the columns of these.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use crate::field::vector::{add_sums, zeros};
use crate::field::{EF, PackedEF, WIDTH};
use crate::logup::Layer;
use crate::logup::forms::{Forms, Fraction, bilinear};
use crate::logup::leaves::Leaves;
use crate::logup::sums::Children;
use crate::pool::PARALLEL_THRESHOLD;

/// Packs of a quarter of the leaves that are read at once.
const PIECE: usize = 64;

/// Packs of both children.
type Halves<'a> = (&'a mut [PackedEF], &'a mut [PackedEF]);

/// Leaves of eight packs or more as the children of a layer, of which no variable is bound yet.
pub(super) struct LeafSums {
    leaves: Leaves,
    /// Over all variables but the first.
    eq: Vec<PackedEF>,
    lambda: EF,
}

impl LeafSums {
    pub fn new(leaves: Leaves, eq: Vec<PackedEF>, lambda: EF) -> Self {
        Self { leaves, eq, lambda }
    }

    /// t(0), or t(1) where that is asked for, and c_2.
    pub fn round(&self, at_one: bool) -> [EF; 2] {
        let summand = |a: Fraction, b: Fraction| {
            a.numerator * b.denominator + a.denominator * (b.numerator + self.lambda * b.denominator)
        };
        let sum = |a: &Forms<'_>, b: &Forms<'_>, eq: &[PackedEF]| -> EF {
            let [terms] = bilinear(a, b, [&summand]);
            terms.sum(eq)
        };
        let piece = |(index, eq): (usize, &[PackedEF])| {
            let mut sums = [EF::ZERO; 2];
            self.leaves.runs(self.quarters(index), eq.len(), |before, [a0, a1, b0, b1]| {
                let eq = &eq[before..before + a0.packs()];
                let end = if at_one { sum(&a1, &b1, eq) } else { sum(&a0, &b0, eq) };
                sums = add_sums(sums, [end, sum(&a1.minus(&a0), &b1.minus(&b0), eq)]);
            });
            sums
        };
        if self.eq.len() * WIDTH < PARALLEL_THRESHOLD {
            self.eq.chunks(PIECE).enumerate().map(piece).fold([EF::ZERO; 2], add_sums)
        } else {
            self.eq.par_chunks(PIECE).enumerate().map(piece).reduce(|| [EF::ZERO; 2], add_sums)
        }
    }

    /// What remains after the first variable is bound to `r`; eq is used up.
    pub fn fold(&mut self, r: EF) -> Children<PackedEF> {
        let half = self.eq.len();
        let [mut p, mut q] = [(); 2].map(|()| zeros(2 * half));
        let ((p0, p1), (q0, q1)) = (p.split_at_mut(half), q.split_at_mut(half));
        let piece = |(index, ((p0, p1), (q0, q1))): (usize, (Halves<'_>, Halves<'_>))| {
            self.leaves.runs(self.quarters(index), p0.len(), |before, [a0, a1, b0, b1]| {
                let packs = before..before + a0.packs();
                let (a, b) = (Forms::bound(&a0, &a1, r), Forms::bound(&b0, &b1, r));
                a.linear(|f| f.numerator).write(&mut p0[packs.clone()]);
                a.linear(|f| f.denominator).write(&mut q0[packs.clone()]);
                b.linear(|f| f.numerator + self.lambda * f.denominator).write(&mut p1[packs.clone()]);
                b.linear(|f| f.denominator).write(&mut q1[packs]);
            });
        };
        if half * WIDTH < PARALLEL_THRESHOLD {
            let of_p = p0.chunks_mut(PIECE).zip(p1.chunks_mut(PIECE));
            of_p.zip(q0.chunks_mut(PIECE).zip(q1.chunks_mut(PIECE))).enumerate().for_each(piece);
        } else {
            let of_p = p0.par_chunks_mut(PIECE).zip(p1.par_chunks_mut(PIECE));
            of_p.zip(q0.par_chunks_mut(PIECE).zip(q1.par_chunks_mut(PIECE))).enumerate().for_each(piece);
        }
        let mut children = Children { p, q, eq: std::mem::take(&mut self.eq) };
        children.shrink_eq();
        children
    }

    /// p0, p1, q0, q1, written out.
    pub fn into_children(self) -> [Vec<EF>; 4] {
        let Layer { numerators, denominators } = self.leaves.layer(0);
        let [mut p0, mut q0] = [numerators, denominators].map(|values| values.to_scalars());
        let half = p0.len() / 2;
        let (p1, q1) = (p0.split_off(half), q0.split_off(half));
        [p0, p1, q0, q1]
    }

    /// The first packs of a piece in the halves of the first children, then of the second.
    fn quarters(&self, piece: usize) -> [usize; 4] {
        std::array::from_fn(|quarter| quarter * self.eq.len() + piece * PIECE)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use deepprove_verifier::testing::*;

    use super::*;
    use crate::field::{F, LOG_WIDTH};
    use crate::logup::leaves::{Column, LeafBlock};
    use crate::logup::sums::LayerSums;

    /// Lookups of one and of two columns, a table, blocks smaller than a pack, and leaves in no block.
    fn leaves(levels: usize) -> Leaves {
        let vector = Arc::new((0..1 << levels).map(|i| F::new(i * i + 3)).collect::<Vec<F>>());
        let sizes = [1 << (levels - 1), 1 << (levels - 3), 1 << (levels - 4), 2.min(WIDTH), 1];
        let mut end = 0;
        let blocks = sizes.into_iter().enumerate().map(|(number, len)| {
            end += len;
            let column = |start| Column::new(vector.clone(), start, len).unwrap();
            let terms = (0..=number % 2).map(|k| (element(2 + k as u64), column(k))).collect();
            let multiplicities = (number == 2).then(|| column(1));
            LeafBlock { leaf: end - len, len, multiplicities, constant: element(9 + number as u64), terms }
        });
        Leaves::new(blocks.collect(), levels).unwrap()
    }

    #[test]
    fn sums_are_those_of_leaves_that_are_written() {
        for levels in LOG_WIDTH + 3..13 {
            for first in [EF::ZERO, element(6)] {
                let z = [vec![first], elements(5, levels - 2)].concat();
                let written = || LayerSums::new(leaves(levels).layer(0), &z, element(7));
                let forms = || LayerSums::of_leaves(leaves(levels), &z, element(7));
                assert_eq!(forms().round(), written().round());
                assert_eq!(forms().total(), written().total());
                assert_eq!(forms().into_children(), written().into_children());
                let (mut forms, mut written) = (forms(), written());
                while written.variables() > 0 {
                    assert_eq!(forms.round(), written.round());
                    forms.fold(element(8));
                    written.fold(element(8));
                }
                assert_eq!(forms.into_children(), written.into_children());
            }
        }
    }
}
