//! A layer of the tree, and the layers above it.

use rayon::prelude::*;

use crate::field::EF;
use crate::field::vector::{Element, ExtVector};
use crate::pool::PARALLEL_THRESHOLD;

/// One layer of the tree: numerators and denominators of the same nodes.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Numerators.
    pub numerators: ExtVector,
    /// Denominators.
    pub denominators: ExtVector,
}

impl Layer {
    /// The logarithm of the number of nodes; none where there are not as many denominators as numerators.
    pub(crate) fn level(&self) -> Option<usize> {
        (self.numerators.len() == self.denominators.len()).then(|| self.numerators.variables())
    }

    /// This layer, of at least two nodes, and all above it down to one of two nodes.
    pub(crate) fn with_ancestors(self) -> Vec<Self> {
        let levels = self.numerators.variables();
        let mut layers = Vec::with_capacity(levels);
        layers.push(self);
        for level in 1..levels {
            layers.push(layers[level - 1].parents());
        }
        layers
    }

    /// The layer of the children (0, x) and (1, x) of some nodes x, from p0, p1, q0, q1.
    pub(crate) fn of_children([p0, p1, q0, q1]: &[Vec<EF>; 4]) -> Self {
        let [numerators, denominators] =
            [[p0, p1], [q0, q1]].map(|[low, high]| ExtVector::from_scalars(&[&low[..], high].concat()));
        Self { numerators, denominators }
    }

    /// The layer above: half as many nodes.
    fn parents(&self) -> Self {
        let wrap = |(p, q): (Vec<EF>, Vec<EF>)| Self {
            numerators: ExtVector::from_scalars(&p),
            denominators: ExtVector::from_scalars(&q),
        };
        match (&self.numerators, &self.denominators) {
            (ExtVector::Packed(p), ExtVector::Packed(q)) if p.len() > 2 => {
                let (p, q) = combine(p, q);
                Self { numerators: ExtVector::Packed(p), denominators: ExtVector::Packed(q) }
            }
            (p, q) => wrap(combine(&p.to_scalars(), &q.to_scalars())),
        }
    }
}

fn combine<R: Element>(p: &[R], q: &[R]) -> (Vec<R>, Vec<R>) {
    let half = p.len() / 2;
    let ((p0, p1), (q0, q1)) = (p.split_at(half), q.split_at(half));
    let node = |i: usize| (p0[i] * q1[i] + p1[i] * q0[i], q0[i] * q1[i]);
    if half * R::LANES < PARALLEL_THRESHOLD {
        (0..half).map(node).unzip()
    } else {
        (0..half).into_par_iter().with_min_len(256).map(node).unzip()
    }
}
