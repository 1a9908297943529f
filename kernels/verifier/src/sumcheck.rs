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

/// Verifies the batch and returns the challenges; each final evaluation is then the caller's claim.
///
/// `rounds` are the round polynomials one after the other, `finals` the evaluations of the factors at the
/// instances' points, instance by instance. The claims must have been absorbed before `lambda` was drawn.
///
/// # Errors
/// [`Check::SumcheckFinals`], [`Check::SumcheckMissingRound`], [`Check::SumcheckSurplusRound`] and
/// [`Check::SumcheckClaim`]; [`Error::Shape`] where claims and shapes do not fit together.
pub fn verify(
    claims: &[EF],
    shapes: &[InstanceShape],
    lambda: EF,
    rounds: &[EF],
    finals: &[EF],
    transcript: &mut Transcript,
) -> Result<Vec<EF>> {
    if claims.len() != shapes.len() {
        return Err(Error::Shape("claims and shapes of a sumcheck differ in number"));
    }
    let count = round_count(shapes)?;
    let factors = shapes.iter().map(|s| s.degree).sum::<usize>();
    if finals.len() != factors {
        return Err(Rejection::counted(Check::SumcheckFinals, factors, finals.len()).into());
    }
    let powers: Vec<EF> = lambda.powers().take(claims.len()).collect();
    let (mut remaining, mut point, mut claim) = (rounds, Vec::with_capacity(count), EF::ZERO);
    for round in 0..count {
        claim += joining(claims, shapes, &powers, count, round);
        let (sent, tail) = remaining
            .split_at_checked(round_degree(shapes, count, round))
            .ok_or(Rejection::at_round(Check::SumcheckMissingRound, round))?;
        remaining = tail;
        point.push(reduce_round(sent, &mut claim, transcript));
    }
    if !remaining.is_empty() {
        return Err(Rejection::at_round(Check::SumcheckSurplusRound, count).into());
    }
    // Instances without variables join after the last round.
    claim += joining(claims, shapes, &powers, count, count);
    let mut remaining = finals;
    for (shape, &power) in shapes.iter().zip(&powers) {
        let (factors, tail) = remaining.split_at_checked(shape.degree).unwrap_or((remaining, &[]));
        remaining = tail;
        claim -= power * factors.iter().copied().product::<EF>();
    }
    if claim != EF::ZERO {
        return Err(Rejection::of(Check::SumcheckClaim).into());
    }
    transcript.absorb_extension("sumcheck/finals", finals);
    Ok(point)
}
