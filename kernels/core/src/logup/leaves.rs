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

    /// Adds the block to whole packs that hold 0/1.
    fn write_packs(&self, numerators: &mut [PackedEF], denominators: &mut [PackedEF]) {
        let constant = PackedEF::from(self.constant);
        let terms: Vec<(PackedEF, &[PackedF])> =
            self.terms.iter().map(|(c, v)| ((*c).into(), PackedF::pack_slice(v))).collect();
        let multiplicities = self.multiplicities.map(PackedF::pack_slice);
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

/// Writes all 2^`levels` leaves.
///
/// # Errors
/// [`Error::Shape`] where blocks overlap, leave the tree or hold slices of other lengths, or where the
/// tree is smaller than two packs.
pub fn build(mut blocks: Vec<LeafBlock<'_>>, levels: usize) -> Result<Layer> {
    if levels >= usize::BITS as usize || 1 << levels < 2 * WIDTH {
        return Err(Error::Shape("a fraction tree must hold at least two packs"));
    }
    blocks.sort_by_key(|b| b.leaf);
    let ends = blocks.iter().map(|b| b.leaf + b.len);
    let starts = blocks.iter().skip(1).map(|b| b.leaf).chain([1 << levels]);
    if ends.zip(starts).any(|(end, start)| end > start) || !blocks.iter().all(LeafBlock::fits) {
        return Err(Error::Shape("leaf blocks overlap or their columns do not fit"));
    }
    let packs = (1usize << levels) / WIDTH;
    let mut numerators = vec![PackedEF::ZERO; packs];
    let mut denominators = vec![PackedEF::ONE; packs];
    let (large, small): (Vec<_>, Vec<_>) = blocks.into_iter().partition(|b| b.len >= WIDTH);
    for b in &small {
        let (pack, lane) = (b.leaf / WIDTH, b.leaf % WIDTH);
        b.write_lanes(lane, &mut numerators[pack], &mut denominators[pack]);
    }
    let mut tasks = Vec::with_capacity(large.len());
    let (mut remaining, mut position) = ((&mut numerators[..], &mut denominators[..]), 0);
    for b in &large {
        let (_, p) = remaining.0.split_at_mut(b.leaf / WIDTH - position);
        let (_, q) = remaining.1.split_at_mut(b.leaf / WIDTH - position);
        let (p, p_rest) = p.split_at_mut(b.len / WIDTH);
        let (q, q_rest) = q.split_at_mut(b.len / WIDTH);
        tasks.push((b, p, q));
        (remaining, position) = ((p_rest, q_rest), (b.leaf + b.len) / WIDTH);
    }
    let write = |(b, p, q): (&LeafBlock<'_>, &mut [PackedEF], &mut [PackedEF])| b.write_packs(p, q);
    if packs * WIDTH < PARALLEL_THRESHOLD {
        tasks.into_iter().for_each(write);
    } else {
        tasks.into_par_iter().for_each(write);
    }
    Ok(Layer { numerators: ExtVector::Packed(numerators), denominators: ExtVector::Packed(denominators) })
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
        let layer = build(blocks, 7).unwrap();
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
        assert!(build(vec![leaf_block(0, 32), leaf_block(0, 32)], 7).is_err());
        assert!(build(vec![leaf_block(128, 32)], 7).is_err());
        assert!(build(vec![leaf_block(16, 32)], 7).is_err());
        assert!(build(vec![leaf_block(0, 64)], 7).is_err());
        assert!(build(vec![leaf_block(0, 32)], 2).is_err());
    }
}
