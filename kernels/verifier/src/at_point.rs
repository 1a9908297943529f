//! What the weights of many terms have in common at one point.
//!
//! A system has a few terms for each tensor, and the same point for all of them. The terms of an expression have the
//! same vectors, for tensors of one shape mostly. So eq of a tensor's addresses, what the last vectors make of
//! intervals and of shapes, and eq of the last coordinates and a tree's point are made once.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::axis_values::{Coordinates, EqValues, Shared, values_of};
use crate::blocks::{BlockShape, TensorBlocks};
use crate::eq::eq_points;
use crate::eq_prefixes::EqPrefixes;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::terms::AxisVector;

/// Vectors of which is kept what they make of intervals: more than an expression has axes.
const MOST_VECTORS: usize = 24;

/// A block stands where the point has no coordinates for.
const OUTSIDE: Error = Error::Shape("a block lies outside the committed addresses");

/// The point, one coordinate an address bit, and what is known there.
pub(crate) struct AtPoint<'a> {
    coordinates: Coordinates<'a>,
    /// eq of its first coordinates.
    prefixes: EqPrefixes,
    /// eq of each block's address, by where the blocks are in memory. They are held: nothing else comes there.
    addresses: HashMap<usize, (Arc<TensorBlocks>, Shared)>,
    /// What the last points of axes make of intervals, and which of them is replaced next.
    points: (Vec<EqValues>, usize),
    /// The last product of vectors.
    product: Product,
    /// The last tree's point, and eq of so many last coordinates of both points.
    suffixes: Option<(Arc<Vec<EF>>, Shared)>,
}

impl<'a> AtPoint<'a> {
    pub(crate) fn new(point: &'a [EF]) -> Self {
        Self {
            coordinates: Coordinates::new(point),
            prefixes: EqPrefixes::new(point),
            addresses: HashMap::new(),
            points: (Vec::with_capacity(MOST_VECTORS), 0),
            product: Product::default(),
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

    /// The sum over the blocks of a shape of `factors` and the extensions of the product of one vector an axis; none
    /// where a vector is shorter.
    pub(crate) fn product(
        &mut self,
        shape: &Arc<BlockShape>,
        vectors: &[AxisVector],
        factors: &[EF],
    ) -> Option<EF> {
        let known = self.product.shape.as_ref().is_some_and(|known| Arc::ptr_eq(known, shape));
        if !known || self.product.vectors != vectors {
            self.multiply(shape, vectors)?;
        }
        let Product { common, values, .. } = &self.product;
        let mut total = EF::ZERO;
        for (&suffix, &factor) in shape.suffixes.iter().zip(factors) {
            total += factor * *values.get(suffix)?;
        }
        Some(total * *common)
    }

    /// Makes the product of one vector an axis the last one.
    fn multiply(&mut self, shape: &Arc<BlockShape>, vectors: &[AxisVector]) -> Option<()> {
        // Whatever is there is no product until this one is whole.
        self.product.shape = None;
        let mut values = std::mem::take(&mut self.product.values);
        let (mut next, mut common) = (std::mem::take(&mut self.product.spare), EF::ONE);
        values.clear();
        values.push(EF::ONE);
        for (number, (level, vector)) in shape.levels.iter().zip(vectors.iter().rev()).enumerate() {
            let axis = self.axis(shape, number, vector)?;
            // One piece before all suffixes: these stay in their order.
            if let [value] = axis.as_slice() {
                common *= *value;
                continue;
            }
            next.clear();
            for &(piece, after) in &level.suffixes {
                next.push(*axis.get(piece)? * *values.get(after)?);
            }
            std::mem::swap(&mut values, &mut next);
        }
        self.product.vectors.clear();
        self.product.vectors.extend_from_slice(vectors);
        let vectors = std::mem::take(&mut self.product.vectors);
        self.product = Product { shape: Some(shape.clone()), vectors, common, values, spare: next };
        Some(())
    }

    /// What a vector makes of the pieces of a level of a shape.
    fn axis(&mut self, shape: &Arc<BlockShape>, level: usize, vector: &AxisVector) -> Option<Shared> {
        let AxisVector::Eq(point) = vector else {
            return values_of(vector, &shape.levels.get(level)?.pieces, &mut self.coordinates).map(Rc::new);
        };
        let (known, next) = &mut self.points;
        let position = match known.iter().position(|values| values.is_of(point)) {
            Some(position) => position,
            None if known.len() < MOST_VECTORS => {
                known.push(EqValues::new(point));
                known.len() - 1
            }
            None => {
                *next = (*next + 1) % MOST_VECTORS;
                *known.get_mut(*next)? = EqValues::new(point);
                *next
            }
        };
        known.get_mut(position)?.of(shape, level, self.coordinates.point)
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

/// A product of one vector an axis on the blocks of a shape.
#[derive(Default)]
struct Product {
    shape: Option<Arc<BlockShape>>,
    vectors: Vec<AxisVector>,
    /// A factor of all blocks.
    common: EF,
    /// The others, by the block's suffix.
    values: Vec<EF>,
    /// Memory for the next product.
    spare: Vec<EF>,
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
    fn products_are_of_their_shape_and_their_vectors() {
        let (point, factors) = (elements(1, 6), elements(2, 2));
        let shape = |logs: [usize; 2]| {
            Arc::new(BlockShape::new(logs.map(|log| vec![Interval { start: 0, log }]).to_vec()).unwrap())
        };
        let (first, second) = (shape([3, 1]), shape([2, 1]));
        // More vectors than are kept, all of them twice.
        let vectors: Vec<Vec<AxisVector>> =
            (0..30).map(|seed| vec![AxisVector::eq(elements(3 + seed, 3))]).collect();
        let mut shared = AtPoint::new(&point);
        for vectors in vectors.iter().chain(&vectors) {
            for shape in [&first, &first, &second] {
                let alone = AtPoint::new(&point).product(shape, vectors, &factors).unwrap();
                assert_eq!(shared.product(shape, vectors, &factors), Some(alone));
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
