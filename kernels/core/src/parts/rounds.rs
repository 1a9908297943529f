//! The coordinator's side of a tree by parts: it holds the transcript, adds what the parts send, and ends
//! each layer itself when little of it remains. What it sends is what [`crate::logup::prove`] sends.
//!
//! Parts are not believed: what they hand over in the end has to have the claim that their sums led to. A
//! part that is consistent with other leaves is found out by the claim about the leaves.

use p3_field::PrimeCharacteristicRing;

use crate::error::{Error, Result, ShareCheck};
use crate::field::EF;
use crate::field::vector::ExtVector;
use crate::logup::prove::{LayerRounds, Progress};
use crate::logup::sums::LayerSums;
use crate::logup::{FractionProof, Layer, Layers};
use crate::parts::residue::interleave;
use deepprove_verifier::transcript::Transcript;

const SIZE: Error = Error::Share(ShareCheck::FractionSize);
const NO_LAYER: Error = Error::Shape("no layer of the fraction tree is begun");

/// A proof in the making.
pub struct FractionRounds {
    levels: usize,
    progress: Progress,
    layer: Option<LayerRounds>,
}

impl FractionRounds {
    /// For a tree of 2^`levels` leaves, each value sent with its pad, where there are `pads`.
    ///
    /// # Errors
    /// [`Error::Shape`] for no levels or more than 64, or where there is not one pad for each value.
    pub fn new(levels: usize, pads: Vec<EF>) -> Result<Self> {
        Ok(Self { levels, progress: Progress::new(levels, pads)?, layer: None })
    }

    /// Levels from the root to the layer that the claim is about.
    fn reached(&self) -> usize {
        self.progress.claim.point.len()
    }

    /// Proves all layers above one that is here as a whole: each part's numerators, then denominators.
    ///
    /// # Errors
    /// [`Error::Share`] for parts that make no layer of the tree, [`Error::Shape`] after the beginning.
    pub fn top(&mut self, parts: &[&[EF]], transcript: &mut Transcript) -> Result<()> {
        if self.reached() > 0 {
            return Err(Error::Shape("the top of the fraction tree is proven already"));
        }
        let [numerators, denominators] = join(parts)?.map(|nodes| ExtVector::from_scalars(&nodes));
        if !(1..=self.levels).contains(&numerators.variables()) {
            return Err(SIZE);
        }
        self.progress.descend(Layers::new(Layer { numerators, denominators })?, transcript)
    }

    /// Begins the next layer: the point of the claim about it, and lambda.
    ///
    /// # Errors
    /// [`Error::Shape`] before the top, within a layer, and when the leaves are reached.
    pub fn start(&mut self, transcript: &mut Transcript) -> Result<(Vec<EF>, EF)> {
        if self.layer.is_some() || !(1..self.levels).contains(&self.reached()) {
            return Err(Error::Shape("no layer of the fraction tree can be begun here"));
        }
        let layer = self.layer.insert(LayerRounds::begin(&self.progress.claim, transcript));
        Ok((layer.z.clone(), layer.lambda))
    }

    /// A round, from the sums of all parts; returns its challenge.
    ///
    /// # Errors
    /// [`Error::Share`] where a part does not send two sums, [`Error::Shape`] where no round is left.
    pub fn round(&mut self, sums: &[&[EF]], transcript: &mut Transcript) -> Result<EF> {
        let layer = self.layer.as_mut().filter(|layer| layer.point.len() < layer.z.len()).ok_or(NO_LAYER)?;
        let mut total = [EF::ZERO; 2];
        for sums in sums {
            let [end, c2] = sums else {
                return Err(Error::Share(ShareCheck::FractionSums));
            };
            total = [total[0] + *end, total[1] + *c2];
        }
        Ok(self.progress.round(layer, total, transcript))
    }

    /// Ends the layer from what remains of it: each part's p0, p1, q0, q1 one after the other.
    ///
    /// # Errors
    /// [`Error::Share`] where these do not make the layer or do not have the running claim,
    /// [`Error::Shape`] where no layer is begun.
    pub fn finish(&mut self, parts: &[&[EF]], transcript: &mut Transcript) -> Result<()> {
        let layer = self.layer.take().ok_or(NO_LAYER)?;
        let (children, z) = (join(parts)?, &layer.z[layer.point.len()..]);
        if children[0].len() != 1 << z.len() {
            return Err(SIZE);
        }
        let sums = LayerSums::new(Layer::of_children(&children), z, layer.lambda);
        if !self.progress.complete(layer, sums, transcript) {
            return Err(Error::Share(ShareCheck::FractionClaim));
        }
        Ok(())
    }

    /// The proof.
    ///
    /// # Errors
    /// [`Error::Shape`] before the leaves are reached.
    pub fn result(&self) -> Result<&FractionProof> {
        let done = self.layer.is_none() && self.reached() == self.levels;
        done.then_some(&self.progress.proof)
            .ok_or(Error::Shape("the fraction tree is not proven to its leaves"))
    }
}

/// `N` vectors over all nodes, from each part's `N` vectors one after the other.
fn join<const N: usize>(parts: &[&[EF]]) -> Result<[Vec<EF>; N]> {
    let length = parts.first().map_or(0, |part| part.len());
    let local = length / N;
    if !local.is_power_of_two() || parts.iter().any(|part| part.len() != N * local) {
        return Err(SIZE);
    }
    let whole = |k: usize| {
        let pieces: Vec<_> = parts.iter().map(|part| &part[k * local..(k + 1) * local]).collect();
        interleave(&pieces)
    };
    let vectors = (0..N).map(whole).collect::<Result<Vec<_>>>();
    vectors.ok().and_then(|vectors| vectors.try_into().ok()).ok_or(SIZE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::logup::prove;
    use crate::logup::testing::*;
    use crate::parts::residue::Residue;
    use crate::parts::tree::FractionPart;
    use deepprove_verifier::logup::proof_length;
    use deepprove_verifier::testing::elements;

    /// The parts of a tree, and calls that all of them get.
    struct Parts(Vec<FractionPart>);

    impl Parts {
        fn new((p, q): &(Vec<EF>, Vec<EF>), levels: usize, log_parts: usize) -> Self {
            let tree = |index| {
                let part = Residue::new(log_parts, index).unwrap();
                FractionPart::new(layers(&part.take(p), &part.take(q)), levels, part).unwrap()
            };
            Self((0..1 << log_parts).map(tree).collect())
        }

        fn all<const N: usize>(
            &mut self,
            call: impl Fn(&mut FractionPart) -> Result<[EF; N]>,
        ) -> Vec<Vec<EF>> {
            self.0.iter_mut().map(|part| call(part).unwrap().to_vec()).collect()
        }

        fn layer(&mut self, level: usize) -> Vec<Vec<EF>> {
            let sums = |part: &mut FractionPart| {
                let layer = part.layer(level).unwrap();
                [layer.numerators.to_scalars(), layer.denominators.to_scalars()].concat()
            };
            self.0.iter_mut().map(sums).collect()
        }

        fn gather(&mut self, r: EF) -> Vec<Vec<EF>> {
            self.0.iter_mut().map(|part| part.gather(r).unwrap().concat()).collect()
        }
    }

    fn slices(vectors: &[Vec<EF>]) -> Vec<&[EF]> {
        vectors.iter().map(Vec::as_slice).collect()
    }

    /// The proof by parts that gathers at 2^`gather` nodes; `alter` may change what part 0 sends, call by call.
    fn prove_parts(
        mut parts: Parts,
        levels: usize,
        gather: usize,
        pads: &[EF],
        mut alter: impl FnMut(&mut Vec<EF>),
    ) -> Result<FractionProof> {
        let transcript = &mut Transcript::new(b"t");
        let mut rounds = FractionRounds::new(levels, pads.to_vec())?;
        let mut altered = |mut sent: Vec<Vec<EF>>| {
            alter(&mut sent[0]);
            sent
        };
        rounds.top(&slices(&altered(parts.layer(levels.min(gather + 1)))), transcript)?;
        for level in gather + 1..levels {
            let (z, lambda) = rounds.start(transcript)?;
            let mut sums = altered(parts.all(|part| part.start(&z, lambda)));
            for _ in gather + 1..level {
                let r = rounds.round(&slices(&sums), transcript)?;
                sums = altered(parts.all(|part| part.fold(r)));
            }
            let r = rounds.round(&slices(&sums), transcript)?;
            rounds.finish(&slices(&altered(parts.gather(r))), transcript)?;
        }
        rounds.result().cloned()
    }

    #[test]
    fn parts_prove_what_the_whole_proves() {
        let levels = 10;
        let leaves = cancelling(levels);
        for pads in [Vec::new(), elements(9, proof_length(levels))] {
            let leaf_layer = layers(&leaves.0, &leaves.1);
            let whole = prove(leaf_layer, &mut Transcript::new(b"t"), pads.clone()).unwrap();
            for log_parts in 0..5 {
                for gather in log_parts..levels {
                    let parts = Parts::new(&leaves, levels, log_parts);
                    let proof = prove_parts(parts, levels, gather, &pads, |_| {}).unwrap();
                    assert_eq!((&proof.values, &proof.leaf), (&whole.values, &whole.leaf));
                }
            }
        }
    }

    #[test]
    fn a_part_that_lies_or_sends_too_little_is_rejected() {
        let (levels, gather) = (7, 4);
        let pads = elements(9, proof_length(levels));
        let leaves = cancelling(levels);
        // The layer above, then 1 and 2 rounds with what remains.
        for call in 0..6 {
            for shorter in [false, true] {
                let mut calls = 0;
                let alter = |sent: &mut Vec<EF>| {
                    if calls == call && shorter {
                        sent.pop();
                    } else if calls == call {
                        sent[0] += EF::ONE;
                    }
                    calls += 1;
                };
                let parts = Parts::new(&leaves, levels, 2);
                let error = prove_parts(parts, levels, gather, &pads, alter).unwrap_err();
                assert!(error.to_string().starts_with("fraction tree: "), "{error}");
            }
        }
    }

    #[test]
    fn calls_out_of_order_are_refused() {
        let leaves = cancelling(6);
        let (transcript, one) = (&mut Transcript::new(b"t"), EF::ONE);
        let mut parts = Parts::new(&leaves, 6, 2);
        let part = &mut parts.0[1];
        assert!(part.fold(one).is_err() && part.gather(one).is_err());
        assert!(part.start(&[one; 2], one).is_err() && part.start(&[one; 6], one).is_err());
        assert!(part.layer(2).is_err() && part.layer(7).is_err());
        assert!(part.start(&[one; 3], one).is_ok());
        assert!(part.layer(4).is_err());
        assert!(part.fold(one).is_err());
        part.gather(one).unwrap();
        assert!(part.gather(one).is_err());
        let of_part = |levels, log_parts| {
            FractionPart::new(layers(&leaves.0, &leaves.1), levels, Residue::new(log_parts, 0).unwrap())
        };
        assert!(of_part(6, 0).is_ok() && of_part(7, 1).is_ok());
        assert!(of_part(7, 0).is_err() && of_part(6, 1).is_err() && of_part(5, 6).is_err());
        let mut rounds = FractionRounds::new(6, Vec::new()).unwrap();
        let new = |levels, count| FractionRounds::new(levels, elements(9, count));
        assert!(new(0, 0).is_err() && new(65, 0).is_err() && new(6, 1).is_err());
        assert!(rounds.start(transcript).is_err() && rounds.round(&[], transcript).is_err());
        assert!(rounds.finish(&[], transcript).is_err() && rounds.result().is_err());
        let [low, high] = [3, 4].map(|level| Parts::new(&leaves, 6, 2).layer(level));
        assert!(rounds.top(&slices(&low)[1..], transcript).is_err());
        rounds.top(&slices(&low), transcript).unwrap();
        assert!(rounds.top(&slices(&high), transcript).is_err());
        assert!(rounds.start(transcript).is_ok() && rounds.start(transcript).is_err());
    }
}
