//! The prover of the fraction tree of logup-GKR (Papini, Haboeck, eprint 2023/1284): sum_i num_i / den_i = 0.
//!
//! A node adds its two children as fractions, p = p0 q1 + p1 q0 and q = q0 q1; the children of node x of a layer
//! are nodes (0, x) and (1, x) of the next. From the root down, a claim about a layer becomes one about the next by
//! a sumcheck: see [`deepprove_verifier::logup`], which is the other side, for its equations.

mod forms;
mod layer;
pub(crate) mod layers;
pub mod leaves;
pub(crate) mod prove;
mod streamed;
pub(crate) mod sums;

use deepprove_verifier::logup::LeafClaim;

pub use layer::Layer;
pub use layers::{LOG_WRITTEN, Layers};
pub use prove::prove;

use crate::field::EF;

/// What the prover sends, and the claim about the leaves that both sides derive.
#[derive(Clone, Debug)]
pub struct FractionProof {
    /// p0, p1, q0, q1 of the root, then each layer's rounds (c_1, c_2) and p0, p1, q0, q1; all with their pads.
    pub values: Vec<EF>,
    /// The claim that remains, as what was sent gives it.
    pub leaf: LeafClaim,
}

#[cfg(test)]
pub(crate) mod testing {
    use deepprove_verifier::testing::elements;

    use super::*;
    use crate::field::vector::ExtVector;

    /// Leaves whose fractions cancel in pairs.
    pub fn cancelling(levels: usize) -> (Vec<EF>, Vec<EF>) {
        let half = 1 << (levels - 1);
        let (p, q) = (elements(7, half), elements(8, half));
        let negated = p.iter().map(|&x| -x).collect::<Vec<_>>();
        ([p, negated].concat(), [q.clone(), q].concat())
    }

    pub fn layers(p: &[EF], q: &[EF]) -> Layers {
        let (numerators, denominators) = (ExtVector::from_scalars(p), ExtVector::from_scalars(q));
        Layers::new(Layer { numerators, denominators }).unwrap()
    }
}
