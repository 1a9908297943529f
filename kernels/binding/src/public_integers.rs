//! The integers of a statement, as the bytes that it has: see `protocol/messages/public_integers.py`.

use std::cmp::Reverse;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Little-endian numbers of 1, 2 or 4 bytes each.
pub fn unsigned(bytes: &[u8], width: usize) -> PyResult<impl Iterator<Item = i64>> {
    if !matches!(width, 1 | 2 | 4) || !bytes.len().is_multiple_of(width) {
        return Err(PyValueError::new_err("numbers have 1, 2 or 4 bytes"));
    }
    let number = |bytes: &[u8]| bytes.iter().rev().fold(0, |high, &low| high << 8 | i64::from(low));
    Ok(bytes.chunks_exact(width).map(number))
}

/// The index of the largest of some unsigned little-endian numbers, of the first one if there are several.
#[pyfunction]
fn index_of_largest(numbers: &[u8], width: usize) -> PyResult<usize> {
    let largest = unsigned(numbers, width)?.enumerate().max_by_key(|&(index, v)| (v, Reverse(index)));
    largest.map(|(index, _)| index).ok_or_else(|| PyValueError::new_err("of no numbers none is the largest"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(index_of_largest, module)?)
}
