//! The sums of one layer's rounds, over all its nodes or over those of a part.

use p3_field::PrimeCharacteristicRing;

use crate::field::vector::{Element, ExtVector, fold_halves, sum_terms, unpack, update};
use crate::field::{EF, PackedEF};
use crate::logup::Layer;
use crate::logup::leaves::Leaves;
use crate::logup::streamed::StreamedSums;
use crate::poly::eq::{eq_packs, eq_scalars};
use deepprove_verifier::logup::interpolate;

/// What remains of the children. `p` has p0, then p1 + lambda q1: so the summand is p0 q1 + q0 p1. `q` has q0, then
/// q1. `eq` covers the variables after the current one.
pub(super) struct Children<R> {
    pub p: Vec<R>,
    pub q: Vec<R>,
    pub eq: Vec<R>,
}

impl<R: Element> Children<R> {
    /// From p0, then p1.
    fn new(mut p: Vec<R>, q: Vec<R>, eq: Vec<R>, lambda: EF) -> Self {
        let (half, lambda) = (q.len() / 2, R::from(lambda));
        update(&mut p[half..], &q[half..], |p1, q1| *p1 += lambda * *q1);
        Self { p, q, eq }
    }

    /// t(0), or t(1) where that is asked for, and c_2 of the round.
    fn round(&self, at_one: bool) -> [EF; 2] {
        let half = self.p.len() / 4;
        let end = if at_one { half } else { 0 };
        let at = |v: &[R], i: usize| (v[i + end], v[i + half] - v[i]);
        sum_terms(half, |i| {
            let ((p0, dp0), (p1, dp1)) = (at(&self.p, i), at(&self.p, i + 2 * half));
            let ((q0, dq0), (q1, dq1)) = (at(&self.q, i), at(&self.q, i + 2 * half));
            [self.eq[i] * (p0 * q1 + q0 * p1), self.eq[i] * (dp0 * dq1 + dq0 * dp1)]
        })
    }

    fn fold(&mut self, r: EF) {
        fold_halves(&mut self.p, r);
        fold_halves(&mut self.q, r);
    }

    /// Sums the top variable out of eq: eq(z_i, 0) + eq(z_i, 1) = 1.
    pub fn shrink_eq(&mut self) {
        let half = self.eq.len() / 2;
        let (low, high) = self.eq.split_at_mut(half);
        update(low, high, |low, high| *low += *high);
        self.eq.truncate(half);
    }
}

impl Children<PackedEF> {
    fn unpack(&self) -> Children<EF> {
        let [p, q, eq] = [&self.p, &self.q, &self.eq].map(|v| unpack(v));
        Children { p, q, eq }
    }
}

enum Layout {
    Streamed(StreamedSums),
    Packed(Children<PackedEF>),
    Scalar(Children<EF>),
}

/// The sums of a layer's rounds, one variable after the other.
pub(crate) struct LayerSums {
    children: Layout,
    z: Vec<EF>,
    bound: usize,
    lambda: EF,
}

impl LayerSums {
    /// From the layer of the children of 2^|z| nodes.
    pub fn new(children: Layer, z: &[EF], lambda: EF) -> Self {
        let after = z.get(1..).unwrap_or_default();
        let children = match (children.numerators, children.denominators) {
            (ExtVector::Packed(p), ExtVector::Packed(q)) if p.len() > 2 => {
                Layout::Packed(Children::new(p, q, eq_packs(after), lambda))
            }
            (p, q) => {
                let eq = eq_scalars(after, EF::ONE);
                Layout::Scalar(Children::new(p.to_scalars(), q.to_scalars(), eq, lambda))
            }
        };
        Self { children, z: z.to_vec(), bound: 0, lambda }
    }

    /// From children that are not written before `rounds` variables are bound: see [`StreamedSums::new`].
    pub fn streamed(leaves: Leaves, z: &[EF], lambda: EF, rounds: usize) -> Self {
        let children = Layout::Streamed(StreamedSums::new(leaves, z, lambda, rounds));
        Self { children, z: z.to_vec(), bound: 0, lambda }
    }

    /// Variables that are not bound yet.
    pub fn variables(&self) -> usize {
        self.z.len() - self.bound
    }

    /// t(0), or t(1) where z_i = 0 makes t(0) the claim itself, and c_2 of the round.
    pub fn round(&self) -> [EF; 2] {
        self.sums(self.z[self.bound] == EF::ZERO)
    }

    /// t(0), or t(1) where that is asked for, and c_2 of the round.
    fn sums(&self, at_one: bool) -> [EF; 2] {
        match &self.children {
            Layout::Streamed(streamed) => streamed.round(at_one),
            Layout::Packed(packs) => packs.round(at_one),
            Layout::Scalar(scalars) => scalars.round(at_one),
        }
    }

    /// Binds the current variable to `r`.
    pub fn fold(&mut self, r: EF) {
        self.bound += 1;
        match &mut self.children {
            Layout::Streamed(streamed) => {
                if let Some(children) = streamed.fold(r) {
                    self.children = Layout::Packed(children);
                }
            }
            Layout::Packed(packs) => {
                packs.fold(r);
                // The last pack's lanes are separate nodes; eq still has the pack that its round used.
                if packs.p.len() == 2 {
                    let mut scalars = packs.unpack();
                    scalars.shrink_eq();
                    self.children = Layout::Scalar(scalars);
                } else {
                    packs.shrink_eq();
                }
            }
            Layout::Scalar(scalars) => {
                scalars.fold(r);
                scalars.shrink_eq();
            }
        }
    }

    /// The sum over all that remains, eq(z_i, .) of the current variable included.
    pub fn total(&self) -> EF {
        match (&self.children, self.z.get(self.bound)) {
            (Layout::Scalar(c), None) => c.p[0] * c.q[1] + c.q[0] * c.p[1],
            (_, z) => {
                let [zero, one] = [false, true].map(|at_one| self.sums(at_one)[0]);
                interpolate(zero, one, z.copied().unwrap_or_default())
            }
        }
    }

    /// What remains of p0, p1, q0, q1.
    pub fn into_children(self) -> [Vec<EF>; 4] {
        let Children { p: mut p0, q: mut q0, .. } = match self.children {
            Layout::Streamed(streamed) => streamed.written().unpack(),
            Layout::Packed(packs) => packs.unpack(),
            Layout::Scalar(scalars) => scalars,
        };
        let half = q0.len() / 2;
        let (mut p1, q1) = (p0.split_off(half), q0.split_off(half));
        p1.iter_mut().zip(&q1).for_each(|(p1, &q1)| *p1 -= self.lambda * q1);
        [p0, p1, q0, q1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::fold_top;
    use deepprove_verifier::testing::*;

    fn example(variables: usize, z: &[EF]) -> ([Vec<EF>; 4], LayerSums) {
        let children = [1, 2, 3, 4].map(|seed| elements(seed, 1 << variables));
        let sums = LayerSums::new(Layer::of_children(&children), z, element(9));
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
