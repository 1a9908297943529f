//! The committed columns and their weights, up to the rounds that a Gram matrix gives.
//!
//! The columns fall into 2^k blocks by their top k bits. Columns of one tensor share the rows of their weights:
//! the inner product of a row and a column's chunk is made once, and each block scales it. Once the k bits
//! are bound f and w are stored, with 2^k times fewer values: before that w, five times as large as f, never is.

use std::collections::BTreeMap;

use p3_field::{BasedVectorSpace, PackedFieldExtension, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::{dot_base, lane_sums, unpack, zeros};
use crate::field::{EF, EXTENSION_DEGREE, LOG_WIDTH, PackedEF, PackedF, WIDTH, coefficients};
use crate::poly::eq::eq_scalars;
use crate::pool::PARALLEL_THRESHOLD;
use crate::whir::gram::column_variables;
use crate::whir::weights::{Piece, WeightVector};

/// Columns that one pass binds: their products share reductions modulo p.
const PASS: usize = 8;

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

/// A row of weights at some of as many chunks as a pack has lanes, scaled differently in each block.
struct Shared<'a> {
    row: &'a [PackedEF],
    present: [bool; WIDTH],
    scales: BTreeMap<usize, [EF; WIDTH]>,
}

/// Weights of one block alone, from some pack of its column on.
struct Separate {
    block: usize,
    first: usize,
    row: Vec<PackedEF>,
}

impl<'a> Columns<'a> {
    /// Columns `f`, at least one, in 2^`log_blocks` blocks, and the weights of the same addresses.
    ///
    /// # Errors
    /// [`Error::Shape`] for more blocks than columns.
    pub fn new(f: Vec<&'a [PackedF]>, w: &'a WeightVector, log_blocks: usize) -> Result<Self> {
        let variables = column_variables(f.len());
        if log_blocks > variables {
            return Err(Error::Shape("there are more blocks than columns"));
        }
        let packs = 1 << (w.log_chunk() - LOG_WIDTH);
        Ok(Self { f, w, log_blocks, span: 1 << (variables - log_blocks), packs })
    }

    /// Chunks of a column.
    fn chunks(&self) -> usize {
        self.f[0].len() / self.packs
    }

    /// A tile is the same column of each block; beyond the last column all is zero.
    fn tile(&self, tile: usize) -> impl Iterator<Item = (usize, &'a [PackedF])> {
        self.f.iter().copied().enumerate().skip(tile).step_by(self.span)
    }

    /// The weights of some chunks of a tile: what blocks can share, and what they cannot.
    fn weights(&self, tile: usize, chunks: std::ops::Range<usize>) -> (Vec<Shared<'a>>, Vec<Separate>) {
        let (mut shared, mut separate) = (BTreeMap::new(), Vec::new());
        for (block, (column, _)) in self.tile(tile).enumerate() {
            for (lane, chunk) in chunks.clone().enumerate() {
                let mut small: Option<Vec<PackedEF>> = None;
                let mut range = self.packs..0;
                for piece in self.w.pieces(column * self.chunks() + chunk) {
                    if let Some(row) = self.w.full_row(piece.class) {
                        let class: &mut Shared<'_> = shared.entry(piece.class).or_insert_with(|| Shared {
                            row,
                            present: [false; WIDTH],
                            scales: BTreeMap::new(),
                        });
                        class.present[lane] = true;
                        class.scales.entry(block).or_insert([EF::ZERO; WIDTH])[lane] += piece.scale;
                    } else {
                        let sums = small.get_or_insert_with(|| PackedEF::zero_vec(self.packs));
                        let written = self.w.add_piece(piece, EF::ONE, sums);
                        range = range.start.min(written.start)..range.end.max(written.end);
                    }
                }
                separate.extend(small.map(|sums| Separate {
                    block,
                    first: chunk * self.packs + range.start,
                    row: sums[range].to_vec(),
                }));
            }
        }
        (shared.into_values().collect(), separate)
    }

    /// Adds the inner products over some chunks of a tile to the Gram matrix `sums`.
    fn add_tile(&self, sums: &mut [EF], tile: usize, chunks: std::ops::Range<usize>) {
        let size = 1usize << self.log_blocks;
        let (shared, separate) = self.weights(tile, chunks.clone());
        let scales = |class: &Shared<'_>| -> Vec<(usize, PackedEF)> {
            class.scales.iter().map(|(&block, scales)| (block, PackedEF::from_ext_slice(scales))).collect()
        };
        let shared: Vec<_> = shared.iter().map(|class| (class, scales(class))).collect();
        for (block, (_, f)) in self.tile(tile).enumerate() {
            let mut by_row = [PackedEF::ZERO].repeat(size.next_multiple_of(WIDTH));
            for (class, scales) in &shared {
                let mut dots = [PackedEF::ZERO; WIDTH];
                for (lane, chunk) in chunks.clone().enumerate().filter(|&(lane, _)| class.present[lane]) {
                    dots[lane] = dot_base(class.row, &f[chunk * self.packs..][..self.packs]);
                }
                let dots = lane_sums(&dots);
                scales.iter().for_each(|&(row, scale)| by_row[row] += scale * dots);
            }
            for weights in &separate {
                by_row[weights.block] += dot_base(&weights.row, &f[weights.first..][..weights.row.len()]);
            }
            let totals: Vec<PackedEF> = by_row.as_chunks().0.iter().map(lane_sums).collect();
            let entries = sums.iter_mut().skip(block).step_by(size);
            entries.zip(unpack(&totals)).for_each(|(sum, total)| *sum += total);
        }
    }

    /// The entries of the Gram matrix of the blocks, row by row.
    pub fn gram(&self) -> Vec<EF> {
        let chunks = self.chunks();
        let groups = chunks.div_ceil(WIDTH);
        let add = |mut sums: Vec<EF>, task: usize| {
            let first = task % groups * WIDTH;
            self.add_tile(&mut sums, task / groups, first..chunks.min(first + WIDTH));
            sums
        };
        let zero = || EF::zero_vec(1 << (2 * self.log_blocks));
        let tasks = self.span * groups;
        if self.is_small() {
            return (0..tasks).fold(zero(), add);
        }
        let sum = |mut a: Vec<EF>, b: Vec<EF>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        (0..tasks).into_par_iter().fold(zero, add).reduce(zero, sum)
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
        let size = self.span * self.f[0].len();
        let [mut f, mut w] = [(); 2].map(|()| zeros(size));
        let bind = |(index, (f, w)): (usize, (&mut [PackedEF], &mut [PackedEF]))| {
            let (tile, chunk) = (index / self.chunks(), index % self.chunks());
            self.bind_values(tile, chunk, &weights, f);
            self.bind_weights(tile, chunk, &weights, w);
        };
        if self.is_small() {
            f.chunks_exact_mut(self.packs).zip(w.chunks_exact_mut(self.packs)).enumerate().for_each(bind);
        } else {
            let tiles = f.par_chunks_exact_mut(self.packs).zip(w.par_chunks_exact_mut(self.packs));
            tiles.enumerate().for_each(bind);
        }
        Ok([f, w])
    }

    /// sum_a eq(a) f_a on a chunk of a tile.
    fn bind_values(&self, tile: usize, chunk: usize, eq: &[EF], sums: &mut [PackedEF]) {
        let columns: Vec<&[PackedF]> =
            self.tile(tile).map(|(_, f)| &f[chunk * self.packs..][..self.packs]).collect();
        let (passes, last) = columns.as_chunks::<PASS>();
        for (columns, eq) in passes.iter().zip(eq.as_chunks::<PASS>().0) {
            let scales_of = |k: usize| eq.each_ref().map(|value| PackedF::from(coefficients(value)[k]));
            let scales: [[PackedF; PASS]; EXTENSION_DEGREE] = std::array::from_fn(scales_of);
            for (i, sum) in sums.iter_mut().enumerate() {
                let values = columns.map(|column| column[i]);
                *sum += PackedEF::from_basis_coefficients_fn(|k| PackedF::dot_product(&scales[k], &values));
            }
        }
        for (column, &eq) in last.iter().zip(&eq[columns.len() - last.len()..]) {
            let eq = PackedEF::from(eq);
            sums.iter_mut().zip(*column).for_each(|(sum, &value)| *sum += eq * value);
        }
    }

    /// sum_b eq(b) w_b on a chunk of a tile: the scales of a class are added up before its row is multiplied.
    fn bind_weights(&self, tile: usize, chunk: usize, eq: &[EF], sums: &mut [PackedEF]) {
        let mut pieces: BTreeMap<(usize, usize), EF> = BTreeMap::new();
        for ((column, _), &eq) in self.tile(tile).zip(eq) {
            for piece in self.w.pieces(column * self.chunks() + chunk) {
                *pieces.entry((piece.class, piece.start)).or_default() += eq * piece.scale;
            }
        }
        for ((class, start), scale) in pieces {
            self.w.add_piece(Piece { class, scale, start }, EF::ONE, sums);
        }
    }

    fn is_small(&self) -> bool {
        (self.f.len() * self.f[0].len()) << LOG_WIDTH < PARALLEL_THRESHOLD
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use p3_field::PackedValue;
    use proptest::prelude::*;

    use super::*;
    use crate::field::F;
    use crate::parts::residue::{Residue, interleave};
    use deepprove_verifier::terms::{AxisVector, Term, Weights};
    use deepprove_verifier::testing::*;
    use deepprove_verifier::testing::{dyadic_blocks, expanded};

    /// Claims of all kinds on a tensor.
    fn terms(shape: [usize; 3], address: usize) -> Vec<Term> {
        let (blocks, bits) =
            (dyadic_blocks(&shape, address), shape.map(|n| n.next_power_of_two().ilog2() as usize));
        let eq = |k: usize| AxisVector::eq(elements(k as u64, bits[k]));
        let explicit = |k: usize| AxisVector::explicit(elements(k as u64 + 3, shape[k]));
        let hot = AxisVector::OneHot(shape[0] / 2);
        let products = [
            vec![eq(0), eq(1), eq(2)],
            vec![explicit(0), eq(1), explicit(2)],
            vec![eq(0), explicit(1), AxisVector::Ones],
            vec![hot, eq(1), explicit(2)],
        ];
        let point = std::sync::Arc::new(elements(7, bits.iter().sum()));
        let block_diagonal = Weights::BlockDiagonal { factors: Arc::new(elements(8, blocks.len())), point };
        let weights = products.into_iter().map(Weights::Product);
        let exponents = (0..blocks.len()).map(|index| 31 * index * index % 1009).collect();
        let powers = Weights::Powers { z: element(9), exponents };
        let weights = weights.chain([block_diagonal, powers]).zip(10..);
        weights.map(|(weights, seed)| Term::new(element(seed), blocks.clone(), weights).unwrap()).collect()
    }

    /// Gram matrices and bound vectors of all parts, for all numbers of blocks, against the definition.
    fn check(shape: [usize; 3], address: usize, log_rows: usize, log_parts: usize) {
        let terms = terms(shape, address);
        let rows = 1 << log_rows;
        let columns = (address + shape.iter().product::<usize>()).div_ceil(rows);
        let variables = column_variables(columns);
        let mut f: Vec<F> = (0..(columns * rows) as u64).map(|i| F::from_u64(i * i + 3)).collect();
        let mut w = expanded(&terms, columns * rows);
        let parts: Vec<Residue> = (0..1 << log_parts).map(|q| Residue::new(log_parts, q).unwrap()).collect();
        let local: Vec<Vec<F>> = parts.iter().map(|part| part.take(&f)).collect();
        f.resize(rows << variables, F::ZERO);
        w.resize(rows << variables, EF::ZERO);
        for log_blocks in 0..=variables {
            let of_part = |(part, f): (&Residue, &Vec<F>)| {
                let w = WeightVector::new(&terms, columns * rows, log_rows, *part).unwrap();
                let f = f.chunks_exact(rows >> log_parts).map(PackedF::pack_slice).collect();
                let columns = Columns::new(f, &w, log_blocks).unwrap();
                let bound = columns.bind(&elements(20, log_blocks)).unwrap();
                (columns.gram(), bound.map(|v| unpack(&v)))
            };
            let (grams, bound): (Vec<_>, Vec<_>) = parts.iter().zip(&local).map(of_part).unzip();
            let blocks = |v: usize| (v..).step_by(f.len() >> log_blocks).take(1 << log_blocks);
            let size = f.len() >> log_blocks;
            for (b, w) in w.chunks_exact(size).enumerate() {
                for (a, f) in f.chunks_exact(size).enumerate() {
                    let expected: EF = w.iter().zip(f).map(|(&w, &f)| w * f).sum();
                    assert_eq!(grams.iter().map(|g| g[(b << log_blocks) + a]).sum::<EF>(), expected);
                }
            }
            let eq = eq_scalars(&elements(20, log_blocks), EF::ONE);
            for (k, v) in [f.iter().map(|&x| x.into()).collect(), w.clone()].iter().enumerate() {
                let all: Vec<&[EF]> = bound.iter().map(|b| &b[k][..]).collect();
                let bind = |i: usize| blocks(i).zip(&eq).map(|(i, &e)| e * v[i]).sum::<EF>();
                assert_eq!(interleave(&all).unwrap(), (0..size).map(bind).collect::<Vec<EF>>());
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn parts_and_blocks_give_the_sums_of_the_definition(
            shape in [1usize..12, 1usize..7, 1usize..90],
            address in 0usize..2,
            log_rows in 10usize..12,
            log_parts in 0usize..4,
        ) {
            check(shape, address << 13, log_rows, log_parts);
        }
    }

    #[test]
    fn columns_of_many_chunks_give_the_sums_of_the_definition() {
        check([3, 120, 130], 0, 15, 0);
    }

    #[test]
    fn more_blocks_than_columns_are_refused() {
        let w = WeightVector::new(&[], 3 << 6, 6, Residue::WHOLE).unwrap();
        let f = vec![F::ONE; 64];
        let columns = |log_blocks| Columns::new(vec![PackedF::pack_slice(&f); 3], &w, log_blocks);
        assert!(columns(2).is_ok_and(|columns| columns.bind(&elements(1, 1)).is_err()));
        assert!(columns(3).is_err());
    }
}
