//! The residues of a short matrix's columns, ready to be transformed: they are the same on all cosets, as
//! a domain of more than one coset has cosets that are no smaller than the degree. They are row-major.

use std::borrow::Cow;

use p3_field::{ExtensionField, Field, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::code::cosets::Cosets;
use crate::field::F;
use crate::pool::{PARALLEL_THRESHOLD, Pool};

/// Rows that one task transposes: few enough to stay in the first cache, enough to read
/// whole cache lines of a column.
const TASK_ROWS: usize = 64;
/// Values that one task reduces: they stay in the first cache.
const TASK_VALUES: usize = 1 << 11;

/// The residues of a column-major matrix with so many rows, whose vector these parts interleave to.
///
/// There is one, or they are a power of two, of no more than a coset's rows. So rows of a part are those of its
/// residue: sum_t s_0^(k t) M[j + k t], where j + k t and j are of one part.
pub(crate) fn residues<V: ExtensionField<F>>(
    parts: &[&[V]],
    columns: usize,
    rows: usize,
    cosets: &Cosets,
    pool: &Pool,
) -> Vec<F> {
    let (size, count) = (1 << cosets.log_size, parts.len());
    let reduced = parts.iter().map(|part| reduce(part, rows / count, size / count, cosets, pool));
    let reduced: Vec<Cow<'_, [V]>> = reduced.collect();
    let reduced: Vec<&[V]> = reduced.iter().map(|part| &**part).collect();
    V::flatten_to_base(transpose(&reduced, size, columns, pool))
}

/// The residues of random rows, column-major, `columns` of the same length: no more than a coset's rows.
pub(crate) fn random_residues<V: ExtensionField<F>>(
    random_rows: &[V],
    columns: usize,
    cosets: &Cosets,
    pool: &Pool,
) -> Vec<F> {
    let (rows, size) = (random_rows.len() / columns, 1 << cosets.log_size);
    if rows <= size {
        return V::flatten_to_base(transpose(&[random_rows], rows, columns, pool));
    }
    let reduced = reduce(random_rows, rows, size, cosets, pool);
    V::flatten_to_base(transpose(&[&reduced], size, columns, pool))
}

/// The residues of a row-major matrix.
pub(crate) fn row_residues<'a>(rows: &'a [F], cosets: &Cosets, pool: &Pool) -> Cow<'a, [F]> {
    reduce(rows, rows.len(), cosets.width << cosets.log_size, cosets, pool)
}

/// Polynomials modulo X^k - s_0^k with k = 2^log_size: columns of `length` values, of which `size` = k remain, or
/// all rows of a matrix, of which k remain, or every so-manieth value of columns, of which as many of k remain.
fn reduce<'a, V: ExtensionField<F>>(
    values: &'a [V],
    length: usize,
    size: usize,
    cosets: &Cosets,
    pool: &Pool,
) -> Cow<'a, [V]> {
    if length == size {
        return Cow::Borrowed(values);
    }
    let power = cosets.shifts[0].exp_power_of_2(cosets.log_size);
    let count = 1 << (cosets.log_degree - cosets.log_size);
    let mut reduced = V::zero_vec(values.len().div_ceil(length) * size);
    let task_values = TASK_VALUES.min(size);
    let horner = |(task, sums): (usize, &mut [V])| {
        let start = task * task_values;
        let (column, first) = (start / size, start % size);
        let column = &values[column * length..values.len().min((column + 1) * length)];
        for piece in column.chunks(size).take(count).rev() {
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
    Cow::Owned(reduced)
}

/// The row-major form of a column-major matrix whose vector these parts interleave to; their last values may be
/// missing. There is one, or they are a power of two, of no more than the rows, which are a multiple.
pub(crate) fn transpose<V: Field>(parts: &[&[V]], rows: usize, columns: usize, pool: &Pool) -> Vec<V> {
    let mut matrix = V::zero_vec(rows * columns);
    if rows == 0 {
        return matrix;
    }
    let count = parts.len();
    let task_rows = TASK_ROWS.max(count).min(rows);
    let fill = |(task, tile): (usize, &mut [V])| {
        for (index, part) in parts.iter().enumerate() {
            for (c, column) in part.chunks(rows / count).enumerate() {
                let tail = column.get(task * task_rows / count..).unwrap_or_default();
                let of_part = tile[index * columns..].chunks_mut(count * columns);
                for (row, &value) in of_part.zip(tail) {
                    row[c] = value;
                }
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
