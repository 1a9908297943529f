//! Binding axes of tensors of small integers: out[a, c] = sum_b v[b] T[a, b, c].
//!
//! A coordinate of v[b] is a sum of 2^(11 j) times integers of 11 bits with signs, so all products are those of 16
//! bits. Sums of them are integers below p, over as many indices b as allow that, and then elements.

use p3_field::{Algebra, BasedVectorSpace, PackedValue, PrimeCharacteristicRing, PrimeField32};
use rayon::prelude::*;

use crate::error::Result;
use crate::field::vector::unpack;
use crate::field::{
    EF, EXTENSION_DEGREE, F, PackedEF, PackedF, WIDTH, coefficients, extend_canonical, from_integers,
};
use crate::integers::lanes::{LANES, Lanes, pair};
use crate::poly::axes::{AxisShape, bind_base, steps};
use crate::pool::PARALLEL_THRESHOLD;

/// Of the integers that stand for elements.
const LARGEST_SIGNED: u32 = F::ORDER_U32 / 2;
/// Bits of a coordinate's parts, the last of which has what is left.
const BITS: u32 = 11;
/// Parts of a coordinate.
const PARTS: usize = 3;
/// Products of parts and of integers of 16 bits whose sum always fits, or a divisor of how many do.
const MULTIPLE: u32 = 32;
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

/// The same part of all coordinates of an element.
type Part = [i16; EXTENSION_DEGREE];
/// The same for two elements: in a word the first and the second one's.
type PartPair = [i32; EXTENSION_DEGREE];

/// The same for as many as a vector of words holds.
type PartWords = [[i32; LANES]; EXTENSION_DEGREE];

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
    // The sum of so many products is between -p and p.
    let most = (F::ORDER_U32 - 1) / (N::bound(tensor) << (BITS - 1));
    let most = (most / MULTIPLE * MULTIPLE) as usize;
    let parts: Vec<[Part; PARTS]> = vector.iter().map(parts).collect();
    if inner == 1 {
        let words: [_; PARTS] = std::array::from_fn(|j| words_of(&parts, j));
        let dots = |rows: &[N]| dot_rows(rows, axis, &words, most);
        let rows = TASK_VALUES.div_ceil(axis) * axis;
        return Ok(tensor.par_chunks(rows).map(dots).collect::<Vec<_>>().concat());
    }
    let rows = most.min(TASK_ROWS);
    let plane = |plane: &[N]| {
        let weigh = |(rows, parts): (&[N], &[[Part; PARTS]])| weigh_rows(rows, parts, inner);
        let add = |mut sums: Vec<PackedEF>, others: Vec<PackedEF>| {
            sums.iter_mut().zip(others).for_each(|(sum, other)| *sum += other);
            sums
        };
        let sums = plane.par_chunks(rows * inner).zip(parts.par_chunks(rows)).map(weigh).reduce_with(add);
        let mut sums = unpack(&sums.unwrap_or_default());
        sums.truncate(inner);
        sums
    };
    Ok(tensor.chunks_exact(axis * inner).flat_map(plane).collect())
}

/// The parts of an element.
fn parts(value: &EF) -> [Part; PARTS] {
    let signed = |k: usize| {
        let number = coefficients(value)[k].as_canonical_u32();
        (if number > LARGEST_SIGNED { number.wrapping_sub(F::ORDER_U32) } else { number }) as i32
    };
    let mut signed: [i32; EXTENSION_DEGREE] = std::array::from_fn(signed);
    let mut part_of = |value: &mut i32| {
        let low = (*value << (u32::BITS - BITS)) >> (u32::BITS - BITS);
        *value = (*value - low) >> BITS;
        low as i16
    };
    std::array::from_fn(|_| signed.each_mut().map(&mut part_of))
}

/// The sum of 2^(BITS j) times the parts.
#[inline(always)]
fn joined<R: Algebra<F> + Copy>(part: impl Fn(usize) -> R) -> R {
    let shift = R::from(F::from_u32(1 << BITS));
    (part(2) * shift + part(1)) * shift + part(0)
}

/// A part of all coordinates of a vector, padded with zeros to whole vectors of words.
fn words_of(parts: &[[Part; PARTS]], j: usize) -> Vec<PartWords> {
    let of_coordinate = |parts: &[[Part; PARTS]], k: usize| {
        let mut words = [0; LANES];
        pack_row(&mut parts.iter().map(|parts| parts[j][k]), &mut words);
        words
    };
    parts.chunks(2 * LANES).map(|parts| std::array::from_fn(|k| of_coordinate(parts, k))).collect()
}

/// Pairs of values, with zeros after their end.
fn pack_row(values: &mut impl Iterator<Item = i16>, words: &mut [i32]) {
    for word in words {
        *word = pair(values.next().unwrap_or(0), values.next().unwrap_or(0));
    }
}

/// Packs a row of whole vectors of words; the last one may end early.
fn pack_words<N: Small>(row: &[N], words: &mut [[i32; LANES]]) {
    for (words, values) in words.iter_mut().zip(row.chunks(2 * LANES)) {
        let pairs = values.as_chunks::<2>().0;
        if pairs.len() == LANES {
            words.iter_mut().zip(pairs).for_each(|(word, &[a, b])| *word = pair(a.into(), b.into()));
        } else {
            pack_row(&mut values.iter().map(|&value| value.into()), words);
        }
    }
}

/// The inner product of each row with the vector of these parts, as words: the sum of `most` products fits.
fn dot_rows<N: Small>(rows: &[N], axis: usize, parts: &[Vec<PartWords>; PARTS], most: usize) -> Vec<EF> {
    let mut words = vec![[0; LANES]; parts[0].len()];
    let block = most / (2 * LANES);
    let dot = |row: &[N]| {
        pack_words(row, &mut words);
        let parts: [[F; EXTENSION_DEGREE]; PARTS] = parts.each_ref().map(|parts| {
            let blocks = words.chunks(block).zip(parts.chunks(block));
            blocks.fold([F::ZERO; _], |sums, (words, parts)| {
                let dots = inner_products(words, parts);
                std::array::from_fn(|k| sums[k] + F::from_i32(dots[k]))
            })
        });
        EF::from_basis_coefficients_fn(|k| joined(|j| parts[j][k]))
    };
    rows.chunks_exact(axis).map(dot).collect()
}

/// The inner products of a row and of a part of all coordinates.
fn inner_products(words: &[[i32; LANES]], parts: &[PartWords]) -> [i32; EXTENSION_DEGREE] {
    let mut totals = [Lanes::splat(0); EXTENSION_DEGREE];
    for (words, parts) in words.iter().zip(parts) {
        let words = Lanes::load(words);
        totals
            .iter_mut()
            .zip(parts)
            .for_each(|(total, part)| *total = total.add_products(words, Lanes::load(part)));
    }
    totals.map(|total| {
        let mut sums = [0; LANES];
        total.store(&mut sums);
        sums.iter().sum()
    })
}

/// sum_b v[b] M[b, c] for rows whose sums fit, packed; v has such parts.
fn weigh_rows<N: Small>(rows: &[N], parts: &[[Part; PARTS]], inner: usize) -> Vec<PackedEF> {
    let pairs: [Vec<PartPair>; PARTS] = std::array::from_fn(|j| {
        let of_pair = |parts: &[[Part; PARTS]]| {
            std::array::from_fn(|k| pair(parts[0][j][k], parts.get(1).map_or(0, |parts| parts[j][k])))
        };
        parts.chunks(2).map(of_pair).collect()
    });
    let mut sums = vec![PackedEF::ZERO; inner.div_ceil(WIDTH)];
    sums.par_chunks_mut(COLUMNS / WIDTH).enumerate().for_each(|(block, sums)| {
        let mut totals = [[[0; COLUMNS]; EXTENSION_DEGREE]; PARTS];
        let mut sources = vec![[0; COLUMNS]; ROWS / 2];
        for (index, rows) in rows.chunks(ROWS * inner).enumerate() {
            let count = pack_columns(rows, inner, block * COLUMNS, &mut sources);
            for (totals, pairs) in totals.iter_mut().zip(&pairs) {
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
    pairs: &[PartPair],
    sources: &[[i32; COLUMNS]],
    totals: &mut [[i32; COLUMNS]; EXTENSION_DEGREE],
) {
    for first in (0..COLUMNS).step_by(VECTORS * LANES) {
        let mut tile: [[Lanes; VECTORS]; EXTENSION_DEGREE] =
            totals.each_ref().map(|totals| std::array::from_fn(|i| Lanes::load(vector_of(totals, first, i))));
        for (parts, sources) in pairs.iter().zip(sources) {
            let sources: [Lanes; VECTORS] =
                std::array::from_fn(|i| Lanes::load(vector_of(sources, first, i)));
            for (totals, &part) in tile.iter_mut().zip(parts) {
                let part = Lanes::splat(part);
                totals
                    .iter_mut()
                    .zip(&sources)
                    .for_each(|(total, &source)| *total = total.add_products(part, source));
            }
        }
        for (totals, tile) in totals.iter_mut().zip(tile) {
            let vectors = totals[first..].as_chunks_mut::<LANES>().0;
            vectors.iter_mut().zip(tile).for_each(|(sums, total)| total.store(sums));
        }
    }
}

/// Vector i of the columns from `first` on.
#[inline(always)]
fn vector_of(columns: &[i32; COLUMNS], first: usize, i: usize) -> &[i32; LANES] {
    &columns[first..].as_chunks::<LANES>().0[i]
}

/// Integers between -p and p as elements.
fn elements_of(integers: &[i32]) -> Vec<F> {
    let canonical = |&integer: &i32| (integer as u32).wrapping_add((integer >> 31) as u32 & F::ORDER_U32);
    let mut elements = Vec::with_capacity(integers.len());
    extend_canonical(&integers.iter().map(canonical).collect::<Vec<u32>>(), &mut elements);
    elements
}

#[cfg(test)]
mod tests {
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
            vector.iter_mut().zip([0x400, LARGEST_SIGNED, LARGEST_SIGNED + 1, F::ORDER_U32 - 1])
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

    #[test]
    fn parts_make_the_element() {
        for value in elements(3, 50).into_iter().chain([EF::ZERO, EF::NEG_ONE]) {
            let parts = parts(&value).map(|part| part.map(F::from_i16));
            assert_eq!(EF::from_basis_coefficients_fn(|k| joined(|j| parts[j][k])), value);
        }
    }
}
