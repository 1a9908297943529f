//! The residues of a tall matrix's columns on many small cosets, ready to be transformed.
//!
//! Written in Y = X^k, a column is a polynomial whose coefficients are its pieces of k values, and its
//! residues are the values at the T roots of Y^T - s_0^(k T). It is reduced modulo that, then modulo the
//! two factors Y^h - c and Y^h + c of each Y^2h - c^2, until h = 1: the residues low + c high and low - c
//! high are computed on whole vectors. They come out in bit-reversed order of the cosets.
//!
//! The residues of random rows are computed alike, as those of a polynomial of their own, and times s_t^(2^m) they
//! are added.

use std::iter::repeat;
use std::mem::MaybeUninit;
use std::ops::Range;

use p3_field::{
    ExtensionField, PackedValue, PrimeCharacteristicRing, TwoAdicField, scale_slice_in_place_single_core,
};
use p3_util::{log2_ceil_usize, reverse_bits_len, reverse_slice_index_bits};
use rayon::prelude::*;

use crate::code::cosets::Cosets;
use crate::code::transform::{add_scaled, butterflies};
use crate::field::{F, PackedF};

/// Values that one task writes, if they are ...
const TASK_VALUES: usize = 1 << 13;
/// ... not less than these rows, which make whole cache lines of a column, and ...
const LEAST_TASK_ROWS: usize = 16;
/// ... not more than these.
const MOST_TASK_ROWS: usize = 64;

/// Row j of block b holds the coefficients j, scaled, of all columns' residues on coset b 2^log_side, on the
/// next one, and so on. `values` are column-major, 2^log_rows a column, of which a coset has no more; so are the
/// random rows after them. Runs inside a pool.
pub(crate) fn blocks<V: ExtensionField<F>>(
    values: &[V],
    random_rows: &[V],
    log_rows: usize,
    cosets: &Cosets,
) -> Vec<Vec<F>> {
    let (row, rows) = (cosets.width << cosets.log_side, 1 << cosets.log_size);
    let useful = TASK_VALUES / (cosets.width * cosets.shifts.len());
    let task_rows = useful.clamp(LEAST_TASK_ROWS, MOST_TASK_ROWS).next_power_of_two().min(rows);
    let count = cosets.shifts.len() >> cosets.log_side;
    let mut blocks: Vec<Vec<F>> = (0..count).map(|_| Vec::with_capacity(rows * row)).collect();
    let mut cuts: Vec<_> = blocks
        .iter_mut()
        .map(|block| block.spare_capacity_mut()[..rows * row].chunks_exact_mut(task_rows * row))
        .collect();
    let tasks = (0..rows).step_by(task_rows);
    let tasks: Vec<(usize, Vec<_>)> =
        tasks.map(|first| (first, cuts.iter_mut().filter_map(Iterator::next).collect())).collect();
    let residues = Residues::new(cosets, cosets.log_degree);
    let random = RandomResidues::new(random_rows, log_rows, cosets);
    tasks.into_par_iter().for_each(|(first, targets)| {
        let rows = first..first + task_rows;
        let staged = residues.rows(values, &random, log_rows, &rows);
        write_scaled(&staged, first, cosets, targets);
    });
    for block in &mut blocks {
        // SAFETY: the tasks partition the block's first values, and each has written its whole part.
        unsafe { block.set_len(rows * row) };
    }
    blocks
}

/// The residues on all cosets.
struct Residues<'a> {
    cosets: &'a Cosets,
    /// Pieces of 2^log_size coefficients.
    pieces: usize,
    /// s_0^(k T): the coefficients are reduced modulo Y^T minus this.
    fold: F,
    /// The c of all factors Y^2h - c^2, in bit-reversed order, from the h that is half the pieces down to 1.
    layers: Vec<Vec<F>>,
}

impl<'a> Residues<'a> {
    /// Of polynomials whose coefficients from 2^log_degree on are zero.
    fn new(cosets: &'a Cosets, log_degree: usize) -> Self {
        let (log_size, log_count) = (cosets.log_size, cosets.log_count());
        let pieces = 1 << log_degree.saturating_sub(log_size);
        let log_pieces = log_degree.saturating_sub(log_size).min(log_count);
        let layer = |depth: usize| {
            let root = cosets.shifts[0].exp_power_of_2(log_size + log_count - 1 - depth);
            let powers = F::two_adic_generator(depth + 1).shifted_powers(root);
            let mut roots: Vec<F> = powers.take(1 << depth).collect();
            reverse_slice_index_bits(&mut roots);
            roots
        };
        let layers = (log_count - log_pieces..log_count).map(layer).collect();
        Self { cosets, pieces, fold: cosets.shifts[0].exp_power_of_2(log_size + log_count), layers }
    }

    /// The coefficients `rows` of all residues: row by row, coset by coset, column by column.
    fn rows<V: ExtensionField<F>>(
        &self,
        values: &[V],
        random: &RandomResidues<V>,
        log_rows: usize,
        rows: &Range<usize>,
    ) -> Vec<F> {
        let (length, count) = (rows.len() * V::DIMENSION, self.cosets.shifts.len());
        let log_count = self.cosets.log_count();
        let mut staged = F::zero_vec(count * self.cosets.width * rows.len());
        let with_values = values.len().div_ceil(1 << log_rows);
        if self.pieces == 1 && !random.reach(rows) {
            self.repeat(values.chunks(1 << log_rows), rows, &mut staged);
            return staged;
        }
        let starts: Vec<usize> = (0..count).map(|t| reverse_bits_len(t, log_count) * length).collect();
        let mut residues = F::zero_vec(count * length);
        let mut added = F::zero_vec(if random.reach(rows) { residues.len() } else { 0 });
        let columns = values.chunks(1 << log_rows).chain(repeat(&[][..]));
        let count_columns = if added.is_empty() { with_values } else { self.cosets.width / V::DIMENSION };
        for (c, column) in columns.take(count_columns).enumerate() {
            self.split(column, rows, &mut residues);
            random.add(c, rows, &mut added, &mut residues);
            for (i, row) in staged.chunks_exact_mut(count * self.cosets.width).enumerate() {
                for (row, start) in row.chunks_exact_mut(self.cosets.width).zip(&starts) {
                    row[c * V::DIMENSION..][..V::DIMENSION]
                        .copy_from_slice(&residues[start + i * V::DIMENSION..][..V::DIMENSION]);
                }
            }
        }
        staged
    }

    /// The coefficients `rows` of columns of no more than a coset's rows: they are their residues on all cosets.
    fn repeat<'v, V: ExtensionField<F>>(
        &self,
        columns: impl Iterator<Item = &'v [V]>,
        rows: &Range<usize>,
        staged: &mut [F],
    ) {
        let (width, length) = (self.cosets.width, staged.len() / rows.len());
        for (c, column) in columns.enumerate() {
            let values = column.get(rows.start..).unwrap_or_default();
            for (row, value) in staged.chunks_exact_mut(length).zip(values) {
                row[c * V::DIMENSION..][..V::DIMENSION].copy_from_slice(value.as_basis_coefficients_slice());
            }
        }
        for row in staged.chunks_exact_mut(length) {
            let mut written = width;
            while written < length {
                row.copy_within(..written, written);
                written *= 2;
            }
        }
    }

    /// The coefficients `rows` of a column's residues, one after the other in bit-reversed order.
    fn split<V: ExtensionField<F>>(&self, column: &[V], rows: &Range<usize>, residues: &mut [F]) {
        let length = rows.len() * V::DIMENSION;
        let (group, copies) = residues.split_at_mut(length << self.layers.len());
        group.fill(F::ZERO);
        for (first, sums) in group.chunks_exact_mut(length).enumerate() {
            for piece in (first..self.pieces).step_by(self.cosets.shifts.len()).rev() {
                let values = column.get((piece << self.cosets.log_size) + rows.start..).unwrap_or_default();
                scale_slice_in_place_single_core(sums, self.fold);
                for (sums, value) in sums.chunks_exact_mut(V::DIMENSION).zip(values) {
                    for (sum, &value) in sums.iter_mut().zip(value.as_basis_coefficients_slice()) {
                        *sum += value;
                    }
                }
            }
        }
        for copy in copies.chunks_exact_mut(group.len()) {
            copy.copy_from_slice(group);
        }
        // One group after the other passes through all layers: it stays in the first cache.
        for (g, group) in residues.chunks_exact_mut(length << self.layers.len()).enumerate() {
            for (depth, roots) in self.layers.iter().enumerate() {
                let factors = group.chunks_exact_mut(group.len() >> depth);
                for (factor, &root) in factors.zip(&roots[g << depth..]) {
                    let (low, high) = factor.split_at_mut(factor.len() / 2);
                    butterflies([low, high], &[root; 2]);
                }
            }
        }
    }
}

/// The residues of random rows on all cosets.
struct RandomResidues<'a, V> {
    residues: Residues<'a>,
    random_rows: &'a [V],
    /// Random rows of a column.
    count: usize,
    /// s_t^(2^m) of all cosets, in bit-reversed order.
    scales: Vec<F>,
}

impl<'a, V: ExtensionField<F>> RandomResidues<'a, V> {
    fn new(random_rows: &'a [V], log_rows: usize, cosets: &'a Cosets) -> Self {
        let count = random_rows.len() * V::DIMENSION / cosets.width;
        let mut scales: Vec<F> = cosets.shifts.iter().map(|shift| shift.exp_power_of_2(log_rows)).collect();
        reverse_slice_index_bits(&mut scales);
        let residues = Residues::new(cosets, log2_ceil_usize(count.max(1)));
        Self { residues, random_rows, count, scales }
    }

    /// Whether some of these coefficients of the residues are not zero.
    fn reach(&self, rows: &Range<usize>) -> bool {
        rows.start < self.count
    }

    /// Adds the coefficients `rows` of a column to those of the values' residues; `added` is as long as `residues`,
    /// and overwritten, or empty where nothing is added.
    fn add(&self, column: usize, rows: &Range<usize>, added: &mut [F], residues: &mut [F]) {
        if added.is_empty() {
            return;
        }
        self.residues.split(&self.random_rows[column * self.count..][..self.count], rows, added);
        let length = added.len() / self.scales.len();
        let parts = residues.chunks_exact_mut(length).zip(added.chunks_exact(length));
        parts.zip(&self.scales).for_each(|((part, added), &scale)| add_scaled(part, added, scale));
    }
}

/// Writes rows from `first` on into each block, on coset t scaled by s_t^row.
fn write_scaled(staged: &[F], first: usize, cosets: &Cosets, mut targets: Vec<&mut [MaybeUninit<F>]>) {
    let each_value = |factors: &[F]| -> Vec<F> {
        factors.iter().flat_map(|&factor| std::iter::repeat_n(factor, cosets.width)).collect()
    };
    let row = cosets.width << cosets.log_side;
    let step = F::two_adic_generator(cosets.log_size + cosets.log_count()).exp_u64(first as u64);
    let powers = step.shifted_powers(cosets.shifts[0].exp_u64(first as u64));
    let mut powers = each_value(&powers.take(cosets.shifts.len()).collect());
    let shifts = each_value(&cosets.shifts);
    for (i, values) in staged.chunks_exact(powers.len()).enumerate() {
        let blocks = values.chunks_exact(row).zip(powers.chunks_exact(row));
        for (target, (values, powers)) in targets.iter_mut().zip(blocks) {
            multiply(target[i * row..][..row].write_copy_of_slice(values), powers);
        }
        multiply(&mut powers, &shifts);
    }
}

/// Multiplies each value by its factor.
fn multiply(values: &mut [F], factors: &[F]) {
    let (packs, scalars) = PackedF::pack_slice_with_suffix_mut(values);
    let (pack_factors, scalar_factors) = PackedF::pack_slice_with_suffix(factors);
    packs.iter_mut().zip(pack_factors).for_each(|(value, &factor)| *value *= factor);
    scalars.iter_mut().zip(scalar_factors).for_each(|(value, &factor)| *value *= factor);
}
