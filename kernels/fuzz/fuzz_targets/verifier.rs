//! Every entry point of the verifier's kernels on bytes that the fuzzer chooses.
//!
//! In `kernels`: `cargo +nightly fuzz run verifier`. The same entry points run on random bytes in the unit tests of
//! `deepprove_verifier::drive`, which need no nightly compiler.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| deepprove_verifier::drive::drive(data));
