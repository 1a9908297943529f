//! The fraction tree of logup-GKR (Papini, Haboeck, eprint 2023/1284): sum_i num_i / den_i = 0.
//!
//! A node adds its two children as fractions, p = p0 q1 + p1 q0 and q = q0 q1; the children of node x
//! of a layer are places (0, x) and (1, x) of the next. From the root down, a claim p(z), q(z) on a
//! layer of 2^l nodes becomes, with lambda drawn,
//!
//! p(z) + lambda q(z) = sum_x eq(z, x) (p0 q1 + p1 q0 + lambda q0 q1)(x),
//!
//! a sumcheck of l rounds. The factor eq(z_i, X) of each round is left out (Gruen, eprint 2024/108):
//! t(X) = t_0 + c_1 X + c_2 X^2 is sent as (c_1, c_2), the claim T = (1 - z_i) t(0) + z_i t(1) gives
//! t_0 = T - z_i (c_1 + c_2), and the next claim is t(r). At the end p0, p1, q0, q1 are sent; mu is
//! drawn and the claim passes to the point (mu, r) of the next layer.

use p3_field::{Field, PrimeCharacteristicRing};

use crate::eq::{eq_packs, eq_scalars};
use crate::error::{Error, Result};
use crate::field::{EF, PackedEF};
use crate::transcript::Transcript;
use crate::vector::{Element, ExtVector, fold_top, sum_terms, unpack};

/// One layer of the tree: numerators and denominators over the same places.
#[derive(Clone, Debug)]
pub struct Layer {
    /// Numerators.
    pub numerators: ExtVector,
    /// Denominators.
    pub denominators: ExtVector,
}

/// What the prover sends, and the claim about the leaves that both sides derive.
#[derive(Clone, Debug)]
pub struct FractionProof {
    /// p0, p1, q0, q1 of the root, then each layer's rounds (c_1, c_2) and p0, p1, q0, q1.
    pub values: Vec<EF>,
    /// The claim that remains.
    pub leaf: LeafClaim,
}

/// The multilinear extensions of the leaves at a point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeafClaim {
    /// The point, one coordinate a level.
    pub point: Vec<EF>,
    /// The numerators' value there.
    pub numerator: EF,
    /// The denominators' value there.
    pub denominator: EF,
}

/// Values that a proof for `levels` levels holds.
pub fn proof_length(levels: usize) -> usize {
    levels * (levels - 1) + 4 * levels
}

fn combine_layer<R: Element>(p: &[R], q: &[R]) -> (Vec<R>, Vec<R>) {
    use rayon::prelude::*;
    let half = p.len() / 2;
    let ((p0, p1), (q0, q1)) = (p.split_at(half), q.split_at(half));
    let node = |i: usize| (p0[i] * q1[i] + p1[i] * q0[i], q0[i] * q1[i]);
    if half * R::LANES < crate::pool::PARALLEL_THRESHOLD {
        (0..half).map(node).unzip()
    } else {
        (0..half).into_par_iter().with_min_len(256).map(node).unzip()
    }
}

impl Layer {
    /// The layer above: half as many nodes.
    fn parents(&self) -> Self {
        let wrap = |(p, q): (Vec<EF>, Vec<EF>)| Self {
            numerators: ExtVector::from_scalars(&p),
            denominators: ExtVector::from_scalars(&q),
        };
        match (&self.numerators, &self.denominators) {
            (ExtVector::Packed(p), ExtVector::Packed(q)) if p.len() > 2 => {
                let (p, q) = combine_layer(p, q);
                Self { numerators: ExtVector::Packed(p), denominators: ExtVector::Packed(q) }
            }
            (ExtVector::Packed(_), _) => {
                wrap(combine_layer(&self.numerators.to_scalars(), &self.denominators.to_scalars()))
            }
            (p, q) => wrap(combine_layer(&p.to_scalars(), &q.to_scalars())),
        }
    }
}

/// The state of one layer's sumcheck; `p1` carries p1 + lambda q1, so that the summand is
/// p0 q1 + q0 p1, and `eq` covers the variables behind the current one.
struct LayerSum<R> {
    p0: Vec<R>,
    p1: Vec<R>,
    q0: Vec<R>,
    q1: Vec<R>,
    eq: Vec<R>,
}

impl<R: Element> LayerSum<R> {
    /// t(0) and c_2 of the round.
    fn round(&self) -> [EF; 2] {
        let half = self.p0.len() / 2;
        let at = |v: &[R], i: usize| (v[i], v[i + half] - v[i]);
        sum_terms(half, |i| {
            let ((p0, dp0), (p1, dp1)) = (at(&self.p0, i), at(&self.p1, i));
            let ((q0, dq0), (q1, dq1)) = (at(&self.q0, i), at(&self.q1, i));
            [self.eq[i] * (p0 * q1 + q0 * p1), self.eq[i] * (dp0 * dq1 + dq0 * dp1)]
        })
    }

    /// t(1), needed only where the claim does not give it (z_i = 0).
    fn at_one(&self) -> EF {
        let half = self.p0.len() / 2;
        let (p0, p1) = (&self.p0[half..], &self.p1[half..]);
        let (q0, q1) = (&self.q0[half..], &self.q1[half..]);
        sum_terms(half, |i| [self.eq[i] * (p0[i] * q1[i] + q0[i] * p1[i])])[0]
    }

    fn fold(&mut self, r: EF) {
        for vector in [&mut self.p0, &mut self.p1, &mut self.q0, &mut self.q1] {
            fold_top(vector, r);
        }
    }

    /// Sums the top variable out of eq: eq(z_i, 0) + eq(z_i, 1) = 1.
    fn shrink_eq(&mut self) {
        let half = self.eq.len() / 2;
        let (low, high) = self.eq.split_at_mut(half);
        low.iter_mut().zip(high.iter()).for_each(|(low, high)| *low += *high);
        self.eq.truncate(half);
    }
}

/// The running part of a layer's sumcheck, the same for packs and scalars.
struct Rounds<'a> {
    claim: EF,
    z: &'a [EF],
    point: Vec<EF>,
    values: &'a mut Vec<EF>,
    transcript: &'a mut Transcript,
}

impl Rounds<'_> {
    fn step<R: Element>(&mut self, sum: &mut LayerSum<R>) {
        let z = self.z[self.point.len()];
        let [t0, c2] = sum.round();
        let t1 = match z.try_inverse() {
            Some(inverse) => (self.claim - (EF::ONE - z) * t0) * inverse,
            None => sum.at_one(),
        };
        let sent = [t1 - t0 - c2, c2];
        let r = reduce(&sent, z, &mut self.claim, self.transcript);
        self.values.extend(sent);
        self.point.push(r);
        sum.fold(r);
    }
}

/// Both sides of a round: absorb, draw, reduce the claim.
fn reduce(sent: &[EF], z: EF, claim: &mut EF, transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/round", sent);
    let r = transcript.challenge("fraction/challenge");
    let (c1, c2) = (sent[0], sent[1]);
    *claim += (c1 + c2 * r) * r - z * (c1 + c2);
    r
}

/// Both sides of a layer's end: absorb the children's values, draw mu, return it.
fn descend(children: &[EF], transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/children", children);
    transcript.challenge("fraction/mu")
}

fn interpolate(low: EF, high: EF, x: EF) -> EF {
    low + x * (high - low)
}

/// Proves one layer from its children; returns the point and p0, p1, q0, q1 there.
fn prove_layer(
    children: Layer,
    z: &[EF],
    claim: (EF, EF),
    values: &mut Vec<EF>,
    transcript: &mut Transcript,
) -> (Vec<EF>, [EF; 4]) {
    let lambda = transcript.challenge("fraction/lambda");
    let (p0, p1) = children.numerators.into_halves();
    let (q0, q1) = children.denominators.into_halves();
    let claim = claim.0 + lambda * claim.1;
    let mut rounds = Rounds { claim, z, point: Vec::with_capacity(z.len()), values, transcript };
    let mut sum = match (p0, p1, q0, q1) {
        (ExtVector::Packed(p0), ExtVector::Packed(p1), ExtVector::Packed(q0), ExtVector::Packed(q1)) => {
            let mut packs = LayerSum { p0, p1, q0, q1, eq: eq_packs(&z[1..]) };
            join_denominators(&mut packs, lambda);
            loop {
                rounds.step(&mut packs);
                if packs.p0.len() == 1 {
                    break into_scalars(packs);
                }
                packs.shrink_eq();
            }
        }
        (p0, p1, q0, q1) => {
            let [p0, p1, q0, q1] = [p0, p1, q0, q1].map(|v| v.to_scalars());
            let mut scalars = LayerSum { p0, p1, q0, q1, eq: eq_scalars(&z[1..], EF::ONE) };
            join_denominators(&mut scalars, lambda);
            scalars
        }
    };
    while sum.p0.len() > 1 {
        rounds.step(&mut sum);
        sum.shrink_eq();
    }
    let (p0, q0, q1) = (sum.p0[0], sum.q0[0], sum.q1[0]);
    (rounds.point, [p0, sum.p1[0] - lambda * q1, q0, q1])
}

fn join_denominators<R: Element>(sum: &mut LayerSum<R>, lambda: EF) {
    let lambda = R::from(lambda);
    sum.p1.iter_mut().zip(&sum.q1).for_each(|(p1, q1)| *p1 += lambda * *q1);
}

/// The last pack of each vector one by one; eq still has the pack that the last round used.
fn into_scalars(packs: LayerSum<PackedEF>) -> LayerSum<EF> {
    let [p0, p1, q0, q1, eq] = [packs.p0, packs.p1, packs.q0, packs.q1, packs.eq].map(|v| unpack(&v));
    let mut scalars = LayerSum { p0, p1, q0, q1, eq };
    scalars.shrink_eq();
    scalars
}

/// Proves that the fractions of `leaves` add up to zero; returns the claim about the leaves.
///
/// # Errors
/// [`Error::Shape`] where there are fewer than two leaves or the two vectors differ in length.
pub fn prove(leaves: Layer, transcript: &mut Transcript) -> Result<FractionProof> {
    let levels = leaves.numerators.variables();
    if levels == 0 || leaves.denominators.len() != leaves.numerators.len() {
        return Err(Error::Shape("a fraction tree needs two leaves, and numerators as denominators"));
    }
    let mut layers = Vec::with_capacity(levels);
    layers.push(leaves);
    for level in 1..levels {
        layers.push(layers[level - 1].parents());
    }
    let mut values = Vec::with_capacity(proof_length(levels));
    let mut claim = LeafClaim { point: Vec::new(), numerator: EF::ZERO, denominator: EF::ZERO };
    while let Some(children) = layers.pop() {
        let (point, sent) = if claim.point.is_empty() {
            let (p, q) = (children.numerators.to_scalars(), children.denominators.to_scalars());
            (Vec::new(), [p[0], p[1], q[0], q[1]])
        } else {
            let pair = (claim.numerator, claim.denominator);
            prove_layer(children, &claim.point, pair, &mut values, transcript)
        };
        values.extend(sent);
        claim = next_claim(&sent, point, transcript);
    }
    Ok(FractionProof { values, leaf: claim })
}

fn next_claim(children: &[EF; 4], point: Vec<EF>, transcript: &mut Transcript) -> LeafClaim {
    let mu = descend(children, transcript);
    let [p0, p1, q0, q1] = *children;
    LeafClaim {
        point: std::iter::once(mu).chain(point).collect(),
        numerator: interpolate(p0, p1, mu),
        denominator: interpolate(q0, q1, mu),
    }
}

/// Verifies a tree of `levels` levels; the claim about the leaves is the caller's to check.
///
/// # Errors
/// [`Error::Rejected`] naming the check that fails.
pub fn verify(levels: usize, values: &[EF], transcript: &mut Transcript) -> Result<LeafClaim> {
    if levels == 0 || levels > 64 {
        return Err(Error::Shape("a fraction tree has 1 to 64 levels"));
    }
    if values.len() != proof_length(levels) {
        return Err(Error::Rejected("fraction tree: wrong number of values"));
    }
    let (root, mut rest) = values.split_at(4);
    let root = [root[0], root[1], root[2], root[3]];
    let [p0, p1, q0, q1] = root;
    if p0 * q1 + p1 * q0 != EF::ZERO {
        return Err(Error::Rejected("fraction tree: the fractions do not add up to zero"));
    }
    if q0 * q1 == EF::ZERO {
        return Err(Error::Rejected("fraction tree: a denominator is zero"));
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
            return Err(Error::Rejected("fraction tree: a layer does not match its children"));
        }
        claim = next_claim(&children, point, transcript);
    }
    Ok(claim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

    /// Leaves whose fractions cancel in pairs.
    fn cancelling(levels: usize) -> (Vec<EF>, Vec<EF>) {
        let half = 1 << (levels - 1);
        let (p, q) = (elements(7, half), elements(8, half));
        let negated = p.iter().map(|&x| -x).collect::<Vec<_>>();
        ([p, negated].concat(), [q.clone(), q].concat())
    }

    fn layer(p: &[EF], q: &[EF]) -> Layer {
        Layer { numerators: ExtVector::from_scalars(p), denominators: ExtVector::from_scalars(q) }
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
        assert_eq!(error, Error::Rejected("fraction tree: the fractions do not add up to zero"));
        // 1/0 - 1/0 has numerator 0 at the root.
        (p, q) = cancelling(6);
        (q[5], q[37]) = (EF::ZERO, EF::ZERO);
        let proof = prove(layer(&p, &q), &mut Transcript::new(b"t")).unwrap();
        let error = verify(6, &proof.values, &mut Transcript::new(b"t")).unwrap_err();
        assert_eq!(error, Error::Rejected("fraction tree: a denominator is zero"));
    }

    #[test]
    fn a_zero_coordinate_needs_no_inverse() {
        let (p, q) = (elements(1, 8), elements(2, 8));
        let mut sum = LayerSum {
            p0: p[..4].to_vec(),
            p1: p[4..].to_vec(),
            q0: q[..4].to_vec(),
            q1: q[4..].to_vec(),
            eq: eq_scalars(&[element(5)], EF::ONE),
        };
        let whole: EF = (0..4)
            .map(|i| {
                let weight = eq_scalars(&[EF::ZERO, element(5)], EF::ONE)[i];
                weight * (p[i] * q[4 + i] + p[4 + i] * q[i])
            })
            .sum();
        let mut values = Vec::new();
        let z = [EF::ZERO, element(5)];
        let mut rounds = Rounds {
            claim: whole,
            z: &z,
            point: Vec::new(),
            values: &mut values,
            transcript: &mut Transcript::new(b"t"),
        };
        rounds.step(&mut sum);
        let claim = rounds.claim;
        let expected: EF = (0..2).map(|i| sum.eq[i] * (sum.p0[i] * sum.q1[i] + sum.p1[i] * sum.q0[i])).sum();
        assert_eq!(claim, expected);
    }
}
