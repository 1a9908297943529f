//! The sums of one layer's rounds, over all its nodes or over those of a part.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use crate::field::vector::{Element, ExtVector, add_sums, fold_top, sum_terms, unpack};
use crate::field::{EF, PackedEF};
use crate::logup::leaves::Leaves;
use crate::poly::eq::{eq_packs, eq_scalars};
use deepprove_verifier::logup::interpolate;

/// What remains of the children; `p1` carries p1 + lambda q1, so that the summand is p0 q1 + q0 p1, and
/// `eq` covers the variables after the current one.
struct Children<R> {
    p0: Vec<R>,
    p1: Vec<R>,
    q0: Vec<R>,
    q1: Vec<R>,
    eq: Vec<R>,
}

impl<R: Element> Children<R> {
    fn new(p0: Vec<R>, mut p1: Vec<R>, q0: Vec<R>, q1: Vec<R>, eq: Vec<R>, lambda: EF) -> Self {
        let lambda = R::from(lambda);
        p1.iter_mut().zip(&q1).for_each(|(p1, q1)| *p1 += lambda * *q1);
        Self { p0, p1, q0, q1, eq }
    }

    /// t(0) and c_2 of the round.
    fn round(&self) -> [EF; 2] {
        let half = self.p0.len() / 2;
        let at = |v: &[R], i: usize| (v[i], v[i + half] - v[i]);
        sum_terms(half, |i| {
            let ((p0, dp0), (p1, dp1)) = (at(&self.p0, i), at(&self.p1, i));
            let ((q0, dq0), (q1, dq1)) = (at(&self.q0, i), at(&self.q1, i));
            [self.eq[i] * (p0 * q1 + q0 * p1), self.eq[i] * (dp0 * dq1 + dq0 * dp1)]
        })
    }

    /// t(1), which the claim gives but for z_i = 0.
    fn at_one(&self) -> EF {
        let half = self.p0.len() / 2;
        let (p0, p1) = (&self.p0[half..], &self.p1[half..]);
        let (q0, q1) = (&self.q0[half..], &self.q1[half..]);
        sum_terms(half, |i| [self.eq[i] * (p0[i] * q1[i] + q0[i] * p1[i])])[0]
    }

    fn fold(&mut self, r: EF) {
        for vector in [&mut self.p0, &mut self.p1, &mut self.q0, &mut self.q1] {
            fold_top(vector, r);
        }
    }

    /// Sums the top variable out of eq: eq(z_i, 0) + eq(z_i, 1) = 1.
    fn shrink_eq(&mut self) {
        let half = self.eq.len() / 2;
        let (low, high) = self.eq.split_at_mut(half);
        low.iter_mut().zip(high.iter()).for_each(|(low, high)| *low += *high);
        self.eq.truncate(half);
    }
}

impl Children<PackedEF> {
    fn unpack(&self) -> Children<EF> {
        let [p0, p1, q0, q1, eq] = [&self.p0, &self.p1, &self.q0, &self.q1, &self.eq].map(|v| unpack(v));
        Children { p0, p1, q0, q1, eq }
    }
}

enum Layout {
    Packed(Children<PackedEF>),
    Scalar(Children<EF>),
}

/// Runs `$body` with `$c` bound to the children inside, packed or not.
macro_rules! on_layout {
    ($layout:expr, $c:ident => $body:expr) => {
        match $layout {
            Layout::Packed($c) => $body,
            Layout::Scalar($c) => $body,
        }
    };
}

/// The sums of a layer's rounds, one variable after the other.
pub(crate) struct LayerSums {
    children: Layout,
    z: Vec<EF>,
    bound: usize,
    lambda: EF,
}

impl LayerSums {
    /// From p0, p1, q0, q1 over |z| variables each.
    pub fn new([p0, p1, q0, q1]: [ExtVector; 4], z: &[EF], lambda: EF) -> Self {
        let after = z.get(1..).unwrap_or_default();
        let children = match (p0, p1, q0, q1) {
            (ExtVector::Packed(p0), ExtVector::Packed(p1), ExtVector::Packed(q0), ExtVector::Packed(q1)) => {
                Layout::Packed(Children::new(p0, p1, q0, q1, eq_packs(after), lambda))
            }
            (p0, p1, q0, q1) => {
                let [p0, p1, q0, q1] = [p0, p1, q0, q1].map(|v| v.to_scalars());
                Layout::Scalar(Children::new(p0, p1, q0, q1, eq_scalars(after, EF::ONE), lambda))
            }
        };
        Self { children, z: z.to_vec(), bound: 0, lambda }
    }

    /// Variables that are not bound yet.
    pub fn variables(&self) -> usize {
        self.z.len() - self.bound
    }

    /// t(0), or t(1) where z_i = 0 makes t(0) the claim itself, and c_2 of the round.
    pub fn round(&self) -> [EF; 2] {
        let [t0, c2] = on_layout!(&self.children, c => c.round());
        if self.z[self.bound] == EF::ZERO {
            [on_layout!(&self.children, c => c.at_one()), c2]
        } else {
            [t0, c2]
        }
    }

    /// Binds the current variable to `r`.
    pub fn fold(&mut self, r: EF) {
        self.bound += 1;
        on_layout!(&mut self.children, c => c.fold(r));
        // The last pack's lanes are separate nodes; eq still has the pack that its round used.
        if let Layout::Packed(packs) = &self.children
            && packs.p0.len() == 1
        {
            self.children = Layout::Scalar(packs.unpack());
        }
        on_layout!(&mut self.children, c => c.shrink_eq());
    }

    /// The sum over all that remains, eq(z_i, .) of the current variable included.
    pub fn total(&self) -> EF {
        match (&self.children, self.z.get(self.bound)) {
            (Layout::Scalar(c), None) => c.p0[0] * c.q1[0] + c.q0[0] * c.p1[0],
            (children, z) => {
                let z = z.copied().unwrap_or_default();
                on_layout!(children, c => interpolate(c.round()[0], c.at_one(), z))
            }
        }
    }

    /// What remains of p0, p1, q0, q1.
    pub fn into_children(self) -> [Vec<EF>; 4] {
        let Children { p0, mut p1, q0, q1, .. } = match self.children {
            Layout::Packed(packs) => packs.unpack(),
            Layout::Scalar(scalars) => scalars,
        };
        p1.iter_mut().zip(&q1).for_each(|(p1, &q1)| *p1 -= self.lambda * q1);
        [p0, p1, q0, q1]
    }
}

/// Packs of a quarter of the leaves that are made at once.
const PIECE: usize = 64;

/// The first round of the layer above the leaves, which are written where they are read. What remains after it is
/// half as many values.
pub(crate) struct FirstRound<'a> {
    leaves: &'a Leaves<'a>,
    z: Vec<EF>,
    lambda: EF,
    eq: Vec<PackedEF>,
}

impl<'a> FirstRound<'a> {
    /// From leaves of eight packs or more, and the point of their parents.
    pub fn new(leaves: &'a Leaves<'a>, z: &[EF], lambda: EF) -> Self {
        Self { leaves, z: z.to_vec(), lambda, eq: eq_packs(&z[1..]) }
    }

    /// As [`LayerSums::round`].
    pub fn round(&self) -> [EF; 2] {
        let pieces = self.eq.par_chunks(PIECE).enumerate();
        let sums = pieces.map(|(index, eq)| {
            let children = self.children(index * PIECE, eq);
            let [t0, c2] = children.round();
            if self.z[0] == EF::ZERO { [children.at_one(), c2] } else { [t0, c2] }
        });
        sums.reduce(|| [EF::ZERO; 2], add_sums)
    }

    /// What remains after the first variable is bound to `r`.
    pub fn fold(self, r: EF) -> LayerSums {
        let [mut p0, mut p1, mut q0, mut q1] = [(); 4].map(|()| PackedEF::zero_vec(self.eq.len()));
        let of_p = p0.par_chunks_mut(PIECE).zip(p1.par_chunks_mut(PIECE));
        let of_q = q0.par_chunks_mut(PIECE).zip(q1.par_chunks_mut(PIECE));
        of_p.zip(of_q).zip(self.eq.par_chunks(PIECE)).enumerate().for_each(|(index, (targets, eq))| {
            let ((p0, p1), (q0, q1)) = targets;
            let mut children = self.children(index * PIECE, eq);
            children.fold(r);
            p0.copy_from_slice(&children.p0);
            p1.copy_from_slice(&children.p1);
            q0.copy_from_slice(&children.q0);
            q1.copy_from_slice(&children.q1);
        });
        let mut children = Children { p0, p1, q0, q1, eq: self.eq };
        children.shrink_eq();
        LayerSums { children: Layout::Packed(children), z: self.z, bound: 1, lambda: self.lambda }
    }

    /// The children at some packs of both halves, from the pack `first` of each.
    fn children(&self, first: usize, eq: &[PackedEF]) -> Children<PackedEF> {
        let half = self.eq.len();
        let [low, high] = [first, first + 2 * half].map(|first| {
            let [(mut p, mut q), (more_p, more_q)] =
                [first, first + half].map(|first| self.leaves.packs(first, eq.len()));
            p.extend(more_p);
            q.extend(more_q);
            (p, q)
        });
        Children::new(low.0, high.0, low.1, high.1, eq.to_vec(), self.lambda)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    fn example(variables: usize, z: &[EF]) -> ([Vec<EF>; 4], LayerSums) {
        let children = [1, 2, 3, 4].map(|seed| elements(seed, 1 << variables));
        let sums = LayerSums::new(children.each_ref().map(|v| ExtVector::from_scalars(v)), z, element(9));
        (children, sums)
    }

    fn by_definition([p0, p1, q0, q1]: &[Vec<EF>; 4], z: &[EF]) -> EF {
        let node = |i: usize| p0[i] * q1[i] + p1[i] * q0[i] + element(9) * q0[i] * q1[i];
        eq_scalars(z, EF::ONE).iter().enumerate().map(|(i, &weight)| weight * node(i)).sum()
    }

    #[test]
    fn totals_and_children_are_those_of_the_definition() {
        for variables in 0..8 {
            let z = elements(5, variables);
            let (mut children, mut sums) = example(variables, &z);
            for bound in 0..=variables {
                assert_eq!(sums.variables(), variables - bound);
                assert_eq!(sums.total(), by_definition(&children, &z[bound..]));
                if bound < variables {
                    let r = element(100 + bound as u64);
                    sums.fold(r);
                    children.iter_mut().for_each(|v| fold_top(v, r));
                }
            }
            assert_eq!(sums.into_children(), children);
            let (children, sums) = example(variables, &z);
            assert_eq!(sums.into_children(), children);
        }
    }

    #[test]
    fn a_round_is_a_quadratic_polynomial() {
        for variables in 1..8 {
            for first in [EF::ZERO, element(6)] {
                let z = [vec![first], elements(5, variables - 1)].concat();
                let (children, sums) = example(variables, &z);
                let at = |x: EF| {
                    let mut children = children.clone();
                    children.iter_mut().for_each(|v| fold_top(v, x));
                    by_definition(&children, &z[1..])
                };
                let [end, c2] = sums.round();
                let (t0, t1) = (at(EF::ZERO), at(EF::ONE));
                assert_eq!(end, if first == EF::ZERO { t1 } else { t0 });
                assert_eq!(at(EF::TWO), t0 + EF::TWO * (t1 - t0) + c2.double());
            }
        }
    }
}
