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

mod layer;
mod partial;
mod prove;
mod rounds;
mod sums;
mod verify;

pub use layer::Layer;
pub use partial::PartialTree;
pub use prove::prove;
pub use rounds::Rounds;
pub use verify::verify;

use crate::field::EF;
use crate::transcript::Transcript;

/// What the prover sends, and the claim about the leaves that both sides derive.
#[derive(Clone, Debug)]
pub struct FractionProof {
    /// p0, p1, q0, q1 of the root, then each layer's rounds (c_1, c_2) and p0, p1, q0, q1.
    pub values: Vec<EF>,
    /// The claim that remains.
    pub leaf: LeafClaim,
}

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

/// Values that a proof for `levels` levels holds.
pub fn proof_length(levels: usize) -> usize {
    levels * (levels - 1) + 4 * levels
}

/// Both sides of a round: absorb, draw, reduce the claim.
fn reduce(sent: &[EF], z: EF, claim: &mut EF, transcript: &mut Transcript) -> EF {
    transcript.absorb_extension("fraction/round", sent);
    let r = transcript.challenge("fraction/challenge");
    let (c1, c2) = (sent[0], sent[1]);
    *claim += (c1 + c2 * r) * r - z * (c1 + c2);
    r
}

/// Both sides of a layer's end: absorb the children's values, draw mu, pass the claim to the children.
fn next_claim(children: &[EF; 4], point: Vec<EF>, transcript: &mut Transcript) -> LeafClaim {
    transcript.absorb_extension("fraction/children", children);
    let mu = transcript.challenge("fraction/mu");
    let [p0, p1, q0, q1] = *children;
    LeafClaim {
        point: std::iter::once(mu).chain(point).collect(),
        numerator: interpolate(p0, p1, mu),
        denominator: interpolate(q0, q1, mu),
    }
}

fn interpolate(low: EF, high: EF, x: EF) -> EF {
    low + x * (high - low)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::vector::ExtVector;
    use crate::vector::testing::elements;

    /// Leaves whose fractions cancel in pairs.
    pub fn cancelling(levels: usize) -> (Vec<EF>, Vec<EF>) {
        let half = 1 << (levels - 1);
        let (p, q) = (elements(7, half), elements(8, half));
        let negated = p.iter().map(|&x| -x).collect::<Vec<_>>();
        ([p, negated].concat(), [q.clone(), q].concat())
    }

    pub fn layer(p: &[EF], q: &[EF]) -> Layer {
        Layer { numerators: ExtVector::from_scalars(p), denominators: ExtVector::from_scalars(q) }
    }
}
