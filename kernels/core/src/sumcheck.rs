//! The batched lockstep sumcheck: instance i claims sum_x prod_k f_{i,k}(x) = v_i over n_i variables,
//! all instances share rounds.
//!
//! With lambda drawn after every claim, instance i joins at round n_max - n_i with lambda^i v_i; its
//! point is the last n_i challenges. A round polynomial of degree d is sent as its coefficients
//! without the linear one, which p(0) + p(1) = claim gives: c_1 = claim - 2 c_0 - c_2 - ... - c_d.

use p3_field::PrimeCharacteristicRing;

use crate::each_layout;
use crate::error::{Check, Error, Rejection, Result};
use crate::field::EF;
use crate::pair::pair_round;
use crate::transcript::Transcript;
use crate::vector::{Element, ExtVector, sum_terms};

/// The largest number of factors of one instance, hence the largest degree.
pub const MAX_DEGREE: usize = 8;

/// One claim and its factors, all over the same variables.
pub struct Instance {
    /// The claimed sum.
    pub claim: EF,
    /// The multilinear factors.
    pub factors: Vec<ExtVector>,
}

/// Shape of an instance, as the verifier knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InstanceShape {
    /// Number of variables.
    pub variables: usize,
    /// Number of factors.
    pub degree: usize,
}

/// What the prover sends, and the point that both sides derive.
#[derive(Clone, Debug)]
pub struct BatchProof {
    /// Round polynomials, one after the other.
    pub rounds: Vec<EF>,
    /// Evaluations of the factors at the instances' points, instance by instance.
    pub finals: Vec<EF>,
    /// The challenges.
    pub point: Vec<EF>,
}

/// A round polynomial from what is sent and the claim p(0) + p(1).
#[derive(Clone, Copy)]
pub struct RoundPolynomial {
    coefficients: [EF; MAX_DEGREE + 1],
}

impl RoundPolynomial {
    /// `sent` = c_0, c_2, ..., c_d.
    pub fn recover(sent: &[EF], claim: EF) -> Self {
        let mut coefficients = [EF::ZERO; MAX_DEGREE + 1];
        coefficients[0] = sent[0];
        coefficients[2..=sent.len()].copy_from_slice(&sent[1..]);
        coefficients[1] = claim - sent[0].double() - sent[1..].iter().copied().sum::<EF>();
        Self { coefficients }
    }

    /// The value at `x`.
    pub fn evaluate(&self, x: EF) -> EF {
        self.coefficients.iter().rev().fold(EF::ZERO, |acc, &c| acc * x + c)
    }
}

/// Absorbs a round polynomial and draws the challenge.
pub fn send_round(sent: &[EF], transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("sumcheck/round", sent);
    transcript.challenge("sumcheck/challenge")
}

/// Both sides of a round that reduces a claim.
pub fn reduce_round(sent: &[EF], claim: &mut EF, transcript: &mut Transcript) -> EF {
    let challenge = send_round(sent, transcript);
    *claim = RoundPolynomial::recover(sent, *claim).evaluate(challenge);
    challenge
}

/// Coefficients c_0, c_2, ..., c_d of the next round polynomial of a product.
fn product_round(factors: &[ExtVector]) -> Vec<EF> {
    if let [a, b] = factors {
        return match (a, b) {
            (ExtVector::Packed(a), ExtVector::Packed(b)) => pair_round(a, b).to_vec(),
            (ExtVector::Scalar(a), ExtVector::Scalar(b)) => pair_round(a, b).to_vec(),
            _ => unreachable!("factors of one length have one layout"),
        };
    }
    let degree = factors.len();
    let half = each_layout!(&factors[0], v => v.len() / 2);
    let all = if matches!(factors[0], ExtVector::Packed(_)) {
        let slices = factors.iter().map(|f| match f {
            ExtVector::Packed(v) => v.as_slice(),
            ExtVector::Scalar(_) => unreachable!("factors of one length have one layout"),
        });
        many_round(&slices.collect::<Vec<_>>(), half)
    } else {
        let slices = factors.iter().map(|f| match f {
            ExtVector::Scalar(v) => v.as_slice(),
            ExtVector::Packed(_) => unreachable!("factors of one length have one layout"),
        });
        many_round(&slices.collect::<Vec<_>>(), half)
    };
    let mut sent = vec![all[0]];
    sent.extend_from_slice(&all[2..=degree]);
    sent
}

/// All coefficients for any number of factors.
fn many_round<R: Element>(factors: &[&[R]], half: usize) -> [EF; MAX_DEGREE + 1] {
    sum_terms(half, |i| {
        let mut product = [R::ZERO; MAX_DEGREE + 1];
        product[0] = R::ONE;
        for (k, factor) in factors.iter().enumerate() {
            let (constant, slope) = (factor[i], factor[i + half] - factor[i]);
            for j in (0..=k).rev() {
                product[j + 1] += product[j] * slope;
                product[j] *= constant;
            }
        }
        product
    })
}

/// Checks the shapes and returns the largest number of variables.
fn largest(shapes: &[InstanceShape]) -> Result<usize> {
    if shapes.iter().any(|s| s.degree == 0 || s.degree > MAX_DEGREE || s.variables > 64) {
        return Err(Error::Shape("a sumcheck instance has an unsupported degree or size"));
    }
    Ok(shapes.iter().map(|s| s.variables).max().unwrap_or(0))
}

/// Degree of round `round`: the maximum over the instances that have joined.
fn round_degree(shapes: &[InstanceShape], rounds: usize, round: usize) -> usize {
    let joined = shapes.iter().filter(|s| s.variables + round >= rounds);
    joined.map(|s| s.degree.max(2)).max().unwrap_or(2)
}

/// What the claims of the instances that join at `round` add to the running claim.
fn joining(claims: &[EF], shapes: &[InstanceShape], powers: &[EF], rounds: usize, round: usize) -> EF {
    let joining = (0..claims.len()).filter(|&i| shapes[i].variables + round == rounds);
    joining.map(|i| powers[i] * claims[i]).sum()
}

/// Proves all instances. The claims must have been absorbed before `lambda` was drawn.
///
/// # Errors
/// [`Error::Shape`] where factors of an instance differ in length.
pub fn prove(mut instances: Vec<Instance>, lambda: EF, transcript: &mut Transcript) -> Result<BatchProof> {
    let mut shapes = Vec::with_capacity(instances.len());
    for instance in &instances {
        let variables = instance.factors.first().map_or(0, ExtVector::variables);
        if instance.factors.iter().any(|f| f.len() != 1 << variables) {
            return Err(Error::Shape("factors of one sumcheck instance differ in length"));
        }
        shapes.push(InstanceShape { variables, degree: instance.factors.len() });
    }
    let count = largest(&shapes)?;
    let claims: Vec<EF> = instances.iter().map(|i| i.claim).collect();
    let powers: Vec<EF> = lambda.powers().take(instances.len()).collect();
    let (mut rounds, mut point, mut claim) = (Vec::new(), Vec::with_capacity(count), EF::ZERO);
    for round in 0..count {
        claim += joining(&claims, &shapes, &powers, count, round);
        let mut sent = vec![EF::ZERO; round_degree(&shapes, count, round)];
        let active = |i: usize| shapes[i].variables + round >= count;
        for (i, instance) in instances.iter().enumerate().filter(|(i, _)| active(*i)) {
            for (sum, c) in sent.iter_mut().zip(product_round(&instance.factors)) {
                *sum += powers[i] * c;
            }
        }
        let challenge = reduce_round(&sent, &mut claim, transcript);
        for (_, instance) in instances.iter_mut().enumerate().filter(|(i, _)| active(*i)) {
            instance.factors.iter_mut().for_each(|f| f.fold(challenge));
        }
        rounds.extend(sent);
        point.push(challenge);
    }
    let factors = instances.iter().flat_map(|i| &i.factors);
    let finals: Vec<EF> = factors.flat_map(ExtVector::to_scalars).collect();
    transcript.absorb_extension("sumcheck/finals", &finals);
    Ok(BatchProof { rounds, finals, point })
}

/// Verifies the batch and returns the challenges; each final evaluation is then the caller's claim.
///
/// # Errors
/// [`Error::Rejected`] naming the check that fails.
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
    let count = largest(shapes)?;
    let factors = shapes.iter().map(|s| s.degree).sum::<usize>();
    if finals.len() != factors {
        return Err(Rejection::counted(Check::SumcheckFinals, factors, finals.len()).into());
    }
    let powers: Vec<EF> = lambda.powers().take(claims.len()).collect();
    let (mut rest, mut point, mut claim) = (rounds, Vec::with_capacity(count), EF::ZERO);
    for round in 0..count {
        claim += joining(claims, shapes, &powers, count, round);
        let (sent, tail) = rest
            .split_at_checked(round_degree(shapes, count, round))
            .ok_or(Rejection::at_round(Check::SumcheckMissingRound, round))?;
        rest = tail;
        point.push(reduce_round(sent, &mut claim, transcript));
    }
    if !rest.is_empty() {
        return Err(Rejection::at_round(Check::SumcheckSurplusRound, count).into());
    }
    // Instances without variables join behind the last round.
    claim += joining(claims, shapes, &powers, count, count);
    let mut rest = finals;
    for (shape, &power) in shapes.iter().zip(&powers) {
        let (factors, tail) = rest.split_at(shape.degree);
        rest = tail;
        claim -= power * factors.iter().copied().product::<EF>();
    }
    if claim != EF::ZERO {
        return Err(Rejection::of(Check::SumcheckClaim).into());
    }
    transcript.absorb_extension("sumcheck/finals", finals);
    Ok(point)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

    fn batch() -> (Vec<Instance>, Vec<InstanceShape>) {
        let sizes = [(5, 2), (0, 2), (7, 3), (3, 2), (7, 2), (6, 4)];
        let instance = |&(variables, degree): &(usize, usize)| {
            let values: Vec<Vec<EF>> =
                (0..degree).map(|k| elements((10 * variables + k) as u64, 1 << variables)).collect();
            let claim = (0..1 << variables).map(|i| values.iter().map(|v| v[i]).product::<EF>()).sum();
            Instance { claim, factors: values.iter().map(|v| ExtVector::from_scalars(v)).collect() }
        };
        let shape = |&(variables, degree): &(usize, usize)| InstanceShape { variables, degree };
        (sizes.iter().map(instance).collect(), sizes.iter().map(shape).collect())
    }

    fn run(change: impl Fn(&mut Vec<EF>, &mut BatchProof)) -> Result<Vec<EF>> {
        let (instances, shapes) = batch();
        let mut claims: Vec<EF> = instances.iter().map(|i| i.claim).collect();
        let lambda = element(99);
        let mut proof = prove(instances, lambda, &mut Transcript::new(b"test")).unwrap();
        change(&mut claims, &mut proof);
        verify(&claims, &shapes, lambda, &proof.rounds, &proof.finals, &mut Transcript::new(b"test"))
    }

    #[test]
    fn the_final_evaluations_are_those_of_the_factors() {
        let (instances, shapes) = batch();
        let values: Vec<Vec<EF>> =
            instances.iter().flat_map(|i| i.factors.iter().map(ExtVector::to_scalars)).collect();
        let proof = prove(instances, element(99), &mut Transcript::new(b"test")).unwrap();
        assert_eq!(run(|_, _| ()).unwrap(), proof.point);
        let variables = shapes.iter().flat_map(|s| std::iter::repeat_n(s.variables, s.degree));
        for ((value, variables), claimed) in values.iter().zip(variables).zip(&proof.finals) {
            let point = &proof.point[proof.point.len() - variables..];
            assert_eq!(multilinear(value, point), *claimed);
        }
    }

    #[test]
    fn every_altered_value_is_rejected() {
        let (count, finals) = run_lengths();
        for k in 0..count {
            assert!(run(|_, p| p.rounds[k] += EF::ONE).is_err());
        }
        for k in 0..finals {
            assert!(run(|_, p| p.finals[k] += EF::ONE).is_err());
        }
        for k in 0..6 {
            assert!(run(|c, _| c[k] += EF::ONE).is_err());
        }
        assert!(run(|_, p| p.rounds.push(EF::ZERO)).is_err());
        assert!(run(|_, p| p.rounds.truncate(3)).is_err());
        assert!(run(|_, p| p.finals.push(EF::ZERO)).is_err());
    }

    fn run_lengths() -> (usize, usize) {
        let (instances, _) = batch();
        let proof = prove(instances, element(99), &mut Transcript::new(b"test")).unwrap();
        (proof.rounds.len(), proof.finals.len())
    }
}
