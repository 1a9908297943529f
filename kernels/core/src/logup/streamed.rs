//! The sums of a layer whose children are not written: these are made a piece at a time from the leaves, again for
//! each round, until so many variables are bound that what remains of them fits.
//!
//! With the variables before it bound to r, a round needs sum_b eq(r, b) v(b, x, .) of each child. Leaves are linear
//! in base elements, and so are these sums: see [`forms`](super::forms).

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use crate::field::vector::{Element, add_sums, zeros};
use crate::field::{EF, LOG_WIDTH, PackedEF, WIDTH};
use crate::logup::forms::{Forms, Fraction, bilinear};
use crate::logup::leaves::{LOG_PIECE, Leaves, PIECE};
use crate::logup::sums::Children;
use crate::poly::eq::{eq_packs, eq_scalars};
use crate::pool::PARALLEL_THRESHOLD;

/// Children of a layer, of which the first variables are bound.
pub(super) struct StreamedSums {
    leaves: Leaves,
    /// Of the children, above the leaves.
    height: usize,
    /// The point of the claim about the layer.
    z: Vec<EF>,
    lambda: EF,
    /// What the first variables are bound to.
    bound: Vec<EF>,
    /// How many are bound when the rest is written.
    rounds: usize,
}

/// Numerators and denominators of some packs of nodes.
type Nodes = (Vec<PackedEF>, Vec<PackedEF>);
/// Packs of both children.
type Halves<'a> = (&'a mut [PackedEF], &'a mut [PackedEF]);

impl StreamedSums {
    /// The children of the 2^|z| nodes of a layer. After `rounds` variables, one or more, two packs of them or more
    /// remain of both halves.
    pub fn new(leaves: Leaves, z: &[EF], lambda: EF, rounds: usize) -> Self {
        let height = leaves.levels() - z.len() - 1;
        Self { leaves, height, z: z.to_vec(), lambda, bound: Vec::new(), rounds }
    }

    /// t(0), or t(1) where that is asked for, and c_2.
    pub fn round(&self, at_one: bool) -> [EF; 2] {
        let after = &self.z[self.bound.len() + 1..];
        let (high, low) = after.split_at(after.len().saturating_sub(LOG_WIDTH + LOG_PIECE));
        let (high, low) = (eq_scalars(high, EF::ONE), eq_packs(low));
        let piece = |index: usize| {
            let sums = match self.height {
                0 => self.sum_leaves(index * PIECE, &low, at_one),
                _ => self.sum_nodes(index * PIECE, &low, at_one),
            };
            sums.map(|sum| sum * high[index])
        };
        if high.len() * low.len() * WIDTH < PARALLEL_THRESHOLD {
            (0..high.len()).map(piece).fold([EF::ZERO; 2], add_sums)
        } else {
            (0..high.len()).into_par_iter().map(piece).reduce(|| [EF::ZERO; 2], add_sums)
        }
    }

    fn sum_leaves(&self, first: usize, eq: &[PackedEF], at_one: bool) -> [EF; 2] {
        let summand = |a: Fraction, b: Fraction| {
            a.numerator * b.denominator + a.denominator * (b.numerator + self.lambda * b.denominator)
        };
        let sum = |a: &Forms<'_>, b: &Forms<'_>, eq: &[PackedEF]| -> EF {
            let [terms] = bilinear(a, b, [&summand]);
            terms.sum(eq)
        };
        let mut sums = [EF::ZERO; 2];
        self.bound_runs::<4>(first, eq.len(), |before, [a0, a1, b0, b1]| {
            let eq = &eq[before..before + a0.packs()];
            let end = if at_one { sum(&a1, &b1, eq) } else { sum(&a0, &b0, eq) };
            sums = add_sums(sums, [end, sum(&a1.minus(&a0), &b1.minus(&b0), eq)]);
        });
        sums
    }

    fn sum_nodes(&self, first: usize, eq: &[PackedEF], at_one: bool) -> [EF; 2] {
        let [a0, a1, b0, b1] = self.bound_nodes::<4>(first, eq.len());
        let lambda = PackedEF::from(self.lambda);
        let mut sums = [PackedEF::ZERO; 2];
        for (i, &eq) in eq.iter().enumerate() {
            let summand = |[p0, q0, p1, q1]: [PackedEF; 4]| eq * (p0 * q1 + q0 * (p1 + lambda * q1));
            let [at_0, at_1] = [(&a0, &b0), (&a1, &b1)].map(|(a, b)| [a.0[i], a.1[i], b.0[i], b.1[i]]);
            let slope = std::array::from_fn(|k| at_1[k] - at_0[k]);
            sums = add_sums(sums, [summand(if at_one { at_1 } else { at_0 }), summand(slope)]);
        }
        sums.map(|sum| sum.lane_sum())
    }

    /// Binds the current variable to `r`; what remains, if that is to be written now.
    pub fn fold(&mut self, r: EF) -> Option<Children<PackedEF>> {
        self.bound.push(r);
        (self.bound.len() == self.rounds).then(|| self.written())
    }

    /// What remains after the bound variables.
    pub fn written(&self) -> Children<PackedEF> {
        let rest = &self.z[self.bound.len()..];
        let half = (1 << rest.len()) / WIDTH;
        let [mut p, mut q] = [(); 2].map(|()| zeros(2 * half));
        let ((p0, p1), (q0, q1)) = (p.split_at_mut(half), q.split_at_mut(half));
        let write = |(index, ((p0, p1), (q0, q1))): (usize, (Halves<'_>, Halves<'_>))| match self.height {
            0 => self.bound_runs::<2>(index * PIECE, p0.len(), |before, [a, b]| {
                let packs = before..before + a.packs();
                a.linear(|f| f.numerator).write(&mut p0[packs.clone()]);
                a.linear(|f| f.denominator).write(&mut q0[packs.clone()]);
                b.linear(|f| f.numerator + self.lambda * f.denominator).write(&mut p1[packs.clone()]);
                b.linear(|f| f.denominator).write(&mut q1[packs]);
            }),
            _ => {
                let [a, b] = self.bound_nodes::<2>(index * PIECE, p0.len());
                p0.copy_from_slice(&a.0);
                q0.copy_from_slice(&a.1);
                q1.copy_from_slice(&b.1);
                let lambda = PackedEF::from(self.lambda);
                p1.iter_mut().zip(b.0.iter().zip(&b.1)).for_each(|(p1, (&p, &q))| *p1 = p + lambda * q);
            }
        };
        if half * WIDTH < PARALLEL_THRESHOLD {
            let of_p = p0.chunks_mut(PIECE).zip(p1.chunks_mut(PIECE));
            of_p.zip(q0.chunks_mut(PIECE).zip(q1.chunks_mut(PIECE))).enumerate().for_each(write);
        } else {
            let of_p = p0.par_chunks_mut(PIECE).zip(p1.par_chunks_mut(PIECE));
            of_p.zip(q0.par_chunks_mut(PIECE).zip(q1.par_chunks_mut(PIECE))).enumerate().for_each(write);
        }
        Children { p, q, eq: rest.get(1..).map_or_else(Vec::new, eq_packs) }
    }

    /// Calls `act` with the bound children, in runs as [`Leaves::runs`] has them: halves, or quarters where the current
    /// variable is 0 or 1.
    fn bound_runs<const N: usize>(
        &self,
        first: usize,
        count: usize,
        mut act: impl FnMut(usize, [Forms<'_>; N]),
    ) {
        let weights = eq_scalars(&self.bound, EF::ONE);
        let firsts: Vec<usize> = self.firsts::<N>(first).concat();
        self.leaves.runs(&firsts, count, |before, runs| {
            let of_part = |part: usize| &runs[part * weights.len()..(part + 1) * weights.len()];
            act(before, std::array::from_fn(|part| Forms::combination(of_part(part), &weights)));
        });
    }

    /// The bound children as [`StreamedSums::bound_runs`] has them, written.
    fn bound_nodes<const N: usize>(&self, first: usize, count: usize) -> [Nodes; N] {
        let weights = eq_scalars(&self.bound, EF::ONE);
        let [mut p, mut q] = [(); 2].map(|()| PackedEF::zero_vec(count));
        self.firsts::<N>(first).map(|firsts| {
            let mut sums = [(); 2].map(|()| PackedEF::zero_vec(count));
            for (first, &weight) in firsts.into_iter().zip(&weights) {
                self.leaves.write_nodes(self.height, first, &mut p, &mut q);
                for (sum, values) in sums.iter_mut().zip([&p, &q]) {
                    sum.iter_mut().zip(values).for_each(|(sum, &value)| *sum += value * weight);
                }
            }
            let [p, q] = sums;
            (p, q)
        })
    }

    /// For each half or quarter, and each index of the bound variables: the pack `first` of the rest.
    fn firsts<const N: usize>(&self, first: usize) -> [Vec<usize>; N] {
        let (bound, current) = (self.bound.len(), N / 4);
        let packs = (1 << (self.z.len() - bound - current)) / WIDTH;
        std::array::from_fn(|part| {
            let (child, value) = (part >> current, part & current);
            let index = |b: usize| ((child << bound | b) << current) | value;
            (0..1 << bound).map(|b| index(b) * packs + first).collect()
        })
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
    fn sums_are_those_of_nodes_that_are_written() {
        for levels in LOG_WIDTH + 3..13 {
            for height in 0..(levels - LOG_WIDTH - 2).min(4) {
                for rounds in 1..levels - height - LOG_WIDTH - 1 {
                    for first in [EF::ZERO, element(6)] {
                        let z = [vec![first], elements(5, levels - height - 2)].concat();
                        compare(&leaves(levels), height, &z, rounds);
                    }
                }
            }
        }
    }

    fn compare(leaves: &Leaves, height: usize, z: &[EF], rounds: usize) {
        let mut written = LayerSums::new(leaves.layer(height), z, element(7));
        let mut streamed = LayerSums::streamed(leaves.clone(), z, element(7), rounds);
        for round in 0..z.len() {
            assert_eq!(streamed.variables(), written.variables());
            assert_eq!(streamed.round(), written.round());
            assert_eq!(streamed.total(), written.total());
            for sums in [&mut streamed, &mut written] {
                sums.fold(element(8 + round as u64));
            }
        }
        assert_eq!(streamed.into_children(), written.into_children());
        let [streamed, written] = [true, false].map(|streams| {
            let mut sums = if streams {
                LayerSums::streamed(leaves.clone(), z, element(7), rounds)
            } else {
                LayerSums::new(leaves.layer(height), z, element(7))
            };
            (1..rounds).for_each(|round| sums.fold(element(round as u64)));
            sums.into_children()
        });
        assert_eq!(streamed, written);
    }
}
