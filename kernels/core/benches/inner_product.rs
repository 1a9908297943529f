//! The opening's sumcheck: column rounds, claims at query points, row rounds.

mod common;

use std::sync::Arc;

use common::boxes::matrix;
use common::{elements, pool, short, values};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::{EF, F};
use deepprove_kernels::inner_product::InnerProduct;
use deepprove_kernels::terms::{AxisVector, Term, Weights};
use deepprove_kernels::transcript::Transcript;

const LOG_ROWS: usize = 16;
const COLUMNS: usize = 64;
/// Query positions of a first round.
const QUERIES: usize = 68;

fn open_columns(matrices: &[Arc<Vec<F>>], terms: &[Term]) -> InnerProduct {
    let transcript = &mut Transcript::new(b"bench");
    let opened = InnerProduct::open_columns(matrices, LOG_ROWS, terms, &[], elements(1)[0], transcript);
    opened.expect("terms fit the columns").0
}

fn opening(c: &mut Criterion) {
    let pool = pool();
    let matrices = [Arc::new(values(COLUMNS << LOG_ROWS))];
    let point = elements(22);
    let axes = vec![AxisVector::Eq(point[..11].to_vec()), AxisVector::Eq(point[11..].to_vec())];
    let term = Term::new(elements(2)[1], matrix(2048, 2048, 0, LOG_ROWS), Weights::Product(axes));
    let terms = [term.expect("axes fit the boxes")];
    let open = || pool.install(|| open_columns(&matrices, &terms));
    c.bench_function("column rounds of 64 columns of 2^16", |b| b.iter(open));

    let (points, scalars): (Vec<F>, Vec<EF>) = (values(QUERIES), elements(QUERIES));
    c.bench_function("add 68 claims at powers to 2^16 weights", |b| {
        let mut state = open();
        b.iter(|| pool.install(|| state.add_base_claims(&points, &scalars)));
    });
    c.bench_function("16 row rounds", |b| {
        b.iter_batched_ref(
            open,
            |state| pool.install(|| state.rounds(LOG_ROWS, &mut Transcript::new(b"bench"))),
            BatchSize::PerIteration,
        );
    });
}

criterion_group! {
    name = benches;
    config = short();
    targets = opening
}
criterion_main!(benches);
