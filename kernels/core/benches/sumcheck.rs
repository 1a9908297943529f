//! The batched sumcheck.

mod common;

use common::{elements, pool, short};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::vector::ExtVector;
use deepprove_kernels::sumcheck::batch::{Instance, prove};
use deepprove_verifier::transcript::Transcript;

fn instances(log: usize, degree: usize, count: usize) -> Vec<Instance> {
    let factor = ExtVector::from_scalars(&elements(1 << log));
    vec![Instance::Factors(vec![factor; degree]); count]
}

fn batch(c: &mut Criterion) {
    let pool = pool();
    let lambda = elements(2)[1];
    for (log, degree, count) in [(16, 2, 1), (16, 3, 1), (10, 2, 8)] {
        c.bench_function(&format!("sumcheck of {count} x 2^{log}, degree {degree}"), |b| {
            b.iter_batched(
                || (instances(log, degree, count), Transcript::new(b"bench")),
                |(batch, mut transcript)| pool.install(|| prove(batch, lambda, &mut transcript, Vec::new())),
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = batch
}
criterion_main!(benches);
