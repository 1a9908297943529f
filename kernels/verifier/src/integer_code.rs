//! Public integers as bytes, in the shortest of three forms.
//!
//! Of n integers v_0, v_1, ... in a range [lo, hi], the first byte says the form. Bits follow, from the lowest of a
//! byte to its highest, and the last byte is filled with zeros.
//!
//! | first byte | bits of v_i |
//! | --- | --- |
//! | 0 | v_i - lo, in as many bits as hi - lo has, one at least |
//! | 1 + k | z = zigzag(v_i) by Rice's code: z >> k ones, a zero, and the k lowest bits of z |
//! | 65 + k | the same for z = zigzag(v_i - v_{i-1}), where v_{-1} = 0 |
//!
//! zigzag counts 0, -1, 1, -2, 2, ... And 2^k is the largest power of two that is not above the mean of all z, or 1. So
//! the integers say how long each form is. The shortest one is the encoding, the first of several: so it is unique.
//!
//! Inputs near a normal distribution, outputs that are mostly small, and images are shorter by Rice's codes.
//! Source: Rice and Plaunt, "Adaptive variable-length coding for efficient compression of spacecraft television
//! data", 1971.

use std::ops::RangeInclusive;

use crate::bits::{MAX_BITS, Reader, Writer};
use crate::error::{Check, Error, Rejection, Result};

/// First bytes of the two forms by Rice's code, less k.
const OF_VALUES: u8 = 1;
const OF_DIFFERENCES: u8 = 65;
/// Ends of ranges are nearer to 0: integers have 32 bits.
const MAX_END: u64 = 1 << 31;
/// So the sum of all zigzags, of 33 bits, takes 64.
const MAX_COUNT: usize = 1 << 30;

/// How integers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Fixed { bits: u32 },
    Rice { parameter: u32, differences: bool },
}

/// The bytes of integers in a range.
///
/// # Errors
/// [`Error::Shape`] for an integer outside of it, for a range beyond 32 bits, and for more than 2^30 integers.
pub fn encode(values: &[i64], range: &RangeInclusive<i64>) -> Result<Vec<u8>> {
    let span = span(values.len(), range)?;
    if values.iter().any(|value| !range.contains(value)) {
        return Err(Error::Shape("a public integer is outside of its range"));
    }
    let form = shortest(values, span);
    let mut bits = Writer::starting_with(form.first_byte());
    match form {
        Form::Fixed { bits: width } => {
            values.iter().for_each(|value| bits.push((value - range.start()).unsigned_abs(), width));
        }
        Form::Rice { parameter, differences } => {
            for number in zigzags(values, differences) {
                bits.push_ones(number >> parameter);
                bits.push(number & ((1 << parameter) - 1), parameter);
            }
        }
    }
    Ok(bits.finish())
}

/// The `count` integers in a range that bytes stand for.
///
/// # Errors
/// [`Error::Rejected`] for bytes that end early or go on, for integers outside of the range, and for any bytes that
/// [`encode`] does not give. [`Error::Shape`] for a range beyond 32 bits, and for more than 2^30 integers.
pub fn decode(bytes: &[u8], count: usize, range: &RangeInclusive<i64>) -> Result<Vec<i64>> {
    let span = span(count, range)?;
    let (&first, rest) = bytes.split_first().ok_or(Rejection::counted(Check::IntegerCount, count, 0))?;
    let form = Form::of_first_byte(first, span).ok_or(Rejection::of(Check::IntegerForm))?;
    // Each integer has a bit at least: so bytes bound what is allocated.
    if count.div_ceil(8) > rest.len() {
        return Err(Rejection::counted(Check::IntegerCount, count, 8 * rest.len()).into());
    }
    let mut bits = Reader::new(rest);
    let mut values = Vec::with_capacity(count);
    let mut before = 0;
    for index in 0..count {
        let short = Rejection::counted(Check::IntegerCount, count, index);
        let value = match form {
            Form::Fixed { bits: width } => {
                range.start().wrapping_add_unsigned(bits.take(width).ok_or(short)?)
            }
            Form::Rice { parameter, differences } => {
                let ones = bits.ones().ok_or(short)?;
                let low = bits.take(parameter).ok_or(short)?;
                // Beyond that the integer is outside of any range, whatever its low bits are.
                let number = ones.min(1 << (MAX_BITS - parameter)) << parameter | low;
                let signed = (number >> 1).cast_signed() ^ -(number & 1).cast_signed();
                if differences { before + signed } else { signed }
            }
        };
        if !range.contains(&value) {
            return Err(Rejection::at_index(Check::IntegerRange, index).into());
        }
        before = value;
        values.push(value);
    }
    if !bits.is_filled_with_zeros() {
        return Err(Rejection::at_index(Check::IntegerCount, count).into());
    }
    if shortest(&values, span) != form {
        return Err(Rejection::of(Check::IntegerForm).into());
    }
    Ok(values)
}

/// The most bytes that `count` integers of a range take.
///
/// # Errors
/// [`Error::Shape`] for a range beyond 32 bits, and for more than 2^30 integers.
pub fn most_bytes(count: usize, range: &RangeInclusive<i64>) -> Result<usize> {
    Ok(1 + (count * bits_of(span(count, range)?) as usize).div_ceil(8))
}

fn span(count: usize, range: &RangeInclusive<i64>) -> Result<u64> {
    if count > MAX_COUNT {
        return Err(Error::Shape("there are too many public integers"));
    }
    let ends = [range.start(), range.end()];
    if range.is_empty() || ends.into_iter().any(|end| end.unsigned_abs() >= MAX_END) {
        return Err(Error::Shape("the range of public integers is empty, or beyond 32 bits"));
    }
    Ok(range.end().abs_diff(*range.start()))
}

const fn bits_of(span: u64) -> u32 {
    u64::BITS - (span | 1).leading_zeros()
}

impl Form {
    const fn first_byte(self) -> u8 {
        match self {
            Self::Fixed { .. } => 0,
            Self::Rice { parameter, differences } => {
                parameter as u8 + if differences { OF_DIFFERENCES } else { OF_VALUES }
            }
        }
    }

    fn of_first_byte(byte: u8, span: u64) -> Option<Self> {
        let differences = byte >= OF_DIFFERENCES;
        let least = if differences { OF_DIFFERENCES } else { OF_VALUES };
        match byte.checked_sub(least).map(u32::from) {
            None => Some(Self::Fixed { bits: bits_of(span) }),
            Some(parameter) if parameter < MAX_BITS => Some(Self::Rice { parameter, differences }),
            Some(_) => None,
        }
    }

    /// Bits of all integers.
    fn length(self, values: &[i64]) -> u64 {
        let count = values.len() as u64;
        match self {
            Self::Fixed { bits } => count * u64::from(bits),
            Self::Rice { parameter, differences } => {
                sum_zigzags(values, differences, |z| z >> parameter) + count * u64::from(1 + parameter)
            }
        }
    }
}

fn shortest(values: &[i64], span: u64) -> Form {
    let mut best = Form::Fixed { bits: bits_of(span) };
    let mut least = best.length(values);
    for differences in [false, true] {
        let sum = sum_zigzags(values, differences, |z| z);
        let mean = sum.checked_div(values.len() as u64).unwrap_or(0);
        let form = Form::Rice { parameter: mean.checked_ilog2().unwrap_or(0), differences };
        let length = form.length(values);
        if length < least {
            (best, least) = (form, length);
        }
    }
    best
}

/// The numbers that Rice's code writes: of each integer, or of its difference to the one before.
fn zigzags(values: &[i64], differences: bool) -> impl Iterator<Item = u64> {
    values.iter().scan(0, move |before, &value| {
        let signed = value - *before;
        *before = if differences { value } else { 0 };
        Some(zigzag(signed))
    })
}

/// The sum of what a function makes of them: of many at once, which `zigzags` are not.
fn sum_zigzags(values: &[i64], differences: bool, of: impl Fn(u64) -> u64) -> u64 {
    if !differences {
        return values.iter().map(|&value| of(zigzag(value))).sum();
    }
    let first = values.first().map_or(0, |&value| of(zigzag(value)));
    first + values.iter().skip(1).zip(values).map(|(&value, &before)| of(zigzag(value - before))).sum::<u64>()
}

const fn zigzag(signed: i64) -> u64 {
    (signed << 1 ^ signed >> 63).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(error: Error) -> Check {
        match error {
            Error::Rejected(rejection) => rejection.check,
            Error::Shape(text) => panic!("{text}"),
        }
    }

    fn refused(bytes: &[u8], count: usize, range: RangeInclusive<i64>) -> Check {
        check(decode(bytes, count, &range).unwrap_err())
    }

    #[test]
    fn each_form_is_taken_where_it_is_shortest() {
        let uniform: Vec<i64> = (0..16).map(|i| i * 7 % 16).collect();
        assert_eq!(encode(&uniform, &(0..=15)).unwrap(), [0, 0x70, 0x5e, 0x3c, 0x1a, 0xf8, 0xd6, 0xb4, 0x92]);
        // zigzags 0, 1, 2, 0: a mean below 1, so k = 0, and bits 0 10 110 0.
        assert_eq!(encode(&[0, -1, 1, 0], &(-100..=100)).unwrap(), [1, 0b0001_1010]);
        // Differences 90, 0, 0, 0, 0, 1, 0, 0 have zigzags 180, 2 and zeros: a mean of 22, k = 4.
        let slow = encode(&[90, 90, 90, 90, 90, 91, 91, 91], &(-100..=1000)).unwrap();
        assert_eq!(slow[0], 65 + 4);
        assert_eq!(decode(&slow, 8, &(-100..=1000)).unwrap(), [90, 90, 90, 90, 90, 91, 91, 91]);
        // Of forms of one length the first is taken: a bit each.
        assert_eq!(encode(&[0, 0, 0], &(0..=1)).unwrap(), [0, 0]);
        assert_eq!(encode(&[0, 0, 0], &(0..=2)).unwrap(), [1, 0]);
    }

    #[test]
    fn equal_ends_take_a_bit_each_and_no_integers_none() {
        assert_eq!(encode(&[7; 9], &(7..=7)).unwrap(), [0, 0, 0]);
        assert_eq!(decode(&[0, 0, 0], 9, &(7..=7)).unwrap(), [7; 9]);
        assert_eq!(refused(&[0, 0], 9, 7..=7), Check::IntegerCount);
        assert_eq!(refused(&[0, 1, 0], 9, 7..=7), Check::IntegerRange);
        assert_eq!(encode(&[], &(0..=9)).unwrap(), [0]);
        assert_eq!(decode(&[0], 0, &(0..=9)).unwrap(), [0; 0]);
    }

    #[test]
    fn a_long_run_of_ones_is_read_across_words() {
        let mut values = vec![0; 2000];
        values[1000] = 900;
        let bytes = encode(&values, &(-1000..=1000)).unwrap();
        assert_eq!(bytes[0], 1);
        assert_eq!(decode(&bytes, 2000, &(-1000..=1000)).unwrap(), values);
    }

    #[test]
    fn bytes_that_end_early_or_go_on_are_refused() {
        for (values, range) in [(vec![3, 1, 2, 0, 3, 3], 0..=3), (vec![0, -1, 1, 0, 9, 0, 2, -2], -100..=100)]
        {
            let bytes = encode(&values, &range).unwrap();
            for length in 0..bytes.len() {
                assert_eq!(refused(&bytes[..length], values.len(), range.clone()), Check::IntegerCount);
            }
            assert_eq!(
                refused(&[&bytes[..], &[0]].concat(), values.len(), range.clone()),
                Check::IntegerCount
            );
            assert_eq!(refused(&bytes, values.len() + 8, range.clone()), Check::IntegerCount);
        }
        // Bits that fill the last byte are zeros.
        assert_eq!(refused(&[0, 0b0010_0111], 2, 0..=3), Check::IntegerCount);
        assert_eq!(refused(&[0, 0], 1 << 30, 0..=3), Check::IntegerCount);
    }

    #[test]
    fn integers_outside_of_the_range_are_refused() {
        assert_eq!(refused(&[0, 0b0000_1101], 2, 0..=2), Check::IntegerRange);
        // Zigzags 6 and 10 are 3 and 5, zigzags 6 and 4 of differences are 3 and 3 + 2.
        assert_eq!(refused(&[1, 0b1011_1111, 0xff, 1], 2, -4..=4), Check::IntegerRange);
        assert_eq!(refused(&[65 + 2, 0b0001_1001], 2, -4..=4), Check::IntegerRange);
        // So many ones that 2^39 of each would be 2^64: they are no zero.
        let long = [&[1 + 39][..], &vec![0xff; 1 << 22], &[0; 6]].concat();
        assert_eq!(refused(&long, 1, -4..=4), Check::IntegerRange);
    }

    #[test]
    fn other_forms_of_the_same_integers_are_refused() {
        // [0, 0, 0] of -1..=1 takes a bit each; here two bits each, and k = 1.
        assert_eq!(encode(&[0, 0, 0], &(-1..=1)).unwrap(), [1, 0]);
        assert_eq!(refused(&[0, 0b0001_0101], 3, -1..=1), Check::IntegerForm);
        assert_eq!(refused(&[2, 0], 3, -1..=1), Check::IntegerForm);
        assert_eq!(refused(&[65, 0], 3, -1..=1), Check::IntegerForm);
        for first in [1 + 40, 64, 65 + 40, 255] {
            assert_eq!(refused(&[first, 0, 0, 0, 0], 3, -1..=1), Check::IntegerForm);
        }
    }

    #[test]
    fn arguments_that_do_not_fit_are_errors() {
        for range in [-1 << 31..=0, 0..=1 << 31, RangeInclusive::new(1, 0), i64::MIN..=i64::MAX] {
            assert!(matches!(encode(&[0], &range), Err(Error::Shape(_))));
            assert!(matches!(decode(&[0], 1, &range), Err(Error::Shape(_))));
            assert!(matches!(most_bytes(1, &range), Err(Error::Shape(_))));
        }
        assert!(matches!(encode(&[4], &(0..=3)), Err(Error::Shape(_))));
        assert!(matches!(encode(&[-1], &(0..=3)), Err(Error::Shape(_))));
        assert!(matches!(most_bytes((1 << 30) + 1, &(0..=3)), Err(Error::Shape(_))));
        assert!(matches!(decode(&[0], (1 << 30) + 1, &(7..=7)), Err(Error::Shape(_))));
        assert_eq!(most_bytes(5, &(0..=3)).unwrap(), 3);
    }

    fn integers() -> impl Strategy<Value = (Vec<i64>, RangeInclusive<i64>)> {
        let end = 1 - (1_i64 << 31)..=(1 << 31) - 1;
        (end.clone(), end, 0_u32..32).prop_flat_map(|(a, b, shift)| {
            let range = a.min(b)..=a.max(b);
            let (low, high) = (*range.start(), *range.end());
            let inside = (low >> shift..=high >> shift).prop_map(move |v| v.clamp(low, high));
            (prop::collection::vec(inside, 0..200), Just(range))
        })
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding((values, range) in integers()) {
            let bytes = encode(&values, &range).unwrap();
            prop_assert!(bytes.len() <= most_bytes(values.len(), &range).unwrap());
            prop_assert_eq!(decode(&bytes, values.len(), &range).unwrap(), values);
        }

        #[test]
        fn integers_have_one_encoding(bytes: Vec<u8>, count in 0_usize..40, low in -40_i64..=0, high in 0_i64..40) {
            if let Ok(values) = decode(&bytes, count, &(low..=high)) {
                prop_assert_eq!(encode(&values, &(low..=high)).unwrap(), bytes);
            }
        }
    }
}
