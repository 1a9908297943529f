//! The mask vector s of a hiding proof: its inner product with the weights, and f + scale s.
//!
//! s is given by the columns of its coordinates, which are committed like any others.

use p3_field::{BasedVectorSpace, PackedValue};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::{ExtVector, sum_terms};
use crate::field::{EF, EXTENSION_DEGREE, F, PackedEF, PackedF, WIDTH};
use crate::pool::PARALLEL_THRESHOLD;
use crate::whir::inner_product::InnerProduct;

/// Packs that one task takes.
const TASK: usize = 256;

/// Element i of the vector with these coordinates.
fn scalar(columns: &[&[F]; EXTENSION_DEGREE], i: usize) -> EF {
    EF::from_basis_coefficients_fn(|k| columns[k][i])
}

/// Pack i of it.
fn packed(columns: &[&[PackedF]; EXTENSION_DEGREE], i: usize) -> PackedEF {
    PackedEF::from_basis_coefficients_fn(|k| columns[k][i])
}

impl InnerProduct {
    /// The coordinates of a vector as long as f.
    fn coordinates<'a>(&self, columns: &'a [F]) -> Result<[&'a [F]; EXTENSION_DEGREE]> {
        let rows = self.len();
        if columns.len() != EXTENSION_DEGREE * rows {
            return Err(Error::Shape("a mask vector has five columns of as many rows as remain"));
        }
        Ok(std::array::from_fn(|k| &columns[k * rows..(k + 1) * rows]))
    }

    /// The inner product of w and the vector with the coordinates `columns`, one column after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] for columns of another length.
    pub fn weigh(&self, columns: &[F]) -> Result<EF> {
        let columns = self.coordinates(columns)?;
        Ok(match &self.w {
            ExtVector::Packed(w) => {
                let columns = columns.map(PackedF::pack_slice);
                let [sum] = sum_terms(w.len(), |i| [w[i] * packed(&columns, i)]);
                sum
            }
            ExtVector::Scalar(w) => w.iter().enumerate().map(|(i, &w)| w * scalar(&columns, i)).sum(),
        })
    }

    /// Adds `scale` times that vector to f.
    ///
    /// # Errors
    /// [`Error::Shape`] for columns of another length.
    pub fn add(&mut self, columns: &[F], scale: EF) -> Result<()> {
        let columns = self.coordinates(columns)?;
        match &mut self.f {
            ExtVector::Packed(f) => {
                let (columns, scale) = (columns.map(PackedF::pack_slice), PackedEF::from(scale));
                let add = |(task, chunk): (usize, &mut [PackedEF])| {
                    for (i, f) in (task * TASK..).zip(chunk) {
                        *f += scale * packed(&columns, i);
                    }
                };
                if f.len() * WIDTH < PARALLEL_THRESHOLD {
                    f.chunks_mut(TASK).enumerate().for_each(add);
                } else {
                    f.par_chunks_mut(TASK).enumerate().for_each(add);
                }
            }
            ExtVector::Scalar(f) => {
                f.iter_mut().enumerate().for_each(|(i, f)| *f += scale * scalar(&columns, i));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;
    use deepprove_verifier::testing::*;

    #[test]
    fn a_mask_is_weighed_and_added_row_by_row() {
        for log in [0, 1, 4, 6, 14] {
            let rows = 1usize << log;
            let (f, w) = (elements(1, rows), elements(2, rows));
            let mut state = InnerProduct { f: ExtVector::from_scalars(&f), w: ExtVector::from_scalars(&w) };
            let columns: Vec<F> = (0..5 * rows).map(|i| F::from_usize(i * i + 7 * i + 1)).collect();
            let mask: Vec<EF> =
                (0..rows).map(|i| EF::from_basis_coefficients_fn(|k| columns[k * rows + i])).collect();
            let expected: EF = mask.iter().zip(&w).map(|(&s, &w)| s * w).sum();
            assert_eq!(state.weigh(&columns).unwrap(), expected);
            state.add(&columns, element(5)).unwrap();
            let expected: Vec<EF> = f.iter().zip(&mask).map(|(&f, &s)| f + element(5) * s).collect();
            assert_eq!(state.values(), expected);
            assert!(state.weigh(&columns[1..]).is_err());
            assert!(state.add(&columns[1..], EF::ONE).is_err());
        }
    }
}
