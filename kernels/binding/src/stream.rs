//! Streams of uniform values, and the seeds that they come from.

use std::sync::Arc;

use deepprove_kernels::stream::{self, SEED_BYTES};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use pyo3::types::PyBytes;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::BaseVector;

fn key(bytes: &[u8]) -> PyResult<&[u8; SEED_BYTES]> {
    bytes.try_into().map_err(|_| PyValueError::new_err("a seed has 32 bytes, as a secret has"))
}

/// The seed of a secret of 32 bytes and labelled parts, in their order.
#[pyfunction]
fn derive_seed<'py>(
    py: Python<'py>,
    secret: &[u8],
    parts: Vec<(PyBackedStr, PyBackedBytes)>,
) -> PyResult<Bound<'py, PyBytes>> {
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(label, data)| (&**label, &**data)).collect();
    Ok(PyBytes::new(py, &stream::derive_seed(key(secret)?, &parts)))
}

/// The values `first`, ..., `first + count - 1` of the stream of `label` from a seed of 32 bytes.
#[pyfunction]
#[pyo3(signature = (seed, label, first, count, pool=None))]
fn random_values(
    py: Python<'_>,
    seed: &[u8],
    label: &str,
    first: usize,
    count: usize,
    pool: Option<PyRef<'_, Pool>>,
) -> PyResult<BaseVector> {
    let (seed, pool) = (key(seed)?, pool.as_ref().map(|pool| &pool.0));
    let values = py.detach(|| stream::random_values(seed, label, first, count, pool)).map_err(raise)?;
    Ok(BaseVector(Arc::new(values)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(derive_seed, module)?)?;
    module.add_function(wrap_pyfunction!(random_values, module)?)
}
