//! Chosen elements of a matrix, as a product in a batch of sumchecks.
//!
//! Let M have R rows and C columns, J be places in it, and u a point of the rows. The claim is
//!
//!   sum_{r, c} [(r, c) in J] M(r, c) eq(u, r) = v.
//!
//! While rounds bind rows, columns without a place of J add nothing to it. So these rounds run over the others
//! alone: they are R at most where J has a place in each row. Then M is bound to the challenges of the rows at
//! once, and the last rounds run over all columns. So there are never three vectors of 2^(log R + log C) elements.

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::error::{Error, Result};
use crate::field::vector::ExtVector;
use crate::field::{EF, F};
use crate::poly::axes::{AxisShape, bind_base};
use crate::poly::eq::eq_scalars;

/// A matrix, places in it, and what rounds have made of both.
#[derive(Clone, Debug)]
pub struct ChosenElements {
    matrix: Arc<Vec<F>>,
    /// The index of each row on the hypercube of all rows.
    rows: Vec<usize>,
    columns: usize,
    log_rows: usize,
    /// The columns that have a place, in order.
    chosen: Vec<usize>,
    /// [(r, c) in J], M and eq over what is left of rows, and these columns; in the end over all columns.
    factors: [ExtVector; 3],
    challenges: Vec<EF>,
    sum: EF,
}

impl ChosenElements {
    /// The matrix in row-major order, whose row k has index `rows[k]` on the hypercube of `point`; and places
    /// (k, column).
    ///
    /// # Errors
    /// [`Error::Shape`] for rows outside of the hypercube, and for places outside of the matrix.
    pub fn new(
        matrix: Arc<Vec<F>>,
        rows: Vec<usize>,
        places: &[(usize, usize)],
        point: &[EF],
    ) -> Result<Self> {
        let columns = matrix.len().checked_div(rows.len()).unwrap_or(0);
        let fits = columns * rows.len() == matrix.len() && point.len() < 32;
        let inside = places.iter().all(|&(row, column)| row < rows.len() && column < columns);
        if !fits || columns == 0 || !inside || rows.iter().any(|&row| row >> point.len() != 0) {
            return Err(Error::Shape("chosen elements lie outside of their matrix"));
        }
        let mut chosen: Vec<usize> = places.iter().map(|&(_, column)| column).collect();
        chosen.sort_unstable();
        chosen.dedup();
        let width = chosen.len().next_power_of_two();
        let eq = eq_scalars(point, EF::ONE);
        let [mut places_of, mut values] = [(); 2].map(|()| EF::zero_vec(width << point.len()));
        for (row, elements) in rows.iter().zip(matrix.chunks_exact(columns)) {
            for (value, &column) in values[row * width..].iter_mut().zip(&chosen) {
                *value = EF::from(elements[column]);
            }
        }
        let mut sum = EF::ZERO;
        for &(row, column) in places {
            let index = chosen.partition_point(|&other| other < column);
            places_of[rows[row] * width + index] += EF::ONE;
            sum += eq[rows[row]] * matrix[row * columns + column];
        }
        let repeated: Vec<EF> = eq.iter().flat_map(|&weight| std::iter::repeat_n(weight, width)).collect();
        let factors = [&places_of, &values, &repeated].map(|factor| ExtVector::from_scalars(factor));
        let challenges = Vec::with_capacity(point.len());
        let mut elements =
            Self { matrix, rows, columns, log_rows: point.len(), chosen, factors, challenges, sum };
        elements.spread_columns();
        Ok(elements)
    }

    /// The sum v.
    pub const fn sum(&self) -> EF {
        self.sum
    }

    /// Variables that no round has bound.
    pub fn variables(&self) -> usize {
        let columns = self.columns.next_power_of_two().ilog2() as usize;
        self.log_rows + columns - self.challenges.len()
    }

    /// Elements of the matrix.
    pub fn size(&self) -> usize {
        self.matrix.len()
    }

    /// What the next round sums products of: values elsewhere do not count.
    pub const fn factors(&self) -> &[ExtVector] {
        &self.factors
    }

    /// Binds the top variable to `r`.
    pub fn fold(&mut self, r: EF) {
        self.factors.iter_mut().for_each(|factor| factor.fold(r));
        self.challenges.push(r);
        self.spread_columns();
    }

    /// Goes on to all columns once all rows are bound.
    fn spread_columns(&mut self) {
        if self.challenges.len() != self.log_rows {
            return;
        }
        let eq = eq_scalars(&self.challenges, EF::ONE);
        let weights: Vec<EF> = self.rows.iter().map(|&row| eq[row]).collect();
        let shape = AxisShape { outer: 1, axis: self.rows.len(), inner: self.columns };
        let mut values = bind_base(&self.matrix, shape, &weights).expect("the matrix has these rows");
        let width = self.columns.next_power_of_two();
        values.resize(width, EF::ZERO);
        let mut places = EF::zero_vec(width);
        for (&column, place) in self.chosen.iter().zip(self.factors[0].to_scalars()) {
            places[column] = place;
        }
        let weight = self.factors[2].to_scalars()[0];
        self.factors = [&places, &values, &vec![weight; width]].map(|factor| ExtVector::from_scalars(factor));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sumcheck::batch::{Instance, prove};
    use deepprove_verifier::testing::*;
    use deepprove_verifier::transcript::Transcript;

    /// The same as three whole factors.
    fn whole(matrix: &[F], rows: &[usize], places: &[(usize, usize)], point: &[EF]) -> Vec<ExtVector> {
        let columns = matrix.len() / rows.len();
        let width = columns.next_power_of_two();
        let mut factors = [(); 2].map(|()| EF::zero_vec(width << point.len()));
        for (&row, elements) in rows.iter().zip(matrix.chunks_exact(columns)) {
            for (column, &element) in elements.iter().enumerate() {
                factors[1][row * width + column] = EF::from(element);
            }
        }
        for &(row, column) in places {
            factors[0][rows[row] * width + column] += EF::ONE;
        }
        let eq = eq_scalars(point, EF::ONE);
        let eq: Vec<EF> = eq.iter().flat_map(|&weight| std::iter::repeat_n(weight, width)).collect();
        [&factors[0][..], &factors[1], &eq].map(ExtVector::from_scalars).to_vec()
    }

    /// Rows of a hypercube, columns, and places.
    fn cases() -> impl Strategy<Value = (usize, Vec<usize>, usize, Vec<(usize, usize)>)> {
        (0_usize..5, 1_usize..40).prop_flat_map(|(log_rows, columns)| {
            let rows = prop::sample::subsequence((0..1 << log_rows).collect::<Vec<_>>(), 1..=1 << log_rows);
            rows.prop_flat_map(move |rows| {
                let places = prop::collection::vec((0..rows.len(), 0..columns), 0..20);
                (Just(log_rows), Just(rows), Just(columns), places)
            })
        })
    }

    proptest! {
        #[test]
        fn rounds_are_those_of_three_whole_factors((log_rows, rows, columns, places) in cases()) {
            let matrix: Vec<F> = (0..rows.len() * columns).map(|i| F::from_usize(i * i + 3)).collect();
            let point = elements(5, log_rows);
            let dense = whole(&matrix, &rows, &places, &point);
            let elements_of = ChosenElements::new(Arc::new(matrix), rows, &places, &point).unwrap();
            let [a, b, c] = [0, 1, 2].map(|index| dense[index].to_scalars());
            prop_assert_eq!(elements_of.sum(), (0..a.len()).map(|i| a[i] * b[i] * c[i]).sum::<EF>());
            // Another instance joins or leaves the rounds between rows and columns.
            let other = || Instance::Factors(vec![ExtVector::from_scalars(&elements(7, 8)); 2]);
            let proofs = [Instance::Factors(dense), Instance::Chosen(elements_of)].map(|instance| {
                prove(vec![other(), instance], element(9), &mut Transcript::new(b"test"), Vec::new()).unwrap()
            });
            prop_assert_eq!(&proofs[0].rounds, &proofs[1].rounds);
            prop_assert_eq!(&proofs[0].finals, &proofs[1].finals);
        }
    }

    #[test]
    fn what_lies_outside_is_refused() {
        let matrix = || Arc::new(vec![F::ONE; 6]);
        let point = elements(1, 2);
        assert!(ChosenElements::new(matrix(), vec![0, 3], &[(1, 2)], &point).is_ok());
        assert!(ChosenElements::new(matrix(), vec![0, 4], &[(1, 2)], &point).is_err());
        assert!(ChosenElements::new(matrix(), vec![0, 3], &[(2, 2)], &point).is_err());
        assert!(ChosenElements::new(matrix(), vec![0, 3], &[(1, 3)], &point).is_err());
        assert!(ChosenElements::new(matrix(), vec![0, 1, 2, 3], &[], &point).is_err());
        assert!(ChosenElements::new(matrix(), Vec::new(), &[], &point).is_err());
        assert!(ChosenElements::new(Arc::default(), vec![0], &[], &point).is_err());
    }
}
