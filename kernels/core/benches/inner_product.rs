//! The opening's sumcheck: column rounds, claims at query points, row rounds.

mod common;

use std::sync::Arc;

use common::blocks::matrix;
use common::{elements, pool, short, values};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::{EF, F};
use deepprove_kernels::parts::opening::PartialOpening;
use deepprove_kernels::parts::residue::Residue;
use deepprove_kernels::whir::column_sumcheck::ColumnSumcheck;
use deepprove_kernels::whir::gram::Gram;
use deepprove_kernels::whir::inner_product::InnerProduct;
use deepprove_kernels::whir::random_rows::RandomRows;
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
    let axes = vec![AxisVector::eq(point[..11].to_vec()), AxisVector::eq(point[11..].to_vec())];
    let term = Term::new(elements(2)[1], matrix(2048, 2048, 0, LOG_ROWS), Weights::Product(axes));
    term.expect("axes fit the blocks")
}

fn open_columns(matrices: &[Arc<Vec<F>>], terms: &[Term]) -> InnerProduct {
    let transcript = &mut Transcript::new(b"bench");
    let (columns, random, claim) = ((matrices, &order()[..]), RandomRows::default(), elements(1)[0]);
    let opened = InnerProduct::open_columns(columns, LOG_ROWS, terms, &[], &random, claim, transcript);
    opened.expect("terms fit the columns").state
}

/// The columns in their order.
fn order() -> Vec<usize> {
    (0..COLUMNS).collect()
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
        let new =
            || PartialOpening::new(matrices.to_vec(), order(), LOG_ROWS, &terms, part).expect("terms fit");
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

/// What random rows of all columns add to the column rounds.
fn random_rows(c: &mut Criterion) {
    for (columns, rows) in [(32, 400), (64, 400), (256, 1000)] {
        let random = RandomRows {
            addresses: (0..columns).collect(),
            values: values(columns * rows),
            weights: elements(columns * rows),
        };
        c.bench_function(&format!("column rounds of {rows} random rows of {columns} columns"), |b| {
            let new = || {
                ColumnSumcheck::new(columns, LOG_ROWS, &[], &random, elements(1)[0]).expect("the rows fit")
            };
            let run = |rounds: &mut ColumnSumcheck| {
                let transcript = &mut Transcript::new(b"bench");
                while rounds.remaining() > 0 {
                    let gram = Gram::from_values(elements(4), 1).expect("a matrix of four entries");
                    rounds.gram(gram, transcript);
                }
            };
            b.iter_batched_ref(new, run, BatchSize::PerIteration);
        });
    }
}

criterion_group! {
    name = benches;
    config = short();
    targets = opening, blocks, random_rows
}
criterion_main!(benches);
