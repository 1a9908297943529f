//! The blocks of a fraction tree's leaves, row by row, at the tree's last point.
//!
//! A row has a leaf block for each block of its tensors. With e_B = eq(high coordinates of the point, index of block
//! B), the claims about leaves have in each row the weights e_B eq(low coordinates, position in B).

use std::sync::Arc;

use crate::eq_prefixes::EqPrefixes;
use crate::error::{Error, Result};
use crate::field::EF;
use crate::linear_pieces::LinearPieces;
use crate::table;
use crate::terms::{TensorTerm, TensorWeights, split_last};

const NO_ROW: Error = Error::Shape("a fraction tree has no such row of leaves");

/// For each row its leaf blocks: the first leaf, and the logarithm of the size.
#[derive(Clone, Debug)]
pub struct LeafBlocks(pub Vec<Vec<(usize, usize)>>);

/// The weights e_B of all blocks at a point.
#[derive(Clone, Debug)]
pub struct LeafWeights {
    point: Arc<Vec<EF>>,
    rows: Vec<Arc<Vec<EF>>>,
    /// The logarithms of the blocks' sizes.
    logs: Vec<Vec<usize>>,
}

impl LeafBlocks {
    /// Their weights at a point of one coordinate a level of the tree.
    ///
    /// # Errors
    /// [`Error::Shape`] where a block is outside of the tree.
    pub fn at(&self, point: Vec<EF>) -> Result<LeafWeights> {
        let prefixes = EqPrefixes::new(&point);
        let row = |blocks: &Vec<(usize, usize)>| {
            let weights: Option<Vec<EF>> =
                blocks.iter().map(|&(leaf, log)| prefixes.block(leaf, log)).collect();
            weights.map(Arc::new)
        };
        let rows: Option<Vec<_>> = self.0.iter().map(row).collect();
        let rows = rows.ok_or(Error::Shape("a block of leaves lies outside of the fraction tree"))?;
        let logs = self.0.iter().map(|row| row.iter().map(|&(_, log)| log).collect()).collect();
        Ok(LeafWeights { point: Arc::new(point), rows, logs })
    }
}

impl LeafWeights {
    /// The sum of each row's weights.
    pub fn totals(&self) -> Vec<EF> {
        self.rows.iter().map(|row| row.iter().copied().sum()).collect()
    }

    /// For each tensor, in the order of rows from `first` on, `coefficient` times the weights of its row.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are fewer rows.
    pub fn terms(&self, coefficient: EF, first: usize, tensors: &[Option<usize>]) -> Result<Vec<TensorTerm>> {
        let rows = self.rows.get(first..first.saturating_add(tensors.len())).ok_or(NO_ROW)?;
        let term = |(factors, tensor): (&Arc<Vec<EF>>, &Option<usize>)| {
            let weights =
                TensorWeights::BlockDiagonal { factors: factors.clone(), point: self.point.clone() };
            tensor.map(|tensor| TensorTerm { coefficient, tensor, weights })
        };
        Ok(rows.iter().zip(tensors).filter_map(term).collect())
    }

    /// sum_B e_B T~_B, where T~_B is the multilinear extension of a table's values from `starts`[B] on, at the point's
    /// last coordinates.
    ///
    /// # Errors
    /// [`Error::Shape`] where the row has another number of blocks, and as [`table::evaluate`].
    pub fn table(&self, row: usize, pieces: &LinearPieces, starts: &[usize]) -> Result<EF> {
        let (weights, logs) = self.rows.get(row).zip(self.logs.get(row)).ok_or(NO_ROW)?;
        if starts.len() != weights.len() {
            return Err(Error::Shape("a table has another number of blocks than its row of leaves"));
        }
        let blocks = weights.iter().zip(logs).zip(starts);
        let value = |((&weight, &log), &start): ((&EF, &usize), &usize)| {
            let (_, low) = split_last(&self.point, log).ok_or(NO_ROW)?;
            Ok(weight * table::evaluate(pieces.pieces(), start, low)?)
        };
        blocks.map(value).sum()
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;
    use crate::eq::{eq_index, eq_scalars};
    use crate::testing::*;

    #[test]
    fn rows_have_the_weights_of_their_leaves() {
        let point = elements(1, 6);
        let eq = eq_scalars(&point, EF::ONE);
        let blocks = LeafBlocks(vec![vec![(0, 4), (32, 3)], vec![(16, 4)]]);
        let weights = blocks.at(point.clone()).unwrap();
        let sum = |first: usize, size: usize| eq[first..first + size].iter().copied().sum::<EF>();
        assert_eq!(weights.totals(), [sum(0, 16) + sum(32, 8), sum(16, 16)]);
        let terms = weights.terms(element(7), 0, &[None, Some(3)]).unwrap();
        let factors = Arc::new(vec![eq_index(&point[..2], 1)]);
        let expected = TensorWeights::BlockDiagonal { factors, point: Arc::new(point.clone()) };
        assert_eq!(terms, [TensorTerm { coefficient: element(7), tensor: 3, weights: expected }]);
        assert_eq!(weights.terms(element(7), 1, &[Some(3)]).unwrap(), terms);
        assert!(weights.terms(element(7), 1, &[Some(3), None]).is_err());
        // Offsets 0 to 15, then 20 to 27 of the numbers from 5 on.
        let numbers = LinearPieces::identity(5, 40).unwrap();
        let value = |first: usize, size: usize, start: usize| {
            (0..size).map(|i| eq[first + i] * EF::from_usize(5 + start + i)).sum::<EF>()
        };
        assert_eq!(weights.table(0, &numbers, &[0, 20]).unwrap(), value(0, 16, 0) + value(32, 8, 20));
        assert!(weights.table(0, &numbers, &[0]).is_err() && weights.table(2, &numbers, &[]).is_err());
        assert!(LeafBlocks(vec![vec![(64, 0)]]).at(point).is_err());
    }
}
