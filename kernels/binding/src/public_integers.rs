//! The integers of a statement, and the bytes that it has of them: see `protocol/messages/public_integers.py`.

use deepprove_verifier::integer_code;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arrays::SignedIntegers;
use crate::rejection::raise;

/// Integers of 4 bytes each, little-endian, of both signs.
pub fn signed(bytes: &[u8]) -> PyResult<Vec<i32>> {
    let (numbers, rest) = bytes.as_chunks();
    if rest.is_empty() {
        return Ok(numbers.iter().map(|&number| i32::from_le_bytes(number)).collect());
    }
    Err(PyValueError::new_err("integers have 4 bytes"))
}

/// The bytes of integers from `least` to `largest`.
#[pyfunction]
fn encode_integers<'py>(
    py: Python<'py>,
    values: SignedIntegers<'_>,
    least: i64,
    largest: i64,
) -> PyResult<Bound<'py, PyBytes>> {
    let bytes = integer_code::encode(&values.widened()?, &(least..=largest)).map_err(raise)?;
    Ok(PyBytes::new(py, &bytes))
}

/// The integers that bytes stand for, with 4 bytes each: see `signed`.
#[pyfunction]
fn decode_integers<'py>(
    py: Python<'py>,
    data: &[u8],
    count: usize,
    least: i64,
    largest: i64,
) -> PyResult<Bound<'py, PyBytes>> {
    let values = integer_code::decode(data, count, &(least..=largest)).map_err(raise)?;
    let narrow: Result<Vec<i32>, _> = values.into_iter().map(i32::try_from).collect();
    let narrow = narrow.map_err(|_| PyValueError::new_err("an integer takes more than 4 bytes"))?;
    Ok(PyBytes::new(py, &narrow.into_iter().flat_map(i32::to_le_bytes).collect::<Vec<_>>()))
}

/// The most bytes of so many integers.
#[pyfunction]
fn most_integer_bytes(count: usize, least: i64, largest: i64) -> PyResult<usize> {
    integer_code::most_bytes(count, &(least..=largest)).map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(encode_integers, module)?)?;
    module.add_function(wrap_pyfunction!(decode_integers, module)?)?;
    module.add_function(wrap_pyfunction!(most_integer_bytes, module)?)
}
