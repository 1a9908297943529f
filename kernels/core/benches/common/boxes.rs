//! Boxes of weight matrices, as the layout makes them.

use std::sync::Arc;

use deepprove_kernels::terms::{Interval, TensorBox};

/// The dyadic intervals of [0, size), longest first.
fn intervals(size: usize) -> Vec<Interval> {
    let logs = (0..usize::BITS as usize).rev().filter(|log| size >> log & 1 == 1);
    logs.map(|log| Interval { start: size >> (log + 1) << (log + 1), log }).collect()
}

/// The boxes of a matrix of `rows` x `columns` from `address` on, largest first, none above 2^`log_rows`.
pub fn matrix(rows: usize, columns: usize, mut address: usize, log_rows: usize) -> Arc<Vec<TensorBox>> {
    let mut boxes = Vec::new();
    for row in intervals(rows) {
        for column in intervals(columns) {
            let log = row.log.min(log_rows - column.log);
            let part = |i: usize| Interval { start: row.start + (i << log), log };
            boxes.extend((0..1 << (row.log - log)).map(|i| vec![part(i), column]));
        }
    }
    let mut boxes: Vec<_> = boxes.into_iter().map(|intervals| TensorBox { address: 0, intervals }).collect();
    boxes.sort_by_key(|b| std::cmp::Reverse(b.log_size()));
    for b in &mut boxes {
        b.address = address;
        address += 1 << b.log_size();
    }
    Arc::new(boxes)
}
