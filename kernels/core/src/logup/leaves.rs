//! Leaves of the fraction tree, written from committed columns.
//!
//! A leaf block covers 2^k leaves of one lookup or table. Its fractions are num / (constant + sum_t c_t v_t[i])
//! with num = 1 for a lookup and minus the multiplicity for a table entry; a leaf in no block is 0/1.

use p3_field::{PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::vector::ExtVector;
use crate::field::{EF, F, PackedEF, PackedF, WIDTH};
use crate::logup::Layer;
use crate::pool::PARALLEL_THRESHOLD;

/// One block of leaves; every slice has the block's length, a power of two.
pub struct LeafBlock<'a> {
    /// First leaf, a multiple of the length.
    pub leaf: usize,
    /// Leaves.
    pub len: usize,
    /// The multiplicities of a table; none for a lookup.
    pub multiplicities: Option<&'a [F]>,
    /// Constant part of the denominator.
    pub constant: EF,
    /// Coefficients and columns of the denominator.
    pub terms: Vec<(EF, &'a [F])>,
}

impl LeafBlock<'_> {
    fn fits(&self) -> bool {
        self.len.is_power_of_two()
            && self.leaf.is_multiple_of(self.len)
            && self.multiplicities.is_none_or(|m| m.len() == self.len)
            && self.terms.iter().all(|(_, column)| column.len() == self.len)
    }

    /// Writes packs of the block from its pack `first` on.
    fn write_packs(&self, first: usize, numerators: &mut [PackedEF], denominators: &mut [PackedEF]) {
        let constant = PackedEF::from(self.constant);
        let terms: Vec<(PackedEF, &[PackedF])> =
            self.terms.iter().map(|(c, v)| ((*c).into(), &PackedF::pack_slice(v)[first..])).collect();
        let multiplicities = self.multiplicities.map(|m| &PackedF::pack_slice(m)[first..]);
        let pairs = numerators.iter_mut().zip(denominators);
        for (i, (numerator, denominator)) in pairs.enumerate() {
            *numerator = multiplicities.map_or(PackedEF::ONE, |m| PackedEF::from(-m[i]));
            *denominator = terms.iter().fold(constant, |sum, (c, v)| sum + *c * v[i]);
        }
    }

    /// Adds a block smaller than a pack to lanes that hold 0/1.
    fn write_lanes(&self, first: usize, numerator: &mut PackedEF, denominator: &mut PackedEF) {
        for i in 0..self.len {
            let value = self.terms.iter().fold(self.constant, |sum, (c, v)| sum + *c * v[i]);
            let top = self.multiplicities.map_or(EF::ONE, |m| EF::from(-m[i]));
            numerator.add_assign_lane(first + i, top);
            denominator.add_assign_lane(first + i, value - EF::ONE);
        }
    }
}

/// Packs that are made at once: what they are made of stays in a core's cache.
const PIECE: usize = 64;

/// Numerators and denominators of some nodes of a layer.
type Nodes = (Vec<PackedEF>, Vec<PackedEF>);

/// The leaves of a tree, which are written where they are needed: all of them take much memory.
pub struct Leaves<'a> {
    /// In their order.
    blocks: Vec<LeafBlock<'a>>,
    levels: usize,
}

impl<'a> Leaves<'a> {
    /// 2^`levels` leaves.
    ///
    /// # Errors
    /// [`Error::Shape`] where blocks overlap, leave the tree or hold slices of other lengths, or where the
    /// tree is smaller than two packs.
    pub fn new(mut blocks: Vec<LeafBlock<'a>>, levels: usize) -> Result<Self> {
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
        let [mut numerators, mut denominators] = [(); 2].map(|()| PackedEF::zero_vec(packs));
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

    /// Packs of leaves from the pack `first` on.
    pub(crate) fn packs(&self, first: usize, count: usize) -> Nodes {
        let [mut numerators, mut denominators] = [(); 2].map(|()| PackedEF::zero_vec(count));
        self.write(first, &mut numerators, &mut denominators);
        (numerators, denominators)
    }

    /// Packs of nodes of a layer, from its pack `first` on.
    fn write_nodes(&self, height: usize, first: usize, p: &mut [PackedEF], q: &mut [PackedEF]) {
        if height == 0 {
            return self.write(first, p, q);
        }
        let half = (1usize << (self.levels - height)) / WIDTH;
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

    fn write(&self, first: usize, numerators: &mut [PackedEF], denominators: &mut [PackedEF]) {
        numerators.fill(PackedEF::ZERO);
        denominators.fill(PackedEF::ONE);
        let (start, end) = (first * WIDTH, (first + numerators.len()) * WIDTH);
        let passed = self.blocks.partition_point(|b| b.leaf + b.len <= start);
        for b in self.blocks[passed..].iter().take_while(|b| b.leaf < end) {
            if b.len < WIDTH {
                let (pack, lane) = ((b.leaf - start) / WIDTH, b.leaf % WIDTH);
                b.write_lanes(lane, &mut numerators[pack], &mut denominators[pack]);
                continue;
            }
            let (low, high) = (b.leaf.max(start), (b.leaf + b.len).min(end));
            let packs = (low - start) / WIDTH..(high - start) / WIDTH;
            let (p, q) = (&mut numerators[packs.clone()], &mut denominators[packs]);
            b.write_packs((low - b.leaf) / WIDTH, p, q);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    #[test]
    fn leaves_are_the_fractions_of_their_blocks() {
        let column: Vec<F> = (0..64).map(|i| F::new(i * i + 3)).collect();
        let counts: Vec<F> = (0..64).map(|i| F::new(i % 3)).collect();
        let (a, b, c) = (element(1), element(2), element(3));
        let blocks = vec![
            LeafBlock {
                leaf: 32,
                len: 4,
                multiplicities: None,
                constant: a,
                terms: vec![(b, &column[8..12])],
            },
            LeafBlock {
                leaf: 64,
                len: 64,
                multiplicities: Some(&counts),
                constant: b,
                terms: vec![(c, &column), (a, &counts)],
            },
            LeafBlock {
                leaf: 0,
                len: 32,
                multiplicities: None,
                constant: c,
                terms: vec![(a, &column[..32])],
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
        let column = vec![F::ONE; 64];
        let leaf_block = |leaf, len| LeafBlock {
            leaf,
            len,
            multiplicities: None,
            constant: EF::ONE,
            terms: vec![(EF::ONE, &column[..32])],
        };
        assert!(Leaves::new(vec![leaf_block(0, 32), leaf_block(0, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(128, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(16, 32)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(0, 64)], 7).is_err());
        assert!(Leaves::new(vec![leaf_block(0, 32)], 2).is_err());
    }
}
