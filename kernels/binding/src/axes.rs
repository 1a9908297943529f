//! Axes of tensors: bound to a vector, and padded to powers of two.

use deepprove_kernels::field::{EF, from_integers};
use deepprove_kernels::integers::rescale::Vector;
use deepprove_kernels::poly::axes::{self, AxisShape};
use deepprove_kernels::poly::integer_axes::bind_integers;
use pyo3::prelude::*;

use crate::arrays::{SignedIntegers, of_integers};
use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::{BaseVector, ExtensionVector};

/// A tensor of either kind.
#[derive(FromPyObject)]
pub enum Tensor<'py> {
    Base(PyRef<'py, BaseVector>),
    Extension(PyRef<'py, ExtensionVector>),
}

/// What an axis is bound of: integers of at most 16 bits need not be made elements first.
#[derive(FromPyObject)]
pub enum Bindable<'py> {
    Elements(Tensor<'py>),
    Integers(SignedIntegers<'py>),
}

/// out[a, c] = sum_b vector[b] tensor[a, b, c] for a tensor [outer, axis, inner].
#[pyfunction]
fn bind_axis(
    py: Python<'_>,
    tensor: Bindable<'_>,
    shape: (usize, usize, usize),
    vector: &ExtensionVector,
    pool: &Pool,
) -> PyResult<ExtensionVector> {
    let shape = AxisShape { outer: shape.0, axis: shape.1, inner: shape.2 };
    let vector = &vector.0;
    let bound = match tensor {
        Bindable::Elements(Tensor::Base(tensor)) => {
            let tensor = tensor.0.clone();
            py.detach(|| pool.0.run(axes::steps(tensor.len()), || axes::bind_base(&tensor, shape, vector)))
        }
        Bindable::Elements(Tensor::Extension(tensor)) => axes::bind_extension(&tensor.0, shape, vector),
        Bindable::Integers(tensor) => {
            let tensor = tensor.vector()?;
            let steps = axes::steps(tensor.len());
            let bind = || match tensor {
                Vector::OneByte(tensor) => bind_integers(tensor, shape, vector),
                Vector::TwoBytes(tensor) => bind_integers(tensor, shape, vector),
                wide => axes::bind_base(&of_integers!(wide, |values| from_integers(values)), shape, vector),
            };
            py.detach(|| pool.0.run(steps, bind))
        }
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
