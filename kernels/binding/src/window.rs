//! Windows of convolutions and pooling.

use deepprove_kernels::window;
use pyo3::prelude::*;

use crate::rejection::raise;
use crate::vectors::ExtensionVector;

/// A window along one axis: place stride * h + dilation * i + offset of an axis of `size` places.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct Window(window::Window);

#[pymethods]
impl Window {
    #[new]
    fn new(size: usize, taps: usize, stride: usize, dilation: usize, offset: i64) -> Self {
        Self(window::Window { size, taps, stride, dilation, offset })
    }

    /// The weights that input places get from `weights` of the output places.
    fn pull(&self, weights: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.pull(&weights.0).map(ExtensionVector).map_err(raise)
    }

    /// The weight of each window place, from weights of output and of input places.
    fn taps(&self, weights: &ExtensionVector, inputs: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.taps(&weights.0, &inputs.0).map(ExtensionVector).map_err(raise)
    }

    /// A tensor [outer, taps, inner] spread to [outer, size, inner].
    fn spread(
        &self,
        tensor: &ExtensionVector,
        outer: usize,
        inner: usize,
        weights: &ExtensionVector,
    ) -> PyResult<ExtensionVector> {
        self.0.spread(&tensor.0, outer, inner, &weights.0).map(ExtensionVector).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Window>()
}
