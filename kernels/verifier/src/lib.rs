//! What a verifier of deepprove-dist computes. No Python, no thread, no unsafe code, no panic.

#![forbid(unsafe_code)]

pub mod error;
