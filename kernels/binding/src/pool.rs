//! Threads with an explicit count.

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

/// Threads that kernels run on. Never fork once one exists.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct Pool(pub deepprove_kernels::pool::Pool);

#[pymethods]
impl Pool {
    #[new]
    fn new(threads: usize) -> PyResult<Self> {
        deepprove_kernels::pool::Pool::new(threads).map(Self).map_err(PyRuntimeError::new_err)
    }

    #[getter]
    fn threads(&self) -> usize {
        self.0.threads()
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Pool>()
}
