//! What the weights of many terms have in common at one point.
//!
//! A system has a few terms for each tensor, and the same point for all of them. So eq of a tensor's addresses,
//! the expansions of the point's coordinates, and eq of its last coordinates and a tree's point are made once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::eq::{eq_points, eq_scalars};
use crate::eq_prefixes::EqPrefixes;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::DyadicBlock;

/// A block stands where the point has no coordinates for.
const OUTSIDE: Error = Error::Shape("a block lies outside the committed addresses");

/// Elements that several terms read.
type Shared = Rc<Vec<EF>>;

/// The point, one coordinate an address bit, and what is known there.
pub(crate) struct AtPoint<'a> {
    pub(crate) point: &'a [EF],
    /// eq of its first coordinates.
    prefixes: EqPrefixes,
    /// eq of each block's address, by where the blocks are in memory. They are held: nothing else comes there.
    addresses: HashMap<usize, (Arc<Vec<DyadicBlock>>, Shared)>,
    /// eq of all indices of some coordinates, by the first one and their number.
    expansions: HashMap<(usize, usize), Shared>,
    /// The last tree's point, and eq of so many last coordinates of both points.
    suffixes: Option<(Arc<Vec<EF>>, Shared)>,
}

impl<'a> AtPoint<'a> {
    pub(crate) fn new(point: &'a [EF]) -> Self {
        let prefixes = EqPrefixes::new(point);
        Self { point, prefixes, addresses: HashMap::new(), expansions: HashMap::new(), suffixes: None }
    }

    /// For each block of a tensor eq of the point's first coordinates and the block's address.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block lies outside the addresses.
    pub(crate) fn addresses(&mut self, blocks: &Arc<Vec<DyadicBlock>>) -> Result<Shared> {
        let key = Arc::as_ptr(blocks).addr();
        if let Some((_, known)) = self.addresses.get(&key) {
            return Ok(known.clone());
        }
        let address = |block: &DyadicBlock| self.prefixes.block(block.address, block.log_size());
        let values: Option<Vec<EF>> = blocks.iter().map(address).collect();
        let values = Rc::new(values.ok_or(OUTSIDE)?);
        self.addresses.insert(key, (blocks.clone(), values.clone()));
        Ok(values)
    }

    /// `count` coordinates of the point, from `first` on.
    pub(crate) fn coordinates(&self, first: usize, count: usize) -> Option<&'a [EF]> {
        self.point.get(first..first.checked_add(count)?)
    }

    /// eq of these coordinates and every index.
    pub(crate) fn expansion(&mut self, first: usize, count: usize) -> Option<Shared> {
        let coordinates = self.coordinates(first, count)?;
        let make = || Rc::new(eq_scalars(coordinates, EF::ONE));
        Some(self.expansions.entry((first, count)).or_insert_with(make).clone())
    }

    /// eq of the last coordinates of the point and of `other`: of none of them, of one, and so on.
    pub(crate) fn suffixes(&mut self, other: &Arc<Vec<EF>>) -> Shared {
        match &self.suffixes {
            Some((known, suffixes)) if known == other => suffixes.clone(),
            _ => {
                let pairs = self.point.iter().rev().zip(other.iter().rev());
                let mut suffixes = vec![EF::ONE];
                suffixes.extend(pairs.scan(EF::ONE, |product, (&u, &x)| {
                    *product *= eq_points(&[u], &[x]);
                    Some(*product)
                }));
                let suffixes = Rc::new(suffixes);
                self.suffixes = Some((other.clone(), suffixes.clone()));
                suffixes
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eq::eq_index;
    use crate::terms::Interval;
    use crate::testing::*;

    #[test]
    fn addresses_are_those_of_the_first_coordinates() {
        for bits in 0..20 {
            let point = elements(bits, bits as usize);
            let mut shared = AtPoint::new(&point);
            for log in 0..=bits as usize {
                let count = 1_usize << (bits as usize - log);
                let numbers = [0, 1, count / 2, count - 1].into_iter().filter(|&number| number < count);
                let block =
                    |number| DyadicBlock::new(number << log, vec![Interval { start: 0, log }]).unwrap();
                let blocks = Arc::new(numbers.clone().map(block).collect());
                let expected: Vec<EF> =
                    numbers.map(|number| eq_index(&point[..point.len() - log], number)).collect();
                // Once made, and once known.
                assert_eq!(*shared.addresses(&blocks).unwrap(), expected);
                assert_eq!(*shared.addresses(&blocks).unwrap(), expected);
                assert!(shared.addresses(&Arc::new(vec![block(count)])).is_err());
            }
        }
    }

    #[test]
    fn suffixes_are_those_of_the_tree_that_is_asked_for() {
        let point = elements(1, 5);
        let mut shared = AtPoint::new(&point);
        for (seed, length) in [(2, 5), (2, 5), (3, 5), (4, 3), (5, 8)] {
            let other = Arc::new(elements(seed, length));
            let suffixes = shared.suffixes(&other);
            assert_eq!(suffixes.len(), length.min(5) + 1);
            for (count, &suffix) in suffixes.iter().enumerate() {
                assert_eq!(suffix, eq_points(&point[5 - count..], &other[length - count..]));
            }
        }
    }

    #[test]
    fn expansions_are_of_the_coordinates_that_are_asked_for() {
        let point = elements(1, 6);
        let mut shared = AtPoint::new(&point);
        for (first, count) in [(0, 6), (2, 3), (2, 3), (6, 0), (5, 1)] {
            let expected = eq_scalars(&point[first..first + count], EF::ONE);
            assert_eq!(*shared.expansion(first, count).unwrap(), expected);
        }
        assert!(shared.expansion(4, 3).is_none() && shared.expansion(usize::MAX, 2).is_none());
    }
}
