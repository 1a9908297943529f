//! Binding the axes of a weight matrix: small integers times extension elements.

mod common;

use common::{elements, pool, short, values};
use criterion::{Criterion, criterion_group, criterion_main};
use deepprove_kernels::poly::axes::{AxisShape, bind_base};
use deepprove_kernels::poly::integer_axes::bind_integers;

fn bind(c: &mut Criterion) {
    let pool = pool();
    for (rows, columns) in [(1000, 1000), (128, 64)] {
        let (tensor, weights) = (values(rows * columns), elements(rows));
        let integers: Vec<i8> = (0..rows * columns).map(|i| (i * i % 251) as i8).collect();
        let wide: Vec<i16> = integers.iter().map(|&value| 16 * i16::from(value)).collect();
        let outer = AxisShape { outer: 1, axis: rows, inner: columns };
        c.bench_function(&format!("bind the outer axis of {rows} x {columns}"), |b| {
            b.iter(|| pool.install(|| bind_base(&tensor, outer, &weights)));
        });
        c.bench_function(&format!("bind the outer axis of {rows} x {columns} bytes"), |b| {
            b.iter(|| pool.install(|| bind_integers(&integers, outer, &weights)));
        });
        c.bench_function(&format!("bind the outer axis of {rows} x {columns} integers of 12 bits"), |b| {
            b.iter(|| pool.install(|| bind_integers(&wide, outer, &weights)));
        });
        let weights = elements(columns);
        let inner = AxisShape { outer: rows, axis: columns, inner: 1 };
        c.bench_function(&format!("bind the inner axis of {rows} x {columns}"), |b| {
            b.iter(|| pool.install(|| bind_base(&tensor, inner, &weights)));
        });
        c.bench_function(&format!("bind the inner axis of {rows} x {columns} bytes"), |b| {
            b.iter(|| pool.install(|| bind_integers(&integers, inner, &weights)));
        });
        c.bench_function(&format!("bind the inner axis of {rows} x {columns} integers of 12 bits"), |b| {
            b.iter(|| pool.install(|| bind_integers(&wide, inner, &weights)));
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = bind
}
criterion_main!(benches);
