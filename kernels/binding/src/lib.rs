//! The private Python module `deepprove_dist._kernels`: thin classes and functions over the kernels.
//!
//! Vectors stay in Rust objects; numpy arrays and bytes cross at the edges only. Every kernel that
//! works long releases the interpreter and runs in the pool that it is handed.

mod arrays;
mod axes;
mod claim_terms;
mod claims;
mod commitment;
mod expression;
mod fraction;
mod fraction_parts;
mod index_map;
mod integers;
mod item_count;
mod leaves;
mod linear_pieces;
mod opening;
mod partial_commitment;
mod partial_opening;
mod pool;
mod public_integers;
mod rejection;
mod samples;
mod scalar;
mod small_products;
mod stream;
mod sumcheck;
mod transcript;
mod vectors;

use pyo3::prelude::*;

/// glibc returns large blocks to the system and faults them in again: commitments took 3 to 4 times longer.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What this module was compiled for; `deepprove_dist.kernels` reads it from the file before loading it.
#[used]
static BUILD_RECORD: &str = env!("DEEPPROVE_BUILD_RECORD");

#[pymodule]
fn _kernels(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("BUILD_RECORD", BUILD_RECORD)?;
    rejection::register(module)?;
    pool::register(module)?;
    samples::register(module)?;
    scalar::register(module)?;
    vectors::register(module)?;
    public_integers::register(module)?;
    axes::register(module)?;
    index_map::register(module)?;
    integers::register(module)?;
    small_products::register(module)?;
    item_count::register(module)?;
    linear_pieces::register(module)?;
    transcript::register(module)?;
    stream::register(module)?;
    claims::register(module)?;
    claim_terms::register(module)?;
    expression::register(module)?;
    leaves::register(module)?;
    commitment::register(module)?;
    partial_commitment::register(module)?;
    sumcheck::register(module)?;
    fraction::register(module)?;
    fraction_parts::register(module)?;
    opening::register(module)?;
    partial_opening::register(module)
}
