//! Sums of a layer's weights times values of a source, a tile of rows and columns at a time.
//!
//! Products are those of 16 bits. A weight w of 32 bits is low + 2^16 high, of 16 bits each, modulo 2^32. So a row's
//! sum is that of the low parts, and 2^16 times that of the high parts of the taps that have any.

use super::gather::{Block, Gather};
use super::lanes::{LANES, Lanes, ROWS, pair};
use super::rounding::Narrow;

const VECTORS: usize = 2;
const COLUMNS: usize = VECTORS * LANES;

/// Of a row that are packed at once.
const PAIRS: usize = 64;

/// Of fewer rows than these a tile would be mostly empty.
const FEWEST_ROWS: usize = 3;

/// Columns that one row's sums are made for at once, in multiples of WHOLE.
const BLOCK: usize = 256;
const WHOLE: usize = 32;

/// Constant weights [groups, rows, taps] of 32 bits.
pub struct Weights {
    groups: usize,
    rows: usize,
    taps: usize,
    layout: Layout,
    largest: i64,
}

enum Layout {
    Panels {
        low: Panels,
        high: Panels,
        /// The taps of which any weight has a high part.
        high_taps: Vec<usize>,
    },
    /// As they are.
    Rows(Vec<i32>),
}

/// For ROWS rows after the other, a pair of taps of each: [groups, panels, pairs, ROWS].
struct Panels {
    pairs: usize,
    values: Vec<i32>,
}

impl Weights {
    /// Of values of 32 bits in row-major order. None where these are no such array.
    pub fn new<N: Narrow>(groups: usize, rows: usize, values: &[N]) -> Option<Self> {
        let all_rows = groups.checked_mul(rows).filter(|&all| all > 0)?;
        let taps = values.len() / all_rows;
        if taps == 0 || taps * all_rows != values.len() {
            return None;
        }
        let sizes = values.chunks_exact(taps).map(|row| row.iter().map(|value| value.wide().abs()).sum());
        let largest = sizes.max().unwrap_or(0);
        if size_of::<N>() > size_of::<i32>()
            && values.iter().any(|value| i32::try_from(value.wide()).is_err())
        {
            return None;
        }
        let layout = Layout::of(groups, rows, taps, values);
        Some(Self { groups, rows, taps, layout, largest })
    }

    /// The largest sum of the magnitudes of a row.
    pub fn largest(&self) -> i64 {
        self.largest
    }

    pub fn groups(&self) -> usize {
        self.groups
    }

    pub fn taps(&self) -> usize {
        self.taps
    }

    pub fn all_rows(&self) -> usize {
        self.groups * self.rows
    }

    /// Gives `write` the sums of each row over all groups, some columns at a time, with the first one's index.
    ///
    /// The gather has as many taps.
    pub fn multiply(&self, gather: &Gather<'_>, mut write: impl FnMut(usize, usize, &[i32])) {
        assert_eq!(gather.taps(), self.taps);
        match &self.layout {
            Layout::Panels { low, high, high_taps } => {
                let taps = gather.offsets(high_taps);
                self.multiply_panels([low, high], [gather, &gather.with_taps(&taps)], &mut write);
            }
            Layout::Rows(weights) => self.multiply_directly(weights, gather, &mut write),
        }
    }

    fn multiply_panels(
        &self,
        [low, high]: [&Panels; 2],
        gathers: [&Gather<'_>; 2],
        write: &mut impl FnMut(usize, usize, &[i32]),
    ) {
        let (panels, blocks) = (self.rows.div_ceil(ROWS), gathers[0].blocks(COLUMNS));
        let mut sources = [low, high].map(|part| vec![0; part.pairs * COLUMNS]);
        let mut sums = [[0; COLUMNS]; ROWS];
        for group in 0..self.groups {
            for block in &blocks {
                for (gather, sources) in gathers.iter().zip(&mut sources) {
                    pack(gather, group, block, sources);
                }
                for index in 0..panels {
                    let [low, high] = [low, high].map(|part| part.panel(group * panels + index));
                    multiply_tile([low, high], [&sources[0], &sources[1]], &mut sums);
                    let start = index * ROWS;
                    for (row, sums) in sums.iter().enumerate().take(self.rows - start) {
                        write(group * self.rows + start + row, block.first, &sums[..block.count]);
                    }
                }
            }
        }
    }

    fn multiply_directly(
        &self,
        weights: &[i32],
        gather: &Gather<'_>,
        write: &mut impl FnMut(usize, usize, &[i32]),
    ) {
        let (mut values, mut sums, blocks) = ([0; BLOCK], [0i32; BLOCK], gather.blocks(BLOCK));
        for (row, weights) in weights.chunks_exact(self.taps).enumerate() {
            for block in &blocks {
                // Whole vectors, of few columns few.
                let sums = &mut sums[..block.count.next_multiple_of(WHOLE).min(BLOCK)];
                sums.fill(0);
                for (tap, &weight) in weights.iter().enumerate() {
                    gather.read(row / self.rows, tap, block, &mut values[..block.count]);
                    for (sum, &value) in sums.iter_mut().zip(&values) {
                        *sum = sum.wrapping_add(weight.wrapping_mul(i32::from(value)));
                    }
                }
                write(row, block.first, &sums[..block.count]);
            }
        }
    }
}

impl Layout {
    fn of<N: Narrow>(groups: usize, rows: usize, taps: usize, values: &[N]) -> Self {
        if rows < FEWEST_ROWS {
            return Self::Rows(values.iter().map(|value| value.wide() as i32).collect());
        }
        let mut high_taps = Vec::new();
        if size_of::<N>() > size_of::<i16>() {
            let is_high = |index: usize| high_part(values[index]) != 0;
            high_taps = (0..taps).filter(|&tap| (tap..values.len()).step_by(taps).any(is_high)).collect();
        }
        let starts = (0..values.len()).step_by(taps);
        let high: Vec<N> =
            starts.flat_map(|row| high_taps.iter().map(move |tap| values[row + tap])).collect();
        Self::Panels {
            low: Panels::of(groups, rows, taps, values, low_part),
            high: Panels::of(groups, rows, high_taps.len(), &high, high_part),
            high_taps,
        }
    }
}

#[inline(always)]
fn low_part<N: Narrow>(weight: N) -> i16 {
    weight.wide() as i16
}

/// With low + 2^16 high = weight modulo 2^32.
#[inline(always)]
fn high_part<N: Narrow>(weight: N) -> i16 {
    ((weight.wide() - i64::from(low_part(weight))) >> 16) as i16
}

/// The sums of each row of weights [rows, taps] times each row of values [columns, taps], exact in any case.
///
/// Sums are [rows, columns]. Each weight is read once, so few columns take little more time than one.
pub fn multiply_rows(weights: &[i16], values: &[i16], taps: usize, sums: &mut [i64]) {
    let columns = values.len() / taps;
    // So many products of 16 bits always fit.
    let largest = values.iter().map(|&value| i64::from(value).abs()).max().unwrap_or(0).max(1);
    let block = usize::try_from(i64::from(i32::MAX) / (largest << 15)).unwrap_or(1).max(1);
    for (sums, row) in sums.chunks_exact_mut(columns).zip(weights.chunks_exact(taps)) {
        for (sum, values) in sums.iter_mut().zip(values.chunks_exact(taps)) {
            let blocks = row.chunks(block).zip(values.chunks(block));
            *sum = blocks.map(|(weights, values)| i64::from(inner_product(weights, values))).sum();
        }
    }
}

#[inline(always)]
fn inner_product(left: &[i16], right: &[i16]) -> i32 {
    left.iter().zip(right).map(|(&a, &b)| i32::from(a) * i32::from(b)).sum()
}

impl Panels {
    /// Of a part of each weight [groups, rows, taps]; rows beyond the last, and a tap beyond it, are zero.
    fn of<N: Narrow>(
        groups: usize,
        rows: usize,
        taps: usize,
        weights: &[N],
        part: impl Fn(N) -> i16,
    ) -> Self {
        let pairs = taps.div_ceil(2);
        let size = rows.div_ceil(ROWS) * ROWS * pairs;
        let mut values = vec![0; groups * size];
        if taps > 0 {
            for (values, weights) in values.chunks_exact_mut(size).zip(weights.chunks_exact(rows * taps)) {
                fill_panels(values, weights, taps, &part);
            }
        }
        Self { pairs, values }
    }

    fn panel(&self, index: usize) -> &[i32] {
        &self.values[index * ROWS * self.pairs..][..ROWS * self.pairs]
    }
}

/// The panels of one group's weights.
fn fill_panels<N: Narrow>(values: &mut [i32], weights: &[N], taps: usize, part: &impl Fn(N) -> i16) {
    let pairs = taps.div_ceil(2);
    for (panel, weights) in values.chunks_exact_mut(ROWS * pairs).zip(weights.chunks(ROWS * taps)) {
        // A block of pairs at a time: rows lie far apart, and what is written stays in the cache.
        for (block, panel) in panel.chunks_mut(ROWS * PAIRS).enumerate() {
            for (row, weights) in weights.chunks_exact(taps).enumerate() {
                let weights = &weights[2 * PAIRS * block..];
                for (packed, weights) in panel[row..].iter_mut().step_by(ROWS).zip(weights.chunks(2)) {
                    *packed = pair(part(weights[0]), weights.get(1).map_or(0, |&weight| part(weight)));
                }
            }
        }
    }
}

/// Pairs of taps of a block's columns [pairs, COLUMNS]; what lies beyond is zero or is not read.
fn pack(gather: &Gather<'_>, group: usize, block: &Block, sources: &mut [i32]) {
    let (mut lower, mut upper) = ([0; COLUMNS], [0; COLUMNS]);
    for (index, sources) in sources.chunks_exact_mut(COLUMNS).enumerate() {
        gather.read(group, 2 * index, block, &mut lower[..block.count]);
        if 2 * index + 1 < gather.taps() {
            gather.read(group, 2 * index + 1, block, &mut upper[..block.count]);
        } else {
            upper.fill(0);
        }
        for ((source, &first), &second) in sources.iter_mut().zip(&lower).zip(&upper) {
            *source = pair(first, second);
        }
    }
}

/// The sums of a panel [pairs, ROWS] and packed sources [pairs, COLUMNS], of low and high parts.
fn multiply_tile(panels: [&[i32]; 2], sources: [&[i32]; 2], sums: &mut [[i32; COLUMNS]; ROWS]) {
    let mut totals = [[Lanes::splat(0); VECTORS]; ROWS];
    if !panels[1].is_empty() {
        add_products(panels[1], sources[1], &mut totals);
        totals.iter_mut().flatten().for_each(|total| *total = total.times_high());
    }
    add_products(panels[0], sources[0], &mut totals);
    for (sums, totals) in sums.iter_mut().zip(&totals) {
        for (sums, total) in sums.as_chunks_mut::<LANES>().0.iter_mut().zip(totals) {
            total.store(sums);
        }
    }
}

#[inline(always)]
fn add_products(panel: &[i32], sources: &[i32], totals: &mut [[Lanes; VECTORS]; ROWS]) {
    let (panel, sources) =
        (panel.as_chunks::<ROWS>().0, sources.as_chunks::<LANES>().0.as_chunks::<VECTORS>().0);
    for (weights, sources) in panel.iter().zip(sources) {
        let sources: [Lanes; VECTORS] = std::array::from_fn(|vector| Lanes::load(&sources[vector]));
        for (totals, &weight) in totals.iter_mut().zip(weights) {
            let weight = Lanes::splat(weight);
            for (total, &source) in totals.iter_mut().zip(&sources) {
                *total = total.add_products(weight, source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(weights: &[i32], groups: usize, rows: usize, gather: &Gather<'_>) -> Vec<Vec<i32>> {
        let taps = gather.taps();
        let mut result = Vec::new();
        for row in 0..groups * rows {
            let mut sums = vec![0i32; gather.columns()];
            for tap in 0..taps {
                let mut values = vec![0; gather.columns()];
                for block in gather.blocks(7) {
                    gather.read(row / rows, tap, &block, &mut values[block.first..][..block.count]);
                }
                for (sum, value) in sums.iter_mut().zip(values) {
                    *sum = sum.wrapping_add(weights[row * taps + tap].wrapping_mul(i32::from(value)));
                }
            }
            result.push(sums);
        }
        result
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_definition(
            groups in 1usize..4,
            rows in 1usize..30,
            taps in 1usize..40,
            columns in 1usize..90,
            step in 1u32..3,
            wide in 0usize..3,
            seed in any::<u64>(),
        ) {
            let mut state = seed;
            let mut next = || {
                state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                (state >> 32) as i32
            };
            // Of none, of one in seven or of all the taps.
            let high = |index: usize| wide == 2 || (wide == 1 && index % taps % 7 == 3);
            let weights = (0..groups * rows * taps).map(|index| next() >> if high(index) { 0 } else { 16 });
            let weights: Vec<i32> = weights.collect();
            let offsets: Vec<u32> = (0..taps as u32).map(|tap| 3 * tap).collect();
            let starts: Vec<u32> = (0..columns as u32).map(|column| step * column + column / 7).collect();
            let source: Vec<i16> = (0..5 * groups + 3 * taps + 4 * columns).map(|_| next() as i16).collect();
            let gather = Gather::new(&source, &offsets, 5, &starts, groups).unwrap();
            let packed = Weights::new(groups, rows, &weights).unwrap();
            let mut sums = vec![vec![0; columns]; groups * rows];
            packed.multiply(&gather, |row, first, part| sums[row][first..first + part.len()].copy_from_slice(part));
            prop_assert_eq!(sums, naive(&weights, groups, rows, &gather));
        }

        #[test]
        fn sums_of_few_columns_are_exact(
            taps in 1usize..2000,
            weights in prop::collection::vec(any::<i16>(), 4000),
            of in -40i16..,
        ) {
            let rows = weights.len() / taps;
            let values: Vec<i16> = (0..3 * taps).map(|index| (index as i16).wrapping_mul(of)).collect();
            let mut sums = vec![0; 3 * rows];
            multiply_rows(&weights, &values, taps, &mut sums);
            for (index, &sum) in sums.iter().enumerate() {
                let (row, column) = (&weights[index / 3 * taps..], &values[index % 3 * taps..]);
                let exact: i64 = row[..taps].iter().zip(column).map(|(&a, &b)| i64::from(a) * i64::from(b)).sum();
                prop_assert_eq!(sum, exact);
            }
        }
    }

    #[test]
    fn extremes_are_exact() {
        let mut sums = [0];
        multiply_rows(&[i16::MIN; 9], &[i16::MIN; 9], 9, &mut sums);
        assert_eq!(sums[0], 9 << 30);
    }

    #[test]
    fn weights_of_more_than_32_bits_are_refused() {
        for rows in [1, FEWEST_ROWS] {
            let mut weights = vec![i64::from(i32::MIN); rows];
            assert!(Weights::new(1, rows, &weights).is_some());
            weights[rows - 1] -= 1;
            assert!(Weights::new(1, rows, &weights).is_none());
        }
    }

    #[test]
    fn offsets_beyond_the_source_are_refused() {
        assert!(Gather::new(&[0; 10], &[0, 3], 2, &[0, 1], 4).is_none());
        assert!(Gather::new(&[0; 11], &[0, 3], 2, &[0, 1], 4).is_some());
        assert!(Weights::new(2, 3, &[0i16; 7]).is_none());
    }
}
