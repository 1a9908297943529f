//! The first rounds of the opening from the Gram matrix G[b][a] = sum_i w_b[i] f_a[i] of blocks of columns.
//!
//! The columns fall into 2^k blocks by their top k bits. Bound to r, f = sum_a eq(r, a) f_a and w alike, so G
//! determines the first k rounds, bound like a vector in its rows and in its columns.

use crate::error::{Error, Result};
use crate::field::EF;

/// Column bits of `columns` columns.
pub fn column_variables(columns: usize) -> usize {
    columns.next_power_of_two().ilog2() as usize
}

/// G[b][a], row by row.
pub struct Gram {
    size: usize,
    values: Vec<EF>,
}

impl Gram {
    /// A matrix of blocks of `columns` columns with these values, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] where columns do not fall into so many blocks.
    pub fn from_values(values: Vec<EF>, columns: usize) -> Result<Self> {
        let size = 1 << (values.len().max(1).ilog2() / 2);
        if values.len() != size * size || size > 1 << column_variables(columns) {
            return Err(Error::Shape("a Gram matrix has the size of no number of blocks"));
        }
        Ok(Self { size, values })
    }

    /// sum_a G[a][a], the inner product of w and f.
    pub fn trace(&self) -> EF {
        self.values.iter().step_by(self.size + 1).copied().sum()
    }

    /// Rounds that remain.
    pub fn rounds(&self) -> usize {
        self.size.ilog2() as usize
    }

    /// c_0 and c_2 of the next round.
    pub fn round(&self) -> [EF; 2] {
        let half = self.size / 2;
        let at = |row: usize, column: usize| self.values[row * self.size + column];
        let constant = (0..half).map(|i| at(i, i)).sum();
        let square = (0..half).map(|i| at(i + half, i + half) - at(i + half, i) - at(i, i + half) + at(i, i));
        [constant, square.sum()]
    }

    /// Binds the top bit of the blocks to `r`.
    pub fn bind(&mut self, r: EF) {
        let half = self.size / 2;
        let fold = |low: EF, high: EF| low + r * (high - low);
        let (top, bottom) = self.values.split_at(half * self.size);
        let rows: Vec<EF> = top.iter().zip(bottom).map(|(&low, &high)| fold(low, high)).collect();
        let columns = rows.chunks_exact(self.size).flat_map(|row| {
            let (low, high) = row.split_at(half);
            low.iter().zip(high).map(|(&low, &high)| fold(low, high))
        });
        self.values = columns.collect();
        self.size = half;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

    #[test]
    fn a_matrix_has_as_many_blocks_as_its_values_say() {
        for (count, rounds) in [(1, 0), (4, 1), (16, 2)] {
            assert_eq!(Gram::from_values(elements(1, count), 3).unwrap().rounds(), rounds);
        }
        for wrong in [0, 2, 8, 9, 64] {
            assert!(Gram::from_values(elements(1, wrong), 3).is_err());
        }
    }
}
