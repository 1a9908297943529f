//! The batched lockstep sumcheck: instance i claims sum_x prod_k f_{i,k}(x) = v_i over n_i variables,
//! all instances share rounds.
//!
//! With lambda drawn after every claim, instance i joins at round n_max - n_i with lambda^i v_i; its
//! point is the last n_i challenges. A round polynomial of degree d is sent as its coefficients
//! without the linear one, which p(0) + p(1) = claim gives: c_1 = claim - 2 c_0 - c_2 - ... - c_d.
//! So a prover needs no claim.

use p3_field::PrimeCharacteristicRing;

use crate::each_layout;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::field::vector::{Element, ExtVector, sum_terms};
use crate::pads::Pads;
use crate::sumcheck::chosen::ChosenElements;
use crate::sumcheck::pair::pair_round;
use deepprove_verifier::sumcheck::{InstanceShape, MAX_DEGREE, round_count, round_degree, send_round};
use deepprove_verifier::transcript::Transcript;

/// A claim of a batch.
#[derive(Clone, Debug)]
pub enum Instance {
    /// Multilinear factors of one length.
    Factors(Vec<ExtVector>),
    /// Three of them, few of whose values count.
    Chosen(ChosenElements),
}

impl Instance {
    /// Variables and factors.
    ///
    /// # Errors
    /// [`Error::Shape`] where factors differ in length.
    fn shape(&self) -> Result<InstanceShape> {
        let factors = match self {
            Self::Chosen(elements) => {
                return Ok(InstanceShape { variables: elements.variables(), degree: 3 });
            }
            Self::Factors(factors) => factors,
        };
        let variables = factors.first().map_or(0, ExtVector::variables);
        if factors.iter().any(|f| f.len() != 1 << variables) {
            return Err(Error::Shape("factors of one sumcheck instance differ in length"));
        }
        Ok(InstanceShape { variables, degree: factors.len() })
    }

    /// Values that its first round reads, of a factor at most.
    pub fn size(&self) -> usize {
        match self {
            Self::Factors(factors) => factors.first().map_or(0, ExtVector::len),
            Self::Chosen(elements) => elements.size(),
        }
    }

    fn factors(&self) -> &[ExtVector] {
        match self {
            Self::Factors(factors) => factors,
            Self::Chosen(elements) => elements.factors(),
        }
    }

    fn fold(&mut self, r: EF) {
        match self {
            Self::Factors(factors) => factors.iter_mut().for_each(|f| f.fold(r)),
            Self::Chosen(elements) => elements.fold(r),
        }
    }
}

/// What the prover sends, and the point that both sides derive.
#[derive(Clone, Debug)]
pub struct BatchProof {
    /// Round polynomials, one after the other, with their pads.
    pub rounds: Vec<EF>,
    /// Evaluations of the factors at the instances' points, instance by instance; not absorbed.
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

/// Proves all instances. The claims must have been absorbed before `lambda`
/// was drawn. Each value of a round is sent with its pad, where there are `pads`.
///
/// # Errors
/// [`Error::Shape`] where factors of an instance differ in length, or there is not one pad for each value.
pub fn prove(
    mut instances: Vec<Instance>,
    lambda: EF,
    transcript: &mut Transcript,
    pads: Vec<EF>,
) -> Result<BatchProof> {
    let shapes: Vec<InstanceShape> = instances.iter().map(Instance::shape).collect::<Result<_>>()?;
    let count = round_count(&shapes)?;
    let degrees: Vec<usize> = (0..count).map(|round| round_degree(&shapes, count, round)).collect();
    let mut pads = Pads::new(pads, degrees.iter().sum())?;
    let powers: Vec<EF> = lambda.powers().take(instances.len()).collect();
    let (mut rounds, mut point) = (Vec::new(), Vec::with_capacity(count));
    for (round, &degree) in degrees.iter().enumerate() {
        let mut sent = vec![EF::ZERO; degree];
        let active = |i: usize| shapes[i].variables + round >= count;
        for (i, instance) in instances.iter().enumerate().filter(|(i, _)| active(*i)) {
            for (sum, c) in sent.iter_mut().zip(product_round(instance.factors())) {
                *sum += powers[i] * c;
            }
        }
        pads.add(&mut sent);
        let challenge = send_round(&sent, transcript);
        for (_, instance) in instances.iter_mut().enumerate().filter(|(i, _)| active(*i)) {
            instance.fold(challenge);
        }
        rounds.extend(sent);
        point.push(challenge);
    }
    let finals = instances.iter().flat_map(Instance::factors).flat_map(ExtVector::to_scalars).collect();
    Ok(BatchProof { rounds, finals, point })
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::sumcheck::{Reduced, verify};
    use deepprove_verifier::testing::*;

    /// Claims, factors and shapes.
    type Batch = (Vec<EF>, Vec<Vec<ExtVector>>, Vec<InstanceShape>);

    fn batch() -> Batch {
        let sizes = [(5, 2), (0, 2), (7, 3), (3, 2), (7, 2), (6, 4), (4, 1)];
        let mut batch = Batch::default();
        for (variables, degree) in sizes {
            let values: Vec<Vec<EF>> =
                (0..degree).map(|k| elements((10 * variables + k) as u64, 1 << variables)).collect();
            batch.0.push((0..1 << variables).map(|i| values.iter().map(|v| v[i]).product::<EF>()).sum());
            batch.1.push(values.iter().map(|v| ExtVector::from_scalars(v)).collect());
            batch.2.push(InstanceShape { variables, degree });
        }
        batch
    }

    fn proof(pads: Vec<EF>) -> Result<BatchProof> {
        let instances = batch().1.into_iter().map(Instance::Factors).collect();
        prove(instances, element(99), &mut Transcript::new(b"test"), pads)
    }

    fn reduce(claims: &[EF], rounds: &[EF]) -> deepprove_verifier::error::Result<Reduced> {
        verify(claims, &batch().2, element(99), rounds, &mut Transcript::new(b"test"))
    }

    /// sum_i lambda^i times the product of the final evaluations of instance i.
    fn products(finals: &[EF]) -> EF {
        let (mut remaining, mut sum) = (finals, EF::ZERO);
        for (shape, power) in batch().2.iter().zip(element(99).powers()) {
            let (factors, tail) = remaining.split_at(shape.degree);
            remaining = tail;
            sum += power * factors.iter().copied().product::<EF>();
        }
        sum
    }

    /// Whether a verifier that checks the products accepts.
    fn accepts(change: impl Fn(&mut Vec<EF>, &mut BatchProof)) -> bool {
        let (mut claims, mut proof) = (batch().0, proof(Vec::new()).unwrap());
        change(&mut claims, &mut proof);
        let count = batch().2.iter().map(|shape| shape.degree).sum::<usize>();
        proof.finals.len() == count
            && reduce(&claims, &proof.rounds).is_ok_and(|reduced| reduced.claim == products(&proof.finals))
    }

    #[test]
    fn the_final_evaluations_are_those_of_the_factors() {
        let (claims, instances, _) = batch();
        let proof = proof(Vec::new()).unwrap();
        assert!(accepts(|_, _| ()));
        assert_eq!(reduce(&claims, &proof.rounds).unwrap().point, proof.point);
        for (factor, claimed) in instances.iter().flatten().zip(&proof.finals) {
            let point = &proof.point[proof.point.len() - factor.variables()..];
            assert_eq!(multilinear(&factor.to_scalars(), point), *claimed);
        }
    }

    #[test]
    fn every_altered_value_is_rejected() {
        let proof = proof(Vec::new()).unwrap();
        for k in 0..proof.rounds.len() {
            assert!(!accepts(|_, p| p.rounds[k] += EF::ONE));
        }
        for k in 0..proof.finals.len() {
            assert!(!accepts(|_, p| p.finals[k] += EF::ONE));
        }
        for k in 0..batch().0.len() {
            assert!(!accepts(|c, _| c[k] += EF::ONE));
        }
        assert!(!accepts(|_, p| p.rounds.push(EF::ZERO)));
        assert!(!accepts(|_, p| p.rounds.truncate(3)));
        assert!(!accepts(|_, p| p.finals.push(EF::ZERO)));
    }

    #[test]
    fn a_padded_proof_is_one_of_true_values_and_pads() {
        let count = proof(Vec::new()).unwrap().rounds.len();
        let pads = elements(77, count);
        let padded = proof(pads.clone()).unwrap();
        // The same rounds bound to the challenges of the padded proof, without pads.
        let (claims, mut instances, shapes) = batch();
        let powers: Vec<EF> = element(99).powers().take(claims.len()).collect();
        let (mut expected, mut next) = (Vec::new(), pads.iter());
        for (round, &r) in padded.point.iter().enumerate() {
            let mut sent = vec![EF::ZERO; round_degree(&shapes, padded.point.len(), round)];
            for (i, factors) in instances.iter_mut().enumerate() {
                if shapes[i].variables + round < padded.point.len() {
                    continue;
                }
                let polynomial = product_round(factors);
                sent.iter_mut().zip(polynomial).for_each(|(sum, c)| *sum += powers[i] * c);
                factors.iter_mut().for_each(|f| f.fold(r));
            }
            expected.extend(sent.into_iter().zip(&mut next).map(|(value, &pad)| value + pad));
        }
        assert_eq!(padded.rounds, expected);
        let finals: Vec<EF> = instances.iter().flatten().flat_map(ExtVector::to_scalars).collect();
        assert_eq!(padded.finals, finals);
        // What the verifier is left with is wrong by the pads, in just the way that its coefficients say.
        let reduced = reduce(&claims, &padded.rounds).unwrap();
        assert_eq!(reduced.point, padded.point);
        let error: EF =
            reduced.coefficients[claims.len()..].iter().zip(&pads).map(|(&c, &pad)| c * pad).sum();
        assert_eq!(reduced.claim - error, products(&finals));
        assert!(proof(pads[1..].to_vec()).is_err());
        assert!(proof(elements(77, count + 1)).is_err());
    }
}
