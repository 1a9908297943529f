//! What a verifier of deepprove-dist computes: no unsafe code, no indexing, no panic, no thread, no Python.
//!
//! Data from a proof is never trusted: each function says by a typed error which check a proof fails. The
//! prover's crate, `deepprove-kernels`, builds on this one, and shares with it whatever both sides compute.
//!
//! | module | what it computes | source |
//! | --- | --- | --- |
//! | [`error`] | [`error::Check`], all checks, and [`error::Rejection`], one that failed | |
//! | [`field`] | KoalaBear, its quintic extension, canonical encodings | Plonky3 |
//! | [`transcript`] | challenges from all that was sent (Fiat-Shamir) | BLAKE3 |
//! | [`eq`] | the equality polynomial, expanded or in closed form | Thaler, eprint 2013/351 |
//! | [`axis_weights`] | weights on the axes of expressions, and what index maps make of them | |
//! | `bits` | bytes as bits | |
//! | [`blocks`] | where tensors stand: dyadic blocks | |
//! | [`expression`] | affine expressions as terms of claims | |
//! | [`leaves`] | blocks of a fraction tree's leaves | |
//! | [`terms`] | weights of linear claims | |
//! | [`evaluation`] | their multilinear extension at a point | |
//! | [`index_map`] | weights along an axis that follows another | |
//! | [`index_list`] | the same for indices in a list | |
//! | [`integer_code`] | public integers, in the shortest of three forms | Rice and Plaunt 1971 |
//! | [`item_count`] | lists in a file, before objects are made of them | msgpack |
//! | [`linear_pieces`] | piecewise linear tables, and the bytes that stand for them | LEB128, zigzag |
//! | [`table`] | their multilinear extensions | |
//! | [`hashing`] | digests of leaves and of nodes, many at a time | BLAKE3 |
//! | [`merkle`] | openings of several leaves at once | |
//! | [`code`] | opened rows of a Reed-Solomon code, and what they fold to | WHIR, eprint 2024/1586 |
//! | [`sumcheck`] | a batch of sumchecks in lockstep | Lund, Fortnow, Karloff, Nisan 1992 |
//! | [`logup`] | fraction trees | eprint 2023/1284 and 2024/108 |
//! | [`whir`] | rounds of the opening's sumcheck | WHIR, eprint 2024/1586 |

#![forbid(unsafe_code)]
#![cfg_attr(
    not(any(test, feature = "testing")),
    deny(
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::unreachable,
        clippy::todo,
        clippy::unimplemented,
        clippy::unwrap_in_result,
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        missing_docs
    )
)]

mod at_point;
mod axis_values;
pub mod axis_weights;
mod bits;
pub mod blocks;
pub mod code;
#[cfg(any(test, feature = "testing"))]
pub mod drive;
pub mod eq;
mod eq_prefixes;
pub mod error;
pub mod evaluation;
pub mod expression;
pub mod field;
pub mod hashing;
pub mod index_list;
pub mod index_map;
pub mod integer_code;
pub mod item_count;
pub mod leaves;
pub mod linear_pieces;
pub mod logup;
pub mod merkle;
pub mod sumcheck;
pub mod table;
pub mod terms;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod transcript;
pub mod whir;
