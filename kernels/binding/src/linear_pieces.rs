//! Functions by linear pieces.

use deepprove_verifier::linear_pieces::{self, Malformed};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

/// A piecewise linear function on the offsets from 0 on: its canonical pieces.
#[pyclass(frozen, eq, hash, module = "deepprove_dist._kernels")]
#[derive(PartialEq, Eq, Hash)]
pub struct LinearPieces(pub linear_pieces::LinearPieces);

#[pymethods]
impl LinearPieces {
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        linear_pieces::LinearPieces::from_bytes(bytes).map(Self).map_err(malformed)
    }

    #[staticmethod]
    fn from_values(values: PyReadonlyArray1<'_, i64>) -> PyResult<Self> {
        let values = values.as_slice().map_err(|error| PyValueError::new_err(error.to_string()))?;
        linear_pieces::LinearPieces::from_values(values).map(Self).map_err(malformed)
    }

    /// q on `size` arguments q from `first` on.
    #[staticmethod]
    fn identity(first: i32, size: usize) -> PyResult<Self> {
        linear_pieces::LinearPieces::identity(first, size).map(Self).map_err(malformed)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }

    /// The number of pieces.
    fn __len__(&self) -> usize {
        self.0.pieces().len()
    }

    /// The number of values.
    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// The least and the largest value.
    #[getter]
    fn interval(&self) -> (i32, i32) {
        self.0.interval()
    }

    /// Each piece: its first offset, its value there, and its slope.
    fn rows(&self) -> Vec<(usize, i32, i32)> {
        self.0.pieces().iter().map(|piece| (piece.start, piece.value, piece.slope)).collect()
    }

    fn values<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i64>> {
        self.0.values().into_pyarray(py)
    }
}

fn malformed(error: Malformed) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LinearPieces>()
}
