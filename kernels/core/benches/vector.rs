//! Vectors of extension elements: inner products, folding, equality tables.

mod common;

use std::hint::black_box;

use common::{elements, pool, short, values};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::vector::{ExtVector, dot, pack, unpack};
use deepprove_kernels::field::{EF, PackedEF, PackedF};
use deepprove_kernels::poly::eq::{eq_packs, eq_scalars};
use p3_field::PackedValue;

/// In the nearest cache, so that arithmetic is measured: 2^9 packs.
fn products(c: &mut Criterion) {
    let (a, b) = (pack(&elements(1 << 13)), values(1 << 13));
    let r = PackedEF::from(elements(2)[1]);
    c.bench_function("2^13 extension x extension products, one thread", |bench| {
        bench.iter(|| a.iter().map(|&x| black_box(r) * x).sum::<PackedEF>());
    });
    c.bench_function("2^13 base x extension products, one thread", |bench| {
        bench.iter(|| a.iter().zip(PackedF::pack_slice(&b)).map(|(&x, &y)| x * y).sum::<PackedEF>());
    });
}

fn layouts(c: &mut Criterion) {
    let (scalars, packs) = (elements(1 << 12), pack(&elements(1 << 12)));
    c.bench_function("pack 2^12 extension elements", |b| b.iter(|| pack(black_box(&scalars))));
    c.bench_function("unpack 2^12 extension elements", |b| b.iter(|| unpack(black_box(&packs))));
}

fn vectors(c: &mut Criterion) {
    let pool = pool();
    for log in [12, 16, 20] {
        let scalars = elements(1 << log);
        let vector = ExtVector::from_scalars(&scalars);
        let r = elements(2)[1];
        c.bench_function(&format!("inner product of 2^{log} extension elements"), |b| {
            b.iter(|| dot(&scalars, &scalars));
        });
        c.bench_function(&format!("fold 2^{log} extension elements"), |b| {
            b.iter_batched_ref(|| vector.clone(), |v| pool.install(|| v.fold(r)), BatchSize::PerIteration);
        });
    }
}

fn equality(c: &mut Criterion) {
    let point = elements(16);
    c.bench_function("eq table of 16 variables, scalars", |b| {
        b.iter(|| eq_scalars(black_box(&point), EF::from(values(2)[1])));
    });
    c.bench_function("eq table of 16 variables, packs", |b| b.iter(|| eq_packs(black_box(&point))));
}

criterion_group! {
    name = benches;
    config = short();
    targets = products, layouts, vectors, equality
}
criterion_main!(benches);
