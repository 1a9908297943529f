//! Transcript, hashing, encoding, commitment, opening and evaluation. `THREADS` sets the thread count
//! (default 2), here and in the other benches.

mod common;

use std::hint::black_box;

use common::{elements, pool, short, values};
use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use deepprove_kernels::code::domain::Domain;
use deepprove_kernels::code::reed_solomon::Encoder;
use deepprove_kernels::merkle::commitment::Commitment;
use deepprove_kernels::merkle::tree::MerkleTree;
use deepprove_kernels::poly::univariate::{evaluate_base, evaluate_extension};
use deepprove_verifier::code::{CodeShape, verify_opening};
use deepprove_verifier::hashing::{hash_leaves, padded_width};
use deepprove_verifier::transcript::Transcript;

fn transcript(c: &mut Criterion) {
    let mut transcript = Transcript::new(b"bench");
    c.bench_function("transcript: absorb 40 bytes, draw a challenge", |b| {
        b.iter(|| {
            transcript.absorb("round", black_box(&[7; 40]));
            transcript.challenge("challenge")
        });
    });
}

fn merkle(c: &mut Criterion) {
    let pool = pool();
    for width in [8, 16, 64, 80] {
        let rows = values(width << 13);
        let mut digests = vec![[0; 32]; 1 << 13];
        c.bench_function(&format!("hash 2^13 leaves of {width} values, one thread"), |b| {
            b.iter(|| {
                hash_leaves(
                    width,
                    |i, leaves| {
                        let rows = rows[i * width..].chunks_exact(width);
                        let leaves = leaves.chunks_exact_mut(padded_width(width));
                        rows.zip(leaves).for_each(|(row, leaf)| leaf[..width].copy_from_slice(row));
                    },
                    &mut digests,
                )
            });
        });
    }
    c.bench_function("tree over 2^19 leaves", |b| {
        b.iter_batched(
            || vec![[1; 32]; 1 << 19],
            |leaves| MerkleTree::new(leaves, &pool),
            BatchSize::LargeInput,
        );
    });
}

fn encode(c: &mut Criterion) {
    let pool = pool();
    let encoder = Encoder::default();
    for (log_rows, columns, log_inverse_rate) in [
        (16, 64, 3),
        (16, 96, 3),
        (16, 80, 5),
        (10, 16, 3),
        (10, 96, 3),
        (9, 16, 4),
        (17, 3, 3),
        (12, 30, 3),
        (15, 60, 3),
    ] {
        let values = values(columns << log_rows);
        let domain = Domain::new(log_rows, log_inverse_rate).expect("a valid code");
        c.bench_function(&format!("encode 2^{log_rows} x {columns} at 2^-{log_inverse_rate}"), |b| {
            b.iter(|| encoder.encode(&values, columns, &domain, &pool));
        });
    }
    let column = values(1 << 20);
    let domain = Domain::new(20, 3).expect("a valid code");
    for (part, log_parts) in [("all", 0), ("a sixteenth", 4)] {
        let domain = domain.part(log_parts, 0).expect("a part of it");
        for count in [1 << 20, 113_000] {
            c.bench_function(&format!("encode {part} of a column, {count} of 2^20 values, at 2^-3"), |b| {
                b.iter(|| encoder.encode(&column[..count], 1, &domain, &pool));
            });
        }
    }
    for (log_rows, columns, log_inverse_rate, random) in [
        (16, 64, 3, 1000),
        (10, 96, 3, 1000),
        (9, 52, 6, 500),
        (9, 52, 6, 600),
        (20, 1, 3, 2000),
        (15, 6, 3, 1000),
    ] {
        let (matrix, random_rows) = (values(columns << log_rows), values(columns * random));
        let domain = Domain::new(log_rows, log_inverse_rate).expect("a valid code");
        for (rows, random_rows) in [("no", &[][..]), (&random.to_string(), &random_rows)] {
            let name =
                format!("encode 2^{log_rows} x {columns} at 2^-{log_inverse_rate}, {rows} random rows");
            c.bench_function(&name, |b| {
                b.iter(|| encoder.encode_hiding(&matrix, random_rows, columns, &domain, &pool));
            });
        }
    }
    for (log_rows, columns) in [(12, 16), (16, 1)] {
        let extension = elements(columns << log_rows);
        let domain = Domain::new(log_rows, 3).expect("a valid code");
        c.bench_function(&format!("encode 2^{log_rows} x {columns} extension columns at 2^-3"), |b| {
            b.iter(|| encoder.encode(&extension, columns, &domain, &pool));
        });
    }
}

fn commit(c: &mut Criterion) {
    let pool = pool();
    let encoder = Encoder::default();
    for (log_rows, columns, log_inverse_rate, log_group) in
        [(16, 64, 3, 0), (9, 52, 6, 0), (9, 6, 6, 1), (15, 1, 3, 3), (20, 1, 3, 3)]
    {
        let name = format!("2^{log_rows} x {columns} at 2^-{log_inverse_rate}, groups of 2^{log_group}");
        let values = values(columns << log_rows);
        let shape = CodeShape::new(log_rows, columns, log_inverse_rate, log_group).expect("a valid shape");
        let commit = || Commitment::commit(&values, shape, &encoder, &pool).expect("values fit");
        c.bench_function(&format!("commit {name}"), |b| b.iter(commit));
        let commitment = commit();
        let leaves = 1 << shape.height();
        let indices: Vec<usize> = (0..60).map(|i| i * (leaves / 60)).collect();
        c.bench_function(&format!("open 60 leaves of {name}"), |b| b.iter(|| commitment.open(&indices)));
        let (root, opening) = (commitment.root(), commitment.open(&indices).expect("valid indices"));
        c.bench_function(&format!("verify 60 leaves of {name}"), |b| {
            b.iter(|| verify_opening(&root, &shape, &indices, &opening.rows, &opening.nodes));
        });
    }
}

fn evaluate(c: &mut Criterion) {
    let pool = pool();
    let z = elements(2)[1];
    let base = values(1 << 22);
    c.bench_function("evaluate 2^22 base coefficients", |b| b.iter(|| evaluate_base(&base, z, &pool)));
    let extension = elements(1 << 18);
    c.bench_function("evaluate 2^18 extension coefficients", |b| {
        b.iter(|| evaluate_extension(&extension, z, &pool));
    });
}

criterion_group! {
    name = benches;
    config = short();
    targets = transcript, merkle, encode, commit, evaluate
}
criterion_main!(benches);
