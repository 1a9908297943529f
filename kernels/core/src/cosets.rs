//! The matrices whose transforms are a codeword: a matrix's columns on the cosets that a domain consists of.
//!
//! The domain is the union of T cosets s_t <w^T>, 0 <= t < T, of k positions each, w being a root of unity
//! of order T k and s_t = s_0 w^t. On coset t a column f equals its residue modulo X^k - s_t^k, and position
//! T i + t of the domain is row i of the transform, of size k, of the residue with coefficient i scaled by
//! s_t^i.
//!
//! Written in Y = X^k, f has at most 2^m / k coefficients, its pieces, and the residues are its values at
//! the T roots of Y^T - s_0^(k T). It is reduced modulo that, then modulo the two factors Y^h - c and Y^h + c of
//! each Y^2h - c^2 until h = 1: low + c high and low - c high, long vectors.
//!
//! Several cosets lie side by side in one matrix with longer rows, so that even a single column is
//! transformed in whole vector registers: for that a narrow matrix is cut into more cosets than it has to be.

use std::mem::MaybeUninit;

use p3_dft::{Butterfly, DitButterfly};
use p3_field::{
    ExtensionField, PackedValue, PrimeCharacteristicRing, TwoAdicField,
    scale_slice_in_place_single_core,
};
use p3_util::{log2_ceil_usize, reverse_bits_len, reverse_slice_index_bits};
use rayon::prelude::*;

use crate::field::{F, LOG_WIDTH, PackedF};

/// Below this many base columns rows are made of whole registers.
const NARROW: usize = 1 << 6;
/// The fewest values in a row of a narrow matrix's blocks, where it has as many.
const LOG_ROW_VALUES: usize = 4;
/// Rows that one task fills: enough to read whole cache lines of a column, ...
const LOG_TASK_ROWS: usize = 4;
const MAX_LOG_TASK_ROWS: usize = 6;
/// ... and few enough to stay in the first cache, these values.
const LOG_TASK_VALUES: usize = 13;
/// Values that are transformed at once, where one coset has not more: they fit the second cache.
const LOG_BLOCK_VALUES: usize = 18;

/// How a domain is cut into cosets for a matrix.
pub(crate) struct Cosets {
    /// Logarithm of the number of positions in a coset.
    log_size: usize,
    /// Logarithm of the number of cosets side by side in a block.
    log_side: usize,
    /// Base elements in a row of the matrix.
    width: usize,
    /// The first point of each coset.
    shifts: Vec<F>,
    /// For each halving of the pieces, the roots c of the factors Y^2h - c^2 in bit-reversed order.
    roots: Vec<Vec<F>>,
    /// Logarithm of the number below which the coefficients are that are not zero.
    log_degree: usize,
}

impl Cosets {
    /// The cosets of the 2^log_positions positions first <g>, g being of that order, for a matrix with
    /// `width` base columns that are polynomials of degree below `degree`.
    pub(crate) fn new(log_positions: usize, first: F, width: usize, degree: usize) -> Self {
        let log_degree = log2_ceil_usize(degree.max(1));
        let log_block = (1_usize << LOG_BLOCK_VALUES).div_ceil(width).ilog2() as usize;
        let (mut log_size, mut log_least) = (log_degree.min(log_positions), 0);
        if width < NARROW {
            let whole = LOG_WIDTH.saturating_sub(width.trailing_zeros() as usize);
            log_least = whole.max(LOG_ROW_VALUES.saturating_sub(width.ilog2() as usize));
            log_size = log_size.min(log_positions.saturating_sub(log_least)).min(log_block - log_least);
        }
        let log_cosets = log_positions - log_size;
        let log_side = log_block.saturating_sub(log_size).max(log_least).min(log_cosets);
        let shifts = F::two_adic_generator(log_positions).shifted_powers(first).collect_n(1 << log_cosets);
        let log_pieces = log_degree.saturating_sub(log_size).min(log_cosets);
        let halving = |depth: usize| {
            let root = first.exp_power_of_2(log_positions - 1 - depth);
            let mut roots = F::two_adic_generator(depth + 1).shifted_powers(root).collect_n(1 << depth);
            reverse_slice_index_bits(&mut roots);
            roots
        };
        let roots = (log_cosets - log_pieces..log_cosets).map(halving).collect();
        Self { log_size, log_side, width, shifts, roots, log_degree }
    }

    /// Logarithm of the number of cosets.
    pub(crate) fn log_cosets(&self) -> usize {
        self.shifts.len().ilog2() as usize
    }

    /// Logarithm of the number of cosets side by side in a block.
    pub(crate) fn log_side(&self) -> usize {
        self.log_side
    }

    /// Block b holds, row by row, the scaled residues on the cosets from b 2^log_side on side by side; the
    /// columns have 2^log_rows coefficients each. Runs inside a pool.
    pub(crate) fn blocks<V: ExtensionField<F>>(&self, values: &[V], log_rows: usize) -> Vec<Vec<F>> {
        let (row, rows) = (self.width << self.log_side, 1 << self.log_size);
        let log_used = LOG_TASK_VALUES.saturating_sub((self.width * self.shifts.len()).ilog2() as usize);
        let task_rows = 1 << log_used.clamp(LOG_TASK_ROWS, MAX_LOG_TASK_ROWS).min(self.log_size);
        let mut blocks: Vec<Vec<F>> =
            (0..self.shifts.len() >> self.log_side).map(|_| Vec::with_capacity(rows * row)).collect();
        let mut places: Vec<_> = blocks
            .iter_mut()
            .map(|block| block.spare_capacity_mut()[..rows * row].chunks_exact_mut(task_rows * row))
            .collect();
        let tasks: Vec<Vec<_>> = (0..rows / task_rows)
            .map(|_| places.iter_mut().filter_map(Iterator::next).collect())
            .collect();
        tasks.into_par_iter().enumerate().for_each(|(task, places)| {
            self.fill(values, log_rows, task * task_rows..(task + 1) * task_rows, places);
        });
        for block in &mut blocks {
            // SAFETY: the tasks partition the first places of each block, and each has written all of its own.
            unsafe { block.set_len(rows * row) };
        }
        blocks
    }

    /// Writes these rows of all blocks.
    fn fill<V: ExtensionField<F>>(
        &self,
        values: &[V],
        log_rows: usize,
        rows: std::ops::Range<usize>,
        places: Vec<&mut [MaybeUninit<F>]>,
    ) {
        // A wide row is the same on all cosets, up to its scale.
        let copies = if self.width < NARROW { self.shifts.len() } else { 1 };
        let mut staged = F::zero_vec(copies * self.width * rows.len());
        let length = rows.len() * V::DIMENSION;
        let mut residues = F::zero_vec(length * if self.roots.is_empty() { 1 } else { self.shifts.len() });
        for (c, column) in values.chunks(1 << log_rows).enumerate() {
            self.reduce(column, &rows, &mut residues);
            let slots: Vec<usize> = (0..copies).map(|t| self.slot(t) * length).collect();
            for (i, row) in staged.chunks_exact_mut(copies * self.width).enumerate() {
                for (copy, slot) in row.chunks_exact_mut(self.width).zip(&slots) {
                    copy[c * V::DIMENSION..(c + 1) * V::DIMENSION]
                        .copy_from_slice(&residues[slot + i * V::DIMENSION..][..V::DIMENSION]);
                }
            }
        }
        let first = rows.start as u64;
        let step = self.shifts.get(1).map_or(F::ONE, |&shift| shift / self.shifts[0]);
        let powers = step.exp_u64(first).shifted_powers(self.shifts[0].exp_u64(first));
        let powers = powers.collect_n(self.shifts.len());
        if copies == 1 {
            self.write_wide(&staged, powers, places);
        } else {
            self.write_narrow(&staged, &powers, places);
        }
    }

    /// Where the residue on coset t stands.
    fn slot(&self, t: usize) -> usize {
        if self.roots.is_empty() { 0 } else { reverse_bits_len(t, self.log_cosets()) }
    }

    /// The coefficients `rows` of a column's residues, in bit-reversed order of the cosets.
    fn reduce<V: ExtensionField<F>>(&self, column: &[V], rows: &std::ops::Range<usize>, residues: &mut [F]) {
        let length = rows.len() * V::DIMENSION;
        let (pieces, cosets) = (1 << self.log_degree.saturating_sub(self.log_size), self.shifts.len());
        let (group, groups) = residues.split_at_mut(length << self.roots.len());
        let fold = self.shifts[0].exp_power_of_2(self.log_size + self.log_cosets());
        for (q, sums) in group.chunks_exact_mut(length).enumerate() {
            sums.fill(F::ZERO);
            for piece in (q..pieces).step_by(cosets).rev() {
                let coefficients = column.get((piece << self.log_size) + rows.start..).unwrap_or_default();
                scale_slice_in_place_single_core(sums, fold);
                for (sums, value) in sums.chunks_exact_mut(V::DIMENSION).zip(coefficients) {
                    for (sum, &value) in sums.iter_mut().zip(value.as_basis_coefficients_slice()) {
                        *sum += value;
                    }
                }
            }
        }
        for copy in groups.chunks_exact_mut(group.len()) {
            copy.copy_from_slice(group);
        }
        for (g, group) in residues.chunks_exact_mut(length << self.roots.len()).enumerate() {
            for (layer, roots) in self.roots.iter().enumerate() {
                let nodes = group.chunks_exact_mut(group.len() >> layer);
                for (node, &root) in nodes.zip(&roots[g << layer..]) {
                    let (low, high) = node.split_at_mut(node.len() / 2);
                    DitButterfly(root).apply_to_rows(low, high);
                }
            }
        }
    }

    /// Writes rows scaled, a factor a coset.
    fn write_wide(&self, staged: &[F], mut powers: Vec<F>, places: Vec<&mut [MaybeUninit<F>]>) {
        let side = 1 << self.log_side;
        let powers = powers.chunks_exact_mut(side).zip(self.shifts.chunks_exact(side));
        for (places, (powers, shifts)) in places.into_iter().zip(powers) {
            let copies = places.chunks_exact_mut(self.width << self.log_side);
            for (copies, row) in copies.zip(staged.chunks_exact(self.width)) {
                let copies = copies.chunks_exact_mut(self.width).zip(powers.iter_mut().zip(shifts));
                for (copy, (power, &shift)) in copies {
                    scale_slice_in_place_single_core(copy.write_copy_of_slice(row), *power);
                    *power *= shift;
                }
            }
        }
    }

    /// Writes rows scaled, a factor a value.
    fn write_narrow(&self, staged: &[F], powers: &[F], mut places: Vec<&mut [MaybeUninit<F>]>) {
        let row = self.width << self.log_side;
        let mut powers: Vec<F> = powers.iter().flat_map(|&power| vec![power; self.width]).collect();
        let shifts: Vec<F> = self.shifts.iter().flat_map(|&shift| vec![shift; self.width]).collect();
        for (i, values) in staged.chunks_exact(powers.len()).enumerate() {
            for (places, (values, powers)) in
                places.iter_mut().zip(values.chunks_exact(row).zip(powers.chunks_exact(row)))
            {
                multiply(places[i * row..(i + 1) * row].write_copy_of_slice(values), powers);
            }
            multiply(&mut powers, &shifts);
        }
    }
}

/// Multiplies each value by its factor.
fn multiply(values: &mut [F], factors: &[F]) {
    let (packs, rest) = PackedF::pack_slice_with_suffix_mut(values);
    let (pack_factors, rest_factors) = PackedF::pack_slice_with_suffix(factors);
    packs.iter_mut().zip(pack_factors).for_each(|(value, &factor)| *value *= factor);
    rest.iter_mut().zip(rest_factors).for_each(|(value, &factor)| *value *= factor);
}
