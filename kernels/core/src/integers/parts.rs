//! Extension elements as small integers, so that their products with others need no reduction.
//!
//! A coordinate is a sum of 2^(11 j) times integers of 11 bits with signs, its parts. Products of parts and integers of
//! 16 bits are added up as integers; the sums, where they are between -p and p, are then elements.

use p3_field::{Algebra, PrimeCharacteristicRing, PrimeField32};

use super::lanes::{LANES, Lanes, pair};
use crate::field::{EF, EXTENSION_DEGREE, F, coefficients, extend_canonical, representatives};

/// Bits of a part; the last one has what is left.
const BITS: u32 = 11;
/// Parts of a coordinate.
pub const PARTS: usize = 3;
/// Of integers of 16 bits so many products fit, and of smaller ones a multiple.
const MULTIPLE: u32 = 32;
/// The largest of the integers that stand for elements.
const LARGEST_SIGNED: u32 = F::ORDER_U32 / 2;

/// Values of all coordinates.
pub type Coordinates<T> = [T; EXTENSION_DEGREE];
/// Pairs of integers of 16 bits, in words.
pub type Words = [i32; LANES];

/// The parts of elements: for each part and coordinate, one of each element.
pub struct Parts([Coordinates<Vec<i16>>; PARTS]);

impl Parts {
    /// Those of elements.
    pub fn of(values: &[EF]) -> Self {
        let coordinate = |k: usize| values.iter().map(|value| coefficients(value)[k]).collect::<Vec<F>>();
        let mut parts: [Coordinates<Vec<i16>>; PARTS] = Default::default();
        for k in 0..EXTENSION_DEGREE {
            let mut signed = signed(&coordinate(k));
            for parts in &mut parts {
                let low = |value: i32| (value << (u32::BITS - BITS)) >> (u32::BITS - BITS);
                parts[k] = signed.iter().map(|&value| low(value) as i16).collect();
                signed.iter_mut().for_each(|value| *value = (*value - low(*value)) >> BITS);
            }
        }
        Self(parts)
    }

    /// Pairs of elements: in a word the first and the second one's part, zero after the end.
    pub fn pairs(&self) -> [Vec<Coordinates<i32>>; PARTS] {
        self.0.each_ref().map(|parts| {
            let part = |index: usize, k: usize| parts[k].get(index).copied().unwrap_or(0);
            let of_pair = |i: usize| std::array::from_fn(|k| pair(part(2 * i, k), part(2 * i + 1, k)));
            (0..parts[0].len().div_ceil(2)).map(of_pair).collect()
        })
    }

    /// Pairs in whole vectors of words, zero after the end.
    pub fn words(&self) -> PartWords {
        PartWords(self.0.each_ref().map(|parts| {
            let words = parts.each_ref().map(|part| packed_words(part));
            (0..words[0].len()).map(|i| words.each_ref().map(|words| words[i])).collect()
        }))
    }
}

/// How many products of parts and of integers up to `bound`, at least 1, have a sum between -p and p: a multiple of 32.
pub const fn most_products(bound: u32) -> usize {
    let most = (F::ORDER_U32 - 1) / (bound << (BITS - 1));
    (most / MULTIPLE * MULTIPLE) as usize
}

/// The parts of elements in vectors of words.
pub struct PartWords([Vec<Coordinates<Words>>; PARTS]);

impl PartWords {
    /// Vectors of words of each part.
    pub fn vectors(&self) -> usize {
        self.0[0].len()
    }

    /// The inner products of all parts with such vectors, from vector `first` on.
    #[inline]
    pub fn inner_products(&self, first: usize, words: &[Words]) -> [Coordinates<i32>; PARTS] {
        self.0.each_ref().map(|parts| {
            let mut totals = [Lanes::splat(0); EXTENSION_DEGREE];
            for (words, parts) in words.iter().zip(&parts[first..]) {
                let words = Lanes::load(words);
                totals = std::array::from_fn(|k| totals[k].add_products(words, Lanes::load(&parts[k])));
            }
            totals.map(|total| {
                let mut sums = [0; LANES];
                total.store(&mut sums);
                sums.iter().sum()
            })
        })
    }
}

/// The sum of 2^(11 j) times the parts.
#[inline(always)]
pub fn joined<R: Algebra<F> + Copy>(part: impl Fn(usize) -> R) -> R {
    let shift = R::from(F::from_u32(1 << BITS));
    (part(2) * shift + part(1)) * shift + part(0)
}

/// Writes pairs of integers as words; zeros after the end, and in what is left of the last vector.
pub fn pack_words<N: Copy + Into<i16>>(values: &[N], words: &mut [Words]) {
    for (words, values) in words.iter_mut().zip(values.chunks(2 * LANES)) {
        let (pairs, last) = values.as_chunks::<2>();
        let (whole, others) = words.split_at_mut(pairs.len());
        whole.iter_mut().zip(pairs).for_each(|(word, &[a, b])| *word = pair(a.into(), b.into()));
        others.fill(0);
        if let ([word, ..], &[value]) = (others, last) {
            *word = pair(value.into(), 0);
        }
    }
}

fn packed_words(values: &[i16]) -> Vec<Words> {
    let mut words = vec![[0; LANES]; values.len().div_ceil(2 * LANES)];
    pack_words(values, &mut words);
    words
}

/// The integers between -p / 2 and p / 2 that stand for elements.
fn signed(values: &[F]) -> Vec<i32> {
    let mut numbers = vec![0; values.len()];
    representatives(values, &mut numbers);
    let centred = |number: u32| {
        if number > LARGEST_SIGNED { number.wrapping_sub(F::ORDER_U32) as i32 } else { number as i32 }
    };
    numbers.into_iter().map(centred).collect()
}

/// Integers between -p and p as elements.
pub fn elements_of(integers: &[i32]) -> Vec<F> {
    let canonical = |&integer: &i32| (integer as u32).wrapping_add((integer >> 31) as u32 & F::ORDER_U32);
    let mut elements = Vec::with_capacity(integers.len());
    extend_canonical(&integers.iter().map(canonical).collect::<Vec<u32>>(), &mut elements);
    elements
}

#[cfg(test)]
mod tests {
    use p3_field::BasedVectorSpace;

    use super::*;
    use deepprove_verifier::testing::elements;

    #[test]
    fn parts_make_the_element() {
        let mut values = elements(3, 61);
        values.extend([
            EF::ZERO,
            EF::NEG_ONE,
            EF::from_u32(LARGEST_SIGNED),
            EF::from_u32(LARGEST_SIGNED + 1),
        ]);
        let parts = Parts::of(&values);
        for (i, &value) in values.iter().enumerate() {
            let part = |j: usize, k: usize| F::from_i16(parts.0[j][k][i]);
            assert!(parts.0.iter().flatten().all(|part| part[i].unsigned_abs() <= 1 << (BITS - 1)));
            assert_eq!(EF::from_basis_coefficients_fn(|k| joined(|j| part(j, k))), value);
        }
    }

    #[test]
    fn integers_stand_for_elements() {
        let half = LARGEST_SIGNED as i32;
        let integers = [0, 1, -1, half, -half, 12345];
        assert_eq!(signed(&elements_of(&integers)), integers);
        assert_eq!(elements_of(&[1 - F::ORDER_U32 as i32, F::ORDER_U32 as i32 - 1]), [F::ONE, F::NEG_ONE]);
    }

    #[test]
    fn sums_of_that_many_products_fit() {
        for bound in [1, 127, 128, 2048, 32768] {
            let most = most_products(bound) as u64;
            assert!(most > 0 && most.is_multiple_of(u64::from(MULTIPLE)));
            assert!(most * u64::from(bound << (BITS - 1)) < u64::from(F::ORDER_U32));
        }
    }
}
