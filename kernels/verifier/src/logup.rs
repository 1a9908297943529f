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

/// Both sides of a round: absorb, draw, reduce the claim. Returns the challenge.
pub fn reduce(sent: &[EF; ROUND_VALUES], z: EF, claim: &mut EF, transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/round", sent);
    let r = transcript.challenge("fraction/challenge");
    let [c1, c2] = *sent;
    *claim += (c1 + c2 * r) * r - z * (c1 + c2);
    r
}

/// Both sides of a layer's end: absorb the children's values, draw mu, pass the claim to the children.
pub fn next_claim(children: &[EF; CHILDREN], point: Vec<EF>, transcript: &mut Transcript) -> LeafClaim {
    transcript.absorb_extension("fraction/children", children);
    let mu = transcript.challenge("fraction/mu");
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

/// Verifies a tree of `levels` levels; the claim about the leaves is the caller's to check. `values` are p0, p1,
/// q0, q1 of the root, then of each layer its rounds (c_1, c_2) and p0, p1, q0, q1.
///
/// # Errors
/// [`Check::FractionLength`], [`Check::FractionSum`], [`Check::FractionDenominator`] and
/// [`Check::FractionLayer`]; [`Error::Shape`] as [`check_levels`].
pub fn verify(levels: usize, values: &[EF], transcript: &mut Transcript) -> Result<LeafClaim> {
    check_levels(levels)?;
    let length = proof_length(levels);
    let wrong_length = Rejection::counted(Check::FractionLength, length, values.len());
    if values.len() != length {
        return Err(wrong_length.into());
    }
    let (root, mut remaining) = values.split_first_chunk::<CHILDREN>().ok_or(wrong_length)?;
    let [p0, p1, q0, q1] = *root;
    if p0 * q1 + p1 * q0 != EF::ZERO {
        return Err(Rejection::of(Check::FractionSum).into());
    }
    if q0 * q1 == EF::ZERO {
        return Err(Rejection::of(Check::FractionDenominator).into());
    }
    let mut claim = next_claim(root, Vec::new(), transcript);
    for level in 1..levels {
        let lambda = transcript.challenge("fraction/lambda");
        let mut sum = claim.numerator + lambda * claim.denominator;
        let mut point = Vec::with_capacity(level);
        for &z in &claim.point {
            let (sent, tail) = remaining.split_first_chunk::<ROUND_VALUES>().ok_or(wrong_length)?;
            remaining = tail;
            point.push(reduce(sent, z, &mut sum, transcript));
        }
        let (children, tail) = remaining.split_first_chunk::<CHILDREN>().ok_or(wrong_length)?;
        remaining = tail;
        let [p0, p1, q0, q1] = *children;
        if p0 * q1 + p1 * q0 + lambda * q0 * q1 != sum {
            return Err(Rejection::at_round(Check::FractionLayer, level).into());
        }
        claim = next_claim(children, point, transcript);
    }
    Ok(claim)
}
