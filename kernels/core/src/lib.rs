//! Arithmetic kernels of deepprove-dist's prover. No Python here: the binding crate is a thin layer on top.
//!
//! What a verifier computes is [`deepprove_verifier`], which this crate builds on: the encodings, the
//! transcript, the hashes, and each verifier that a prover here answers to.
//!
//! | module | what it computes | source |
//! | --- | --- | --- |
//! | [`field`] | packs of field elements, vectors over a hypercube, encodings of whole slices | Plonky3 |
//! | [`integers`] | exact sums of products of small integers, as inferences have them; parts of elements | |
//! | [`poly`] | equality polynomials, univariate values, bound axes, spread taps, tensors by address | Thaler, eprint 2013/351 |
//! | [`code`] | Reed-Solomon codes of a matrix's columns | Frigo et al., FOCS 1999 |
//! | [`merkle`] | trees over the rows of a code: commitments and their openings | BLAKE3 |
//! | [`sumcheck`] | products of multilinear polynomials, many instances in lockstep | Lund et al., 1992 |
//! | [`logup`] | fraction trees | Papini, Haboeck, eprint 2023/1284; Gruen, eprint 2024/108 |
//! | [`whir`] | the opening's sumcheck of committed columns and weights | WHIR, eprint 2024/1586 |
//! | [`parts`] | shares of commitments, trees and openings, and how they are joined | decision 0002 |
//! | [`pads`] | what hides a prover's messages | |
//! | [`samples`] | what set-up measures of tensors on samples | |
//! | [`stream`] | uniform values from a seed | BLAKE3 |
//! | [`pool`] | threads | rayon |
//! | [`error`] | what is refused | |

pub mod code;
pub mod error;
pub mod field;
pub mod integers;
pub mod logup;
pub mod merkle;
pub mod pads;
pub mod parts;
pub mod poly;
pub mod pool;
pub mod samples;
pub mod stream;
pub mod sumcheck;
pub mod whir;
