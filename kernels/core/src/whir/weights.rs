//! The prover's weight vector: all terms over the addresses of the committed matrix, chunk by chunk.
//!
//! The whole vector takes five times the memory of the matrix, so it is never made: a chunk is a short sum of
//! scaled rows, and the rows, few classes of them, stay in the nearest caches.

use p3_field::{PackedFieldExtension, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::{EF, LOG_WIDTH, PackedEF, WIDTH};
use crate::parts::residue::Residue;
use crate::whir::jobs::{Job, Jobs, Row};
use deepprove_verifier::terms::Term;

/// Logarithm of the addresses in a chunk.
const LOG_CHUNK: usize = 10;

/// A scaled row in a chunk.
#[derive(Clone, Copy)]
pub struct Piece {
    /// The row.
    pub class: usize,
    /// Its scale.
    pub scale: EF,
    /// Where it begins, in addresses of the chunk.
    pub start: usize,
}

/// The weight vector of some terms.
pub struct WeightVector {
    jobs: Vec<Job>,
    rows: Vec<Row>,
    /// The jobs that meet each chunk, one chunk after the other, and where each chunk's begin.
    met: Vec<usize>,
    starts: Vec<usize>,
    log_chunk: usize,
}

impl WeightVector {
    /// The weights of `terms` over the indices of one part among `len` addresses, a multiple of 2^`log_rows`.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block leaves the addresses, or a part of a column is smaller than a pack.
    pub fn new(terms: &[Term], len: usize, log_rows: usize, part: Residue) -> Result<Self> {
        if log_rows < LOG_WIDTH + part.log_parts || !len.is_multiple_of(1 << log_rows) {
            return Err(Error::Shape("a committed column must hold whole packs"));
        }
        if terms.iter().flat_map(|t| t.blocks.iter()).any(|b| b.address + (1 << b.log_size()) > len) {
            return Err(Error::Shape("a block lies outside the committed addresses"));
        }
        let log_chunk = (log_rows - part.log_parts).min(LOG_CHUNK);
        let mut all = Jobs::default();
        let of_terms: Vec<Jobs> =
            terms.par_iter().map(|term| Jobs::of_term(term, part, log_chunk)).collect::<Result<_>>()?;
        of_terms.into_iter().for_each(|jobs| all.append(jobs));
        let Jobs { jobs, rows } = all;
        let chunks = |job: &Job| {
            let first = job.address >> log_chunk;
            first..first + job.scales.len()
        };
        let mut starts = vec![0; (len >> part.log_parts >> log_chunk) + 1];
        jobs.iter().flat_map(chunks).for_each(|chunk| starts[chunk + 1] += 1);
        for chunk in 1..starts.len() {
            starts[chunk] += starts[chunk - 1];
        }
        let (mut next, mut met) = (starts.clone(), vec![0; starts[starts.len() - 1]]);
        for (index, job) in jobs.iter().enumerate() {
            for chunk in chunks(job) {
                met[next[chunk]] = index;
                next[chunk] += 1;
            }
        }
        Ok(Self { jobs, rows, met, starts, log_chunk })
    }

    /// Addresses in a chunk: 2^log_chunk, not more than a column has.
    pub fn log_chunk(&self) -> usize {
        self.log_chunk
    }

    /// Chunks of all columns.
    pub fn chunks(&self) -> usize {
        self.starts.len() - 1
    }

    /// The pieces of a chunk that are not zero.
    pub fn pieces(&self, chunk: usize) -> impl Iterator<Item = Piece> {
        let met = &self.met[self.starts[chunk]..self.starts[chunk + 1]];
        let piece = move |&index: &usize| {
            let job = &self.jobs[index];
            let (at, start) = (chunk - (job.address >> self.log_chunk), job.address % (1 << self.log_chunk));
            Piece { class: job.classes[at % job.classes.len()], scale: job.scales[at], start }
        };
        met.iter().map(piece).filter(|piece| piece.scale != EF::ZERO)
    }

    /// The row of a class that fills chunks.
    pub fn full_row(&self, class: usize) -> Option<&[PackedEF]> {
        match &self.rows[class] {
            Row::Packs(row) if row.len() * WIDTH == 1 << self.log_chunk => Some(row),
            _ => None,
        }
    }

    /// Adds `scale` times a piece to its chunk; the packs that it touches.
    pub fn add_piece(&self, piece: Piece, scale: EF, chunk: &mut [PackedEF]) -> std::ops::Range<usize> {
        let (first, scale) = (piece.start / WIDTH, scale * piece.scale);
        match &self.rows[piece.class] {
            Row::Packs(row) => {
                let scale = PackedEF::from(scale);
                chunk[first..].iter_mut().zip(row).for_each(|(sum, &value)| *sum += scale * value);
                first..first + row.len()
            }
            Row::Scalars(row) => {
                for (lane, &value) in (piece.start % WIDTH..).zip(row) {
                    chunk[first].add_assign_lane(lane, scale * value);
                }
                first..first + 1
            }
        }
    }

    /// Adds `scale` times the weights of a chunk to `sums`.
    pub fn add_chunk(&self, index: usize, scale: EF, sums: &mut [PackedEF]) {
        for piece in self.pieces(index) {
            self.add_piece(piece, scale, sums);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::field::vector::ExtVector;
    use deepprove_verifier::blocks::{DyadicBlock, Interval};
    use deepprove_verifier::terms::{AxisVector, Weights, evaluate};
    use deepprove_verifier::testing::*;
    use deepprove_verifier::testing::{dyadic_blocks, stored};

    #[test]
    fn expansion_and_evaluation_agree() {
        let first = dyadic_blocks(&[6, 5, 40], 0);
        let second = dyadic_blocks(&[6, 5, 40], 2048);
        let tiny = stored(vec![DyadicBlock {
            address: 1999,
            intervals: vec![Interval { start: 1, log: 0 }, Interval { start: 0, log: 0 }],
        }]);
        let vectors =
            vec![AxisVector::eq(elements(1, 3)), AxisVector::explicit(elements(2, 5)), AxisVector::Ones];
        let hot = vec![AxisVector::Ones, AxisVector::OneHot(4), AxisVector::eq(elements(3, 6))];
        let one = vec![AxisVector::OneHot(1), AxisVector::Ones];
        let block_diagonal = Weights::BlockDiagonal {
            factors: Arc::new(elements(4, first.len())),
            point: Arc::new(elements(5, 14)),
        };
        let exponents = (0..first.len()).map(|index| 1000 - 97 * index).collect();
        let powers = Weights::Powers { z: element(7), exponents };
        let terms = [
            Term::new(element(1), first.clone(), Weights::Product(vectors)).unwrap(),
            Term::new(element(2), second, Weights::Product(hot)).unwrap(),
            Term::new(element(3), first, block_diagonal).unwrap(),
            Term::new(element(4), tiny, Weights::Product(one)).unwrap(),
            Term::new(element(6), dyadic_blocks(&[6, 5, 40], 0), powers).unwrap(),
        ];
        for log_rows in [7, 10, 12] {
            let weights = WeightVector::new(&terms, 4096, log_rows, Residue::WHOLE).unwrap();
            let mut expanded = vec![PackedEF::ZERO; 4096 / WIDTH];
            let chunks = expanded.chunks_exact_mut((1 << weights.log_chunk()) / WIDTH);
            chunks.enumerate().for_each(|(index, chunk)| weights.add_chunk(index, element(8), chunk));
            let values = ExtVector::Packed(expanded).to_scalars();
            let point = elements(9, 12);
            assert_eq!(evaluate(&terms, &point).unwrap() * element(8), multilinear(&values, &point));
        }
        assert!(WeightVector::new(&terms, 2048, 7, Residue::WHOLE).is_err());
        assert!(evaluate(&terms, &elements(9, 11)).is_err());
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let short = vec![AxisVector::eq(elements(1, 2)), AxisVector::Ones, AxisVector::Ones];
        assert!(Term::new(EF::ONE, dyadic_blocks(&[6, 5, 40], 0), Weights::Product(short)).is_err());
        assert!(
            Term::new(EF::ONE, dyadic_blocks(&[6, 5, 40], 0), Weights::Product(vec![AxisVector::Ones]))
                .is_err()
        );
        let explicit = vec![AxisVector::Ones, AxisVector::explicit(elements(1, 4)), AxisVector::Ones];
        assert!(Term::new(EF::ONE, dyadic_blocks(&[6, 5, 40], 0), Weights::Product(explicit)).is_err());
        let point = Arc::new(elements(1, 3));
        let block_diagonal = Weights::BlockDiagonal { factors: Arc::new(elements(1, 8)), point };
        assert!(Term::new(EF::ONE, dyadic_blocks(&[6, 5, 40], 0), block_diagonal).is_err());
    }
}
