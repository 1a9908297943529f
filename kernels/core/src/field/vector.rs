//! Vectors of extension elements over a Boolean hypercube, packed for the vector unit.
//!
//! A vector of 2^n values is a multilinear polynomial in n variables; variable 0 is the **top** bit
//! of the index. Binding it to r folds halves: v'[i] = v[i] + r (v[i + half] - v[i]).

use std::array;

use p3_field::{
    Algebra, BasedVectorSpace, PackedFieldExtension, PackedFieldPow2, PackedValue, PrimeCharacteristicRing,
};
use rayon::prelude::*;

use crate::field::{EF, EXTENSION_DEGREE, F, LOG_WIDTH, PackedEF, PackedF, WIDTH, coefficients};
use crate::pool::PARALLEL_THRESHOLD;

/// What kernels compute with: one extension element, or a register-wide pack of them.
pub trait Element: Algebra<EF> + Copy + Send + Sync + 'static {
    /// Extension elements in one value.
    const LANES: usize;
    /// The sum over the lanes.
    fn lane_sum(self) -> EF;
}

impl Element for EF {
    const LANES: usize = 1;
    #[inline]
    fn lane_sum(self) -> EF {
        self
    }
}

impl Element for PackedEF {
    const LANES: usize = WIDTH;
    #[inline]
    fn lane_sum(self) -> EF {
        unpack(&[self]).into_iter().sum()
    }
}

/// Indices that one task of a parallel loop takes; packs are worth [`WIDTH`] scalars.
const TASK: usize = 256;

/// Adds the `N` values of `term(i)` over `0..len`, in parallel when that is worth a pool.
/// Field sums are exact, so the result does not depend on the split.
pub fn sum_terms<R: Element, const N: usize>(len: usize, term: impl Fn(usize) -> [R; N] + Sync) -> [EF; N] {
    let range = |start: usize, end: usize| {
        (start..end).fold([R::ZERO; N], |mut sums, i| {
            for (sum, value) in sums.iter_mut().zip(term(i)) {
                *sum += value;
            }
            sums
        })
    };
    let total = if len * R::LANES < PARALLEL_THRESHOLD {
        range(0, len)
    } else {
        (0..len.div_ceil(TASK))
            .into_par_iter()
            .map(|task| range(task * TASK, len.min((task + 1) * TASK)))
            .reduce(|| [R::ZERO; N], add_sums)
    };
    total.map(Element::lane_sum)
}

/// The sums of two parts of a loop.
pub fn add_sums<R: Element, const N: usize>(mut a: [R; N], b: [R; N]) -> [R; N] {
    a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
    a
}

/// sum_i values[i] weights[i] lane by lane: eight products share a reduction modulo p.
#[inline]
pub fn dot_base(weights: &[PackedEF], values: &[PackedF]) -> PackedEF {
    let ((weights, last_weights), (values, last_values)) =
        (weights.as_chunks::<8>(), values.as_chunks::<8>());
    let mut sums = [PackedF::ZERO; EXTENSION_DEGREE];
    for (weights, values) in weights.iter().zip(values) {
        let coefficients = weights.each_ref().map(|w| w.as_basis_coefficients_slice());
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum += PackedF::dot_product(&coefficients.map(|c| c[k]), values);
        }
    }
    let last = last_weights.iter().zip(last_values).map(|(&w, &x)| w * x).sum::<PackedEF>();
    last + PackedEF::from_basis_coefficients_fn(|k| sums[k])
}

/// The sums over the lanes of as many packs as a pack has lanes, in their order.
pub fn lane_sums(values: &[PackedEF; WIDTH]) -> PackedEF {
    PackedEF::from_basis_coefficients_fn(|k| {
        let mut sums: [PackedF; WIDTH] =
            values.each_ref().map(|value| value.as_basis_coefficients_slice()[k]);
        for log in 0..LOG_WIDTH {
            for i in 0..WIDTH >> (log + 1) {
                let (a, b) = sums[2 * i].interleave(sums[2 * i + 1], 1 << log);
                sums[i] = a + b;
            }
        }
        sums[0]
    })
}

/// Changes every value by the one beside it, in parallel when that is worth a pool.
pub fn update<R: Element>(values: &mut [R], others: &[R], change: impl Fn(&mut R, &R) + Sync) {
    let part = |(values, others): (&mut [R], &[R])| {
        values.iter_mut().zip(others).for_each(|(value, other)| change(value, other));
    };
    if values.len() * R::LANES < PARALLEL_THRESHOLD {
        part((values, others));
    } else {
        values.par_chunks_mut(TASK).zip(others.par_chunks(TASK)).for_each(part);
    }
}

/// Binds the top variable of `values` to `r`, in place.
pub fn fold_top<R: Element>(values: &mut Vec<R>, r: EF) {
    let half = values.len() / 2;
    let (low, high) = values.split_at_mut(half);
    let r = R::from(r);
    update(low, high, |low, high| *low += r * (*high - *low));
    values.truncate(half);
}

/// Where the results of two halves go.
type Targets<'a, R> = (&'a mut [R], &'a mut [R]);

/// Binds the top variable of each half of `values` to `r`, in place.
pub fn fold_halves<R: Element>(values: &mut Vec<R>, r: EF) {
    let (quarter, r) = (values.len() / 4, R::from(r));
    let (first, second) = values.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (first.split_at_mut(quarter), second.split_at(quarter));
    let bind = |(((a, b), c), d): ((Targets<'_, R>, &[R]), &[R])| {
        for ((a, b), (&c, &d)) in a.iter_mut().zip(b).zip(c.iter().zip(d)) {
            (*a, *b) = (*a + r * (*b - *a), c + r * (d - c));
        }
    };
    if quarter * R::LANES < PARALLEL_THRESHOLD {
        bind((((a, b), c), d));
    } else {
        let targets = a.par_chunks_mut(TASK).zip(b.par_chunks_mut(TASK));
        targets.zip(c.par_chunks(TASK)).zip(d.par_chunks(TASK)).for_each(bind);
    }
    values.truncate(2 * quarter);
}

/// Packs of zeros, of a large vector written by all threads.
pub fn zeros(packs: usize) -> Vec<PackedEF> {
    if packs * WIDTH < PARALLEL_THRESHOLD {
        PackedEF::zero_vec(packs)
    } else {
        (0..packs).into_par_iter().with_min_len(TASK).map(|_| PackedEF::ZERO).collect()
    }
}

/// A vector of 2^n extension elements.
///
/// Packs are used while at least two remain, so that folding always pairs whole packs.
#[derive(Clone, Debug)]
pub enum ExtVector {
    /// At least two packs.
    Packed(Vec<PackedEF>),
    /// Fewer than two packs, one by one.
    Scalar(Vec<EF>),
}

/// Runs `$body` with `$v` bound to the vector inside, packed or not.
#[macro_export]
macro_rules! each_layout {
    ($vector:expr, $v:ident => $body:expr) => {
        match $vector {
            $crate::field::vector::ExtVector::Packed($v) => $body,
            $crate::field::vector::ExtVector::Scalar($v) => $body,
        }
    };
}

impl ExtVector {
    /// Packs `values`, whose length is a power of two.
    pub fn from_scalars(values: &[EF]) -> Self {
        debug_assert!(values.len().is_power_of_two());
        if values.len() < 2 * WIDTH { Self::Scalar(values.to_vec()) } else { Self::Packed(pack(values)) }
    }

    /// Number of extension elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Packed(v) => v.len() * WIDTH,
            Self::Scalar(v) => v.len(),
        }
    }

    /// Whether there is no element; never so for a hypercube.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Number of variables.
    pub fn variables(&self) -> usize {
        self.len().trailing_zeros() as usize
    }

    /// The elements in order.
    pub fn to_scalars(&self) -> Vec<EF> {
        match self {
            Self::Packed(v) => unpack(v),
            Self::Scalar(v) => v.clone(),
        }
    }

    /// Binds the top variable to `r`.
    pub fn fold(&mut self, r: EF) {
        each_layout!(self, v => fold_top(v, r));
        self.normalise();
    }

    /// Leaves packs when fewer than two remain.
    pub(crate) fn normalise(&mut self) {
        if let Self::Packed(v) = self
            && v.len() < 2
        {
            *self = Self::Scalar(self.to_scalars());
        }
    }
}

/// Elements that change their layout at once: loops of this length are vectorised, those over one pack are not.
const BLOCK: usize = 8 * WIDTH;

/// The scalars of packs.
pub fn unpack(packs: &[PackedEF]) -> Vec<EF> {
    let mut values = Vec::with_capacity(packs.len() * WIDTH);
    let (blocks, tail) = packs.as_chunks::<{ BLOCK / WIDTH }>();
    for block in blocks {
        let columns: [_; EXTENSION_DEGREE] =
            array::from_fn(|k| block.each_ref().map(|pack| pack.as_basis_coefficients_slice()[k]));
        let columns = columns.each_ref().map(|column| PackedF::unpack_slice(column));
        values.extend((0..BLOCK).map(|i| EF::from_basis_coefficients_fn(|k| columns[k][i])));
    }
    values.extend(<PackedEF as PackedFieldExtension<F, EF>>::to_ext_iter(tail.iter().copied()));
    values
}

/// The packs of a block of scalars.
fn pack_block(values: &[EF; BLOCK]) -> [PackedEF; BLOCK / WIDTH] {
    let mut columns = [[F::ZERO; BLOCK]; EXTENSION_DEGREE];
    for (i, value) in values.iter().enumerate() {
        columns.iter_mut().zip(coefficients(value)).for_each(|(column, &c)| column[i] = c);
    }
    let columns = columns.each_ref().map(|column| PackedF::pack_slice(column));
    array::from_fn(|i| PackedEF::from_basis_coefficients_fn(|k| columns[k][i]))
}

/// Packs scalars; the length is a multiple of [`WIDTH`].
pub fn pack(values: &[EF]) -> Vec<PackedEF> {
    let mut packs = Vec::with_capacity(values.len() / WIDTH);
    let (blocks, tail) = values.as_chunks();
    blocks.iter().for_each(|block| packs.extend(pack_block(block)));
    packs.extend(tail.chunks_exact(WIDTH).map(PackedEF::from_ext_slice));
    packs
}

/// sum_i a[i] b[i] of two vectors of one length, on this thread.
pub fn dot(a: &[EF], b: &[EF]) -> EF {
    let ((blocks, tail), (other_blocks, other_tail)) = (a.as_chunks(), b.as_chunks());
    let mut sum = PackedEF::ZERO;
    for (a, b) in blocks.iter().zip(other_blocks) {
        for (a, b) in pack_block(a).iter().zip(&pack_block(b)) {
            sum += *a * *b;
        }
    }
    sum.lane_sum() + tail.iter().zip(other_tail).map(|(&a, &b)| a * b).sum::<EF>()
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::testing::*;

    use super::*;

    #[test]
    fn folding_all_variables_evaluates_the_multilinear_extension() {
        for n in 0..9 {
            let values = elements(n, 1 << n);
            let point = elements(n + 50, n as usize);
            let mut vector = ExtVector::from_scalars(&values);
            for &r in &point {
                vector.fold(r);
            }
            assert_eq!(vector.to_scalars(), vec![multilinear(&values, &point)]);
        }
    }

    #[test]
    fn lanes_are_summed_in_order() {
        let values: [PackedEF; WIDTH] =
            std::array::from_fn(|i| PackedEF::from_ext_slice(&elements(i as u64, WIDTH)));
        let expected: Vec<EF> = values.iter().map(|value| value.lane_sum()).collect();
        assert_eq!(unpack(&[lane_sums(&values)]), expected);
    }

    #[test]
    fn packs_hold_elements_in_order() {
        let values = elements(3, 3 * BLOCK / 2);
        let packs = pack(&values);
        for (i, &value) in values.iter().enumerate() {
            assert_eq!(PackedFieldExtension::<F, EF>::extract(&packs[i / WIDTH], i % WIDTH), value);
        }
        assert_eq!(unpack(&packs), values);
    }

    #[test]
    fn dot_agrees_with_scalars() {
        let (a, b) = (elements(1, 256), elements(2, 256));
        for len in [0, 5, BLOCK, 256, BLOCK + 3] {
            let expected: EF = a[..len].iter().zip(&b).map(|(&x, &y)| x * y).sum();
            assert_eq!(dot(&a[..len], &b[..len]), expected);
        }
    }

    #[test]
    fn halves_are_folded_as_vectors_of_their_own() {
        for len in [4, 64, 1 << 15] {
            let (mut low, mut high) = (elements(1, len / 2), elements(2, len / 2));
            let mut both = [&low[..], &high].concat();
            fold_halves(&mut both, element(3));
            fold_top(&mut low, element(3));
            fold_top(&mut high, element(3));
            assert_eq!(both, [low, high].concat());
        }
    }
}
