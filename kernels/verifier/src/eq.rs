//! The equality polynomial eq(u, x) = prod_j (u_j x_j + (1 - u_j)(1 - x_j)), expanded or in closed form.
//! Coordinate 0 is the top bit of an index.

use p3_field::PrimeCharacteristicRing;

use crate::field::EF;

/// eq(u, i) times `scale` for all i below 2^|u|; time and memory are 2^|u|.
pub fn eq_scalars(point: &[EF], scale: EF) -> Vec<EF> {
    // The newest coordinate becomes the lowest bit, so each value splits in two.
    point.iter().fold(vec![scale], |table, &u| {
        let mut next = EF::zero_vec(table.len().saturating_mul(2));
        let (pairs, _) = next.as_chunks_mut::<2>();
        for (pair, &value) in pairs.iter_mut().zip(&table) {
            let high = value * u;
            *pair = [value - high, high];
        }
        next
    })
}

/// eq(u, x) for two points of one length.
pub fn eq_points(u: &[EF], x: &[EF]) -> EF {
    debug_assert_eq!(u.len(), x.len());
    u.iter().zip(x).map(|(&u, &x)| (u * x).double() + EF::ONE - u - x).product()
}

/// eq(u, index) for an integer index of |u| bits; higher bits are left out.
pub fn eq_index(u: &[EF], index: usize) -> EF {
    let bits = u.iter().rev().enumerate();
    bits.map(|(log, &u)| if is_set(index, log) { u } else { EF::ONE - u }).product()
}

/// sum_{i < count} eq(u, i), in O(|u|): the closed form of a constant on an axis of `count` indices.
pub fn eq_prefix_sum(u: &[EF], count: usize) -> EF {
    if count.checked_ilog2().is_some_and(|log| log as usize >= u.len()) {
        return EF::ONE;
    }
    // Below `count`: those that share its top bits and have 0 where it has 1.
    let (mut sum, mut prefix) = (EF::ZERO, EF::ONE);
    for (log, &u) in (0..u.len()).rev().zip(u) {
        if is_set(count, log) {
            sum += prefix * (EF::ONE - u);
            prefix *= u;
        } else {
            prefix *= EF::ONE - u;
        }
    }
    sum
}

/// Whether a bit of an index is 1; bits beyond the word are 0.
pub(crate) fn is_set(index: usize, log: usize) -> bool {
    u32::try_from(log).ok().and_then(|log| index.checked_shr(log)).is_some_and(|shifted| shifted & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn all_forms_agree() {
        for n in 0..8 {
            let u = elements(n, n as usize);
            let table = eq_scalars(&u, EF::ONE);
            for (i, &value) in table.iter().enumerate() {
                let bits: Vec<EF> = (0..n).rev().map(|j| EF::from_bool(i >> j & 1 == 1)).collect();
                let definition = u.iter().zip(&bits).map(|(&u, &x)| u * x + (EF::ONE - u) * (EF::ONE - x));
                assert_eq!(definition.product::<EF>(), value);
                assert_eq!(eq_index(&u, i), value);
                assert_eq!(eq_points(&u, &bits), value);
                assert_eq!(eq_prefix_sum(&u, i), table[..i].iter().copied().sum::<EF>());
            }
            assert_eq!(eq_prefix_sum(&u, 1 << n), EF::ONE);
        }
    }
}
