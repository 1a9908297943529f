//! Where a tensor stands: dyadic blocks, and what those of one shape have in common.
//!
//! A block is a product of aligned dyadic intervals, one an axis, at an address that is a multiple of its size, its
//! positions in row-major order. The multilinear extension of a product of one vector an axis on a block is the
//! product of the vectors' extensions on its intervals. An interval has the coordinates before those of the axes
//! after it. So with the last axes of a block everything about them is known, whatever the axes before them, and
//! blocks with the same last intervals share what these give.

use std::collections::HashMap;
use std::hash::Hash;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::{Error, Result};

/// Logarithms of sizes, and addresses, stay below this number of bits.
const MAX_BITS: usize = 40;

const NOT_ALIGNED: Error = Error::Shape("a block is no aligned product of dyadic intervals");

/// The indices [start, start + 2^log) of an axis; start is a multiple of 2^log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// First index.
    pub start: usize,
    /// Logarithm of the length.
    pub log: usize,
}

impl Interval {
    /// The index after the last.
    pub fn end(&self) -> usize {
        self.start.saturating_add(power(self.log))
    }
}

/// A dyadic block of a tensor and the address of its first position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DyadicBlock {
    /// Address, a multiple of the block's size.
    pub address: usize,
    /// One interval an axis.
    pub intervals: Vec<Interval>,
}

impl DyadicBlock {
    /// A block at an address.
    ///
    /// # Errors
    /// [`Error::Shape`] where an interval starts, or the block stands, at no multiple of its size, or from 2^40 on.
    pub fn new(address: usize, intervals: Vec<Interval>) -> Result<Self> {
        let aligned = |start: usize, log: usize| {
            log < MAX_BITS && start < power(MAX_BITS) && start.is_multiple_of(power(log))
        };
        let block = Self { address, intervals };
        if !aligned(address, block.log_size()) || !block.intervals.iter().all(|i| aligned(i.start, i.log)) {
            return Err(NOT_ALIGNED);
        }
        Ok(block)
    }

    /// Logarithm of the number of positions.
    pub fn log_size(&self) -> usize {
        self.intervals.iter().fold(0, |sum, i| sum.saturating_add(i.log))
    }
}

/// 2^log, or the largest number.
pub(crate) fn power(log: usize) -> usize {
    u32::try_from(log).ok().and_then(|log| 1_usize.checked_shl(log)).unwrap_or(usize::MAX)
}

/// The intervals of the blocks of a tensor, without their addresses: those of tensors of one shape are alike.
#[derive(Debug)]
pub struct BlockShape {
    /// The intervals of each block.
    intervals: Vec<Vec<Interval>>,
    /// The logarithm of each block's size.
    pub(crate) logs: Vec<usize>,
    /// For each axis the index after the last.
    pub(crate) ends: Vec<usize>,
    /// The last intervals that blocks have, axis by axis from the last one to the first.
    pub(crate) levels: Vec<Level>,
    /// For each block its suffix in the last of the levels.
    pub(crate) suffixes: Vec<usize>,
}

/// The different suffixes of blocks that begin with one axis.
#[derive(Debug)]
pub(crate) struct Level {
    /// The different intervals of the axis, each with the logarithm of the size of what is after it. For an interval
    /// of a single index, which has no coordinates, this is 0.
    pub(crate) pieces: Vec<(Interval, usize)>,
    /// Each suffix: its interval by its index in `pieces`, and the suffix after it in the level before.
    pub(crate) suffixes: Vec<(usize, usize)>,
}

impl BlockShape {
    /// The shape of blocks with these intervals.
    ///
    /// # Errors
    /// [`Error::Shape`] for blocks of different numbers of axes.
    pub fn new(intervals: Vec<Vec<Interval>>) -> Result<Self> {
        let axes = intervals.first().map_or(0, Vec::len);
        if intervals.iter().any(|block| block.len() != axes) {
            return Err(Error::Shape("the blocks of a tensor have different numbers of axes"));
        }
        let (mut logs, mut suffixes) = (vec![0_usize; intervals.len()], vec![0; intervals.len()]);
        let (mut ends, mut levels) = (vec![0; axes], Vec::with_capacity(axes));
        for axis in (0..axes).rev() {
            let (mut pieces, mut here) = (Numbering::default(), Numbering::default());
            let blocks = intervals.iter().zip(&mut logs).zip(&mut suffixes);
            for ((block, after), suffix) in blocks {
                let Some(&interval) = block.get(axis) else { continue };
                let piece = pieces.number((interval, if interval.log == 0 { 0 } else { *after }));
                *suffix = here.number((piece, *suffix));
                *after = after.saturating_add(interval.log);
                ends.get_mut(axis).into_iter().for_each(|end| *end = interval.end().max(*end));
            }
            levels.push(Level { pieces: pieces.items, suffixes: here.items });
        }
        Ok(Self { intervals, logs, ends, levels, suffixes })
    }
}

/// Different items in the order in which they came, with their numbers.
struct Numbering<T> {
    items: Vec<T>,
    numbers: HashMap<T, usize>,
}

impl<T> Default for Numbering<T> {
    fn default() -> Self {
        Self { items: Vec::new(), numbers: HashMap::new() }
    }
}

impl<T: Copy + Eq + Hash> Numbering<T> {
    fn number(&mut self, item: T) -> usize {
        let next = self.items.len();
        *self.numbers.entry(item).or_insert_with(|| {
            self.items.push(item);
            next
        })
    }
}

/// The blocks of a tensor.
#[derive(Clone, Debug)]
pub struct TensorBlocks {
    blocks: Vec<DyadicBlock>,
    pub(crate) shape: Arc<BlockShape>,
}

impl TensorBlocks {
    /// Blocks of a shape at their addresses.
    ///
    /// # Errors
    /// [`Error::Shape`] for another number of addresses, and as [`DyadicBlock::new`].
    pub fn of_shape(shape: Arc<BlockShape>, addresses: &[usize]) -> Result<Self> {
        if shape.intervals.len() != addresses.len() {
            return Err(Error::Shape("each block has an address"));
        }
        let blocks = addresses.iter().zip(&shape.intervals);
        let blocks = blocks.map(|(&address, intervals)| DyadicBlock::new(address, intervals.clone()));
        Ok(Self { blocks: blocks.collect::<Result<_>>()?, shape })
    }

    /// These blocks.
    ///
    /// # Errors
    /// As [`BlockShape::new`].
    pub fn new(blocks: Vec<DyadicBlock>) -> Result<Self> {
        let shape = BlockShape::new(blocks.iter().map(|block| block.intervals.clone()).collect())?;
        Ok(Self { blocks, shape: Arc::new(shape) })
    }
}

impl Deref for TensorBlocks {
    type Target = [DyadicBlock];

    fn deref(&self) -> &[DyadicBlock] {
        &self.blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(start: usize, log: usize) -> Interval {
        Interval { start, log }
    }

    #[test]
    fn blocks_are_aligned() {
        assert!(DyadicBlock::new(8, vec![interval(2, 1), interval(4, 2)]).is_ok());
        for (address, start, log) in
            [(4, 4, 3), (8, 4, 3), (1, 0, 1), (0, 0, 40), (0, 1 << 40, 0), (0, 0, 99)]
        {
            assert!(DyadicBlock::new(address, vec![interval(start, log)]).is_err());
        }
    }

    #[test]
    fn a_shape_has_the_suffixes_of_its_blocks() {
        let first = [interval(0, 1), interval(2, 0)];
        let second = [interval(0, 2), interval(4, 0)];
        let blocks = first.iter().flat_map(|&a| second.iter().map(move |&b| vec![a, b])).collect();
        let shape = BlockShape::new(blocks).unwrap();
        assert_eq!((&shape.logs[..], &shape.ends[..]), (&[3, 1, 2, 0][..], &[3, 5][..]));
        let [last, before] = &shape.levels[..] else { panic!("one level an axis") };
        assert_eq!(last.pieces, [(second[0], 0), (second[1], 0)]);
        assert_eq!(last.suffixes, [(0, 0), (1, 0)]);
        // A single index is the same wherever it is.
        assert_eq!(before.pieces, [(first[0], 2), (first[0], 0), (first[1], 0)]);
        assert_eq!(before.suffixes, [(0, 0), (1, 1), (2, 0), (2, 1)]);
        assert_eq!(shape.suffixes, [0, 1, 2, 3]);
        assert!(BlockShape::new(vec![vec![first[0]], vec![]]).is_err());
        assert_eq!(BlockShape::new(vec![vec![second[1]], vec![second[0]]]).unwrap().ends, [5]);
    }

    #[test]
    fn every_block_has_an_address() {
        let shape = Arc::new(BlockShape::new(vec![vec![interval(0, 2)], vec![interval(4, 0)]]).unwrap());
        let blocks = TensorBlocks::of_shape(shape.clone(), &[8, 3]).unwrap();
        assert_eq!(blocks[1], DyadicBlock { address: 3, intervals: vec![interval(4, 0)] });
        assert_eq!(&*TensorBlocks::new(blocks.to_vec()).unwrap(), &*blocks);
        assert!(TensorBlocks::of_shape(shape.clone(), &[8]).is_err());
        assert!(TensorBlocks::of_shape(shape, &[3, 8]).is_err());
    }
}
