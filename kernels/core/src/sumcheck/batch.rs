//! The batched lockstep sumcheck: instance i claims sum_x prod_k f_{i,k}(x) = v_i over n_i variables,
//! all instances share rounds.
//!
//! With lambda drawn after every claim, instance i joins at round n_max - n_i with lambda^i v_i; its
//! point is the last n_i challenges. A round polynomial of degree d is sent as its coefficients
//! without the linear one, which p(0) + p(1) = claim gives: c_1 = claim - 2 c_0 - c_2 - ... - c_d.

use p3_field::PrimeCharacteristicRing;

use crate::each_layout;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::field::vector::{Element, ExtVector, sum_terms};
use crate::sumcheck::pair::pair_round;
use deepprove_verifier::sumcheck::{
    InstanceShape, MAX_DEGREE, joining, reduce_round, round_count, round_degree,
};
use deepprove_verifier::transcript::Transcript;

/// One claim and its factors, all over the same variables.
pub struct Instance {
    /// The claimed sum.
    pub claim: EF,
    /// The multilinear factors.
    pub factors: Vec<ExtVector>,
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
    let count = round_count(&shapes)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::error::Result;
    use deepprove_verifier::sumcheck::verify;
    use deepprove_verifier::testing::*;

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
