//! Index maps: slices, padding, pooling, and the taps of convolutions.

use deepprove_kernels::poly::axes::{bind_base, bind_extension, steps};
use deepprove_kernels::poly::taps::bind_taps;
use deepprove_verifier::index_map;
use pyo3::prelude::*;

use crate::axes::Tensor;
use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::ExtensionVector;

/// Position h and tap i lead to index stride * h + dilation * i + offset of an axis of `size` indices.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct IndexMap(index_map::IndexMap);

#[pymethods]
impl IndexMap {
    #[new]
    fn new(size: usize, taps: usize, stride: usize, dilation: usize, offset: i64) -> Self {
        Self(index_map::IndexMap { size, taps, stride, dilation, offset })
    }

    /// The weight of each index, from weights of positions and of taps.
    fn spread(&self, weights: &ExtensionVector, taps: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.spread(&weights.0, &taps.0).map(ExtensionVector).map_err(raise)
    }

    /// A tensor [outer, size, inner] bound to [outer, taps, inner], from `weights` of the positions.
    fn bind(
        &self,
        py: Python<'_>,
        tensor: Tensor<'_>,
        outer: usize,
        inner: usize,
        weights: &ExtensionVector,
        pool: &Pool,
    ) -> PyResult<ExtensionVector> {
        let weights = &weights.0;
        let bound = match tensor {
            Tensor::Base(tensor) => {
                let tensor = tensor.0.clone();
                let bind = |shape, vector: &[_]| bind_base(&tensor, shape, vector);
                py.detach(|| {
                    pool.0.run(steps(tensor.len()), || bind_taps(&self.0, weights, outer, inner, bind))
                })
            }
            Tensor::Extension(tensor) => {
                let bind = |shape, vector: &[_]| bind_extension(&tensor.0, shape, vector);
                bind_taps(&self.0, weights, outer, inner, bind)
            }
        };
        bound.map(ExtensionVector).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IndexMap>()
}
