//! The batched sumcheck.

mod common;

use common::{elements, pool, short};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::vector::ExtVector;
use deepprove_kernels::sumcheck::batch::{Instance, prove};
use deepprove_verifier::transcript::Transcript;
use p3_field::PrimeCharacteristicRing;

/// Claims are not checked by the prover: any will do.
fn instances(log: usize, degree: usize, count: usize) -> Vec<Instance> {
    let factor = ExtVector::from_scalars(&elements(1 << log));
    let instance = || Instance { claim: PrimeCharacteristicRing::ONE, factors: vec![factor.clone(); degree] };
    (0..count).map(|_| instance()).collect()
}

fn batch(c: &mut Criterion) {
    let pool = pool();
    let lambda = elements(2)[1];
    for (log, degree, count) in [(16, 2, 1), (16, 3, 1), (10, 2, 8)] {
        c.bench_function(&format!("sumcheck of {count} x 2^{log}, degree {degree}"), |b| {
            b.iter_batched(
                || (instances(log, degree, count), Transcript::new(b"bench")),
                |(batch, mut transcript)| pool.install(|| prove(batch, lambda, &mut transcript)),
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
