//! Weighted sums, and rescaling: a shift with rounding, then a table.

/// T((v + 2^(s-1)) >> s) of each value, for the table's values from `first` on; None beyond its domain.
pub fn rescale(values: &[i64], shift: u32, first: i64, table: &[i64]) -> Option<Vec<i64>> {
    let half = (1i64 << shift) >> 1;
    values.iter().map(|&value| table.get((((value + half) >> shift) - first) as usize).copied()).collect()
}

/// The same where the table is the line q + `offset`, cut at both ends, on `size` arguments from `first` on.
pub fn rescale_by_line(
    values: &[i64],
    shift: u32,
    domain: (i64, i64),
    offset: i64,
    ends: (i64, i64),
) -> Option<Vec<i64>> {
    let half = (1i64 << shift) >> 1;
    let (mut least, mut most) = (i64::MAX, i64::MIN);
    let result = values
        .iter()
        .map(|&value| {
            let quotient = (value + half) >> shift;
            least = least.min(quotient);
            most = most.max(quotient);
            (quotient + offset).clamp(ends.0, ends.1)
        })
        .collect();
    (values.is_empty() || (least >= domain.0 && most <= domain.1)).then_some(result)
}

/// The constant and multiples of some vectors of one length, added up.
pub fn weighted_sum(vectors: &[(i64, &[i64])], constant: i64) -> Vec<i64> {
    match vectors {
        [] => Vec::new(),
        [(factor, values)] => values.iter().map(|value| factor * value + constant).collect(),
        [(factor, values), (other, others), more @ ..] => {
            let pairs = values.iter().zip(*others);
            let mut sums: Vec<i64> = pairs.map(|(a, b)| factor * a + other * b + constant).collect();
            for (factor, values) in more {
                for (sum, value) in sums.iter_mut().zip(*values) {
                    *sum += factor * value;
                }
            }
            sums
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_are_the_definition() {
        let table: Vec<i64> = (-40..60).map(|argument: i64| (argument + 3).clamp(0, 20)).collect();
        let values: Vec<i64> = (-316..470).collect();
        let expected: Vec<i64> =
            values.iter().map(|value| ((value + 4).div_euclid(8) + 3).clamp(0, 20)).collect();
        assert_eq!(rescale(&values, 3, -40, &table).as_ref(), Some(&expected));
        assert_eq!(rescale_by_line(&values, 3, (-40, 59), 3, (0, 20)), Some(expected));
    }

    #[test]
    fn multiples_are_added_up() {
        let vectors: [(i64, &[i64]); 3] = [(2, &[1, -4]), (-1, &[5, 6]), (3, &[0, 1])];
        assert_eq!(weighted_sum(&vectors[..1], 7), [9, -1]);
        assert_eq!(weighted_sum(&vectors[..2], 7), [4, -7]);
        assert_eq!(weighted_sum(&vectors, 7), [4, -4]);
        assert!(weighted_sum(&[], 7).is_empty());
    }

    #[test]
    fn quotients_beyond_the_domain_are_refused() {
        for value in [-5, 3] {
            assert_eq!(rescale(&[value], 0, -4, &[1; 7]), None);
            assert_eq!(rescale_by_line(&[value], 0, (-4, 2), 0, (0, 1)), None);
        }
        assert_eq!(rescale(&[2, -4], 0, -4, &[1; 7]), Some(vec![1, 1]));
    }
}
