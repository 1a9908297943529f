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
