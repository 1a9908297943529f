//! Several rounds of f . w at once, by the Gram matrix of blocks of f and w.
//!
//! Cut by their top k variables into 2^k blocks, f and w have the Gram matrix G[b][a] = sum_i w_b[i] f_a[i],
//! which determines the next k rounds (see `gram.rs`). One by one these take fewer products, but where f
//! and w lie with others, a network's round trip each.

use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::EF;
use crate::field::vector::{Element, ExtVector, fold_top};
use crate::pool::PARALLEL_THRESHOLD;
use crate::whir::inner_product::InnerProduct;

/// Values of a block that are multiplied with all blocks at a time: those of one pair stay in the first cache.
const TASK: usize = 32;

impl InnerProduct {
    /// The Gram matrix of 2^`log_blocks` blocks, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] where fewer variables remain.
    pub fn gram(&self, log_blocks: usize) -> Result<Vec<EF>> {
        if log_blocks > self.f.variables() {
            return Err(Error::Shape("more rounds than variables"));
        }
        Ok(match (&self.f, &self.w) {
            (ExtVector::Packed(f), ExtVector::Packed(w)) if f.len() >> log_blocks > 0 => {
                gram(f, w, log_blocks)
            }
            (f, w) => gram(&f.to_scalars(), &w.to_scalars(), log_blocks),
        })
    }

    /// Binds the next variables to `point`.
    ///
    /// # Errors
    /// [`Error::Shape`] where fewer variables remain.
    pub fn bind(&mut self, point: &[EF]) -> Result<()> {
        if point.len() > self.f.variables() {
            return Err(Error::Shape("more rounds than variables"));
        }
        for vector in [&mut self.f, &mut self.w] {
            for &r in point {
                match vector {
                    ExtVector::Packed(values) => fold_top(values, r),
                    ExtVector::Scalar(values) => fold_top(values, r),
                }
                vector.normalise();
            }
        }
        Ok(())
    }
}

fn gram<R: Element>(f: &[R], w: &[R], log_blocks: usize) -> Vec<EF> {
    let (blocks, span) = (1 << log_blocks, f.len() >> log_blocks);
    let zero = || vec![R::ZERO; blocks * blocks];
    let add = |mut sums: Vec<R>, task: usize| {
        let indices = task * TASK..span.min((task + 1) * TASK);
        for (row, w) in sums.chunks_exact_mut(blocks).zip(w.chunks_exact(span)) {
            for (sum, f) in row.iter_mut().zip(f.chunks_exact(span)) {
                let pairs = w[indices.clone()].iter().zip(&f[indices.clone()]);
                *sum += pairs.map(|(&w, &f)| w * f).sum::<R>();
            }
        }
        sums
    };
    let tasks = span.div_ceil(TASK);
    let sums = if (f.len() * R::LANES) << log_blocks < PARALLEL_THRESHOLD {
        (0..tasks).fold(zero(), add)
    } else {
        let join = |mut a: Vec<R>, b: Vec<R>| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
            a
        };
        (0..tasks).into_par_iter().fold(zero, add).reduce(zero, join)
    };
    sums.into_iter().map(R::lane_sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whir::gram::Gram;
    use crate::whir::inner_product::Rounds;
    use deepprove_verifier::testing::*;
    use deepprove_verifier::transcript::Transcript;

    #[test]
    fn a_gram_matrix_gives_the_rounds_one_by_one() {
        for log in [1, 3, 6, 13] {
            let new = || InnerProduct {
                f: ExtVector::from_scalars(&elements(1, 1 << log)),
                w: ExtVector::from_scalars(&elements(2, 1 << log)),
            };
            let mut one_by_one = new();
            let expected = one_by_one.rounds(log, &mut Transcript::new(b"t")).unwrap();
            for step in 1..=log.min(4) {
                let (mut state, mut transcript, mut left) = (new(), Transcript::new(b"t"), log);
                let mut rounds = Rounds::default();
                while left > 0 {
                    let count = step.min(left);
                    let gram = Gram::from_values(state.gram(count).unwrap(), count).unwrap();
                    state.bind(&gram.run(|sums| rounds.send(sums, &mut transcript))).unwrap();
                    left -= count;
                }
                assert_eq!((&rounds.sent, &rounds.point), (&expected.sent, &expected.point));
                assert_eq!(state.values(), one_by_one.values());
            }
            assert!(new().gram(log + 1).is_err());
            assert!(new().bind(&elements(1, log + 1)).is_err());
        }
    }
}
