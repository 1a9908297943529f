//! The prover: from the root to the claim about the leaves.

use p3_field::{Field, PrimeCharacteristicRing};

use super::sums::LayerSums;
use super::{FractionProof, Layer};
use crate::error::{Error, Result};
use crate::field::EF;
use deepprove_verifier::logup::{LeafClaim, next_claim, proof_length, reduce};
use deepprove_verifier::transcript::Transcript;

/// Proves that the fractions of `leaves` add up to zero; returns the claim about the leaves.
///
/// # Errors
/// [`Error::Shape`] where there are fewer than two leaves or the two vectors differ in length.
pub fn prove(leaves: Layer, transcript: &mut Transcript) -> Result<FractionProof> {
    let levels = leaves.level().filter(|&levels| levels > 0);
    let levels =
        levels.ok_or(Error::Shape("a fraction tree needs two leaves, and numerators as denominators"))?;
    let mut progress = Progress::new(levels);
    progress.descend(leaves, transcript);
    Ok(progress.0)
}

/// What is sent so far, and the claim about the layer that is reached.
pub(crate) struct Progress(pub FractionProof);

impl Progress {
    /// Nothing sent, the claim about the root still to be made.
    pub fn new(levels: usize) -> Self {
        let values = Vec::with_capacity(proof_length(levels));
        Self(FractionProof { values, leaf: LeafClaim::default() })
    }

    /// Proves the root, and all layers from there down to a claim about `leaves`.
    pub fn descend(&mut self, leaves: Layer, transcript: &mut Transcript) {
        let mut layers = leaves.with_ancestors();
        while let Some(children) = layers.pop() {
            if self.0.leaf.point.is_empty() {
                let (p, q) = (children.numerators.to_scalars(), children.denominators.to_scalars());
                self.pass_on([p[0], p[1], q[0], q[1]], Vec::new(), transcript);
            } else {
                let layer = LayerRounds::begin(&self.0.leaf, transcript);
                let sums = LayerSums::new(children.into_children(), &layer.z, layer.lambda);
                self.complete(layer, sums, transcript);
            }
        }
    }

    /// One round of a layer, from its sums; returns the challenge.
    pub fn round(&mut self, layer: &mut LayerRounds, sums: [EF; 2], transcript: &mut Transcript) -> EF {
        let sent = layer.polynomial(sums);
        self.0.values.extend(sent);
        layer.reduce(&sent, transcript)
    }

    /// All rounds that a layer still has, and its end; whether the remaining values had the running claim.
    ///
    /// A wrong claim makes the first round polynomial wrong, and agrees with what remains in the end with
    /// negligible probability only, as for any verifier.
    pub fn complete(
        &mut self,
        mut layer: LayerRounds,
        mut sums: LayerSums,
        transcript: &mut Transcript,
    ) -> bool {
        while sums.variables() > 0 {
            let r = self.round(&mut layer, sums.round(), transcript);
            sums.fold(r);
        }
        let agrees = sums.total() == layer.claim;
        self.pass_on(sums.into_children().map(|v| v[0]), layer.point, transcript);
        agrees
    }

    fn pass_on(&mut self, children: [EF; 4], point: Vec<EF>, transcript: &mut Transcript) {
        self.0.values.extend(children);
        self.0.leaf = next_claim(&children, point, transcript);
    }
}

/// A layer's sumcheck as the transcript sees it.
pub(crate) struct LayerRounds {
    /// The point of the claim about the layer.
    pub z: Vec<EF>,
    /// What the denominators are weighed with.
    pub lambda: EF,
    /// The running claim.
    pub claim: EF,
    /// The challenges so far.
    pub point: Vec<EF>,
}

impl LayerRounds {
    /// Draws lambda, for a claim about the layer.
    pub fn begin(claim: &LeafClaim, transcript: &mut Transcript) -> Self {
        let lambda = transcript.challenge("fraction/lambda");
        let point = Vec::with_capacity(claim.point.len());
        Self { z: claim.point.clone(), lambda, claim: claim.numerator + lambda * claim.denominator, point }
    }

    /// c_1 and c_2 from the round's sums, as [`LayerSums::round`] makes them.
    fn polynomial(&self, [end, c2]: [EF; 2]) -> [EF; 2] {
        let z = self.z[self.point.len()];
        let (t0, t1) = match z.try_inverse() {
            Some(inverse) => (end, (self.claim - (EF::ONE - z) * end) * inverse),
            None => (self.claim, end),
        };
        [t1 - t0 - c2, c2]
    }

    fn reduce(&mut self, sent: &[EF; 2], transcript: &mut Transcript) -> EF {
        let r = reduce(sent, self.z[self.point.len()], &mut self.claim, transcript);
        self.point.push(r);
        r
    }
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::error::{Check, Rejection};
    use deepprove_verifier::logup::verify;
    use deepprove_verifier::testing::*;

    use super::*;
    use crate::field::vector::ExtVector;
    use crate::logup::testing::*;

    #[test]
    fn a_zero_coordinate_needs_no_inverse() {
        for zero in 0..6 {
            let mut claim = LeafClaim { point: elements(5, 6), ..LeafClaim::default() };
            claim.point[zero] = EF::ZERO;
            let transcript = &mut Transcript::new(b"t");
            let mut layer = LayerRounds::begin(&claim, transcript);
            let children = [1, 2, 3, 4].map(|seed| ExtVector::from_scalars(&elements(seed, 64)));
            let mut sums = LayerSums::new(children, &layer.z, layer.lambda);
            layer.claim = sums.total();
            while sums.variables() > 0 {
                let sent = layer.polynomial(sums.round());
                sums.fold(layer.reduce(&sent, transcript));
                assert_eq!(layer.claim, sums.total());
            }
        }
    }

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
