//! The Fiat-Shamir transcript, lent to kernels that send values themselves.

use deepprove_verifier::transcript as core;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::rejection::raise;
use crate::scalar::Extension;
use crate::vectors::ExtensionVector;

/// A labelled BLAKE3 transcript.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct Transcript(pub core::Transcript);

#[pymethods]
impl Transcript {
    #[new]
    fn new(protocol: &[u8]) -> Self {
        Self(core::Transcript::new(protocol))
    }

    /// A transcript of the same history, which goes on by itself.
    fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    fn absorb(&mut self, label: &str, data: &[u8]) {
        self.0.absorb(label, data);
    }

    fn absorb_extension(&mut self, label: &str, values: &ExtensionVector) {
        self.0.absorb_extension(label, &values.0);
    }

    fn challenge(&mut self, label: &str) -> Extension {
        Extension(self.0.challenge(label))
    }

    fn challenges(&mut self, label: &str, count: usize) -> ExtensionVector {
        ExtensionVector(self.0.challenges(label, count))
    }

    /// Indices below 2^bits, with replacement, in the order of drawing.
    fn indices(&mut self, label: &str, count: usize, bits: usize) -> PyResult<Vec<usize>> {
        self.0.indices(label, count, bits).map_err(raise)
    }

    fn digest<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.digest())
    }
}

/// BLAKE3 of bytes under a given context.
#[pyfunction]
fn digest<'py>(py: Python<'py>, context: &str, data: &[u8]) -> Bound<'py, PyBytes> {
    let mut transcript = core::Transcript::new(context.as_bytes());
    transcript.absorb("digest", data);
    PyBytes::new(py, &transcript.digest())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Transcript>()?;
    module.add_function(wrap_pyfunction!(digest, module)?)
}
