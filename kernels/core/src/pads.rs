//! Pads of what a prover sends in a hiding proof: value + pad is absorbed and sent, the value is computed with.

use crate::error::{Error, Result};
use crate::field::EF;

/// Pads in the order of sending; none for a transparent proof.
#[derive(Clone, Debug, Default)]
pub struct Pads {
    values: Vec<EF>,
    next: usize,
}

impl Pads {
    /// One pad for each of `count` values, or none at all.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of pads.
    pub fn new(values: Vec<EF>, count: usize) -> Result<Self> {
        if !values.is_empty() && values.len() != count {
            return Err(Error::Shape("there is not one pad for each value that is sent"));
        }
        Ok(Self { values, next: 0 })
    }

    /// Adds the next pads to values that are about to be sent.
    pub fn add(&mut self, sent: &mut [EF]) {
        let pads = self.values.iter().skip(self.next);
        self.next += sent.iter_mut().zip(pads).map(|(value, &pad)| *value += pad).count();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    #[test]
    fn pads_are_added_in_the_order_of_sending() {
        let (values, pads) = (elements(1, 7), elements(2, 7));
        let mut all = Pads::new(pads.clone(), 7).unwrap();
        let mut sent = values.clone();
        let (first, second) = sent.split_at_mut(3);
        all.add(first);
        all.add(second);
        let expected: Vec<EF> = values.iter().zip(&pads).map(|(&value, &pad)| value + pad).collect();
        assert_eq!(sent, expected);
    }

    #[test]
    fn there_are_none_or_one_for_each_value() {
        let mut none = Pads::new(Vec::new(), 7).unwrap();
        let mut sent = elements(1, 7);
        none.add(&mut sent);
        assert_eq!(sent, elements(1, 7));
        assert!(Pads::new(elements(2, 6), 7).is_err());
        assert!(Pads::new(elements(2, 8), 7).is_err());
    }
}
