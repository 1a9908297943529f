//! Sumcheck rounds of a product of two multilinear polynomials f and w.
//!
//! A round's polynomial is sum_i f_i(X) w_i(X), f_i(X) = f[i] + X (f[i + half] - f[i]) and w_i alike. It is
//! determined by c_0, c_2 and the running claim.

use rayon::prelude::*;

use crate::field::EF;
use crate::field::vector::{Element, add_sums, fold_top, sum_terms};
use crate::pool::PARALLEL_THRESHOLD;

/// Values of each quarter that one task binds.
const TASK: usize = 64;

/// c_0 and c_2 of the next round.
pub fn pair_round<R: Element>(f: &[R], w: &[R]) -> [EF; 2] {
    let half = f.len() / 2;
    let ((f0, f1), (w0, w1)) = (f.split_at(half), w.split_at(half));
    sum_terms(half, |i| [f0[i] * w0[i], (f1[i] - f0[i]) * (w1[i] - w0[i])])
}

/// Runs `count` rounds: `send` takes c_0 and c_2 and returns the challenge.
pub fn run_rounds<R: Element>(
    f: &mut Vec<R>,
    w: &mut Vec<R>,
    count: usize,
    mut send: impl FnMut([EF; 2]) -> EF,
) {
    if count == 0 {
        return;
    }
    let mut sums = pair_round(f, w);
    for _ in 1..count {
        sums = bind_and_sum(f, w, send(sums));
    }
    let r = send(sums);
    fold_top(f, r);
    fold_top(w, r);
}

/// Binds the top variable of both to `r` and returns [`pair_round`] of what remains: reading and writing
/// long vectors costs more than the products, so both happen at once.
fn bind_and_sum<R: Element>(f: &mut Vec<R>, w: &mut Vec<R>, r: EF) -> [EF; 2] {
    let half = f.len() / 2;
    let r = R::from(r);
    let step = |f: [&mut [R]; 4], w: [&mut [R]; 4]| {
        let mut sums = [R::ZERO; 2];
        let ([f0, f1, f2, f3], [w0, w1, w2, w3]) = (f, w);
        for i in 0..f0.len() {
            f0[i] += r * (f2[i] - f0[i]);
            f1[i] += r * (f3[i] - f1[i]);
            w0[i] += r * (w2[i] - w0[i]);
            w1[i] += r * (w3[i] - w1[i]);
            sums[0] += f0[i] * w0[i];
            sums[1] += (f1[i] - f0[i]) * (w1[i] - w0[i]);
        }
        sums
    };
    let (fs, ws) = (quarters(f), quarters(w));
    let sums = if half * R::LANES < PARALLEL_THRESHOLD {
        step(fs, ws)
    } else {
        let [f0, f1, f2, f3] = fs.map(|v| v.par_chunks_mut(TASK));
        let [w0, w1, w2, w3] = ws.map(|v| v.par_chunks_mut(TASK));
        (f0, f1, f2, f3, w0, w1, w2, w3)
            .into_par_iter()
            .map(|(f0, f1, f2, f3, w0, w1, w2, w3)| step([f0, f1, f2, f3], [w0, w1, w2, w3]))
            .reduce(|| [R::ZERO; 2], add_sums)
    };
    f.truncate(half);
    w.truncate(half);
    sums.map(R::lane_sum)
}

/// The four quarters of a vector.
fn quarters<R>(values: &mut [R]) -> [&mut [R]; 4] {
    let quarter = values.len() / 4;
    let (low, high) = values.split_at_mut(2 * quarter);
    let ((a, b), (c, d)) = (low.split_at_mut(quarter), high.split_at_mut(quarter));
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field::vector::{ExtVector, pack};
    use deepprove_verifier::testing::*;

    #[test]
    fn fused_rounds_are_the_rounds_one_by_one() {
        let challenges = elements(1, 12);
        for log in [1, 4, 12] {
            let (mut f, mut w) = (elements(2, 1 << log), elements(3, 1 << log));
            let expected: Vec<[EF; 2]> = challenges[..log]
                .iter()
                .map(|&r| {
                    let sums = pair_round(&f, &w);
                    fold_top(&mut f, r);
                    fold_top(&mut w, r);
                    sums
                })
                .collect();
            let (mut sent, mut next) = (Vec::new(), challenges.iter());
            let mut send = |sums| {
                sent.push(sums);
                *next.next().unwrap()
            };
            let (mut a, mut b) = (elements(2, 1 << log), elements(3, 1 << log));
            if let (ExtVector::Packed(_), packs) = (ExtVector::from_scalars(&a), (pack(&a), pack(&b))) {
                let (mut p, mut q) = packs;
                let rounds = p.len().ilog2() as usize;
                run_rounds(&mut p, &mut q, rounds, &mut send);
                (a, b) = (crate::field::vector::unpack(&p), crate::field::vector::unpack(&q));
            }
            let remaining = a.len().ilog2() as usize;
            run_rounds(&mut a, &mut b, remaining, &mut send);
            assert_eq!((sent, a, b), (expected, f.clone(), w.clone()));
        }
    }
}
