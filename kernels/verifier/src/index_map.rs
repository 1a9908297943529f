//! Index maps: position h of one axis and tap i have index stride * h + dilation * i + offset of another axis.
//! With weights e[h] on positions (eq of a point, say), let S_i[x] = sum_h e[h], over those h for which x is the
//! index of h and i. Pulling weights back to the indices is the sum of all S_i; those of taps weigh each.

use p3_field::PrimeCharacteristicRing;

use crate::error::{Error, Result};
use crate::field::EF;

/// Sizes, steps and offsets are at most this.
const LIMIT: usize = 1 << 31;

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
        let sizes = [self.size, self.taps, self.stride, self.dilation, positions];
        if sizes.iter().any(|&s| s > LIMIT) || self.offset.unsigned_abs() > LIMIT as u64 {
            return Err(Error::Shape("an index map is too large"));
        }
        Ok(())
    }

    /// The index of position `h` and tap `i` of a map that [`Self::check`] has let through, if it is inside.
    #[inline]
    pub fn index(&self, h: usize, i: usize) -> Option<usize> {
        let x = (self.stride as u64 * h as u64 + self.dilation as u64 * i as u64) as i64 + self.offset;
        usize::try_from(x).ok().filter(|&x| x < self.size)
    }

    /// A zero for each index of a map that is not too large for so many positions.
    fn zeros(&self, positions: usize) -> Result<Vec<EF>> {
        self.check(positions)?;
        Ok(EF::zero_vec(self.size))
    }

    /// sum_i S_i: the weight of each index, for `weights` of positions.
    ///
    /// # Errors
    /// [`Error::Shape`] for a map out of bounds of arithmetic.
    pub fn pull(&self, weights: &[EF]) -> Result<Vec<EF>> {
        let mut pulled = self.zeros(weights.len())?;
        for (h, &weight) in weights.iter().enumerate() {
            for x in (0..self.taps).filter_map(|i| self.index(h, i)) {
                pulled.get_mut(x).into_iter().for_each(|sum| *sum += weight);
            }
        }
        Ok(pulled)
    }

    /// S_i of one tap: the weight that each index has from it, for `weights` of positions.
    ///
    /// # Errors
    /// [`Error::Shape`] for a map out of bounds of arithmetic.
    pub fn tap(&self, weights: &[EF], tap: usize) -> Result<Vec<EF>> {
        let mut indices = self.zeros(weights.len())?;
        for (h, &weight) in weights.iter().enumerate() {
            let index = self.index(h, tap).and_then(|x| indices.get_mut(x));
            index.into_iter().for_each(|sum| *sum += weight);
        }
        Ok(indices)
    }

    /// sum_i t[i] S_i: the weight of each index, for `weights` of positions and t of taps.
    ///
    /// # Errors
    /// [`Error::Shape`] where t is not one weight for each tap, and for a map out of bounds of arithmetic.
    pub fn spread(&self, weights: &[EF], taps: &[EF]) -> Result<Vec<EF>> {
        if taps.len() != self.taps {
            return Err(Error::Shape("an index map has another number of taps"));
        }
        let mut spread = self.zeros(weights.len())?;
        for (tap, &scale) in taps.iter().enumerate() {
            let weights = self.tap(weights, tap)?;
            spread.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += scale * weight);
        }
        Ok(spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn all_products_are_those_of_the_matrix() {
        let shapes = [(7, 3, 1, 1, -1, 7), (9, 2, 2, 3, 0, 3), (5, 5, 1, 1, 0, 1), (6, 3, 2, 1, -1, 4)];
        for (size, taps, stride, dilation, offset, positions) in shapes {
            let map = IndexMap { size, taps, stride, dilation, offset };
            let (weights, scales) = (elements(1, positions), elements(2, taps));
            let mut matrix = vec![vec![EF::ZERO; size]; taps];
            for (h, &weight) in weights.iter().enumerate() {
                for (i, row) in matrix.iter_mut().enumerate() {
                    let x = (stride * h + dilation * i) as i64 + offset;
                    if (0..size as i64).contains(&x) {
                        row[x as usize] += weight;
                    }
                }
            }
            let pulled: Vec<EF> = (0..size).map(|x| matrix.iter().map(|row| row[x]).sum()).collect();
            assert_eq!(map.pull(&weights).unwrap(), pulled);
            for (tap, row) in matrix.iter().enumerate() {
                assert_eq!(map.tap(&weights, tap).unwrap(), *row);
            }
            let spread =
                |x: usize| matrix.iter().zip(&scales).map(|(row, &scale)| scale * row[x]).sum::<EF>();
            assert_eq!(map.spread(&weights, &scales).unwrap(), (0..size).map(spread).collect::<Vec<_>>());
        }
    }

    #[test]
    fn sizes_that_do_not_fit_are_refused() {
        let map = IndexMap { size: 4, taps: 2, stride: 1, dilation: 1, offset: 0 };
        assert!(map.spread(&elements(1, 3), &elements(2, 3)).is_err());
        assert!(IndexMap { stride: usize::MAX, ..map }.tap(&elements(1, 3), 0).is_err());
        assert!(IndexMap { stride: usize::MAX, ..map }.pull(&elements(1, 3)).is_err());
        // Without taps nothing else looks at the size.
        assert!(IndexMap { size: usize::MAX, taps: 0, ..map }.spread(&elements(1, 3), &[]).is_err());
    }
}
