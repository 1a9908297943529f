//! How many blocks of columns a Gram matrix best has, from the weights' structure alone.
//!
//! More blocks leave fewer values to bind and fewer rounds, but each column then meets the weights of more
//! columns: that costs little where those share their rows. All choices give the same round polynomials.

use std::collections::BTreeSet;

use crate::whir::gram::column_variables;
use crate::whir::weights::WeightVector;

/// The largest logarithm of a number of blocks: parts send matrices of 4^k values.
const LARGEST: usize = 6;
/// Values, of f and of w, that are bound at most: 1.3 GB.
const MOST_BOUND: usize = 1 << 25;
/// Chunks of a column that are looked at.
const SAMPLES: usize = 8;

// Costs of a value, in multiplications of a weight and a value of a column.
/// Adding a scaled row to weights.
const SCALE: usize = 5;
/// The first sums of what is bound, and storing it.
const STORE: usize = 16;
/// A fold and the next sums.
const FOLD: usize = 10;

/// The logarithm of the number of blocks that costs least for `columns` columns, each later round costing
/// `round` multiplications of a weight and a value on top of its work; columns are at least one. Where many values
/// would be bound, it is larger.
pub fn log_blocks(w: &WeightVector, columns: usize, round: usize) -> usize {
    let variables = column_variables(columns);
    let rows = (w.chunks() / columns) << w.log_chunk();
    let fits = |log: &usize| rows << (variables - log) <= MOST_BOUND;
    let least = (0..=variables).find(fits).unwrap_or(variables);
    let cost = |&log: &usize| {
        let later = variables - log;
        work(w, columns, 1 << later) + round * later
    };
    (least..=variables.min(LARGEST).max(least)).min_by_key(cost).unwrap_or(least)
}

/// Multiplications in blocks of `span` columns.
fn work(w: &WeightVector, columns: usize, span: usize) -> usize {
    let chunks = w.chunks() / columns;
    let step = chunks.div_ceil(SAMPLES);
    let sampled = (step / 2..chunks).step_by(step);
    let count = sampled.len();
    let rows: usize = sampled.map(|chunk| sampled_work(w, columns, span, chunk, chunks)).sum();
    let later = span * STORE + 2 * FOLD * (span - 1);
    (rows * chunks / count + later * chunks) << w.log_chunk()
}

/// The work on one chunk of all columns, in chunks.
fn sampled_work(w: &WeightVector, columns: usize, span: usize, chunk: usize, chunks: usize) -> usize {
    let tile = |first: usize| {
        let (mut shared, mut separate, mut count) = (BTreeSet::new(), 0, 0);
        for column in (first..columns).step_by(span) {
            count += 1;
            let mut small = 0;
            for piece in w.pieces(column * chunks + chunk) {
                if w.full_row(piece.class).is_some() {
                    shared.insert(piece.class);
                } else {
                    small += 1;
                }
            }
            separate += small.min(1);
        }
        (shared.len() + separate) * (count + SCALE) + count
    };
    (0..span.min(columns)).map(tile).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parts::residue::Residue;
    use deepprove_verifier::terms::{AxisVector, Term, Weights};
    use deepprove_verifier::testing::dyadic_blocks;
    use deepprove_verifier::testing::*;

    const LOG_ROWS: usize = 12;
    const COLUMNS: usize = 64;

    /// One claim on each of 2^`log_count` matrices of 2^10 columns, which fill all addresses.
    fn choice(log_count: usize, seed: u64, round: usize) -> usize {
        let (rows, size) = (8 - log_count, COLUMNS << LOG_ROWS >> log_count);
        let term = |k: usize| {
            let axes = [elements(seed + k as u64, rows), elements(seed, 10)].map(AxisVector::eq);
            Term::new(
                element(1),
                dyadic_blocks(&[1 << rows, 1 << 10], k * size),
                Weights::Product(axes.to_vec()),
            )
        };
        let terms: Vec<Term> = (0..1 << log_count).map(|k| term(k).unwrap()).collect();
        let w = WeightVector::new(&terms, COLUMNS << LOG_ROWS, LOG_ROWS, Residue::WHOLE).unwrap();
        log_blocks(&w, COLUMNS, round)
    }

    #[test]
    fn columns_that_share_their_rows_fall_into_more_blocks() {
        assert_eq!(choice(0, 1, 0), 6);
        assert!(choice(6, 1, 0) < 6);
        assert_eq!(choice(6, 1, 1 << 30), 6);
        assert_eq!(choice(6, 1, 0), choice(6, 2, 0));
    }

    #[test]
    fn many_values_fall_into_as_many_blocks_as_keep_them_few() {
        let log_rows = MOST_BOUND.ilog2() as usize - 2;
        for (columns, least) in [(4, 0), (5, 1), (16, 2), (1 << 9, 7)] {
            let w = WeightVector::new(&[], columns << log_rows, log_rows, Residue::WHOLE).unwrap();
            let blocks = log_blocks(&w, columns, 0);
            assert!(blocks >= least && blocks <= column_variables(columns).min(LARGEST.max(least)));
        }
    }

    #[test]
    fn no_weights_are_no_work_to_share() {
        let w = WeightVector::new(&[], 3 << 6, 6, Residue::WHOLE).unwrap();
        assert_eq!(log_blocks(&w, 3, 0), 2);
    }
}
