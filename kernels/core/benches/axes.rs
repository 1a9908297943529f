//! Binding the axes of a weight matrix: small integers times extension elements.

mod common;

use common::{elements, pool, short, values};
use criterion::{Criterion, criterion_group, criterion_main};
use deepprove_kernels::poly::axes::{AxisShape, bind_base};

fn bind(c: &mut Criterion) {
    let pool = pool();
    for (rows, columns) in [(1000, 1000), (128, 64)] {
        let (tensor, weights) = (values(rows * columns), elements(rows));
        let outer = AxisShape { outer: 1, axis: rows, inner: columns };
        c.bench_function(&format!("bind the outer axis of {rows} x {columns}"), |b| {
            b.iter(|| pool.install(|| bind_base(&tensor, outer, &weights)));
        });
        let weights = elements(columns);
        let inner = AxisShape { outer: rows, axis: columns, inner: 1 };
        c.bench_function(&format!("bind the inner axis of {rows} x {columns}"), |b| {
            b.iter(|| pool.install(|| bind_base(&tensor, inner, &weights)));
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = bind
}
criterion_main!(benches);
