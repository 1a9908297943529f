//! The verifier: from the root to the claim about the leaves.

use p3_field::PrimeCharacteristicRing;

use super::{LeafClaim, next_claim, proof_length, reduce};
use crate::error::{Check, Error, Rejection, Result};
use crate::field::EF;
use crate::transcript::Transcript;

/// Verifies a tree of `levels` levels; the claim about the leaves is the caller's to check.
///
/// # Errors
/// [`Error::Rejected`] naming the check that fails.
pub fn verify(levels: usize, values: &[EF], transcript: &mut Transcript) -> Result<LeafClaim> {
    if levels == 0 || levels > 64 {
        return Err(Error::Shape("a fraction tree has 1 to 64 levels"));
    }
    let length = proof_length(levels);
    if values.len() != length {
        return Err(Rejection::counted(Check::FractionLength, length, values.len()).into());
    }
    let (root, mut rest) = values.split_at(4);
    let root = [root[0], root[1], root[2], root[3]];
    let [p0, p1, q0, q1] = root;
    if p0 * q1 + p1 * q0 != EF::ZERO {
        return Err(Rejection::of(Check::FractionSum).into());
    }
    if q0 * q1 == EF::ZERO {
        return Err(Rejection::of(Check::FractionDenominator).into());
    }
    let mut claim = next_claim(&root, Vec::new(), transcript);
    for level in 1..levels {
        let lambda = transcript.challenge("fraction/lambda");
        let mut sum = claim.numerator + lambda * claim.denominator;
        let (rounds, tail) = rest.split_at(2 * level);
        let (children, tail) = tail.split_at(4);
        rest = tail;
        let mut point = Vec::with_capacity(level);
        for (sent, &z) in rounds.chunks_exact(2).zip(&claim.point) {
            point.push(reduce(sent, z, &mut sum, transcript));
        }
        let children = [children[0], children[1], children[2], children[3]];
        let [p0, p1, q0, q1] = children;
        if p0 * q1 + p1 * q0 + lambda * q0 * q1 != sum {
            return Err(Rejection::at_round(Check::FractionLayer, level).into());
        }
        claim = next_claim(&children, point, transcript);
    }
    Ok(claim)
}

#[cfg(test)]
mod tests {
    use super::super::prove;
    use super::super::testing::*;
    use super::*;
    use crate::vector::testing::*;

    #[test]
    fn the_leaf_claim_is_the_multilinear_extension() {
        for levels in 1..10 {
            let (p, q) = cancelling(levels);
            let proof = prove(layer(&p, &q), &mut Transcript::new(b"t")).unwrap();
            let claim = verify(levels, &proof.values, &mut Transcript::new(b"t")).unwrap();
            assert_eq!(claim, proof.leaf);
            assert_eq!(claim.numerator, multilinear(&p, &claim.point));
            assert_eq!(claim.denominator, multilinear(&q, &claim.point));
        }
    }

    #[test]
    fn every_altered_value_is_rejected_or_moves_the_claim() {
        let (p, q) = cancelling(6);
        let proof = prove(layer(&p, &q), &mut Transcript::new(b"t")).unwrap();
        for k in 0..proof.values.len() {
            let mut values = proof.values.clone();
            values[k] += EF::ONE;
            // The last children bind only through the leaf claim, which no longer holds.
            if let Ok(claim) = verify(6, &values, &mut Transcript::new(b"t")) {
                let numerator = multilinear(&p, &claim.point);
                let denominator = multilinear(&q, &claim.point);
                assert!((numerator, denominator) != (claim.numerator, claim.denominator));
            }
        }
        assert!(verify(6, &proof.values[1..], &mut Transcript::new(b"t")).is_err());
        assert!(verify(7, &proof.values, &mut Transcript::new(b"t")).is_err());
        assert!(verify(0, &[], &mut Transcript::new(b"t")).is_err());
    }

    #[test]
    fn a_sum_that_is_not_zero_or_a_zero_denominator_is_rejected() {
        let (mut p, mut q) = cancelling(6);
        p[3] += EF::ONE;
        let proof = prove(layer(&p, &q), &mut Transcript::new(b"t")).unwrap();
        let error = verify(6, &proof.values, &mut Transcript::new(b"t")).unwrap_err();
        assert_eq!(error, Rejection::of(Check::FractionSum).into());
        // 1/0 - 1/0 has numerator 0 at the root.
        (p, q) = cancelling(6);
        (q[5], q[37]) = (EF::ZERO, EF::ZERO);
        let proof = prove(layer(&p, &q), &mut Transcript::new(b"t")).unwrap();
        let error = verify(6, &proof.values, &mut Transcript::new(b"t")).unwrap_err();
        assert_eq!(error, Rejection::of(Check::FractionDenominator).into());
    }
}
