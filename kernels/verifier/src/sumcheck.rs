//! The verifier of the batched lockstep sumcheck: instance i claims sum_x prod_k f_{i,k}(x) = v_i over n_i
//! variables, all instances share rounds.
//!
//! With lambda drawn after every claim, instance i joins at round n_max - n_i with lambda^i v_i; its
//! point is the last n_i challenges. A round polynomial of degree d is sent as its coefficients
//! without the linear one, which p(0) + p(1) = claim gives: c_1 = claim - 2 c_0 - c_2 - ... - c_d.

use p3_field::PrimeCharacteristicRing;

use crate::error::{Check, Error, Rejection, Result};
use crate::field::EF;
use crate::transcript::Transcript;

/// The largest number of factors of one instance, hence the largest degree.
pub const MAX_DEGREE: usize = 8;
/// The largest number of variables.
const MAX_VARIABLES: usize = 64;

/// Shape of an instance, as the verifier knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceShape {
    /// Number of variables.
    pub variables: usize,
    /// Number of factors.
    pub degree: usize,
}

impl InstanceShape {
    /// The round at which the instance joins, of `rounds` in all.
    fn joins_at(&self, rounds: usize) -> usize {
        rounds.saturating_sub(self.variables)
    }
}

/// The value at `x` of a round polynomial; `sent` = c_0, c_2, ..., c_d, and p(0) + p(1) = `claim`.
pub fn evaluate_round(sent: &[EF], claim: EF, x: EF) -> EF {
    let Some((&constant, higher)) = sent.split_first() else { return EF::ZERO };
    let linear = claim - constant.double() - higher.iter().copied().sum::<EF>();
    let tail = higher.iter().rev().fold(EF::ZERO, |sum, &c| sum * x + c);
    (tail * x + linear) * x + constant
}

/// Absorbs a round polynomial and draws the challenge.
pub fn send_round(sent: &[EF], transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("sumcheck/round", sent);
    transcript.challenge("sumcheck/challenge")
}

/// Both sides of a round that reduces a claim; returns the challenge.
pub fn reduce_round(sent: &[EF], claim: &mut EF, transcript: &mut Transcript) -> EF {
    let challenge = send_round(sent, transcript);
    *claim = evaluate_round(sent, *claim, challenge);
    challenge
}

/// Checks the shapes and returns the largest number of variables: the number of rounds.
///
/// # Errors
/// [`Error::Shape`] for an instance of more than 64 variables, without a factor or with more than 8.
pub fn round_count(shapes: &[InstanceShape]) -> Result<usize> {
    let fits = |s: &InstanceShape| (1..=MAX_DEGREE).contains(&s.degree) && s.variables <= MAX_VARIABLES;
    if !shapes.iter().all(fits) {
        return Err(Error::Shape("a sumcheck instance has an unsupported degree or size"));
    }
    Ok(shapes.iter().map(|s| s.variables).max().unwrap_or(0))
}

/// Degree of round `round`: the maximum over the instances that have joined.
pub fn round_degree(shapes: &[InstanceShape], rounds: usize, round: usize) -> usize {
    let joined = shapes.iter().filter(|s| s.joins_at(rounds) <= round);
    joined.map(|s| s.degree.max(2)).max().unwrap_or(2)
}

/// What the claims of the instances that join at `round` add to the running claim.
pub fn joining(claims: &[EF], shapes: &[InstanceShape], powers: &[EF], rounds: usize, round: usize) -> EF {
    let all = claims.iter().zip(shapes).zip(powers);
    let joining = all.filter(|((_, shape), _)| shape.joins_at(rounds) == round);
    joining.map(|((&claim, _), &power)| power * claim).sum()
}

/// What the rounds of a batch leave to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// The challenges.
    pub point: Vec<EF>,
    /// The last running claim: lambda^i times the product of the final evaluations, over all instances i.
    pub claim: EF,
    /// The derivative of `claim` by each claim, then by each value of the rounds, in the order of sending.
    pub coefficients: Vec<EF>,
}

/// Runs the rounds of the batch; the last claim is the caller's to check.
///
/// `rounds` are the round polynomials one after the other. The claims must have been absorbed before `lambda` was
/// drawn.
///
/// # Errors
/// [`Check::SumcheckMissingRound`] and [`Check::SumcheckSurplusRound`]; [`Error::Shape`] where claims and shapes do
/// not fit together.
pub fn verify(
    claims: &[EF],
    shapes: &[InstanceShape],
    lambda: EF,
    rounds: &[EF],
    transcript: &mut Transcript,
) -> Result<Reduced> {
    if claims.len() != shapes.len() {
        return Err(Error::Shape("claims and shapes of a sumcheck differ in number"));
    }
    let count = round_count(shapes)?;
    let powers: Vec<EF> = lambda.powers().take(claims.len()).collect();
    let (mut remaining, mut point, mut claim) = (rounds, Vec::with_capacity(count), EF::ZERO);
    let mut all = Vec::with_capacity(count);
    for round in 0..count {
        claim += joining(claims, shapes, &powers, count, round);
        let (sent, tail) = remaining
            .split_at_checked(round_degree(shapes, count, round))
            .ok_or(Rejection::at_round(Check::SumcheckMissingRound, round))?;
        remaining = tail;
        all.push(sent);
        point.push(reduce_round(sent, &mut claim, transcript));
    }
    if !remaining.is_empty() {
        return Err(Rejection::at_round(Check::SumcheckSurplusRound, count).into());
    }
    // Instances without variables join after the last round.
    claim += joining(claims, shapes, &powers, count, count);
    // The claim before a round counts with the product of that challenge and all after it.
    let mut products = vec![EF::ONE];
    products.extend(point.iter().rev().scan(EF::ONE, |product, &r| {
        *product *= r;
        Some(*product)
    }));
    products.reverse();
    let joined = shapes.iter().zip(&powers);
    let mut coefficients: Vec<EF> = joined
        .filter_map(|(shape, &power)| products.get(shape.joins_at(count)).map(|&product| power * product))
        .collect();
    for ((sent, &r), &after) in all.into_iter().zip(&point).zip(products.iter().skip(1)) {
        coefficients.extend(derivatives(sent.len(), r).map(|derivative| derivative * after));
    }
    Ok(Reduced { point, claim, coefficients })
}

/// The derivatives of the value at `r` by c_0, c_2, ..., `count` of them.
fn derivatives(count: usize, r: EF) -> impl Iterator<Item = EF> {
    std::iter::once(EF::ONE - r.double()).chain(r.powers().skip(2).map(move |power| power - r)).take(count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    const SIZES: [(usize, usize); 6] = [(5, 2), (0, 2), (7, 3), (3, 1), (7, 2), (6, 4)];

    /// What remains of a batch of claims and rounds that lie one after the other, the challenges fixed by `sent`.
    fn reduce(values: &[EF], sent: &[EF]) -> EF {
        let shapes = SIZES.map(|(variables, degree)| InstanceShape { variables, degree });
        let point =
            verify(&sent[..6], &shapes, element(9), &sent[6..], &mut Transcript::new(b"t")).unwrap().point;
        let powers: Vec<EF> = element(9).powers().take(6).collect();
        let (mut claim, mut remaining) = (EF::ZERO, &values[6..]);
        for (round, &r) in point.iter().enumerate() {
            claim += joining(&values[..6], &shapes, &powers, 7, round);
            let (polynomial, tail) = remaining.split_at(round_degree(&shapes, 7, round));
            claim = evaluate_round(polynomial, claim, r);
            remaining = tail;
        }
        claim + joining(&values[..6], &shapes, &powers, 7, 7)
    }

    fn length() -> usize {
        let shapes = SIZES.map(|(variables, degree)| InstanceShape { variables, degree });
        (0..7).map(|round| round_degree(&shapes, 7, round)).sum()
    }

    #[test]
    fn coefficients_are_the_finite_differences_of_the_last_claim() {
        let sent = elements(3, 6 + length());
        let shapes = SIZES.map(|(variables, degree)| InstanceShape { variables, degree });
        let reduced =
            verify(&sent[..6], &shapes, element(9), &sent[6..], &mut Transcript::new(b"t")).unwrap();
        assert_eq!(reduced.claim, reduce(&sent, &sent));
        assert_eq!(reduced.coefficients.len(), sent.len());
        for (index, &coefficient) in reduced.coefficients.iter().enumerate() {
            let mut moved = sent.clone();
            moved[index] += EF::ONE;
            assert_eq!(reduce(&moved, &sent) - reduced.claim, coefficient, "{index}");
        }
        let linear: EF = reduced.coefficients.iter().zip(&sent).map(|(&c, &v)| c * v).sum();
        assert_eq!(linear, reduced.claim);
    }

    #[test]
    fn another_number_of_values_is_rejected() {
        let shapes = SIZES.map(|(variables, degree)| InstanceShape { variables, degree });
        let run = |count: usize| {
            verify(&elements(1, 6), &shapes, element(9), &elements(3, count), &mut Transcript::new(b"t"))
        };
        assert!(run(length()).is_ok());
        let missing = Rejection::at_round(Check::SumcheckMissingRound, 6);
        assert_eq!(run(length() - 1).unwrap_err(), missing.into());
        let surplus = Rejection::at_round(Check::SumcheckSurplusRound, 7);
        assert_eq!(run(length() + 1).unwrap_err(), surplus.into());
    }

    #[test]
    fn no_instance_leaves_no_claim() {
        let reduced = verify(&[], &[], element(1), &[], &mut Transcript::new(b"t")).unwrap();
        assert_eq!(reduced, Reduced::default());
        assert!(verify(&[EF::ONE], &[], element(1), &[], &mut Transcript::new(b"t")).is_err());
    }
}
