//! Spreading a tensor's taps along an index map: see [`deepprove_verifier::index_map`] for the matrices S_i.

use deepprove_verifier::index_map::IndexMap;
use p3_field::{PackedFieldExtension, PrimeCharacteristicRing};

use crate::error::{Error, Result};
use crate::field::vector::Element;
use crate::field::{EF, PackedEF, WIDTH};

/// out[a, x, c] = sum_i S_i[x] tensor[a, i, c] for a tensor [outer, taps, inner]; S is of `weights` of positions.
///
/// # Errors
/// [`Error::Shape`] where the tensor does not fit.
pub fn spread(map: &IndexMap, tensor: &[EF], outer: usize, inner: usize, weights: &[EF]) -> Result<Vec<EF>> {
    map.check(weights.len())?;
    let fits = outer.checked_mul(map.taps).and_then(|n| n.checked_mul(inner)) == Some(tensor.len());
    let size = outer.checked_mul(map.size).and_then(|n| n.checked_mul(inner));
    let (true, Some(size)) = (fits, size) else {
        return Err(Error::Shape("a tensor does not fit its index map"));
    };
    let mut spread = vec![EF::ZERO; size];
    if size == 0 || tensor.is_empty() {
        return Ok(spread);
    }
    let (taps, size) = (map.taps * inner, map.size * inner);
    let (groups, single) = tensor.split_at(outer / WIDTH * WIDTH * taps);
    let (group_sums, single_sums) = spread.split_at_mut(outer / WIDTH * WIDTH * size);
    // A plane a lane: planes are many and small.
    for (planes, out) in groups.chunks_exact(WIDTH * taps).zip(group_sums.chunks_exact_mut(WIDTH * size)) {
        let packs: Vec<_> =
            (0..taps).map(|k| PackedEF::from_ext_fn(|lane| planes[lane * taps + k])).collect();
        let mut sums = vec![PackedEF::ZERO; size];
        spread_plane(map, &packs, inner, weights, &mut sums);
        for (lane, out) in out.chunks_exact_mut(size).enumerate() {
            out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = sum.extract(lane));
        }
    }
    for (plane, out) in single.chunks_exact(taps).zip(single_sums.chunks_exact_mut(size)) {
        spread_plane(map, plane, inner, weights, out);
    }
    Ok(spread)
}

/// out[x, c] += sum_i S_i[x] plane[i, c].
fn spread_plane<R: Element>(map: &IndexMap, plane: &[R], inner: usize, weights: &[EF], out: &mut [R]) {
    for (h, &weight) in weights.iter().enumerate() {
        let weight = R::from(weight);
        for (i, row) in plane.chunks_exact(inner).enumerate() {
            let Some(x) = map.index(h, i) else { continue };
            let out = &mut out[x * inner..(x + 1) * inner];
            out.iter_mut().zip(row).for_each(|(out, &value)| *out += weight * value);
        }
    }
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::testing::*;

    use super::*;

    #[test]
    fn a_spread_tensor_is_the_product_with_the_matrix() {
        let shapes = [(7, 3, 1, 1, -1, 7), (9, 2, 2, 3, 0, 3), (5, 5, 1, 1, 0, 1), (6, 3, 2, 1, -1, 4)];
        for (size, taps, stride, dilation, offset, positions) in shapes {
            let map = IndexMap { size, taps, stride, dilation, offset };
            let weights = elements(1, positions);
            let mut matrix = vec![vec![EF::ZERO; size]; taps];
            for (h, &weight) in weights.iter().enumerate() {
                for (i, row) in matrix.iter_mut().enumerate() {
                    let x = (stride * h + dilation * i) as i64 + offset;
                    if (0..size as i64).contains(&x) {
                        row[x as usize] += weight;
                    }
                }
            }
            let outer = WIDTH + 2;
            let tensor = elements(3, outer * taps * 3);
            let spread = spread(&map, &tensor, outer, 3, &weights).unwrap();
            for (k, &value) in spread.iter().enumerate() {
                let (a, x, c) = (k / (3 * size), k / 3 % size, k % 3);
                let expected: EF = (0..taps).map(|i| matrix[i][x] * tensor[(a * taps + i) * 3 + c]).sum();
                assert_eq!(value, expected);
            }
        }
    }

    #[test]
    fn a_tensor_that_does_not_fit_is_refused() {
        let map = IndexMap { size: 4, taps: 2, stride: 1, dilation: 1, offset: 0 };
        assert!(spread(&map, &elements(1, 5), 1, 2, &elements(2, 3)).is_err());
    }
}
