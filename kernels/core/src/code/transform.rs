//! Values of polynomials at all points of a coset, by splitting X^n - s^n into ever smaller factors.
//!
//! Modulo (X^h - r) (X^h + r) = X^2h - r^2 a polynomial low + X^h high has the residues low + r high and
//! low - r high. From X^n - s^n down to n factors X - x they are the values at the points of s <w>, in
//! bit-reversed order. Factor f, numbered from 1 as in a heap, is split into factors 2 f and 2 f + 1 by the
//! root s^h u_g, where g is its index in its layer and u_g a unit: w^rev(g), for w of any order that is large
//! enough, so that one table of units serves all layers, sizes and cosets.
//!
//! Up to three layers are done at once, on values that are in registers, and then the parts that they make,
//! one after the other: whatever the size of a cache, most layers run in it (Frigo, Leiserson, Prokop,
//! Ramachandran, Cache-Oblivious Algorithms, FOCS 1999).

use std::array::from_fn;
use std::iter::repeat;
use std::ops::{Add, Mul, Sub};

use p3_field::{
    PackedValue, PrimeCharacteristicRing, TwoAdicField, add_scaled_slice_in_place,
    scale_slice_in_place_single_core,
};
use p3_util::reverse_slice_index_bits;
use rayon::prelude::*;

use crate::field::{F, PackedF};

/// Values that one thread transforms: they fit the second cache.
pub(crate) const TASK_VALUES: usize = 1 << 17;
/// Values of each part that one task of a sweep over more values takes: all parts' fit the first cache.
const PIECE_VALUES: usize = 1 << 10;

/// The units of transforms of at most 2^log_size rows.
pub(crate) fn units(log_size: usize) -> Vec<F> {
    let mut units: Vec<F> = F::two_adic_generator(log_size).powers().take((1 << log_size) / 2).collect();
    reverse_slice_index_bits(&mut units);
    units
}

/// The roots that split the factors of X^n - s^n, at their numbers.
pub(crate) struct Roots(Vec<F>);

impl Roots {
    /// For n = 2^log_size and s = `first`; `units` are those of that size or a larger one.
    pub(crate) fn new(units: &[F], log_size: usize, first: F) -> Self {
        let mut roots = vec![F::ONE];
        for layer in 0..log_size {
            let start = roots.len();
            roots.extend_from_slice(&units[..1 << layer]);
            scale_slice_in_place_single_core(&mut roots[start..], first.exp_power_of_2(log_size - 1 - layer));
        }
        Self(roots)
    }

    /// Those that split a factor into N, numbered from 1 in their turn.
    fn below<const N: usize>(&self, factor: usize) -> [F; N] {
        from_fn(|index| {
            let layer = index.max(1).ilog2();
            self.0[(factor << layer) + index.saturating_sub(1 << layer)]
        })
    }
}

/// Turns 2^log_rows equally long rows of coefficients into rows of values. Runs inside a pool.
pub(crate) fn transform(rows: &mut [F], log_rows: usize, roots: &Roots) {
    split(rows, log_rows, 1, roots);
}

/// What is added to the first rows of coefficients: `scale` times these.
#[derive(Clone, Copy)]
pub(crate) struct Addend<'a> {
    pub(crate) rows: &'a [F],
    pub(crate) scale: F,
}

impl Addend<'_> {
    /// The parts of so many values, without end.
    fn parts(&self, length: usize) -> impl Iterator<Item = &[F]> {
        self.rows.chunks(length).chain(repeat(&[][..]))
    }
}

/// The same of the sum of `rows` and an addend, which has no more rows.
pub(crate) fn transformed(rows: &[F], added: Addend, log_rows: usize, roots: &Roots) -> Vec<F> {
    match layers(log_rows) {
        0 => {
            let mut values = rows.to_vec();
            add_scaled(&mut values, added.rows, added.scale);
            values
        }
        1 => copied::<2>(rows, added, log_rows, roots),
        2 => copied::<4>(rows, added, log_rows, roots),
        _ => copied::<8>(rows, added, log_rows, roots),
    }
}

fn copied<const N: usize>(rows: &[F], added: Addend, log_rows: usize, roots: &Roots) -> Vec<F> {
    let (length, size) = (rows.len() / N, rows.len());
    let mut values = Vec::with_capacity(size);
    let targets = values.spare_capacity_mut()[..size].chunks_exact_mut(length);
    let parts = targets.zip(rows.chunks_exact(length)).zip(added.parts(length));
    let pieces = parts.map(|((target, row), addend)| {
        let pieces = target.chunks_mut(PIECE_VALUES).zip(row.chunks(PIECE_VALUES));
        pieces.zip(addend.chunks(PIECE_VALUES).chain(repeat(&[][..])))
    });
    sweep::<_, N>(
        pieces.collect(),
        |((target, row), addend)| {
            let target = target.write_copy_of_slice(row);
            add_scaled(target, addend, added.scale);
            target
        },
        &roots.below(1),
    );
    // SAFETY: the pieces partition the first `size` values, and each was written before it was changed.
    unsafe { values.set_len(size) };
    split_parts::<N>(&mut values, log_rows, 1, roots);
    values
}

/// Adds `scale` times the addend to the first values.
pub(crate) fn add_scaled(values: &mut [F], addend: &[F], scale: F) {
    if !addend.is_empty() {
        add_scaled_slice_in_place(&mut values[..addend.len()], addend, scale);
    }
}

/// How many layers to do at once on so many rows.
fn layers(log_rows: usize) -> usize {
    match log_rows {
        0..=2 => log_rows,
        4 => 2,
        _ => 3,
    }
}

/// Splits a factor, whose residues are 2^log_rows rows, down to the last.
fn split(rows: &mut [F], log_rows: usize, factor: usize, roots: &Roots) {
    match layers(log_rows) {
        0 => {}
        1 => split_by::<2>(rows, log_rows, factor, roots),
        2 => split_by::<4>(rows, log_rows, factor, roots),
        _ => split_by::<8>(rows, log_rows, factor, roots),
    }
}

fn split_by<const N: usize>(rows: &mut [F], log_rows: usize, factor: usize, roots: &Roots) {
    let (size, splitting) = (rows.len(), roots.below(factor));
    let mut parts = rows.chunks_exact_mut(size / N);
    if size <= TASK_VALUES {
        butterflies::<N>(from_fn(|_| parts.next().unwrap_or_default()), &splitting);
    } else {
        sweep::<_, N>(parts.map(|part| part.chunks_mut(PIECE_VALUES)).collect(), |piece| piece, &splitting);
    }
    split_parts::<N>(rows, log_rows, factor, roots);
}

/// Splits the N factors that one has been split into.
fn split_parts<const N: usize>(rows: &mut [F], log_rows: usize, factor: usize, roots: &Roots) {
    let length = rows.len() / N;
    let next = |(index, part): (usize, &mut [F])| {
        split(part, log_rows - N.ilog2() as usize, N * factor + index, roots);
    };
    if rows.len() <= TASK_VALUES {
        rows.chunks_exact_mut(length).enumerate().for_each(next);
    } else {
        rows.par_chunks_exact_mut(length).enumerate().for_each(next);
    }
}

/// Splits a factor into N, on several threads; `parts` yield the pieces of each part, which `take` opens.
fn sweep<'a, T: Send, const N: usize>(
    mut parts: Vec<impl Iterator<Item = T>>,
    take: impl Fn(T) -> &'a mut [F] + Sync,
    roots: &[F; N],
) {
    let tasks: Vec<Vec<T>> = std::iter::from_fn(|| {
        let task: Vec<T> = parts.iter_mut().filter_map(Iterator::next).collect();
        (!task.is_empty()).then_some(task)
    })
    .collect();
    tasks.into_par_iter().for_each(|task| {
        let mut pieces = task.into_iter().map(&take);
        butterflies(from_fn(|_| pieces.next().unwrap_or_default()), roots);
    });
}

/// Splits a factor, whose residues are N equally long parts, into N. `roots[0]` is not read.
pub(crate) fn butterflies<const N: usize>(parts: [&mut [F]; N], roots: &[F; N]) {
    let mut remainders = from_fn(|_| Default::default());
    let mut slots = remainders.iter_mut();
    let mut packs: [&mut [PackedF]; N] = parts.map(|part| {
        let (packs, scalars) = PackedF::pack_slice_with_suffix_mut(part);
        if let Some(slot) = slots.next() {
            *slot = scalars;
        }
        packs
    });
    residues(&mut packs, &roots.map(PackedF::from));
    residues::<F, N>(&mut remainders, roots);
}

fn residues<V, const N: usize>(parts: &mut [&mut [V]; N], roots: &[V; N])
where
    V: Copy + Add<Output = V> + Sub<Output = V> + Mul<Output = V>,
{
    let length = parts[0].len();
    for i in 0..length {
        let mut values: [V; N] = from_fn(|index| parts[index][i]);
        let (mut factors, mut half) = (1, N / 2);
        while half > 0 {
            for factor in 0..factors {
                for low in (2 * factor * half..).take(half) {
                    let (a, b) = (values[low], values[low + half] * roots[factors + factor]);
                    (values[low], values[low + half]) = (a + b, a - b);
                }
            }
            (factors, half) = (2 * factors, half / 2);
        }
        for (part, value) in parts.iter_mut().zip(values) {
            part[i] = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use p3_util::reverse_bits_len;
    use proptest::prelude::*;

    use super::*;

    fn pseudo_random(count: usize, seed: u32) -> Vec<F> {
        (0..count as u32).map(|i| F::new((i ^ seed).wrapping_mul(2_654_435_761) >> 2)).collect()
    }

    proptest! {
        #[test]
        fn rows_are_values_in_bit_reversed_order(
            log_rows in 0_usize..9, columns in 1_usize..40, more in 0_usize..3, shift in 1_u32..1000,
            added in 0_usize..400, seed: u32,
        ) {
            let mut rows = pseudo_random(columns << log_rows, seed);
            let (first, w) = (F::new(shift), F::two_adic_generator(log_rows));
            let roots = Roots::new(&units(log_rows + more), log_rows, first);
            let mut values = rows.clone();
            transform(&mut values, log_rows, &roots);
            let addend = pseudo_random(columns * added.min(1 << log_rows), !seed);
            rows.iter_mut().zip(&addend).for_each(|(row, &value)| *row -= first * value);
            let added = Addend { rows: &addend, scale: first };
            prop_assert_eq!(&transformed(&rows, added, log_rows, &roots), &values);
            rows.iter_mut().zip(&addend).for_each(|(row, &value)| *row += first * value);
            for (g, row) in values.chunks_exact(columns).enumerate() {
                let x = first * w.exp_u64(reverse_bits_len(g, log_rows) as u64);
                for (c, &value) in row.iter().enumerate() {
                    let coefficients = rows.iter().skip(c).step_by(columns);
                    prop_assert_eq!(value, coefficients.rev().fold(F::ZERO, |sum, &c| sum * x + c));
                }
            }
        }
    }
}
