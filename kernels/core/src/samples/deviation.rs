//! How far integers are from the real values that they stand for.

use super::Real;
use crate::integers::rounding::Narrow;

const LANES: usize = 8;

/// Sums over one channel: of squared errors, of squared values, of squared distances from the origin, and of these
/// distances.
pub type Sums = [f64; 4];

/// The sums of a channel with real values `expected`, and the largest error. An integer counts `scale`.
pub fn deviation<R: Real, N: Narrow>(expected: &[R], integers: &[N], scale: f64, origin: f64) -> (Sums, f64) {
    let mut totals = [[0.0; LANES]; 4];
    let mut largest = [0.0f64; LANES];
    let (blocks, expected_tail) = expected.as_chunks::<LANES>();
    let (integer_blocks, integer_tail) = integers.as_chunks::<LANES>();
    let mut add = |lane: usize, real: f64, integer: N| {
        let (error, centred) = (integer.wide() as f64 * scale - real, real - origin);
        totals[0][lane] += error * error;
        totals[1][lane] += real * real;
        totals[2][lane] += centred * centred;
        totals[3][lane] += centred;
        largest[lane] = if error.abs() > largest[lane] { error.abs() } else { largest[lane] };
    };
    for (reals, integers) in blocks.iter().zip(integer_blocks) {
        for (lane, (&real, &integer)) in reals.iter().zip(integers).enumerate() {
            add(lane, real.wide(), integer);
        }
    }
    for (lane, (&real, &integer)) in expected_tail.iter().zip(integer_tail).enumerate() {
        add(lane, real.wide(), integer);
    }
    (totals.map(|lanes| lanes.iter().sum()), largest.into_iter().fold(0.0, f64::max))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_the_definition() {
        let expected: Vec<f64> = (0..21).map(|index| f64::from(index) * 0.75 - 3.0).collect();
        let integers: Vec<i64> = (0..21).map(|index| index - 5).collect();
        let narrow: Vec<i8> = integers.iter().map(|&integer| integer as i8).collect();
        let (sums, largest) = deviation(&expected, &integers, 0.5, 1.0);
        assert_eq!(deviation(&expected, &narrow, 0.5, 1.0), (sums, largest));
        let errors = || expected.iter().zip(&integers).map(|(real, &integer)| integer as f64 * 0.5 - real);
        let exact: [f64; 4] = [
            errors().map(|error| error * error).sum(),
            expected.iter().map(|real| real * real).sum(),
            expected.iter().map(|real| (real - 1.0) * (real - 1.0)).sum(),
            expected.iter().map(|real| real - 1.0).sum(),
        ];
        for (sum, exact) in sums.iter().zip(exact) {
            assert!((sum - exact).abs() <= 1e-12 * exact.abs().max(1.0));
        }
        assert_eq!(largest, errors().map(f64::abs).fold(0.0, f64::max));
    }

    #[test]
    fn what_is_not_finite_is_no_small_error() {
        let (sums, _) = deviation(&[f32::NAN; 3], &[0i64; 3], 1.0, 0.0);
        assert!(sums[0].is_nan());
    }
}
