//! Index maps: position h of one axis and tap i have index stride * h + dilation * i + offset of another axis.
//! With weights e[h] on positions (eq of a point, say), let S_i[x] = sum_h e[h], over those h for which x is the
//! index of h and i. Three products with S are needed, and none of them builds it: over h alone (pulling weights
//! back to the indices), over h and x (weights of taps), and over h and i (spreading a tensor's taps).

use p3_field::{PackedFieldExtension, PrimeCharacteristicRing};

use crate::error::{Error, Result};
use crate::field::{EF, PackedEF, WIDTH};
use crate::vector::Element;

/// How positions and taps lead to the indices of an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexMap {
    /// Indices of the axis that it leads to.
    pub size: usize,
    /// Indices of each position, of which some may lie outside.
    pub taps: usize,
    /// From a position's index to the next position's.
    pub stride: usize,
    /// From a tap's index to the next tap's.
    pub dilation: usize,
    /// The index of the first tap at the first position; negative with padding.
    pub offset: i64,
}

impl IndexMap {
    /// A map whose arithmetic cannot overflow for so many positions.
    ///
    /// # Errors
    /// [`Error::Shape`] otherwise.
    pub fn check(&self, positions: usize) -> Result<()> {
        const LIMIT: usize = 1 << 31;
        let sizes = [self.size, self.taps, self.stride, self.dilation, positions];
        if sizes.iter().any(|&s| s > LIMIT) || self.offset.unsigned_abs() > LIMIT as u64 {
            return Err(Error::Shape("an index map is too large"));
        }
        Ok(())
    }

    /// The index of position `h` and tap `i`, if it is inside.
    #[inline]
    fn index(&self, h: usize, i: usize) -> Option<usize> {
        let x = (self.stride * h + self.dilation * i) as i64 + self.offset;
        usize::try_from(x).ok().filter(|&x| x < self.size)
    }

    /// sum_i S_i: the weight of each index, for `weights` of positions.
    ///
    /// # Errors
    /// [`Error::Shape`] for a map out of bounds of arithmetic.
    pub fn pull(&self, weights: &[EF]) -> Result<Vec<EF>> {
        self.check(weights.len())?;
        let mut pulled = vec![EF::ZERO; self.size];
        for (h, &weight) in weights.iter().enumerate() {
            (0..self.taps).filter_map(|i| self.index(h, i)).for_each(|x| pulled[x] += weight);
        }
        Ok(pulled)
    }

    /// sum_x S_i[x] v[x] for each tap i, with v the weights of indices.
    ///
    /// # Errors
    /// [`Error::Shape`] where v is not one weight for each index.
    pub fn taps(&self, weights: &[EF], indices: &[EF]) -> Result<Vec<EF>> {
        self.check(weights.len())?;
        if indices.len() != self.size {
            return Err(Error::Shape("an index map leads to an axis of another size"));
        }
        let tap = |i| {
            let inside =
                weights.iter().enumerate().filter_map(|(h, &w)| Some(w * indices[self.index(h, i)?]));
            inside.sum()
        };
        Ok((0..self.taps).map(tap).collect())
    }

    /// out[a, x, c] = sum_i S_i[x] tensor[a, i, c] for a tensor [outer, taps, inner].
    ///
    /// # Errors
    /// [`Error::Shape`] where the tensor does not fit.
    pub fn spread(&self, tensor: &[EF], outer: usize, inner: usize, weights: &[EF]) -> Result<Vec<EF>> {
        self.check(weights.len())?;
        let fits = outer.checked_mul(self.taps).and_then(|n| n.checked_mul(inner)) == Some(tensor.len());
        let size = outer.checked_mul(self.size).and_then(|n| n.checked_mul(inner));
        let (true, Some(size)) = (fits, size) else {
            return Err(Error::Shape("a tensor does not fit its index map"));
        };
        let mut spread = vec![EF::ZERO; size];
        if size == 0 || tensor.is_empty() {
            return Ok(spread);
        }
        let (taps, size) = (self.taps * inner, self.size * inner);
        let (groups, single) = tensor.split_at(outer / WIDTH * WIDTH * taps);
        let (group_sums, single_sums) = spread.split_at_mut(outer / WIDTH * WIDTH * size);
        // A plane a lane: planes are many and small.
        for (planes, out) in groups.chunks_exact(WIDTH * taps).zip(group_sums.chunks_exact_mut(WIDTH * size))
        {
            let packs: Vec<_> =
                (0..taps).map(|k| PackedEF::from_ext_fn(|lane| planes[lane * taps + k])).collect();
            let mut sums = vec![PackedEF::ZERO; size];
            self.spread_plane(&packs, inner, weights, &mut sums);
            for (lane, out) in out.chunks_exact_mut(size).enumerate() {
                out.iter_mut().zip(&sums).for_each(|(out, sum)| *out = sum.extract(lane));
            }
        }
        for (plane, out) in single.chunks_exact(taps).zip(single_sums.chunks_exact_mut(size)) {
            self.spread_plane(plane, inner, weights, out);
        }
        Ok(spread)
    }

    /// out[x, c] += sum_i S_i[x] plane[i, c].
    fn spread_plane<R: Element>(&self, plane: &[R], inner: usize, weights: &[EF], out: &mut [R]) {
        for (h, &weight) in weights.iter().enumerate() {
            let weight = R::from(weight);
            for (i, row) in plane.chunks_exact(inner).enumerate() {
                let Some(x) = self.index(h, i) else { continue };
                let out = &mut out[x * inner..(x + 1) * inner];
                out.iter_mut().zip(row).for_each(|(out, &value)| *out += weight * value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

    #[test]
    fn all_products_are_those_of_the_matrix() {
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
            let inputs = elements(2, size);
            let outer = WIDTH + 2;
            let tensor = elements(3, outer * taps * 3);
            let pulled: Vec<EF> = (0..size).map(|x| matrix.iter().map(|row| row[x]).sum()).collect();
            assert_eq!(map.pull(&weights).unwrap(), pulled);
            let taps_of = |row: &Vec<EF>| row.iter().zip(&inputs).map(|(&s, &v)| s * v).sum::<EF>();
            assert_eq!(map.taps(&weights, &inputs).unwrap(), matrix.iter().map(taps_of).collect::<Vec<_>>());
            let spread = map.spread(&tensor, outer, 3, &weights).unwrap();
            for (k, &value) in spread.iter().enumerate() {
                let (a, x, c) = (k / (3 * size), k / 3 % size, k % 3);
                let expected: EF = (0..taps).map(|i| matrix[i][x] * tensor[(a * taps + i) * 3 + c]).sum();
                assert_eq!(value, expected);
            }
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let map = IndexMap { size: 4, taps: 2, stride: 1, dilation: 1, offset: 0 };
        assert!(map.taps(&elements(1, 3), &elements(2, 3)).is_err());
        assert!(map.spread(&elements(1, 5), 1, 2, &elements(2, 3)).is_err());
        assert!(IndexMap { stride: usize::MAX, ..map }.pull(&elements(1, 3)).is_err());
    }
}
