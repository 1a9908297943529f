//! Column-major matrices by parts: part f has the values of the matrix's vector whose index is f modulo their number.

use std::borrow::Cow;

use p3_field::Field;
use p3_util::log2_ceil_usize;

use crate::error::{Error, Result};

/// A matrix of `columns` columns of `rows` values. Missing values at the end of a part are zero.
pub(crate) struct MatrixParts<'a, V> {
    parts: &'a [&'a [V]],
    pub(crate) rows: usize,
    columns: usize,
}

impl<'a, V: Field> MatrixParts<'a, V> {
    /// # Errors
    /// [`Error::Shape`] if the parts are no power of two, or more than rows, or have too many values, or if there is
    /// no column.
    pub(crate) fn new(parts: &'a [&'a [V]], rows: usize, columns: usize) -> Result<Self> {
        if !parts.len().is_power_of_two() || parts.len() > rows {
            return Err(Error::Shape("a matrix has no such parts"));
        }
        if columns == 0 || parts.iter().any(|part| part.len().div_ceil(rows / parts.len()) > columns) {
            return Err(Error::Shape("a matrix has no column or more values than it holds"));
        }
        Ok(Self { parts, rows, columns })
    }

    /// How many rows are left without the last ones that are zero in all columns.
    pub(crate) fn degree(&self) -> usize {
        let count = self.parts.len();
        let degrees = self.parts.iter().enumerate().map(|(index, part)| {
            match part.chunks(self.rows / count).fold(0, degree) {
                0 => 0,
                degree => (degree - 1) * count + index + 1,
            }
        });
        degrees.max().unwrap_or(0)
    }

    /// The matrix's vector, perhaps without zeros at its end.
    pub(crate) fn interleaved(&self) -> Cow<'a, [V]> {
        if let &[values] = self.parts {
            return Cow::Borrowed(values);
        }
        let length = self.parts.iter().map(|part| part.len()).max().unwrap_or(0);
        let mut values = V::zero_vec(length * self.parts.len());
        for (index, values) in values.chunks_exact_mut(self.parts.len()).enumerate() {
            for (value, part) in values.iter_mut().zip(self.parts) {
                *value = part.get(index).copied().unwrap_or(V::ZERO);
            }
        }
        Cow::Owned(values)
    }

    /// The matrix of 2^log_rows rows whose columns are these and then those of other rows, column-major; log_rows.
    pub(crate) fn with_rows(&self, others: &[V]) -> (Vec<V>, usize) {
        let (count, values) = (others.len() / self.columns, self.interleaved());
        let log_rows = log2_ceil_usize(self.rows + count);
        let mut joined = V::zero_vec(self.columns << log_rows);
        for (column, values) in joined.chunks_mut(1 << log_rows).zip(values.chunks(self.rows)) {
            column[..values.len()].copy_from_slice(values);
        }
        for (column, others) in joined.chunks_mut(1 << log_rows).zip(others.chunks(count.max(1))) {
            column[self.rows..][..count].copy_from_slice(others);
        }
        (joined, log_rows)
    }
}

/// The larger of a degree and that of a column.
fn degree<V: Field>(degree: usize, column: &[V]) -> usize {
    let tail = column.get(degree..).unwrap_or_default();
    tail.iter().rposition(|value| !value.is_zero()).map_or(degree, |last| degree + last + 1)
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use proptest::prelude::*;

    use super::*;
    use crate::field::F;

    proptest! {
        #[test]
        fn parts_have_the_degree_and_the_values_of_their_matrix(
            log_rows in 0_usize..5,
            columns in 1_usize..5,
            log_parts in 0_usize..5,
            values in prop::collection::vec(0_u32..3, 80),
            degree in 0_usize..20,
        ) {
            let (rows, count) = (1 << log_rows, 1 << log_parts.min(log_rows));
            let kept = |index: usize| if index % rows < degree { values[index] } else { 0 };
            let whole: Vec<F> = (0..columns * rows).map(|index| F::new(kept(index))).collect();
            let mut parts: Vec<Vec<F>> =
                (0..count).map(|index| whole.iter().skip(index).step_by(count).copied().collect()).collect();
            parts.iter_mut().for_each(|part| while part.pop_if(|value| value.is_zero()).is_some() {});
            let parts: Vec<&[F]> = parts.iter().map(Vec::as_slice).collect();
            let matrix = MatrixParts::new(&parts, rows, columns).unwrap();
            let zero_from = |row: &usize| (*row..rows).all(|row| (row..whole.len()).step_by(rows).all(|i| whole[i].is_zero()));
            prop_assert_eq!(matrix.degree(), (0..=rows).find(zero_from).unwrap());
            let mut values = matrix.interleaved().into_owned();
            values.resize(whole.len(), F::ZERO);
            prop_assert_eq!(values, whole);
        }
    }

    #[test]
    fn what_is_no_matrix_by_parts_is_refused() {
        let (part, none): ([F; 3], [F; 0]) = ([F::ONE; 3], []);
        assert!(MatrixParts::new(&[&part, &part, &none], 4, 9).is_err());
        assert!(MatrixParts::new(&[&part, &part], 1, 9).is_err());
        assert!(MatrixParts::new(&[&none], 4, 0).is_err());
        assert!(MatrixParts::new(&[&part, &none], 4, 1).is_err());
        assert!(MatrixParts::new(&[&part, &none], 4, 2).is_ok());
        assert!(MatrixParts::<F>::new(&[], 4, 2).is_err());
    }
}
