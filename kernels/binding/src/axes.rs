//! Axes of tensors: bound to a vector, and padded to powers of two.

use deepprove_kernels::field::EF;
use deepprove_kernels::poly::axes::{self, AxisShape};
use pyo3::prelude::*;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::{BaseVector, ExtensionVector};

/// A tensor of either kind.
#[derive(FromPyObject)]
pub enum Tensor<'py> {
    Base(PyRef<'py, BaseVector>),
    Extension(PyRef<'py, ExtensionVector>),
}

/// out[a, c] = sum_b vector[b] tensor[a, b, c] for a tensor [outer, axis, inner].
#[pyfunction]
fn bind_axis(
    py: Python<'_>,
    tensor: Tensor<'_>,
    shape: (usize, usize, usize),
    vector: &ExtensionVector,
    pool: &Pool,
) -> PyResult<ExtensionVector> {
    let shape = AxisShape { outer: shape.0, axis: shape.1, inner: shape.2 };
    let vector = &vector.0;
    let bound = match tensor {
        Tensor::Base(tensor) => {
            let tensor = tensor.0.clone();
            py.detach(|| pool.0.run(axes::steps(tensor.len()), || axes::bind_base(&tensor, shape, vector)))
        }
        Tensor::Extension(tensor) => axes::bind_extension(&tensor.0, shape, vector),
    };
    bound.map(ExtensionVector).map_err(raise)
}

/// A tensor over the hypercube of all its axes' bits, zero outside.
#[pyfunction]
fn pad_axes(tensor: Tensor<'_>, shape: Vec<usize>) -> PyResult<ExtensionVector> {
    let padded = match tensor {
        Tensor::Base(tensor) => {
            axes::pad_axes(&tensor.0, &shape).map(|values| values.into_iter().map(EF::from).collect())
        }
        Tensor::Extension(tensor) => axes::pad_axes(&tensor.0, &shape),
    };
    padded.map(ExtensionVector).map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(bind_axis, module)?)?;
    module.add_function(wrap_pyfunction!(pad_axes, module)?)
}
