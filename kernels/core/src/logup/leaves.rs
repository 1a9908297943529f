//! Leaves of the fraction tree, written from committed columns.
//!
//! A leaf block covers 2^k leaves of one lookup or table. Its fractions are num / (constant + sum_t c_t v_t[i])
//! with num = 1 for a lookup and minus the multiplicity for a table entry; a leaf in no block is 0/1.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use p3_field::{PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::{ExtVector, zeros};
use crate::field::{EF, F, PackedEF, PackedF, WIDTH};
use crate::logup::Layer;
use crate::logup::forms::{Forms, Fraction, bilinear};
use crate::pool::PARALLEL_THRESHOLD;

/// A range of a vector of base elements.
#[derive(Clone)]
pub struct Column {
    vector: Arc<Vec<F>>,
    start: usize,
    len: usize,
}

impl Column {
    /// `len` values from `start` on.
    ///
    /// # Errors
    /// [`Error::Shape`] where the vector ends before.
    pub fn new(vector: Arc<Vec<F>>, start: usize, len: usize) -> Result<Self> {
        if start.checked_add(len).is_none_or(|end| end > vector.len()) {
            return Err(Error::Shape("a column of a lookup leaves its vector"));
        }
        Ok(Self { vector, start, len })
    }
}

impl Deref for Column {
    type Target = [F];
    fn deref(&self) -> &[F] {
        &self.vector[self.start..self.start + self.len]
    }
}

/// One block of leaves; every column has the block's length, a power of two.
#[derive(Clone)]
pub struct LeafBlock {
    /// First leaf, a multiple of the length.
    pub leaf: usize,
    /// Leaves.
    pub len: usize,
    /// The multiplicities of a table; none for a lookup.
    pub multiplicities: Option<Column>,
    /// Constant part of the denominator.
    pub constant: EF,
    /// Coefficients and columns of the denominator.
    pub terms: Vec<(EF, Column)>,
}

impl LeafBlock {
    fn fits(&self) -> bool {
        self.len.is_power_of_two()
            && self.leaf.is_multiple_of(self.len)
            && self.multiplicities.as_ref().is_none_or(|m| m.len() == self.len)
            && self.terms.iter().all(|(_, column)| column.len() == self.len)
    }

    /// `packs` packs of the block, from its pack `first` on.
    fn forms(&self, first: usize, packs: usize) -> Forms<'_> {
        let column = |values| Cow::Borrowed(&PackedF::pack_slice(values)[first..first + packs]);
        let in_denominator = |c| Fraction { numerator: EF::ZERO, denominator: c };
        let mut columns: Vec<_> = self.terms.iter().map(|(c, v)| (in_denominator(*c), column(v))).collect();
        let mut constant = Fraction { numerator: EF::ONE, denominator: self.constant };
        if let Some(counts) = &self.multiplicities {
            constant.numerator = EF::ZERO;
            columns.push((Fraction { numerator: -EF::ONE, denominator: EF::ZERO }, column(counts)));
        }
        Forms::new(packs, constant, columns)
    }

    /// Adds a block smaller than a pack to lanes that hold 0/1.
    fn write_lanes(&self, first: usize, numerator: &mut PackedEF, denominator: &mut PackedEF) {
        for i in 0..self.len {
            let value = self.terms.iter().fold(self.constant, |sum, (c, v)| sum + *c * v[i]);
            let top = self.multiplicities.as_ref().map_or(EF::ONE, |m| EF::from(-m[i]));
            numerator.add_assign_lane(first + i, top);
            denominator.add_assign_lane(first + i, value - EF::ONE);
        }
    }
}

/// Packs that are made at once: what they are made of stays in a core's cache.
pub(super) const PIECE: usize = 1 << LOG_PIECE;
pub(super) const LOG_PIECE: usize = 6;

/// The leaves of a tree, which are written where they are needed: all of them take much memory.
#[derive(Clone)]
pub struct Leaves {
    /// In their order.
    blocks: Vec<LeafBlock>,
    levels: usize,
}

impl Leaves {
    /// 2^`levels` leaves.
    ///
    /// # Errors
    /// [`Error::Shape`] where blocks overlap, leave the tree or hold slices of other lengths, or where the
    /// tree is smaller than two packs.
    pub fn new(mut blocks: Vec<LeafBlock>, levels: usize) -> Result<Self> {
        if levels >= usize::BITS as usize || 1 << levels < 2 * WIDTH {
            return Err(Error::Shape("a fraction tree must hold at least two packs"));
        }
        blocks.sort_by_key(|b| b.leaf);
        let ends = blocks.iter().map(|b| b.leaf + b.len);
        let starts = blocks.iter().skip(1).map(|b| b.leaf).chain([1 << levels]);
        if ends.zip(starts).any(|(end, start)| end > start) || !blocks.iter().all(LeafBlock::fits) {
            return Err(Error::Shape("leaf blocks overlap or their columns do not fit"));
        }
        Ok(Self { blocks, levels })
    }

    /// The logarithm of the number of leaves.
    pub fn levels(&self) -> usize {
        self.levels
    }

    /// The layer `height` levels above the leaves, 0 for these themselves. It has two packs or more.
    pub fn layer(&self, height: usize) -> Layer {
        let packs = (1usize << (self.levels - height)) / WIDTH;
        let [mut numerators, mut denominators] = [(); 2].map(|()| zeros(packs));
        let write = |(index, (p, q)): (usize, (&mut [PackedEF], &mut [PackedEF]))| {
            self.write_nodes(height, index * PIECE, p, q);
        };
        if packs * WIDTH < PARALLEL_THRESHOLD {
            numerators.chunks_mut(PIECE).zip(denominators.chunks_mut(PIECE)).enumerate().for_each(write);
        } else {
            let pieces = numerators.par_chunks_mut(PIECE).zip(denominators.par_chunks_mut(PIECE));
            pieces.enumerate().for_each(write);
        }
        Layer { numerators: ExtVector::Packed(numerators), denominators: ExtVector::Packed(denominators) }
    }

    /// Calls `act` with the fractions of as many leaves from all of some packs on: `count` packs of each, in runs
    /// that are as long as blocks allow. The first argument tells how many came before.
    pub(super) fn runs(&self, first: &[usize], count: usize, mut act: impl FnMut(usize, &[Forms<'_>])) {
        let mut before = 0;
        while before < count {
            let runs: Vec<_> = first.iter().map(|first| self.run(first + before, count - before)).collect();
            let packs = runs.iter().map(Forms::packs).min().unwrap_or(count);
            act(before, &runs.into_iter().map(|run| run.first(packs)).collect::<Vec<_>>());
            before += packs;
        }
    }

    /// Leaves from the pack `first` on: of one block, of none, or of blocks that are smaller than a pack.
    fn run(&self, first: usize, most: usize) -> Forms<'_> {
        let start = first * WIDTH;
        let next = self.blocks.partition_point(|b| b.leaf + b.len <= start);
        match self.blocks.get(next) {
            Some(b) if b.leaf < start + WIDTH && b.len >= WIDTH => {
                let packs = most.min((b.leaf + b.len - start) / WIDTH);
                b.forms((start - b.leaf) / WIDTH, packs)
            }
            Some(b) if b.leaf < start + WIDTH => {
                let (mut numerator, mut denominator) = (PackedEF::ZERO, PackedEF::ONE);
                for b in self.blocks[next..].iter().take_while(|b| b.leaf < start + WIDTH) {
                    b.write_lanes(b.leaf % WIDTH, &mut numerator, &mut denominator);
                }
                Forms::of_values(&[numerator], &[denominator])
            }
            after => {
                let packs = after.map_or(most, |b| most.min((b.leaf - start) / WIDTH));
                Forms::new(packs, Fraction::NOTHING, Vec::new())
            }
        }
    }

    /// Packs of nodes of a layer, from its pack `first` on.
    pub(super) fn write_nodes(&self, height: usize, first: usize, p: &mut [PackedEF], q: &mut [PackedEF]) {
        let half = (1usize << (self.levels - height)) / WIDTH;
        match height {
            0 => self.runs(&[first], p.len(), |before, runs| {
                let packs = before..before + runs[0].packs();
                runs[0].linear(|f| f.numerator).write(&mut p[packs.clone()]);
                runs[0].linear(|f| f.denominator).write(&mut q[packs]);
            }),
            1 => self.runs(&[first, first + half], p.len(), |before, runs| {
                let packs = before..before + runs[0].packs();
                let [numerators, denominators] = bilinear(
                    &runs[0],
                    &runs[1],
                    [&|a, b| a.numerator * b.denominator + a.denominator * b.numerator, &|a, b| {
                        a.denominator * b.denominator
                    }],
                );
                numerators.write(&mut p[packs.clone()]);
                denominators.write(&mut q[packs]);
            }),
            _ => {
                let [(p0, q0), (p1, q1)] = [first, first + half].map(|first| {
                    let [mut p, mut q] = [(); 2].map(|()| PackedEF::zero_vec(p.len()));
                    self.write_nodes(height - 1, first, &mut p, &mut q);
                    (p, q)
                });
                for i in 0..p.len() {
                    p[i] = p0[i] * q1[i] + p1[i] * q0[i];
                    q[i] = q0[i] * q1[i];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    #[test]
    fn leaves_are_the_fractions_of_their_blocks() {
        let column = Arc::new((0..64).map(|i| F::new(i * i + 3)).collect::<Vec<F>>());
        let counts = Arc::new((0..64).map(|i| F::new(i % 3)).collect::<Vec<F>>());
        let range = |vector: &Arc<Vec<F>>, start, len| Column::new(vector.clone(), start, len).unwrap();
        let (a, b, c) = (element(1), element(2), element(3));
        let blocks = vec![
            LeafBlock {
                leaf: 32,
                len: 4,
                multiplicities: None,
                constant: a,
                terms: vec![(b, range(&column, 8, 4))],
            },
            LeafBlock {
                leaf: 64,
                len: 64,
                multiplicities: Some(range(&counts, 0, 64)),
                constant: b,
                terms: vec![(c, range(&column, 0, 64)), (a, range(&counts, 0, 64))],
            },
            LeafBlock {
                leaf: 0,
                len: 32,
                multiplicities: None,
                constant: c,
                terms: vec![(a, range(&column, 0, 32))],
            },
        ];
        let layer = Leaves::new(blocks, 7).unwrap().layer(0);
        let (p, q) = (layer.numerators.to_scalars(), layer.denominators.to_scalars());
        for i in 0..128 {
            let expected = match i {
                0..32 => (EF::ONE, c + a * column[i]),
                32..36 => (EF::ONE, a + b * column[i - 24]),
                36..64 => (EF::ZERO, EF::ONE),
                _ => (-EF::from(counts[i - 64]), b + c * column[i - 64] + a * counts[i - 64]),
            };
            assert_eq!((p[i], q[i]), expected);
        }
    }

    #[test]
    fn blocks_that_do_not_fit_are_refused() {
        let column = Column::new(Arc::new(vec![F::ONE; 64]), 0, 32).unwrap();
        let leaf_block = |leaf, len| LeafBlock {
            leaf,
            len,
            multiplicities: None,
            constant: EF::ONE,
            terms: vec![(EF::ONE, column.clone())],
        };
        assert!(Leaves::new(vec![leaf_block(0, 32), leaf_block(0, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(128, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(16, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(0, 64)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(0, 32)], 2).is_err());
    }
}
