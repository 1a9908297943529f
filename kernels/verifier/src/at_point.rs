//! What the weights of many terms have in common at one point.
//!
//! A system has a few terms for each tensor, the same point for all of them, and terms with the same vectors for
//! tensors of one shape. So eq of a tensor's addresses, what vectors make of intervals, and eq of the last
//! coordinates and a tree's point are made once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::axis_values::{AxisValues, Coordinates, Shared};
use crate::blocks::{BlockShape, Level, TensorBlocks};
use crate::eq::eq_points;
use crate::eq_prefixes::EqPrefixes;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::AxisVector;

/// A block stands where the point has no coordinates for.
const OUTSIDE: Error = Error::Shape("a block lies outside the committed addresses");

/// The point, one coordinate an address bit, and what is known there.
pub(crate) struct AtPoint<'a> {
    coordinates: Coordinates<'a>,
    /// eq of its first coordinates.
    prefixes: EqPrefixes,
    /// eq of each block's address, by where the blocks are in memory. They are held: nothing else comes there.
    addresses: HashMap<usize, (Arc<TensorBlocks>, Shared)>,
    /// What vectors make of intervals, by where their elements are. They are held too.
    axes: HashMap<(bool, usize), AxisValues>,
    /// The last product of vectors on the blocks of a shape.
    product: Option<(Arc<BlockShape>, Vec<AxisVector>, Shared)>,
    /// The last tree's point, and eq of so many last coordinates of both points.
    suffixes: Option<(Arc<Vec<EF>>, Shared)>,
}

impl<'a> AtPoint<'a> {
    pub(crate) fn new(point: &'a [EF]) -> Self {
        Self {
            coordinates: Coordinates::new(point),
            prefixes: EqPrefixes::new(point),
            addresses: HashMap::new(),
            axes: HashMap::new(),
            product: None,
            suffixes: None,
        }
    }

    pub(crate) fn point(&self) -> &'a [EF] {
        self.coordinates.point
    }

    /// For each block of a tensor eq of the point's first coordinates and the block's address.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block lies outside the addresses.
    pub(crate) fn addresses(&mut self, blocks: &Arc<TensorBlocks>) -> Result<Shared> {
        let key = Arc::as_ptr(blocks).addr();
        if let Some((_, known)) = self.addresses.get(&key) {
            return Ok(known.clone());
        }
        let pairs = blocks.iter().zip(&blocks.shape.logs);
        let values: Option<Vec<EF>> =
            pairs.map(|(block, &log)| self.prefixes.block(block.address, log)).collect();
        let values = Rc::new(values.ok_or(OUTSIDE)?);
        self.addresses.insert(key, (blocks.clone(), values.clone()));
        Ok(values)
    }

    /// For each block of a shape the extension of the product of one vector an axis; none where a vector is shorter.
    pub(crate) fn product(&mut self, shape: &Arc<BlockShape>, vectors: &[AxisVector]) -> Option<Shared> {
        match &self.product {
            Some((known, of, values)) if Arc::ptr_eq(known, shape) && of == vectors => {
                return Some(values.clone());
            }
            _ => {}
        }
        let (mut common, mut values) = (EF::ONE, vec![EF::ONE]);
        for (level, vector) in shape.levels.iter().zip(vectors.iter().rev()) {
            let axis = self.axis(level, vector)?;
            match axis.as_slice() {
                // One piece before all suffixes: these stay in their order.
                [value] => common *= *value,
                _ => {
                    let suffix =
                        |&(piece, after): &(usize, usize)| Some(*axis.get(piece)? * *values.get(after)?);
                    values = level.suffixes.iter().map(suffix).collect::<Option<_>>()?;
                }
            }
        }
        let block = |&suffix: &usize| Some(common * *values.get(suffix)?);
        let values: Shared = Rc::new(shape.suffixes.iter().map(block).collect::<Option<_>>()?);
        self.product = Some((shape.clone(), vectors.to_vec(), values.clone()));
        Some(values)
    }

    /// What a vector makes of the pieces of a level.
    fn axis(&mut self, level: &Level, vector: &AxisVector) -> Option<Vec<EF>> {
        let key = match vector {
            AxisVector::Eq(point) => (true, Arc::as_ptr(point).addr()),
            AxisVector::Explicit(values) => (false, Arc::as_ptr(values).addr()),
            AxisVector::Ones | AxisVector::OneHot(_) => {
                return AxisValues::new(vector).of(&level.pieces, &mut self.coordinates);
            }
        };
        let values = self.axes.entry(key).or_insert_with(|| AxisValues::new(vector));
        values.of(&level.pieces, &mut self.coordinates)
    }

    /// eq of the last coordinates of the point and of `other`: of none of them, of one, and so on.
    pub(crate) fn suffixes(&mut self, other: &Arc<Vec<EF>>) -> Shared {
        match &self.suffixes {
            Some((known, suffixes)) if known == other => suffixes.clone(),
            _ => {
                let pairs = self.point().iter().rev().zip(other.iter().rev());
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
    use crate::blocks::{DyadicBlock, Interval};
    use crate::eq::eq_index;
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
                let blocks = stored(numbers.clone().map(block).collect());
                let expected: Vec<EF> =
                    numbers.map(|number| eq_index(&point[..point.len() - log], number)).collect();
                // Once made, and once known.
                assert_eq!(*shared.addresses(&blocks).unwrap(), expected);
                assert_eq!(*shared.addresses(&blocks).unwrap(), expected);
                assert!(shared.addresses(&stored(vec![block(count)])).is_err());
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
}
