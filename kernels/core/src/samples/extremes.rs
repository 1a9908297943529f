//! The ends of values, and sums of their squares.

use super::Real;

/// In the values' precision: four vectors of any machine.
const LANES: usize = 32;

/// The least and the largest of some values: both NaN where one is.
pub fn extremes<R: Real>(values: &[R]) -> (f64, f64) {
    let (mut least, mut most) = ([R::INFINITY; LANES], [R::NEG_INFINITY; LANES]);
    // Products of zeros are NaN where a value is none, or infinite.
    let mut faults = [R::ZERO; LANES];
    let (blocks, tail) = values.as_chunks::<LANES>();
    let mut add = |lane: usize, value: R| {
        least[lane] = if value < least[lane] { value } else { least[lane] };
        most[lane] = if value > most[lane] { value } else { most[lane] };
        faults[lane] = faults[lane] + R::ZERO * value;
    };
    for block in blocks {
        for (lane, &value) in block.iter().enumerate() {
            add(lane, value);
        }
    }
    for (lane, &value) in tail.iter().enumerate() {
        add(lane, value);
    }
    if faults.iter().any(|fault| fault.wide().is_nan()) {
        return (f64::NAN, f64::NAN);
    }
    let least = least.iter().map(|value| value.wide()).fold(f64::INFINITY, f64::min);
    (least, most.iter().map(|value| value.wide()).fold(f64::NEG_INFINITY, f64::max))
}

/// Adds the square of each value, in double precision, to the sum beside it.
pub fn add_squares<R: Real>(sums: &mut [f64], values: &[R]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += value.wide() * value.wide();
    }
}

/// The same for sums that are rounded to single precision after each.
pub fn add_single_squares<R: Real>(sums: &mut [f32], values: &[R]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum = (f64::from(*sum) + value.wide() * value.wide()) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extremes_are_the_least_and_the_largest() {
        let values: Vec<f64> = (0..101).map(|index| f64::from((index * 7) % 31) - 11.5).collect();
        assert_eq!(extremes(&values), (-11.5, 18.5));
        assert_eq!(extremes(&values[..3]), (-11.5, 2.5));
        assert_eq!(extremes(&[1.5f32, -0.25]), (-0.25, 1.5));
    }

    #[test]
    fn what_is_not_finite_spoils_both_ends() {
        for fault in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for position in [0, 9, 33, 64] {
                let mut values = vec![1.0; 65];
                values[position] = fault;
                let (least, most) = extremes(&values);
                assert!(least.is_nan() && most.is_nan());
            }
        }
    }

    #[test]
    fn squares_are_added_in_double_precision() {
        let (mut double, mut single) = ([1.0, 2.0], [1.0f32, 16_777_216.0]);
        add_squares(&mut double, &[3.0, -0.5]);
        add_single_squares(&mut single, &[3.0f32, 1.0]);
        assert_eq!(double, [10.0, 2.25]);
        assert_eq!(single, [10.0, 16_777_216.0]);
    }
}
