//! Blocks of weight matrices, as the layout makes them.

use std::sync::Arc;

use deepprove_verifier::blocks::{DyadicBlock, Interval, TensorBlocks};

/// The dyadic intervals of [0, size), longest first.
fn intervals(size: usize) -> Vec<Interval> {
    let logs = (0..usize::BITS as usize).rev().filter(|log| size >> log & 1 == 1);
    logs.map(|log| Interval { start: size >> (log + 1) << (log + 1), log }).collect()
}

/// The blocks of a matrix of `rows` x `columns` from `address` on, largest first, none above 2^`log_rows`.
pub fn matrix(rows: usize, columns: usize, mut address: usize, log_rows: usize) -> Arc<TensorBlocks> {
    let mut blocks = Vec::new();
    for row in intervals(rows) {
        for column in intervals(columns) {
            let log = row.log.min(log_rows - column.log);
            let part = |i: usize| Interval { start: row.start + (i << log), log };
            blocks.extend((0..1 << (row.log - log)).map(|i| vec![part(i), column]));
        }
    }
    let mut blocks: Vec<_> =
        blocks.into_iter().map(|intervals| DyadicBlock { address: 0, intervals }).collect();
    blocks.sort_by_key(|b| std::cmp::Reverse(b.log_size()));
    for b in &mut blocks {
        b.address = address;
        address += 1 << b.log_size();
    }
    Arc::new(TensorBlocks::new(blocks).expect("blocks of two axes"))
}
