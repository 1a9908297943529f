//! The equality polynomial over a hypercube, in packs: see [`deepprove_verifier::eq`] for what it is.

use p3_field::PrimeCharacteristicRing;
use rayon::prelude::*;

pub use deepprove_verifier::eq::{eq_index, eq_points, eq_prefix_sum, eq_scalars};

use crate::field::vector::{ExtVector, pack};
use crate::field::{EF, LOG_WIDTH, PackedEF};

/// eq(u, i) for all i below 2^|u|, in packs; |u| is at least the logarithm of [`crate::field::WIDTH`].
pub fn eq_packs(point: &[EF]) -> Vec<PackedEF> {
    let (high, low) = point.split_at(point.len() - LOG_WIDTH);
    let low = pack(&eq_scalars(low, EF::ONE))[0];
    // The top variables for tasks, those below them for the packs of one.
    let (outer, inner) = high.split_at(high.len().saturating_sub(LOG_TASK));
    let inner: Vec<PackedEF> = eq_scalars(inner, EF::ONE).into_iter().map(|h| low * h).collect();
    if outer.is_empty() {
        return inner;
    }
    let mut packs = PackedEF::zero_vec(inner.len() << outer.len());
    let outer = eq_scalars(outer, EF::ONE);
    packs.par_chunks_mut(inner.len()).zip(outer).for_each(|(packs, h)| {
        packs.iter_mut().zip(&inner).for_each(|(pack, &value)| *pack = value * h);
    });
    packs
}

/// Of the packs that one task makes.
const LOG_TASK: usize = 9;

/// eq(u, i) for all i below 2^|u|.
pub fn eq_vector(point: &[EF]) -> ExtVector {
    if point.len() > LOG_WIDTH {
        ExtVector::Packed(eq_packs(point))
    } else {
        ExtVector::from_scalars(&eq_scalars(point, EF::ONE))
    }
}

#[cfg(test)]
mod tests {
    use deepprove_verifier::testing::elements;

    use super::*;

    #[test]
    fn packs_hold_the_scalars() {
        for n in (0..8).chain([LOG_TASK as u64 + 6]) {
            let u = elements(n, n as usize);
            assert_eq!(eq_vector(&u).to_scalars(), eq_scalars(&u, EF::ONE));
        }
    }
}
