//! Binding an axis of a tensor to the taps of an index map: see [`deepprove_verifier::index_map`] for S_i.

use deepprove_verifier::index_map::IndexMap;

use crate::error::{Error, Result};
use crate::field::EF;
use crate::poly::axes::AxisShape;

/// out[a, i, c] = sum_x S_i[x] T[a, x, c] for a tensor [outer, size, inner]; S is of `weights` of positions.
/// `bind` binds the tensor's axis to one vector: [`crate::poly::axes::bind_base`] or its like.
///
/// # Errors
/// [`Error::Shape`] where the tensor does not fit, and for a map out of bounds of arithmetic.
pub fn bind_taps(
    map: &IndexMap,
    weights: &[EF],
    outer: usize,
    inner: usize,
    bind: impl Fn(AxisShape, &[EF]) -> Result<Vec<EF>>,
) -> Result<Vec<EF>> {
    let shape = AxisShape { outer, axis: map.size, inner };
    let taps = (0..map.taps).map(|tap| bind(shape, &map.tap(weights, tap)?));
    let taps = taps.collect::<Result<Vec<_>>>()?;
    let size = outer.checked_mul(map.taps).and_then(|n| n.checked_mul(inner));
    let mut bound = Vec::with_capacity(size.ok_or(Error::Shape("a tensor has too many taps"))?);
    for plane in 0..outer {
        for tap in &taps {
            bound.extend_from_slice(&tap[plane * inner..(plane + 1) * inner]);
        }
    }
    Ok(bound)
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::testing::*;

    use super::*;
    use crate::poly::axes::bind_extension;

    #[test]
    fn a_bound_tensor_is_the_product_with_the_matrix() {
        let shapes = [(7, 3, 1, 1, -1, 7), (9, 2, 2, 3, 0, 3), (5, 5, 1, 1, 0, 1), (6, 3, 2, 1, -1, 4)];
        for (size, taps, stride, dilation, offset, positions) in shapes {
            let map = IndexMap { size, taps, stride, dilation, offset };
            let weights = elements(1, positions);
            let (outer, inner) = (3, 2);
            let tensor = elements(3, outer * size * inner);
            let bind = |shape, vector: &[EF]| bind_extension(&tensor, shape, vector);
            let bound = bind_taps(&map, &weights, outer, inner, bind).unwrap();
            assert_eq!(bound.len(), outer * taps * inner);
            for (k, &value) in bound.iter().enumerate() {
                let (a, i, c) = (k / (inner * taps), k / inner % taps, k % inner);
                let terms = (0..positions).filter_map(|h| {
                    let x = map.index(h, i)?;
                    Some(weights[h] * tensor[(a * size + x) * inner + c])
                });
                assert_eq!(value, terms.sum::<EF>());
            }
        }
    }

    #[test]
    fn a_tensor_that_does_not_fit_is_refused() {
        let map = IndexMap { size: 4, taps: 2, stride: 1, dilation: 1, offset: 0 };
        let tensor = elements(1, 7);
        let bind = |shape, vector: &[EF]| bind_extension(&tensor, shape, vector);
        assert!(bind_taps(&map, &elements(2, 3), 1, 2, bind).is_err());
        assert!(bind_taps(&map, &elements(2, 3), usize::MAX, 2, bind).is_err());
    }
}
