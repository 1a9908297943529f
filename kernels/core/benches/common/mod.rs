//! What all benches share: the binding's allocator, threads, reproducible values, short runs.

#![allow(dead_code, reason = "each bench compiles this module and uses a part of it")]

pub mod blocks;

use std::time::Duration;

use criterion::Criterion;
use deepprove_kernels::field::{EF, EXTENSION_DEGREE, F};
use deepprove_kernels::pool::Pool;
use p3_field::BasedVectorSpace;

/// The allocator of the binding: the default one returns large blocks to the system, and touching fresh
/// pages takes several times as long as encoding.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `THREADS` threads, 2 where it is not set.
pub fn pool() -> Pool {
    let threads = std::env::var("THREADS").map_or(2, |text| text.parse().expect("THREADS is a number"));
    Pool::new(threads).expect("threads start")
}

/// Base elements, different ones.
pub fn values(count: usize) -> Vec<F> {
    (0..count as u32).map(|i| F::new(i.wrapping_mul(2_654_435_761) >> 2)).collect()
}

/// Extension elements, different ones.
pub fn elements(count: usize) -> Vec<EF> {
    EF::reconstitute_from_base(values(EXTENSION_DEGREE * count))
}

/// Few and short samples: all benches together take three minutes.
pub fn short() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .measurement_time(Duration::from_secs(1))
        .warm_up_time(Duration::from_millis(300))
}
