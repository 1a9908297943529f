//! The equality polynomial over a hypercube, in packs: see [`deepprove_verifier::eq`] for what it is.

use p3_field::PrimeCharacteristicRing;

pub use deepprove_verifier::eq::{eq_index, eq_points, eq_prefix_sum, eq_scalars};

use crate::field::vector::{ExtVector, pack};
use crate::field::{EF, LOG_WIDTH, PackedEF};

/// eq(u, i) for all i below 2^|u|, in packs; |u| is at least the logarithm of [`crate::field::WIDTH`].
pub fn eq_packs(point: &[EF]) -> Vec<PackedEF> {
    let (high, low) = point.split_at(point.len() - LOG_WIDTH);
    let low = pack(&eq_scalars(low, EF::ONE))[0];
    eq_scalars(high, EF::ONE).into_iter().map(|h| low * h).collect()
}

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
        for n in 0..8 {
            let u = elements(n, n as usize);
            assert_eq!(eq_vector(&u).to_scalars(), eq_scalars(&u, EF::ONE));
        }
    }
}
