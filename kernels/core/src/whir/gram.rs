//! The first rounds of the opening from the Gram matrix G[b][a] = sum_i w_b[i] f_a[i] of blocks of columns.
//!
//! The columns fall into 2^k blocks by their top k bits. Bound to r, f = sum_a eq(r, a) f_a and w alike, so G
//! determines the first k rounds, bound like a vector in its rows and in its columns.

use crate::error::{Error, Result};
use crate::field::EF;

/// More rounds than these no matrix gives: its entries could not be counted.
const MAX_LOG_BLOCKS: usize = 16;

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
    /// The matrix of 2^`log_blocks` blocks with these values, row by row: the sum of those of all parts.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has another size.
    pub fn from_values(values: Vec<EF>, log_blocks: usize) -> Result<Self> {
        if log_blocks > MAX_LOG_BLOCKS || values.len() != 1 << (2 * log_blocks) {
            return Err(Error::Shape("a Gram matrix has another size"));
        }
        Ok(Self { size: 1 << log_blocks, values })
    }

    /// sum_a G[a][a], the inner product of w and f.
    pub fn trace(&self) -> EF {
        self.values.iter().step_by(self.size + 1).copied().sum()
    }

    /// All its rounds: `send` takes c_0 and c_2 and returns the challenge. Returns the challenges.
    pub fn run(mut self, mut send: impl FnMut([EF; 2]) -> EF) -> Vec<EF> {
        let mut point = Vec::new();
        while self.size > 1 {
            point.push(send(self.round()));
            self.bind(point[point.len() - 1]);
        }
        point
    }

    /// c_0 and c_2 of the next round.
    fn round(&self) -> [EF; 2] {
        let half = self.size / 2;
        let at = |row: usize, column: usize| self.values[row * self.size + column];
        let constant = (0..half).map(|i| at(i, i)).sum();
        let square = (0..half).map(|i| at(i + half, i + half) - at(i + half, i) - at(i, i + half) + at(i, i));
        [constant, square.sum()]
    }

    /// Binds the top bit of the blocks to `r`.
    fn bind(&mut self, r: EF) {
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
    use deepprove_verifier::testing::*;

    #[test]
    fn matrices_of_another_size_are_refused() {
        for (count, log_blocks) in [(1, 0), (4, 1), (16, 2)] {
            assert!(Gram::from_values(elements(1, count), log_blocks).is_ok());
        }
        for (count, log_blocks) in [(0, 0), (4, 0), (4, 2), (15, 2), (16, 1), (1, usize::MAX)] {
            assert!(Gram::from_values(elements(1, count), log_blocks).is_err());
        }
    }
}
