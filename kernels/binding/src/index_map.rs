//! Index maps: slices, padding, pooling, and the taps of convolutions.

use deepprove_kernels::poly::spread::spread;
use deepprove_verifier::{index_list, index_map};
use pyo3::prelude::*;

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

    /// The weight of each index, from `weights` of the positions.
    fn pull(&self, weights: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.pull(&weights.0).map(ExtensionVector).map_err(raise)
    }

    /// The weight of each tap, from weights of positions and of indices.
    fn taps(&self, weights: &ExtensionVector, indices: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.taps(&weights.0, &indices.0).map(ExtensionVector).map_err(raise)
    }

    /// A tensor [outer, taps, inner] spread to [outer, size, inner], from `weights` of the positions.
    fn spread(
        &self,
        tensor: &ExtensionVector,
        outer: usize,
        inner: usize,
        weights: &ExtensionVector,
    ) -> PyResult<ExtensionVector> {
        spread(&self.0, &tensor.0, outer, inner, &weights.0).map(ExtensionVector).map_err(raise)
    }
}

/// Position h leads to index indices[h] of an axis of `size` indices, or to none where that is -1.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct IndexList(index_list::IndexList);

#[pymethods]
impl IndexList {
    #[new]
    fn new(size: usize, indices: Vec<i64>) -> Self {
        Self(index_list::IndexList { size, indices })
    }

    /// The weight of each index, from `weights` of the positions.
    fn pull(&self, weights: &ExtensionVector) -> PyResult<ExtensionVector> {
        self.0.pull(&weights.0).map(ExtensionVector).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IndexList>()?;
    module.add_class::<IndexMap>()
}
