//! Weighted sums, and rescaling: a shift with rounding, then a table.

use super::rounding::Narrow;

const BLOCK: usize = 512;

/// A table T on the arguments from `first` on.
pub struct Table<'a> {
    pub first: i64,
    pub values: &'a [i64],
    /// Offset and ends, where T is the line q + offset that is cut at both ends.
    pub line: Option<(i64, i64, i64)>,
}

impl Table<'_> {
    /// T of each argument; whether all are in its domain.
    fn apply(&self, arguments: &[i64], results: &mut [i64]) -> bool {
        let (mut least, mut most) = (i64::MAX, i64::MIN);
        for &argument in arguments {
            least = least.min(argument);
            most = most.max(argument);
        }
        if least < self.first || most - self.first >= self.values.len() as i64 {
            return false;
        }
        match self.line {
            Some((offset, low, high)) => {
                for (result, &argument) in results.iter_mut().zip(arguments) {
                    *result = (argument + offset).clamp(low, high);
                }
            }
            None => {
                for (result, &argument) in results.iter_mut().zip(arguments) {
                    *result = self.values[(argument - self.first) as usize];
                }
            }
        }
        true
    }
}

/// A column of integers that is written.
pub enum Column<'a> {
    OneByte(&'a mut [i8]),
    TwoBytes(&'a mut [i16]),
    FourBytes(&'a mut [i32]),
    EightBytes(&'a mut [i64]),
}

impl Column<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::OneByte(column) => column.len(),
            Self::TwoBytes(column) => column.len(),
            Self::FourBytes(column) => column.len(),
            Self::EightBytes(column) => column.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn write(&mut self, first: usize, values: &[i64]) {
        match self {
            Self::OneByte(column) => write(&mut column[first..], values),
            Self::TwoBytes(column) => write(&mut column[first..], values),
            Self::FourBytes(column) => write(&mut column[first..], values),
            Self::EightBytes(column) => write(&mut column[first..], values),
        }
    }
}

fn write<N: Narrow>(column: &mut [N], values: &[i64]) {
    for (target, &value) in column.iter_mut().zip(values) {
        *target = N::of_wide(value);
    }
}

/// Writes T(q) of each value v, where v + 2^(s-1) = q * 2^s + r: whether each q is in T's domain.
///
/// With `parts` it also writes q, and the limbs of r, whose widths come first.
pub fn rescale<N: Narrow>(
    values: &[N],
    shift: u32,
    table: &Table<'_>,
    result: &mut Column<'_>,
    mut parts: Option<(&[u32], &mut [Column<'_>])>,
) -> bool {
    let half = (1i64 << shift) >> 1;
    let mut buffers = [[0; BLOCK]; 3];
    for (index, values) in values.chunks(BLOCK).enumerate() {
        let [shifted, quotients, written] = buffers.each_mut().map(|buffer| &mut buffer[..values.len()]);
        for ((shifted, quotient), value) in shifted.iter_mut().zip(quotients.iter_mut()).zip(values) {
            *shifted = value.wide() + half;
            *quotient = *shifted >> shift;
        }
        if !table.apply(quotients, written) {
            return false;
        }
        let first = index * BLOCK;
        result.write(first, written);
        if let Some((widths, columns)) = &mut parts {
            let (quotient_column, limb_columns) =
                columns.split_first_mut().expect("there is a column of quotients");
            quotient_column.write(first, quotients);
            let mut offset = 0;
            for (column, &width) in limb_columns.iter_mut().zip(*widths) {
                for (limb, &shifted) in written.iter_mut().zip(shifted.iter()) {
                    *limb = (shifted >> offset) & ((1 << width) - 1);
                }
                column.write(first, written);
                offset += width;
            }
        }
    }
    true
}

/// A vector of integers of some width.
pub enum Vector<'a> {
    OneByte(&'a [i8]),
    TwoBytes(&'a [i16]),
    FourBytes(&'a [i32]),
    EightBytes(&'a [i64]),
}

impl Vector<'_> {
    pub fn len(&self) -> usize {
        match self {
            Self::OneByte(values) => values.len(),
            Self::TwoBytes(values) => values.len(),
            Self::FourBytes(values) => values.len(),
            Self::EightBytes(values) => values.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a multiple of it to sums.
    fn add_to(&self, factor: i64, first: usize, sums: &mut [i64]) {
        match self {
            Self::OneByte(values) => add(factor, &values[first..], sums),
            Self::TwoBytes(values) => add(factor, &values[first..], sums),
            Self::FourBytes(values) => add(factor, &values[first..], sums),
            Self::EightBytes(values) => add(factor, &values[first..], sums),
        }
    }
}

fn add<N: Narrow>(factor: i64, values: &[N], sums: &mut [i64]) {
    for (sum, &value) in sums.iter_mut().zip(values) {
        *sum += factor * value.wide();
    }
}

/// The constant and multiples of some vectors of one length, added up.
pub fn weighted_sum(vectors: &[(i64, Vector<'_>)], length: usize, constant: i64) -> Vec<i64> {
    let mut sums = vec![constant; length];
    for (index, sums) in sums.chunks_mut(BLOCK).enumerate() {
        for (factor, vector) in vectors {
            vector.add_to(*factor, index * BLOCK, sums);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rescaled(values: &[i64], shift: u32, table: &Table<'_>) -> Option<Vec<i64>> {
        let mut results = vec![0; values.len()];
        rescale(values, shift, table, &mut Column::EightBytes(&mut results), None).then_some(results)
    }

    #[test]
    fn lines_and_other_tables_are_the_definition() {
        let values: Vec<i64> = (-40..60).map(|argument: i64| (argument + 3).clamp(0, 20)).collect();
        let arguments: Vec<i64> = (-316..470).collect();
        let expected: Vec<i64> =
            arguments.iter().map(|value| ((value + 4).div_euclid(8) + 3).clamp(0, 20)).collect();
        for line in [None, Some((3, 0, 20))] {
            let table = Table { first: -40, values: &values, line };
            assert_eq!(rescaled(&arguments, 3, &table).as_ref(), Some(&expected));
        }
    }

    #[test]
    fn quotients_and_limbs_are_written_in_their_types() {
        let arguments: Vec<i32> = (-1500..1500).collect();
        let values: Vec<i64> = (-100..100).map(|argument| argument / 2).collect();
        let table = Table { first: -100, values: &values, line: None };
        let (mut results, mut quotients) = (vec![0i8; 3000], vec![0i16; 3000]);
        let (mut low, mut high) = (vec![0i32; 3000], vec![0i64; 3000]);
        let mut columns =
            [Column::TwoBytes(&mut quotients), Column::FourBytes(&mut low), Column::EightBytes(&mut high)];
        let parts = Some((&[3, 1][..], &mut columns[..]));
        assert!(rescale(&arguments, 4, &table, &mut Column::OneByte(&mut results), parts));
        for (index, &argument) in arguments.iter().enumerate() {
            let (quotient, remainder) = ((argument + 8).div_euclid(16), (argument + 8).rem_euclid(16));
            assert_eq!(i32::from(quotients[index]), quotient);
            assert_eq!(low[index] + 8 * high[index] as i32, remainder);
            assert_eq!(i64::from(results[index]), values[(quotient + 100) as usize]);
        }
    }

    #[test]
    fn multiples_of_any_width_are_added_up() {
        let vectors = [
            (2, Vector::OneByte(&[1, -4])),
            (-1, Vector::EightBytes(&[5, 6])),
            (3, Vector::TwoBytes(&[0, 1])),
        ];
        assert_eq!(weighted_sum(&vectors[..1], 2, 7), [9, -1]);
        assert_eq!(weighted_sum(&vectors, 2, 7), [4, -4]);
        assert_eq!(weighted_sum(&[(5, Vector::FourBytes(&[1; 1300]))], 1300, 1), [6; 1300]);
    }

    #[test]
    fn quotients_beyond_the_domain_are_refused() {
        for line in [None, Some((0, 0, 1))] {
            let table = Table { first: -4, values: &[1; 7], line };
            for value in [-5, 3, 1 << 40] {
                assert_eq!(rescaled(&[value], 0, &table), None);
            }
            assert_eq!(rescaled(&[2, 1], 0, &table), Some(vec![1, 1]));
        }
        assert_eq!(rescaled(&[], 0, &Table { first: 0, values: &[], line: None }), Some(vec![]));
    }
}
