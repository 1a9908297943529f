//! The size of a msgpack file.

use deepprove_verifier::item_count;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The lists of a msgpack file and their items; counting stops beyond `most` items. A map is a list too.
#[pyfunction]
fn count_items(bytes: &[u8], most: u64) -> PyResult<(u64, u64)> {
    let count = item_count::count_items(bytes, most);
    let count = count.ok_or_else(|| PyValueError::new_err("not the bytes of a file"))?;
    Ok((count.lists, count.items))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(count_items, module)?)
}
