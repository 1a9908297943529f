//! Binding axes of tensors to weight vectors: out[a, c] = sum_b v[b] T[a, b, c].
//!
//! A contraction fixes the output axes of both factors at a random point this way (Thaler, eprint
//! 2013/351), in O(size), before its sumcheck runs over the contracted axes only.

use p3_field::{BasedVectorSpace, Field, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::{Element, pack, unpack};
use crate::field::{EF, EXTENSION_DEGREE, F, PackedEF, PackedF, WIDTH, coefficients};
use crate::pool::PARALLEL_THRESHOLD;

/// Rows that are added at a time.
const ROWS: usize = 8;

/// Values of a task: enough to make little of the sums, a row each, that are left to add.
const TASK_VALUES: usize = 1 << 17;

/// Elementary steps that binding so many values takes: products share their reductions, so that several are one.
pub fn steps(values: usize) -> usize {
    values / 4
}

/// A row-major tensor seen as [outer, axis, inner].
#[derive(Clone, Copy, Debug)]
pub struct AxisShape {
    /// Product of the axes before.
    pub outer: usize,
    /// The axis to bind.
    pub axis: usize,
    /// Product of the axes after.
    pub inner: usize,
}

impl AxisShape {
    /// # Errors
    /// [`Error::Shape`] where sizes of a tensor and a vector do not fit.
    pub(crate) fn check(&self, tensor: usize, vector: usize) -> Result<()> {
        let size = self.outer.checked_mul(self.axis).and_then(|s| s.checked_mul(self.inner));
        if size != Some(tensor) || vector != self.axis {
            return Err(Error::Shape("a tensor or a vector does not fit the axis to bind"));
        }
        Ok(())
    }
}

/// Pack i of a row, with zeros after its end.
fn pack_of(row: &[F], i: usize) -> PackedF {
    let values = &row[i * WIDTH..];
    match values.first_chunk::<WIDTH>() {
        Some(values) => *PackedF::from_slice(values),
        None => PackedF::from_fn(|lane| values.get(lane).copied().unwrap_or_default()),
    }
}

/// sum_b v[b] M[b, c] for a block of rows. Products of [`ROWS`] rows share a reduction modulo p, and the sums
/// are read once for them.
fn weigh_rows(rows: &[F], vector: &[EF], inner: usize) -> Vec<EF> {
    let mut sums = vec![PackedEF::ZERO; inner.div_ceil(WIDTH)];
    let (weights, last) = vector.as_chunks::<ROWS>();
    let (rows, last_rows) = rows.split_at((vector.len() - last.len()) * inner);
    for (rows, weights) in rows.chunks_exact(ROWS * inner).zip(weights) {
        let weights_of = |k: usize| weights.each_ref().map(|w| PackedF::from(coefficients(w)[k]));
        let weights: [[PackedF; ROWS]; EXTENSION_DEGREE] = std::array::from_fn(weights_of);
        let rows: [&[F]; ROWS] = std::array::from_fn(|b| &rows[b * inner..(b + 1) * inner]);
        for (i, sum) in sums.iter_mut().enumerate() {
            let values = rows.map(|row| pack_of(row, i));
            *sum += PackedEF::from_basis_coefficients_fn(|k| PackedF::dot_product(&weights[k], &values));
        }
    }
    for (row, &weight) in last_rows.chunks_exact(inner).zip(last) {
        let weight = PackedEF::from(weight);
        sums.iter_mut().enumerate().for_each(|(i, sum)| *sum += weight * pack_of(row, i));
    }
    let mut sums = unpack(&sums);
    sums.truncate(inner);
    sums
}

/// sum_b v[b] row[b] for a row of base elements; `packed` holds v in packs.
fn dot_row(row: &[F], vector: &[EF], packed: &[PackedEF]) -> EF {
    let (packs, scalars) = PackedF::pack_slice_with_suffix(row);
    let sum = packed.iter().zip(packs).map(|(&v, &x)| v * x).sum::<PackedEF>();
    let tail = &vector[row.len() - scalars.len()..];
    sum.lane_sum() + tail.iter().zip(scalars).map(|(&v, &x)| v * x).sum::<EF>()
}

/// Binds one axis of a tensor of base elements.
///
/// # Errors
/// [`Error::Shape`] where sizes do not fit.
pub fn bind_base(tensor: &[F], shape: AxisShape, vector: &[EF]) -> Result<Vec<EF>> {
    shape.check(tensor.len(), vector.len())?;
    let AxisShape { outer, axis, inner } = shape;
    if tensor.is_empty() {
        return Ok(vec![EF::ZERO; outer * inner]);
    }
    let parallel = steps(tensor.len()) >= PARALLEL_THRESHOLD;
    if inner == 1 {
        let packed = pack(&vector[..axis - axis % WIDTH]);
        let dot = |row: &[F]| dot_row(row, vector, &packed);
        return Ok(if parallel {
            tensor.par_chunks_exact(axis).map(dot).collect()
        } else {
            tensor.chunks_exact(axis).map(dot).collect()
        });
    }
    let plane = |plane: &[F]| {
        if !parallel {
            return weigh_rows(plane, vector, inner);
        }
        let rows = TASK_VALUES.div_ceil(inner);
        plane
            .par_chunks(rows * inner)
            .zip(vector.par_chunks(rows))
            .map(|(rows, vector)| weigh_rows(rows, vector, inner))
            .reduce_with(|mut a, b| {
                a.iter_mut().zip(b).for_each(|(x, y)| *x += y);
                a
            })
            .unwrap_or_default()
    };
    Ok(tensor.chunks_exact(axis * inner).flat_map(plane).collect())
}

/// Binds one axis of a tensor of extension elements.
///
/// # Errors
/// [`Error::Shape`] where sizes do not fit.
pub fn bind_extension(tensor: &[EF], shape: AxisShape, vector: &[EF]) -> Result<Vec<EF>> {
    shape.check(tensor.len(), vector.len())?;
    let AxisShape { outer, axis, inner } = shape;
    let mut sums = vec![EF::ZERO; outer * inner];
    if tensor.is_empty() {
        return Ok(sums);
    }
    for (plane, sums) in tensor.chunks_exact(axis * inner).zip(sums.chunks_exact_mut(inner)) {
        for (row, &weight) in plane.chunks_exact(inner).zip(vector) {
            sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += weight * value);
        }
    }
    Ok(sums)
}

/// Extends every axis with zeros to a power of two: the values over the hypercube of all axis bits.
///
/// # Errors
/// [`Error::Shape`] where the values do not fill the shape or the hypercube is too large.
pub fn pad_axes<T: Field>(values: &[T], shape: &[usize]) -> Result<Vec<T>> {
    if shape.contains(&0) || shape.iter().product::<usize>() != values.len() {
        return Err(Error::Shape("a tensor does not fill its shape"));
    }
    let mut padded = values.to_vec();
    let mut inner = 1;
    for &axis in shape.iter().rev() {
        let full = axis.next_power_of_two();
        if full != axis {
            let rows = padded.chunks_exact(axis * inner);
            let missing = (full - axis) * inner;
            padded = rows
                .flat_map(|row| row.iter().copied().chain(std::iter::repeat_n(T::ZERO, missing)))
                .collect();
        }
        inner *= full;
    }
    Ok(padded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    #[test]
    fn binding_an_axis_is_the_weighted_sum() {
        for (outer, axis, inner) in [
            (1, 7, 33),
            (3, 50, 1),
            (2, 5, 3),
            (1, 350, 100),
            (4, 1, 16),
            (2, 8, 5),
            (1, 19, 40),
            (50, 700, 1),
        ] {
            let tensor: Vec<F> = (0..outer * axis * inner).map(|i| F::from_usize(i * i + 5)).collect();
            let vector = elements(1, axis);
            let shape = AxisShape { outer, axis, inner };
            let mut expected = vec![EF::ZERO; outer * inner];
            for a in 0..outer {
                for b in 0..axis {
                    for c in 0..inner {
                        expected[a * inner + c] += vector[b] * tensor[(a * axis + b) * inner + c];
                    }
                }
            }
            assert_eq!(bind_base(&tensor, shape, &vector).unwrap(), expected);
            let lifted: Vec<EF> = tensor.iter().map(|&x| x.into()).collect();
            assert_eq!(bind_extension(&lifted, shape, &vector).unwrap(), expected);
            assert!(bind_base(&tensor[1..], shape, &vector).is_err());
        }
    }

    #[test]
    fn padding_keeps_values_at_their_coordinates() {
        let values: Vec<F> = (1..=30).map(F::new).collect();
        let padded = pad_axes(&values, &[3, 5, 2]).unwrap();
        assert_eq!(padded.len(), 4 * 8 * 2);
        for (i, &value) in padded.iter().enumerate() {
            let (a, b, c) = (i / 16, i / 2 % 8, i % 2);
            let inside = a < 3 && b < 5;
            assert_eq!(value, if inside { values[(a * 5 + b) * 2 + c] } else { F::ZERO });
        }
        assert!(pad_axes(&values, &[3, 5]).is_err());
    }
}
