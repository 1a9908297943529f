//! The verifier of the fraction tree of logup-GKR (Papini, Haboeck, eprint 2023/1284): from the root to the
//! claim about the leaves, sum_i num_i / den_i = 0.
//!
//! A node adds its two children as fractions, p = p0 q1 + p1 q0 and q = q0 q1; the children of node x
//! of a layer are nodes (0, x) and (1, x) of the next. From the root down, a claim p(z), q(z) on a
//! layer of 2^l nodes becomes, with lambda drawn,
//!
//! p(z) + lambda q(z) = sum_x eq(z, x) (p0 q1 + p1 q0 + lambda q0 q1)(x),
//!
//! a sumcheck of l rounds. The factor eq(z_i, X) of each round is left out (Gruen, eprint 2024/108):
//! t(X) = t_0 + c_1 X + c_2 X^2 is sent as (c_1, c_2), the claim T = (1 - z_i) t(0) + z_i t(1) gives
//! t_0 = T - z_i (c_1 + c_2), and the next claim is t(r). At the end p0, p1, q0, q1 are sent; mu is
//! drawn and the claim passes to the point (mu, r) of the next layer.

use p3_field::PrimeCharacteristicRing;

use crate::error::{Check, Error, Rejection, Result};
use crate::field::EF;
use crate::transcript::Transcript;

/// More levels than these no tree has.
const MAX_LEVELS: usize = 64;
/// p0, p1, q0, q1.
const CHILDREN: usize = 4;
/// c_1 and c_2.
const ROUND_VALUES: usize = 2;

/// The multilinear extensions of a layer, in the end the leaves, at a point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeafClaim {
    /// The point, one coordinate a level.
    pub point: Vec<EF>,
    /// The numerators' value there.
    pub numerator: EF,
    /// The denominators' value there.
    pub denominator: EF,
}

/// Checks a number of levels.
///
/// # Errors
/// [`Error::Shape`] for none, or more than 64.
pub fn check_levels(levels: usize) -> Result<()> {
    if levels == 0 || levels > MAX_LEVELS {
        return Err(Error::Shape("a fraction tree has 1 to 64 levels"));
    }
    Ok(())
}

/// Values that a proof for `levels` levels, at least one, holds: the layer of 2^l nodes has l rounds.
pub fn proof_length(levels: usize) -> usize {
    let rounds = levels.saturating_mul(levels.saturating_sub(1)) / 2;
    rounds.saturating_mul(ROUND_VALUES).saturating_add(levels.saturating_mul(CHILDREN))
}

/// Both sides of a round: absorb, draw the challenge.
pub fn send_round(sent: &[EF; ROUND_VALUES], transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/round", sent);
    transcript.challenge("fraction/challenge")
}

/// Both sides of a round: the next claim.
pub fn reduce(sent: &[EF; ROUND_VALUES], z: EF, r: EF, claim: EF) -> EF {
    let [c1, c2] = *sent;
    claim + (c1 + c2 * r) * r - z * (c1 + c2)
}

/// Both sides of a layer's end: absorb the children's values, draw mu.
pub fn send_children(sent: &[EF; CHILDREN], transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/children", sent);
    transcript.challenge("fraction/mu")
}

/// The claim about a layer that its halves' values give at (mu, point).
pub fn next_claim(children: &[EF; CHILDREN], mu: EF, point: Vec<EF>) -> LeafClaim {
    let [p0, p1, q0, q1] = *children;
    LeafClaim {
        point: std::iter::once(mu).chain(point).collect(),
        numerator: interpolate(p0, p1, mu),
        denominator: interpolate(q0, q1, mu),
    }
}

/// The linear polynomial with these values at 0 and 1, at `x`.
#[inline]
pub fn interpolate(low: EF, high: EF, x: EF) -> EF {
    low + x * (high - low)
}

/// What the layers of a tree leave to check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reduced {
    /// The claim about the leaves.
    pub leaf: LeafClaim,
    /// The challenge of each layer below the root that weighs its denominators.
    pub lambdas: Vec<EF>,
    /// The last claim of each of these layers: p0 q1 + p1 q0 + lambda q0 q1 of its children.
    pub claims: Vec<EF>,
    /// The derivatives of each last claim by p0, p1, q0, q1 of the layer before, then by the values of the layer's
    /// rounds, one layer after the other.
    pub coefficients: Vec<EF>,
}

/// Runs a tree of `levels` levels; that the root is zero, and each layer's last claim what its children give, is
/// the caller's to check, as the claim about the leaves is. `values` are p0, p1, q0, q1 of the root, then of each
/// layer its rounds (c_1, c_2) and p0, p1, q0, q1.
///
/// # Errors
/// [`Check::FractionLength`]; [`Error::Shape`] as [`check_levels`].
pub fn verify(levels: usize, values: &[EF], transcript: &mut Transcript) -> Result<Reduced> {
    check_levels(levels)?;
    let length = proof_length(levels);
    let wrong_length = Rejection::counted(Check::FractionLength, length, values.len());
    if values.len() != length {
        return Err(wrong_length.into());
    }
    let (root, mut remaining) = values.split_first_chunk::<CHILDREN>().ok_or(wrong_length)?;
    let mut mu = send_children(root, transcript);
    let mut reduced = Reduced { leaf: next_claim(root, mu, Vec::new()), ..Reduced::default() };
    for level in 1..levels {
        let lambda = transcript.challenge("fraction/lambda");
        let mut claim = reduced.leaf.numerator + lambda * reduced.leaf.denominator;
        let low = EF::ONE - mu;
        reduced.coefficients.extend([low, mu, lambda * low, lambda * mu]);
        let mut point = Vec::with_capacity(level);
        for &z in &reduced.leaf.point {
            let (sent, tail) = remaining.split_first_chunk::<ROUND_VALUES>().ok_or(wrong_length)?;
            remaining = tail;
            let r = send_round(sent, transcript);
            claim = reduce(sent, z, r, claim);
            reduced.coefficients.extend([r - z, r.square() - z]);
            point.push(r);
        }
        let (children, tail) = remaining.split_first_chunk::<CHILDREN>().ok_or(wrong_length)?;
        remaining = tail;
        reduced.lambdas.push(lambda);
        reduced.claims.push(claim);
        mu = send_children(children, transcript);
        reduced.leaf = next_claim(children, mu, point);
    }
    Ok(reduced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    /// The last claim of layer `level` for other values, with the challenges of `reduced`.
    fn claim(level: usize, values: &[EF], challenges: &[Vec<EF>], lambda: EF) -> EF {
        let (children, rounds) = values.split_first_chunk::<CHILDREN>().unwrap();
        let before = &challenges[level - 1];
        let start = next_claim(children, before[0], before[1..].to_vec());
        let (rounds, _) = rounds.as_chunks::<ROUND_VALUES>();
        let points = start.point.iter().zip(&challenges[level][1..]).zip(rounds);
        points.fold(start.numerator + lambda * start.denominator, |claim, ((&z, &r), sent)| {
            reduce(sent, z, r, claim)
        })
    }

    #[test]
    fn coefficients_are_the_finite_differences_of_the_last_claims() {
        const LEVELS: usize = 5;
        let values = elements(3, proof_length(LEVELS));
        let reduced = verify(LEVELS, &values, &mut Transcript::new(b"t")).unwrap();
        // (mu, r) of each layer: what a tree that ends with it leaves.
        let challenges: Vec<Vec<EF>> = (1..=LEVELS)
            .map(|levels| {
                let shorter = &values[..proof_length(levels)];
                verify(levels, shorter, &mut Transcript::new(b"t")).unwrap().leaf.point
            })
            .collect();
        let mut coefficients = &reduced.coefficients[..];
        for level in 1..LEVELS {
            let count = CHILDREN + ROUND_VALUES * level;
            let first = proof_length(level) - CHILDREN;
            let sent = &values[first..first + count];
            let (lambda, last) = (reduced.lambdas[level - 1], reduced.claims[level - 1]);
            assert_eq!(claim(level, sent, &challenges, lambda), last);
            let (layer, tail) = coefficients.split_at(count);
            coefficients = tail;
            for (index, &coefficient) in layer.iter().enumerate() {
                let mut moved = sent.to_vec();
                moved[index] += EF::ONE;
                assert_eq!(claim(level, &moved, &challenges, lambda) - last, coefficient);
            }
            assert_eq!(layer.iter().zip(sent).map(|(&c, &v)| c * v).sum::<EF>(), last);
        }
        assert!(coefficients.is_empty());
    }

    #[test]
    fn another_number_of_values_is_rejected() {
        for count in [0, 53, 55] {
            let error = verify(6, &elements(1, count), &mut Transcript::new(b"t")).unwrap_err();
            assert_eq!(error, Rejection::counted(Check::FractionLength, 54, count).into());
        }
        assert!(verify(6, &elements(1, 54), &mut Transcript::new(b"t")).is_ok());
        for levels in [0, 65] {
            assert!(matches!(verify(levels, &[], &mut Transcript::new(b"t")), Err(Error::Shape(_))));
        }
    }
}
