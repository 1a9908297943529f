//! The prover: from the root to the claim about the leaves.

use p3_field::{Field, PrimeCharacteristicRing};

use super::layers::Layers;
use super::sums::LayerSums;
use super::{FractionProof, Layer};
use crate::error::{Error, Result};
use crate::field::EF;
use crate::pads::Pads;
use deepprove_verifier::logup::{
    LeafClaim, check_levels, next_claim, proof_length, reduce, send_children, send_round,
};
use deepprove_verifier::transcript::Transcript;

/// Proves that the fractions of a tree's leaves add up to zero; returns the claim about the leaves. Each value is sent
/// with its pad, where there are `pads`.
///
/// # Errors
/// [`Error::Shape`] for layers that are used up, and where there is not one pad for each value.
///
/// [`Error::Shape`]: crate::error::Error::Shape
pub fn prove(layers: Layers, transcript: &mut Transcript, pads: Vec<EF>) -> Result<FractionProof> {
    let mut progress = Progress::new(layers.levels(), pads)?;
    progress.descend(layers, transcript)?;
    Ok(progress.proof)
}

/// What is sent so far, and the claims about the layer that is reached.
pub(crate) struct Progress {
    /// What is sent, and the claim that it gives.
    pub proof: FractionProof,
    /// The claim that the values without their pads give.
    pub claim: LeafClaim,
    pads: Pads,
}

impl Progress {
    /// Nothing sent, the claim about the root still to be made.
    ///
    /// # Errors
    /// [`Error::Shape`] for no levels or more than 64, or where there is not one pad for each value.
    pub fn new(levels: usize, pads: Vec<EF>) -> Result<Self> {
        check_levels(levels)?;
        let (length, leaf) = (proof_length(levels), LeafClaim::default());
        let pads = Pads::new(pads, length)?;
        let proof = FractionProof { values: Vec::with_capacity(length), leaf: leaf.clone() };
        Ok(Self { proof, claim: leaf, pads })
    }

    /// Proves the root, and all layers from there down to a claim about the leaves.
    ///
    /// # Errors
    /// [`Error::Shape`] for layers that are used up.
    pub fn descend(&mut self, mut layers: Layers, transcript: &mut Transcript) -> Result<()> {
        const USED_UP: Error = Error::Shape("a layer of the fraction tree is used up");
        let Layer { numerators, denominators } = layers.take(1).ok_or(USED_UP)?;
        let (p, q) = (numerators.to_scalars(), denominators.to_scalars());
        self.pass_on([p[0], p[1], q[0], q[1]], Vec::new(), transcript);
        for _ in 1..layers.levels() {
            let layer = LayerRounds::begin(&self.claim, transcript);
            let sums = layers.sums(&layer.z, layer.lambda).ok_or(USED_UP)?;
            self.complete(layer, sums, transcript);
        }
        Ok(())
    }

    /// One round of a layer, from its sums; returns the challenge.
    pub fn round(&mut self, layer: &mut LayerRounds, sums: [EF; 2], transcript: &mut Transcript) -> EF {
        let polynomial = layer.polynomial(sums);
        let mut sent = polynomial;
        self.pads.add(&mut sent);
        self.proof.values.extend(sent);
        let r = send_round(&sent, transcript);
        layer.reduce(&polynomial, r);
        r
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
        let mut sent = children;
        self.pads.add(&mut sent);
        self.proof.values.extend(sent);
        let mu = send_children(&sent, transcript);
        self.proof.leaf = next_claim(&sent, mu, point.clone());
        self.claim = next_claim(&children, mu, point);
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

    fn reduce(&mut self, polynomial: &[EF; 2], r: EF) {
        self.claim = reduce(polynomial, self.z[self.point.len()], r, self.claim);
        self.point.push(r);
    }
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::logup::{Reduced, verify};
    use deepprove_verifier::testing::*;

    use super::*;
    use std::sync::Arc;

    use crate::field::{F, LOG_WIDTH, WIDTH};
    use crate::logup::leaves::{Column, LeafBlock, Leaves};
    use crate::logup::testing::*;

    #[test]
    fn a_zero_coordinate_needs_no_inverse() {
        for zero in 0..6 {
            let mut claim = LeafClaim { point: elements(5, 6), ..LeafClaim::default() };
            claim.point[zero] = EF::ZERO;
            let transcript = &mut Transcript::new(b"t");
            let mut layer = LayerRounds::begin(&claim, transcript);
            let children = Layer::of_children(&[1, 2, 3, 4].map(|seed| elements(seed, 64)));
            let mut sums = LayerSums::new(children, &layer.z, layer.lambda);
            layer.claim = sums.total();
            while sums.variables() > 0 {
                let sent = layer.polynomial(sums.round());
                let r = send_round(&sent, transcript);
                layer.reduce(&sent, r);
                sums.fold(r);
                assert_eq!(layer.claim, sums.total());
            }
        }
    }

    fn reduce_proof(levels: usize, values: &[EF]) -> Reduced {
        verify(levels, values, &mut Transcript::new(b"t")).unwrap()
    }

    /// What a verifier that computes with true values checks: the root, and each layer's children. `sent` gives
    /// the challenges.
    fn checks(levels: usize, values: &[EF], reduced: &Reduced, claims: &[EF]) -> bool {
        let children = |level: usize| -> [EF; 4] {
            let end = proof_length(level + 1);
            values[end - 4..end].try_into().unwrap()
        };
        let [p0, p1, q0, q1] = children(0);
        let root = p0 * q1 + p1 * q0 == EF::ZERO && q0 * q1 != EF::ZERO;
        let mut layers = (1..levels).zip(&reduced.lambdas).zip(claims);
        let layer = |((level, &lambda), &claim): ((usize, &EF), &EF)| {
            let [p0, p1, q0, q1] = children(level);
            p0 * q1 + p1 * q0 + lambda * q0 * q1 == claim
        };
        root && layers.all(layer)
    }

    fn accepts(levels: usize, values: &[EF]) -> bool {
        let reduced = reduce_proof(levels, values);
        checks(levels, values, &reduced, &reduced.claims)
    }

    #[test]
    fn the_leaf_claim_is_the_multilinear_extension() {
        for levels in 1..10 {
            let (p, q) = cancelling(levels);
            let proof = prove(layers(&p, &q), &mut Transcript::new(b"t"), Vec::new()).unwrap();
            let claim = reduce_proof(levels, &proof.values).leaf;
            assert!(accepts(levels, &proof.values));
            assert_eq!(claim, proof.leaf);
            assert_eq!(claim.numerator, multilinear(&p, &claim.point));
            assert_eq!(claim.denominator, multilinear(&q, &claim.point));
        }
    }

    #[test]
    fn every_altered_value_is_rejected_or_moves_the_claim() {
        let (p, q) = cancelling(6);
        let proof = prove(layers(&p, &q), &mut Transcript::new(b"t"), Vec::new()).unwrap();
        for k in 0..proof.values.len() {
            let mut values = proof.values.clone();
            values[k] += EF::ONE;
            if accepts(6, &values) {
                // The last children bind only through the leaf claim, which no longer holds.
                assert!(k >= values.len() - 4);
                let claim = reduce_proof(6, &values).leaf;
                let numerator = multilinear(&p, &claim.point);
                let denominator = multilinear(&q, &claim.point);
                assert!((numerator, denominator) != (claim.numerator, claim.denominator));
            }
        }
        let verify = |levels, values: &[EF]| verify(levels, values, &mut Transcript::new(b"t"));
        assert!(verify(6, &proof.values[1..]).is_err());
        assert!(verify(7, &proof.values).is_err());
        assert!(verify(0, &[]).is_err());
    }

    #[test]
    fn a_sum_that_is_not_zero_or_a_zero_denominator_is_rejected() {
        let (mut p, mut q) = cancelling(6);
        p[3] += EF::ONE;
        let proof = prove(layers(&p, &q), &mut Transcript::new(b"t"), Vec::new()).unwrap();
        assert!(!accepts(6, &proof.values));
        // 1/0 - 1/0 has numerator 0 at the root.
        (p, q) = cancelling(6);
        (q[5], q[37]) = (EF::ZERO, EF::ZERO);
        let proof = prove(layers(&p, &q), &mut Transcript::new(b"t"), Vec::new()).unwrap();
        let [p0, p1, q0, q1] = proof.values[..4].try_into().unwrap();
        assert!(p0 * q1 + p1 * q0 == EF::ZERO && !accepts(6, &proof.values));
    }

    #[test]
    fn leaves_that_are_never_written_give_the_same_proof() {
        let vector = Arc::new((0..1 << 13).map(|i| F::new(i * i + 3)).collect::<Vec<F>>());
        let column = |start, len| Column::new(vector.clone(), start, len).unwrap();
        for levels in LOG_WIDTH + 3..13 {
            // Blocks of a pack, of less and of many, and leaves in no block.
            let sizes = [1 << (levels - 1), 1 << (levels - 3), WIDTH, 2.min(WIDTH), 1];
            let mut end = 0;
            let blocks = sizes.map(|len| {
                end += len;
                LeafBlock {
                    leaf: end - len,
                    len,
                    multiplicities: (len == WIDTH).then(|| column(0, len)),
                    constant: element(1),
                    terms: vec![(element(2), column(0, len)), (element(3), column(7 * WIDTH, len))],
                }
            });
            let leaves = Leaves::new(blocks.into(), levels).unwrap();
            for pads in [Vec::new(), elements(4, proof_length(levels))] {
                let new = || Transcript::new(b"t");
                let written = Layers::new(leaves.layer(0)).unwrap();
                let expected = prove(written, &mut new(), pads.clone()).unwrap();
                for (lowest, log_written) in [(1, levels), (2, levels), (2, levels - 1), (3, LOG_WIDTH + 2)] {
                    let lowest = lowest.min(levels - LOG_WIDTH - 1);
                    let layers = Layers::from_height(leaves.clone(), lowest, log_written);
                    let proof = prove(layers, &mut new(), pads.clone()).unwrap();
                    assert_eq!(proof.values, expected.values);
                    assert_eq!(proof.leaf, expected.leaf);
                }
                let chosen = prove(leaves.clone().into(), &mut new(), pads).unwrap();
                assert_eq!(chosen.values, expected.values);
            }
        }
    }

    #[test]
    fn a_padded_proof_is_one_of_true_values_and_pads() {
        for levels in 1..8 {
            let (p, q) = cancelling(levels);
            let pads = elements(50, proof_length(levels));
            let new = || Transcript::new(b"t");
            let padded = prove(layers(&p, &q), &mut new(), pads.clone()).unwrap();
            let reduced = reduce_proof(levels, &padded.values);
            assert_eq!(reduced.leaf, padded.leaf);
            // Without their pads, the values pass all checks under the challenges of the padded proof.
            let values: Vec<EF> = padded.values.iter().zip(&pads).map(|(&sent, &pad)| sent - pad).collect();
            let mut coefficients = reduced.coefficients.iter();
            let claims: Vec<EF> = (1..levels)
                .map(|level| {
                    let first = proof_length(level) - 4;
                    let layer = &values[first..first + 4 + 2 * level];
                    layer.iter().zip(&mut coefficients).map(|(&value, &c)| c * value).sum()
                })
                .collect();
            assert!(checks(levels, &values, &reduced, &claims));
            // The claim about the leaves is wrong by the pads of the last children.
            let mu = padded.leaf.point[0];
            let last: [EF; 4] = pads[pads.len() - 4..].try_into().unwrap();
            let error = next_claim(&last, mu, Vec::new());
            assert_eq!(padded.leaf.numerator - error.numerator, multilinear(&p, &padded.leaf.point));
            assert_eq!(padded.leaf.denominator - error.denominator, multilinear(&q, &padded.leaf.point));
            let wrong = elements(50, pads.len() + 1);
            assert!(prove(layers(&p, &q), &mut new(), wrong).is_err());
        }
    }
}
