//! The equality polynomial eq(u, x) = prod_j (u_j x_j + (1 - u_j)(1 - x_j)), expanded or in closed form.
//! Coordinate 0 is the top bit of an index.

use p3_field::PrimeCharacteristicRing;

use crate::field::{EF, LOG_WIDTH, PackedEF};
use crate::vector::{ExtVector, pack};

/// eq(u, i) times `scale` for all i below 2^|u|.
pub fn eq_scalars(point: &[EF], scale: EF) -> Vec<EF> {
    let mut table = Vec::with_capacity(1 << point.len());
    table.push(scale);
    // The newest coordinate becomes the lowest bit, so each value splits in place, from the back.
    for &u in point {
        let len = table.len();
        table.resize(2 * len, EF::ZERO);
        for i in (0..len).rev() {
            let high = table[i] * u;
            table[2 * i + 1] = high;
            table[2 * i] = table[i] - high;
        }
    }
    table
}

/// eq(u, i) for all i below 2^|u|, in packs; |u| is at least the logarithm of [`WIDTH`].
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

/// eq(u, x) for two points.
pub fn eq_points(u: &[EF], x: &[EF]) -> EF {
    debug_assert_eq!(u.len(), x.len());
    u.iter().zip(x).map(|(&u, &x)| (u * x).double() + EF::ONE - u - x).product()
}

/// eq(u, index) for an integer index of |u| bits.
pub fn eq_index(u: &[EF], index: usize) -> EF {
    let n = u.len();
    u.iter().enumerate().map(|(j, &u)| if index >> (n - 1 - j) & 1 == 1 { u } else { EF::ONE - u }).product()
}

/// sum_{i < count} eq(u, i), in O(|u|): the closed form of a constant on an axis of `count` places.
pub fn eq_prefix_sum(u: &[EF], count: usize) -> EF {
    let n = u.len();
    if count >= 1 << n {
        return EF::ONE;
    }
    // Below `count`: those that share its top bits and have 0 where it has 1.
    let (mut sum, mut prefix) = (EF::ZERO, EF::ONE);
    for (j, &u) in u.iter().enumerate() {
        if count >> (n - 1 - j) & 1 == 1 {
            sum += prefix * (EF::ONE - u);
            prefix *= u;
        } else {
            prefix *= EF::ONE - u;
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::testing::*;

    #[test]
    fn all_forms_agree() {
        for n in 0..8 {
            let u = elements(n, n as usize);
            let table = eq_scalars(&u, EF::ONE);
            assert_eq!(eq_vector(&u).to_scalars(), table);
            for (i, &value) in table.iter().enumerate() {
                assert_eq!(eq_index(&u, i), value);
                assert_eq!(eq_prefix_sum(&u, i), table[..i].iter().copied().sum::<EF>());
                let bits: Vec<EF> = (0..n).rev().map(|j| EF::from_bool(i >> j & 1 == 1)).collect();
                assert_eq!(eq_points(&u, &bits), value);
            }
            assert_eq!(eq_prefix_sum(&u, 1 << n), EF::ONE);
        }
    }
}
