//! Weight vectors of claims: the prover's expansion, the verifier's evaluation, tables.

mod common;

use common::blocks::matrix;
use common::{elements, short};
use criterion::{Criterion, criterion_group, criterion_main};
use deepprove_kernels::field::{PackedEF, WIDTH};
use deepprove_kernels::parts::residue::Residue;
use deepprove_kernels::whir::weights::WeightVector;
use deepprove_verifier::linear_pieces::LinearPieces;
use deepprove_verifier::table;
use deepprove_verifier::terms::{AxisVector, Term, Weights, evaluate};
use p3_field::PrimeCharacteristicRing;

const LOG_ROWS: usize = 15;
/// Columns that four matrices of 1000 x 1000 fill.
const COLUMNS: usize = 128;

/// One claim, a product of two equality vectors, on each of four matrices of 1000 x 1000.
fn claims() -> Vec<Term> {
    let claim = |k: usize| {
        let point = elements(20);
        let axes = vec![AxisVector::eq(point[..10].to_vec()), AxisVector::eq(point[10..].to_vec())];
        let blocks = matrix(1000, 1000, k << 20, LOG_ROWS);
        Term::new(elements(2)[1], blocks, Weights::Product(axes)).expect("axes fit the blocks")
    };
    (0..4).map(claim).collect()
}

fn weights(c: &mut Criterion) {
    let terms = claims();
    c.bench_function("expand claims on four matrices of 1000 x 1000, one thread", |b| {
        b.iter(|| {
            let weights =
                WeightVector::new(&terms, COLUMNS << LOG_ROWS, LOG_ROWS, Residue::WHOLE).expect("blocks fit");
            let mut chunk = vec![PackedEF::ZERO; (1 << weights.log_chunk()) / WIDTH];
            for index in 0..COLUMNS << (LOG_ROWS - weights.log_chunk()) {
                weights.add_chunk(index, PrimeCharacteristicRing::ONE, &mut chunk);
            }
            chunk
        });
    });
    let point = elements(22);
    c.bench_function("evaluate claims on four matrices of 1000 x 1000 at a point", |b| {
        b.iter(|| evaluate(&terms, &point));
    });
}

fn tables(c: &mut Criterion) {
    // A curve, of which a step in two has a bend.
    let curve: Vec<i64> =
        (0..1 << 18).map(|q| (3e4 * f64::from(q).mul_add(1e-4, 0.5).sin()) as i64).collect();
    let function = LinearPieces::from_values(&curve).expect("values are in the field");
    let (bytes, point, count) = (function.to_bytes(), elements(18), function.pieces().len());
    c.bench_function(&format!("read a table of {count} pieces"), |b| {
        b.iter(|| LinearPieces::from_bytes(&bytes));
    });
    c.bench_function(&format!("evaluate a table of {count} pieces"), |b| {
        b.iter(|| table::evaluate(function.pieces(), 0, &point));
    });
}

criterion_group! {
    name = benches;
    config = short();
    targets = weights, tables
}
criterion_main!(benches);
