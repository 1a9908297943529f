//! The opening's sumcheck: column rounds, claims at query points, row rounds.

mod common;

use std::sync::Arc;

use common::blocks::matrix;
use common::{elements, pool, short, values};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::{EF, F};
use deepprove_kernels::parts::opening::PartialOpening;
use deepprove_kernels::parts::residue::Residue;
use deepprove_kernels::whir::inner_product::InnerProduct;
use deepprove_verifier::terms::{AxisVector, Term, Weights};
use deepprove_verifier::transcript::Transcript;

const LOG_ROWS: usize = 16;
const COLUMNS: usize = 64;
/// Query positions of a first round.
const QUERIES: usize = 68;
const LOG_BLOCKS: usize = 5;

/// A claim on a matrix of 2048 x 2048.
fn claim() -> Term {
    let point = elements(22);
    let axes = vec![AxisVector::Eq(point[..11].to_vec()), AxisVector::Eq(point[11..].to_vec())];
    let term = Term::new(elements(2)[1], matrix(2048, 2048, 0, LOG_ROWS), Weights::Product(axes));
    term.expect("axes fit the blocks")
}

fn open_columns(matrices: &[Arc<Vec<F>>], terms: &[Term]) -> InnerProduct {
    let transcript = &mut Transcript::new(b"bench");
    let opened = InnerProduct::open_columns(matrices, LOG_ROWS, terms, &[], elements(1)[0], transcript);
    opened.expect("terms fit the columns").0
}

fn opening(c: &mut Criterion) {
    let pool = pool();
    let matrices = [Arc::new(values(COLUMNS << LOG_ROWS))];
    let terms = [claim()];
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

/// The blocks' Gram matrix and what binds them, where almost all columns share the rows of their weights.
fn blocks(c: &mut Criterion) {
    let (pool, values, terms) = (pool(), values(COLUMNS << LOG_ROWS), [claim()]);
    let challenges = elements(LOG_BLOCKS);
    for log_parts in [0, 4] {
        let part = Residue::new(log_parts, 0).expect("there is a first part");
        let matrices = [Arc::new(part.take(&values))];
        let new = || PartialOpening::new(matrices.to_vec(), LOG_ROWS, &terms, part).expect("terms fit");
        let label = format!("64 columns of 2^16, one of {} parts", 1 << log_parts);
        c.bench_function(&format!("weights of {label}"), |b| b.iter(new));
        let opening = new();
        c.bench_function(&format!("Gram matrix of 32 blocks of {label}"), |b| {
            b.iter(|| pool.install(|| opening.gram(LOG_BLOCKS)));
        });
        c.bench_function(&format!("bind 32 blocks of {label}"), |b| {
            let bind = |opening: &mut PartialOpening| pool.install(|| opening.bind(&challenges));
            b.iter_batched_ref(new, bind, BatchSize::PerIteration);
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = opening, blocks
}
criterion_main!(benches);
