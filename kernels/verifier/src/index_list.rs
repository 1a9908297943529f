//! Lists of indices: position h of one axis has index x_h of another axis, or none. With weights e[h] on positions,
//! a verifier needs the weight of each index: sum_h e[h] [x_h = x].

use p3_field::PrimeCharacteristicRing;

use crate::error::{Error, Result};
use crate::field::EF;

/// Indices of the axis that a list leads to are fewer than this.
const LIMIT: usize = 1 << 31;

/// For each position its index, or -1 for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexList {
    /// Indices of the axis that it leads to.
    pub size: usize,
    /// One for each position.
    pub indices: Vec<i64>,
}

impl IndexList {
    /// The weight of each index, for `weights` of positions.
    ///
    /// # Errors
    /// [`Error::Shape`] where an index is outside, or positions and weights differ in number.
    pub fn pull(&self, weights: &[EF]) -> Result<Vec<EF>> {
        if weights.len() != self.indices.len() || self.size > LIMIT {
            return Err(Error::Shape("a list of indices does not fit its axes"));
        }
        let mut pulled = EF::zero_vec(self.size);
        for (&index, &weight) in self.indices.iter().zip(weights) {
            if index == -1 {
                continue;
            }
            let sum = usize::try_from(index).ok().and_then(|x| pulled.get_mut(x));
            *sum.ok_or(Error::Shape("a list has an index outside of its axis"))? += weight;
        }
        Ok(pulled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::*;

    #[test]
    fn an_index_has_the_weights_of_all_its_positions() {
        let weights = elements(1, 5);
        let list = IndexList { size: 4, indices: vec![3, -1, 0, 3, 1] };
        let expected = vec![weights[2], weights[4], EF::ZERO, weights[0] + weights[3]];
        assert_eq!(list.pull(&weights).unwrap(), expected);
        assert_eq!(IndexList { size: 2, indices: vec![] }.pull(&[]).unwrap(), EF::zero_vec(2));
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        for indices in [vec![0, 1], vec![0, 1, 2, 3], vec![0, 1, 4], vec![0, 1, -2], vec![0, 1, i64::MIN]] {
            assert!(IndexList { size: 4, indices }.pull(&elements(1, 3)).is_err());
        }
        assert!(IndexList { size: usize::MAX, indices: vec![0] }.pull(&elements(1, 1)).is_err());
    }
}
