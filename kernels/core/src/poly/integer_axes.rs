//! Binding axes of tensors of small integers: out[a, c] = sum_b v[b] T[a, b, c], by the parts of v.

use p3_field::{BasedVectorSpace, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::Result;
use crate::field::vector::unpack;
use crate::field::{EF, EXTENSION_DEGREE, F, PackedEF, PackedF, WIDTH, from_integers};
use crate::integers::lanes::{LANES, Lanes, pair};
use crate::integers::parts::{
    Coordinates, PARTS, PartWords, Parts, elements_of, joined, most_products, pack_words,
};
use crate::poly::axes::{AxisShape, bind_base, steps};
use crate::pool::PARALLEL_THRESHOLD;

/// Rows that are packed at once: what is made of them stays in a near cache.
const ROWS: usize = 256;
/// Columns that are packed at once.
const COLUMNS: usize = 256;
/// Vectors of columns that share what is read of the weights.
const VECTORS: usize = 2;
/// Rows that a task adds up at most.
const TASK_ROWS: usize = 1 << 12;
/// Values of a task where the last axis is bound.
const TASK_VALUES: usize = 1 << 16;
/// Shorter axes, and small tensors, are bound as field elements: there a sum has too few products.
const SHORTEST: usize = 16;

/// Integers of at most 16 bits.
pub trait Small: Copy + Into<i16> + Into<i64> + Sync {
    /// At least the largest magnitude of these.
    fn bound(values: &[Self]) -> u32;
}

impl Small for i8 {
    fn bound(_: &[Self]) -> u32 {
        1 << 7
    }
}

impl Small for i16 {
    fn bound(values: &[Self]) -> u32 {
        // Without its sign v is v or -1 - v: below a power of two, so that the magnitude is at most that.
        let bits = |values: &[Self]| values.iter().fold(0, |bits, &value| bits | (value ^ (value >> 15)));
        let bits = values.par_chunks(TASK_VALUES).map(bits).reduce(|| 0, |a, b| a | b);
        1 << (i16::BITS - bits.leading_zeros())
    }
}

/// Binds one axis of a tensor of small integers.
///
/// # Errors
/// [`crate::error::Error::Shape`] where sizes do not fit.
pub fn bind_integers<N: Small>(tensor: &[N], shape: AxisShape, vector: &[EF]) -> Result<Vec<EF>> {
    shape.check(tensor.len(), vector.len())?;
    let AxisShape { axis, inner, .. } = shape;
    if axis < SHORTEST || steps(tensor.len()) < PARALLEL_THRESHOLD {
        return bind_base(&from_integers(tensor), shape, vector);
    }
    let (parts, most) = (Parts::of(vector), most_products(N::bound(tensor)));
    if inner == 1 {
        let words = parts.words();
        let dots = |rows: &[N]| dot_rows(rows, axis, &words, most);
        let rows = TASK_VALUES.div_ceil(axis) * axis;
        return Ok(tensor.par_chunks(rows).map(dots).collect::<Vec<_>>().concat());
    }
    let (pairs, rows) = (parts.pairs(), most.min(TASK_ROWS));
    let plane = |plane: &[N]| {
        let weigh = |(task, values): (usize, &[N])| {
            weigh_rows(values, pairs.each_ref().map(|pairs| &pairs[task * rows / 2..]), inner)
        };
        let add = |mut sums: Vec<PackedEF>, others: Vec<PackedEF>| {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            sums
        };
        let sums = plane.par_chunks(rows * inner).enumerate().map(weigh).reduce_with(add);
        let mut sums = unpack(&sums.unwrap_or_default());
        sums.truncate(inner);
        sums
    };
    Ok(tensor.chunks_exact(axis * inner).flat_map(plane).collect())
}

/// The inner product of each row with the vector of these parts: the sum of `most` products fits.
fn dot_rows<N: Small>(rows: &[N], axis: usize, parts: &PartWords, most: usize) -> Vec<EF> {
    let mut words = vec![[0; LANES]; parts.vectors()];
    let block = most / (2 * LANES);
    let dot = |row: &[N]| {
        pack_words(row, &mut words);
        let mut sums = [[F::ZERO; EXTENSION_DEGREE]; PARTS];
        for (index, words) in words.chunks(block).enumerate() {
            let dots = parts.inner_products(index * block, words);
            let dots = dots.iter().flatten().map(|&dot| F::from_i32(dot));
            sums.iter_mut().flatten().zip(dots).for_each(|(sum, dot)| *sum += dot);
        }
        EF::from_basis_coefficients_fn(|k| joined(|j| sums[j][k]))
    };
    rows.chunks_exact(axis).map(dot).collect()
}

/// sum_b v[b] M[b, c] for rows whose sums fit, packed; of v these are the pairs.
fn weigh_rows<N: Small>(rows: &[N], pairs: [&[Coordinates<i32>]; PARTS], inner: usize) -> Vec<PackedEF> {
    let mut sums = vec![PackedEF::ZERO; inner.div_ceil(WIDTH)];
    sums.par_chunks_mut(COLUMNS / WIDTH).enumerate().for_each(|(block, sums)| {
        let mut totals = [[[0; COLUMNS]; EXTENSION_DEGREE]; PARTS];
        let mut sources = vec![[0; COLUMNS]; ROWS / 2];
        for (index, rows) in rows.chunks(ROWS * inner).enumerate() {
            let count = pack_columns(rows, inner, block * COLUMNS, &mut sources);
            for (totals, pairs) in totals.iter_mut().zip(pairs) {
                add_products(&pairs[index * ROWS / 2..][..count], &sources, totals);
            }
        }
        let elements = totals.each_ref().map(|totals| totals.each_ref().map(|totals| elements_of(totals)));
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum =
                PackedEF::from_basis_coefficients_fn(|k| joined(|j| PackedF::pack_slice(&elements[j][k])[i]));
        }
    });
    sums
}

/// Packs pairs of rows from column `first` on, as many columns as there are; how many pairs.
fn pack_columns<N: Small>(rows: &[N], inner: usize, first: usize, sources: &mut [[i32; COLUMNS]]) -> usize {
    let columns = first..inner.min(first + COLUMNS);
    let pairs = rows.chunks(2 * inner);
    let count = pairs.len();
    for (rows, words) in pairs.zip(sources) {
        let (upper, lower) = rows.split_at(inner);
        let upper = words.iter_mut().zip(&upper[columns.clone()]);
        match lower.get(columns.clone()) {
            Some(lower) => {
                upper.zip(lower).for_each(|((word, &a), &b)| *word = pair(a.into(), b.into()));
            }
            None => upper.for_each(|(word, &a)| *word = pair(a.into(), 0)),
        }
    }
    count
}

/// Adds the products of pairs of rows and a part of their weights.
fn add_products(
    pairs: &[Coordinates<i32>],
    sources: &[[i32; COLUMNS]],
    totals: &mut Coordinates<[i32; COLUMNS]>,
) {
    for first in (0..COLUMNS).step_by(VECTORS * LANES) {
        let vectors = |columns: &[i32; COLUMNS]| -> [Lanes; VECTORS] {
            let columns = columns[first..].as_chunks::<LANES>().0;
            std::array::from_fn(|i| Lanes::load(&columns[i]))
        };
        let mut tile = totals.each_ref().map(vectors);
        for (parts, sources) in pairs.iter().zip(sources) {
            let sources = vectors(sources);
            for (totals, &part) in tile.iter_mut().zip(parts) {
                let part = Lanes::splat(part);
                for (total, &source) in totals.iter_mut().zip(&sources) {
                    *total = total.add_products(part, source);
                }
            }
        }
        for (totals, tile) in totals.iter_mut().zip(tile) {
            let columns = totals[first..].as_chunks_mut::<LANES>().0;
            columns.iter_mut().zip(tile).for_each(|(sums, total)| total.store(sums));
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeField32;
    use proptest::prelude::*;

    use super::*;
    use deepprove_verifier::testing::elements;

    fn check<N: Small>(values: impl Fn(usize) -> N, outer: usize, axis: usize, inner: usize) {
        let tensor: Vec<N> = (0..outer * axis * inner).map(values).collect();
        let shape = AxisShape { outer, axis, inner };
        let elements_of_part = |value: u32| EF::from_basis_coefficients_fn(|_| F::from_u32(value));
        // Elements whose parts are as large as can be, and of either sign.
        let mut vector = elements(1, axis);
        for (value, number) in
            vector.iter_mut().zip([0x400, F::ORDER_U32 / 2, F::ORDER_U32 / 2 + 1, F::ORDER_U32 - 1])
        {
            *value = elements_of_part(number);
        }
        let expected = bind_base(&from_integers(&tensor), shape, &vector).unwrap();
        assert_eq!(bind_integers(&tensor, shape, &vector).unwrap(), expected);
        assert!(bind_integers(&tensor[1..], shape, &vector).is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn integers_are_bound_as_elements_are(
            outer in 1usize..4,
            axis in 1usize..1500,
            inner in prop::sample::select(vec![1usize, 2, 31, 256, 257, 700]),
            seed: u32,
            bits in 1u32..16,
        ) {
            let value = |i: usize| (i as u32).wrapping_mul(2654435761).wrapping_add(seed).rotate_left(11) as i32;
            check(|i| (value(i) >> 24) as i8, outer, axis, inner);
            check(|i| (value(i) >> (31 - bits)) as i16, outer, axis, inner);
        }
    }

    #[test]
    fn extremes_of_all_rows_are_exact() {
        for inner in [1, 40] {
            check(|_| i8::MIN, 1, 1000, inner);
            for extreme in [1 << 11, -(1 << 12), i16::MIN, i16::MAX] {
                check(|_| extreme, 1, 1000, inner);
            }
            let low = vec![EF::from_basis_coefficients_fn(|_| F::from_u32(0x400)); 600];
            let (shape, tensor) = (AxisShape { outer: 1, axis: 600, inner }, vec![i16::MIN; 600 * inner]);
            let expected = bind_base(&from_integers(&tensor), shape, &low).unwrap();
            assert_eq!(bind_integers(&tensor, shape, &low).unwrap(), expected);
        }
    }
}
