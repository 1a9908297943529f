//! The opening's sumcheck of WHIR (eprint 2024/1586): sum over addresses of f(a) w(a) = v.
//!
//! f is the matrix of all committed columns, w the weights of all claims, each a term
//! ([`deepprove_verifier::terms`]); address = column * 2^m + row. The first rounds bind the column's bits: a Gram
//! matrix of blocks of columns gives several of them at once, since w there is a short sum of scaled rows. The
//! others bind rows, between the rounds of WHIR that fold the code.

pub mod block_count;
pub mod column_sumcheck;
pub mod columns;
pub mod gram;
pub mod inner_product;
mod jobs;
mod mask;
mod power_weights;
pub mod random_rows;
mod slices;
pub mod weights;
