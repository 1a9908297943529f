//! The fraction tree, from columns to the claim about its leaves.

mod common;

use common::{elements, pool, short, values};
use criterion::{Criterion, criterion_group, criterion_main};
use deepprove_kernels::fraction::prove;
use deepprove_kernels::leaves::{LeafBox, build};
use deepprove_kernels::transcript::Transcript;

/// Lookups of pairs in boxes of 2^12, as a layer's requantisation makes them.
const LOG_BOX: usize = 12;

fn tree(c: &mut Criterion) {
    let pool = pool();
    let column = values(1 << LOG_BOX);
    let scalars = elements(3);
    let boxes = |levels: usize| {
        let leaf_box = |index| LeafBox {
            leaf: index << LOG_BOX,
            len: 1 << LOG_BOX,
            multiplicities: None,
            constant: scalars[0],
            terms: vec![(scalars[1], &column[..]), (scalars[2], &column[..])],
        };
        (0..1_usize << (levels - LOG_BOX)).map(leaf_box).collect()
    };
    for levels in [15, 19] {
        c.bench_function(&format!("write 2^{levels} leaves"), |b| {
            b.iter(|| pool.install(|| build(boxes(levels), levels)));
        });
        c.bench_function(&format!("fraction tree of 2^{levels} leaves"), |b| {
            b.iter(|| pool.install(|| prove(build(boxes(levels), levels)?, &mut Transcript::new(b"bench"))));
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = tree
}
criterion_main!(benches);
