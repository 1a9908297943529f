//! The residues of a wide matrix's columns, ready to be transformed: they are the same on all cosets, as
//! a domain of more than one coset has cosets that are larger than the degree.

use std::borrow::Cow;

use p3_field::{ExtensionField, Field, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::cosets::Cosets;
use crate::field::F;
use crate::pool::{PARALLEL_THRESHOLD, Pool};

/// Rows that one task transposes: few enough to stay in the first cache, enough to read
/// whole cache lines of a column.
const TASK_ROWS: usize = 64;
/// Values that one task reduces: they stay in the first cache.
const TASK_VALUES: usize = 1 << 11;

/// The residues of a column-major matrix with 2^log_rows rows, row-major.
pub(crate) fn residues<V: ExtensionField<F>>(
    values: &[V],
    columns: usize,
    log_rows: usize,
    cosets: &Cosets,
    pool: &Pool,
) -> Vec<F> {
    let reduced = match log_rows - cosets.log_size {
        0 => Cow::Borrowed(values),
        _ => Cow::Owned(reduce(values, log_rows, cosets, pool)),
    };
    V::flatten_to_base(transpose(&reduced, 1 << cosets.log_size, columns, pool))
}

/// The columns, of 2^log_rows coefficients each, modulo X^k - s_0^k with k = 2^log_size.
fn reduce<V: ExtensionField<F>>(values: &[V], log_rows: usize, cosets: &Cosets, pool: &Pool) -> Vec<V> {
    let log_size = cosets.log_size;
    let power = cosets.shifts[0].exp_power_of_2(log_size);
    let mut reduced = V::zero_vec(values.len().div_ceil(1 << log_rows) << log_size);
    let task_values = TASK_VALUES.min(1 << log_size);
    let horner = |(task, sums): (usize, &mut [V])| {
        let place = task * task_values;
        let (column, first) = (place >> log_size, place & ((1 << log_size) - 1));
        let column = &values[column << log_rows..];
        let pieces = column[..column.len().min(1 << cosets.log_degree)].chunks(1 << log_size);
        for piece in pieces.rev() {
            for sum in &mut *sums {
                *sum *= power;
            }
            for (sum, &value) in sums.iter_mut().zip(piece.get(first..).unwrap_or_default()) {
                *sum += value;
            }
        }
    };
    if values.len() < PARALLEL_THRESHOLD {
        reduced.chunks_mut(task_values).enumerate().for_each(horner);
    } else {
        pool.install(|| reduced.par_chunks_mut(task_values).enumerate().for_each(horner));
    }
    reduced
}

/// The row-major form of a column-major matrix whose last values may be missing.
fn transpose<V: Field>(values: &[V], rows: usize, columns: usize, pool: &Pool) -> Vec<V> {
    let mut matrix = V::zero_vec(rows * columns);
    let task_rows = TASK_ROWS.min(rows);
    let fill = |(task, tile): (usize, &mut [V])| {
        for (c, column) in values.chunks(rows).enumerate() {
            let rest = column.get(task * task_rows..).unwrap_or_default();
            for (row, &value) in tile.chunks_exact_mut(columns).zip(rest) {
                row[c] = value;
            }
        }
    };
    if matrix.len() < PARALLEL_THRESHOLD {
        matrix.chunks_mut(task_rows * columns).enumerate().for_each(fill);
    } else {
        pool.install(|| matrix.par_chunks_mut(task_rows * columns).enumerate().for_each(fill));
    }
    matrix
}
