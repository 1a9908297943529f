//! The fraction tree, from columns to the claim about its leaves.

mod common;

use std::sync::Arc;

use common::{elements, pool, short, values};
use criterion::{Criterion, criterion_group, criterion_main};
use deepprove_kernels::logup::leaves::{Column, LeafBlock, Leaves};
use deepprove_kernels::logup::prove;
use deepprove_verifier::transcript::Transcript;

/// Lookups of pairs in blocks of 2^12, as a layer's requantisation makes them.
const LOG_BLOCK: usize = 12;

fn tree(c: &mut Criterion) {
    let pool = pool();
    let column = Column::new(Arc::new(values(1 << LOG_BLOCK)), 0, 1 << LOG_BLOCK).expect("it is whole");
    let scalars = elements(3);
    let blocks = |levels: usize| {
        let leaf_block = |index| LeafBlock {
            leaf: index << LOG_BLOCK,
            len: 1 << LOG_BLOCK,
            multiplicities: None,
            constant: scalars[0],
            terms: vec![(scalars[1], column.clone()), (scalars[2], column.clone())],
        };
        (0..1_usize << (levels - LOG_BLOCK)).map(leaf_block).collect()
    };
    for levels in [15, 19, 22] {
        c.bench_function(&format!("write 2^{levels} leaves"), |b| {
            b.iter(|| pool.install(|| Leaves::new(blocks(levels), levels).map(|leaves| leaves.layer(0))));
        });
        c.bench_function(&format!("fraction tree of 2^{levels} leaves"), |b| {
            b.iter(|| {
                pool.install(|| {
                    let leaves = Leaves::new(blocks(levels), levels)?;
                    prove(leaves.into(), &mut Transcript::new(b"bench"), Vec::new())
                })
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = tree
}
criterion_main!(benches);
