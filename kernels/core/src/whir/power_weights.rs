//! Claims about f at powers of a point, as they join the opening's sumcheck once rows are all that is not bound:
//! sum_i f[i] x^i = y adds the powers of x to the weights, scaled by a coefficient.

use p3_field::{PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::ExtVector;
use crate::field::{EF, F, PackedEF, PackedF, WIDTH};
use crate::pool::PARALLEL_THRESHOLD;
use crate::whir::inner_product::InnerProduct;

/// Packs of powers that one task takes.
const TASK: usize = 256;
/// Powers of a query point that are tabulated; the others are strides of these.
const LOG_TABLE: usize = 6;

impl InnerProduct {
    /// Adds the weights of claims at powers of base elements (the positions of queries), as
    /// [`Self::add_claims`] does.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lists differ in length.
    pub fn add_base_claims(&mut self, points: &[F], coefficients: &[EF]) -> Result<()> {
        if points.len() != coefficients.len() {
            return Err(Error::Shape("points and coefficients differ in number"));
        }
        let log_table = LOG_TABLE.min(self.w.variables());
        let ExtVector::Packed(w) = &mut self.w else {
            let points: Vec<EF> = points.iter().map(|&x| x.into()).collect();
            return self.add_claims(&points, coefficients);
        };
        let packs = (1usize << log_table).div_ceil(WIDTH);
        let stride = packs * WIDTH;
        // Row i = stride * block + offset: x^i = (x^stride)^block * x^offset.
        let tables: Vec<Vec<PackedEF>> = points
            .iter()
            .zip(coefficients)
            .map(|(&x, &c)| {
                let powers: Vec<F> = x.powers().take(stride).collect();
                PackedF::pack_slice(&powers).iter().map(|&p| PackedEF::from(c) * p).collect()
            })
            .collect();
        let strides: Vec<F> = points.iter().map(|x| x.exp_u64(stride as u64)).collect();
        let blocks = w.len() / packs;
        let per_task = (PARALLEL_THRESHOLD / (stride * points.len().max(1))).max(8).min(blocks);
        let fill = |(task, chunk): (usize, &mut [PackedEF])| {
            let first = (task * per_task) as u64;
            let mut scales: Vec<F> = strides.iter().map(|s| s.exp_u64(first)).collect();
            for block in chunk.chunks_mut(packs) {
                for ((table, scale), step) in tables.iter().zip(&mut scales).zip(&strides) {
                    let factor = PackedF::from(*scale);
                    block.iter_mut().zip(table).for_each(|(w, &t)| *w += t * factor);
                    *scale *= *step;
                }
            }
        };
        if blocks * stride * points.len() < PARALLEL_THRESHOLD {
            w.chunks_mut(per_task * packs).enumerate().for_each(fill);
        } else {
            w.par_chunks_mut(per_task * packs).enumerate().for_each(fill);
        }
        Ok(())
    }

    /// Adds the weights of claims about sum_i f[i] x_k^i, scaled: w[i] += sum_k coefficient_k x_k^i.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lists differ in length.
    pub fn add_claims(&mut self, points: &[EF], coefficients: &[EF]) -> Result<()> {
        if points.len() != coefficients.len() {
            return Err(Error::Shape("points and coefficients differ in number"));
        }
        for (&x, &c) in points.iter().zip(coefficients) {
            match &mut self.w {
                ExtVector::Scalar(w) => {
                    w.iter_mut().zip(x.powers()).for_each(|(w, power)| *w += c * power);
                }
                ExtVector::Packed(w) => {
                    let task = |(index, chunk): (usize, &mut [PackedEF])| {
                        let scale = PackedEF::from(c * x.exp_u64((index * TASK * WIDTH) as u64));
                        let powers = PackedEF::packed_ext_powers(x);
                        chunk.iter_mut().zip(powers).for_each(|(w, power)| *w += scale * power);
                    };
                    if w.len() * WIDTH < PARALLEL_THRESHOLD {
                        w.chunks_mut(TASK).enumerate().for_each(task);
                    } else {
                        w.par_chunks_mut(TASK).enumerate().for_each(task);
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::testing::*;

    use super::*;

    fn state(variables: usize) -> InnerProduct {
        let [f, w] = [1, 2].map(|seed| ExtVector::from_scalars(&elements(seed, 1 << variables)));
        InnerProduct { f, w }
    }

    #[test]
    fn claims_add_powers_to_the_weights() {
        let coefficients = [element(5), element(6)];
        let bases = [F::new(11), F::new(1234)];
        // Less than a pack, less than a table, several tables, and tasks in parallel.
        for variables in [0, 2, 5, 9, 14] {
            let before = state(variables).w.to_scalars();
            let expected = |points: [EF; 2]| -> Vec<EF> {
                let powers = |i: u64| [0, 1].map(|k| coefficients[k] * points[k].exp_u64(i)).into_iter();
                before.iter().enumerate().map(|(i, &w)| w + powers(i as u64).sum::<EF>()).collect()
            };
            let points = [element(3), element(4)];
            let mut changed = state(variables);
            changed.add_claims(&points, &coefficients).unwrap();
            assert_eq!(changed.w.to_scalars(), expected(points), "{variables}");
            let mut changed = state(variables);
            changed.add_base_claims(&bases, &coefficients).unwrap();
            assert_eq!(changed.w.to_scalars(), expected(bases.map(EF::from)), "{variables}");
            assert_eq!(changed.values(), state(variables).values());
        }
    }

    #[test]
    fn lists_of_two_lengths_are_refused() {
        assert!(state(4).add_claims(&[EF::ONE], &[]).is_err());
        assert!(state(4).add_base_claims(&[F::ONE], &[]).is_err());
    }
}
