//! The first rounds of the opening, over the columns of the committed matrix.
//!
//! The columns fall into 2^k blocks by their top k bits. The Gram matrix G[b][a] = sum_i w_b[i] f_a[i] of
//! the blocks of w and f determines the first k rounds: bound to r, f = sum_a eq(r, a) f_a and w alike,
//! so G is bound like a vector, in its rows and in its columns. Then f and w are bound to all k
//! challenges at once. So w, five times as large as f, is never stored, and what is has 2^k times fewer
//! places.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

use crate::eq::eq_scalars;
use crate::error::{Error, Result};
use crate::field::{EF, LOG_WIDTH, PackedEF, PackedF};
use crate::pool::PARALLEL_THRESHOLD;
use crate::vector::{Element, add_sums};
use crate::weights::WeightVector;

/// Rounds that a Gram matrix gives at most: its work grows as 2^k, the memory falls as 2^-k.
pub const LOG_BLOCKS: usize = 3;
/// Variables that no Gram matrix has: its places could not be counted.
const MAX_VARIABLES: usize = 16;
/// Places of the largest Gram matrix.
const GRAM: usize = 1 << (2 * LOG_BLOCKS);

/// The columns of all matrices, or a part of their rows, and the weights of all claims.
pub struct Columns<'a> {
    f: Vec<&'a [PackedF]>,
    w: &'a WeightVector,
    log_blocks: usize,
    /// Columns of a block.
    span: usize,
    /// Packs of a chunk.
    packs: usize,
}

impl<'a> Columns<'a> {
    /// log2 of the blocks.
    pub fn log_blocks(&self) -> usize {
        self.log_blocks
    }

    /// Columns `f`, at least one, and the weights of the same places.
    pub fn new(f: Vec<&'a [PackedF]>, w: &'a WeightVector) -> Self {
        let variables = column_variables(f.len());
        let log_blocks = variables.min(LOG_BLOCKS);
        let packs = 1 << (w.log_chunk() - LOG_WIDTH);
        Self { f, w, log_blocks, span: 1 << (variables - log_blocks), packs }
    }

    /// Chunks of a column.
    fn chunks(&self) -> usize {
        self.f[0].len() / self.packs
    }

    /// A tile is one chunk of the same column of each block; beyond the last column all is zero. Yields each
    /// block with the chunk's index in w and its places in f.
    fn tile(&self, tile: usize) -> impl Iterator<Item = (usize, usize, &'a [PackedF])> + Clone {
        let (chunks, packs) = (self.chunks(), self.packs);
        let (column, chunk) = (tile / chunks, tile % chunks);
        let columns = (column..self.f.len()).step_by(self.span).enumerate();
        columns.map(move |(block, column)| {
            (block, column * chunks + chunk, &self.f[column][chunk * packs..(chunk + 1) * packs])
        })
    }

    /// The Gram matrix of the blocks.
    pub fn gram(&self) -> Gram {
        let size = 1 << self.log_blocks;
        let add_tile = |mut sums: [PackedEF; GRAM], tile| {
            for (row, index, _) in self.tile(tile) {
                let places = self.tile(tile).map(|(_, _, places)| places);
                self.w.dot_chunk(index, places, &mut sums[row * size..(row + 1) * size]);
            }
            sums
        };
        let zero = || [PackedEF::ZERO; GRAM];
        let tiles = self.span * self.chunks();
        let sums = if self.is_small() {
            (0..tiles).fold(zero(), add_tile)
        } else {
            (0..tiles).into_par_iter().fold(zero, add_tile).reduce(zero, add_sums)
        };
        let values = sums[..size * size].iter().map(|&sum| sum.lane_sum()).collect();
        Gram { size, values }
    }

    /// f and w over the other column bits and the rows, the blocks bound to `point`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a point that is not one of the blocks' bits.
    pub fn bind(&self, point: &[EF]) -> Result<[Vec<PackedEF>; 2]> {
        if point.len() != self.log_blocks {
            return Err(Error::Shape("a point has a coordinate for each bit of the blocks"));
        }
        let weights = eq_scalars(point, EF::ONE);
        let places = self.span * self.f[0].len();
        let [mut f, mut w] = [(); 2].map(|()| PackedEF::zero_vec(places));
        let bind = |(tile, (f, w)): (usize, (&mut [PackedEF], &mut [PackedEF]))| {
            for (block, index, column) in self.tile(tile) {
                let scale = PackedEF::from(weights[block]);
                f.iter_mut().zip(column).for_each(|(f, &value)| *f += scale * value);
                self.w.add_chunk(index, weights[block], w);
            }
        };
        if self.is_small() {
            f.chunks_exact_mut(self.packs).zip(w.chunks_exact_mut(self.packs)).enumerate().for_each(bind);
        } else {
            let tiles = f.par_chunks_exact_mut(self.packs).zip(w.par_chunks_exact_mut(self.packs));
            tiles.enumerate().for_each(bind);
        }
        Ok([f, w])
    }

    fn is_small(&self) -> bool {
        (self.f.len() * self.f[0].len()) << LOG_WIDTH < PARALLEL_THRESHOLD
    }
}

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
    /// The matrix of 2^`log_blocks` blocks with these values: the sum of those of all parts.
    ///
    /// # Errors
    /// [`Error::Shape`] where it has another size.
    pub fn from_values(values: Vec<EF>, log_blocks: usize) -> Result<Self> {
        if log_blocks >= MAX_VARIABLES || values.len() != 1 << (2 * log_blocks) {
            return Err(Error::Shape("a Gram matrix has another size"));
        }
        Ok(Self { size: 1 << log_blocks, values })
    }

    /// The entries, row by row.
    pub fn into_values(self) -> Vec<EF> {
        self.values
    }

    /// sum_a G[a][a], the inner product of w and f.
    pub fn trace(&self) -> EF {
        self.values.iter().step_by(self.size + 1).copied().sum()
    }

    /// c_0 and c_2 of the next round.
    fn round(&self) -> [EF; 2] {
        let half = self.size / 2;
        let at = |row: usize, column: usize| self.values[row * self.size + column];
        let constant = (0..half).map(|i| at(i, i)).sum();
        let square = (0..half).map(|i| at(i + half, i + half) - at(i + half, i) - at(i, i + half) + at(i, i));
        [constant, square.sum()]
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
