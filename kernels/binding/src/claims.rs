//! Terms of linear claims.

use std::sync::Arc;

use deepprove_kernels::field::{decode_extension, encode_extension};
use deepprove_verifier::blocks::{self, Interval, TensorBlocks};
use deepprove_verifier::terms::{self, Term, Weights};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::rejection::raise;
use crate::scalar::Extension;
use crate::vectors::ExtensionVector;

/// The dyadic blocks of tensors of one shape, without their addresses: for each block its intervals, one an axis, with
/// the first index and the logarithm of the length.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct BlockShape(Arc<blocks::BlockShape>);

#[pymethods]
impl BlockShape {
    #[new]
    fn new(intervals: Vec<Vec<(usize, usize)>>) -> PyResult<Self> {
        let block = |intervals: Vec<(usize, usize)>| {
            intervals.into_iter().map(|(start, log)| Interval { start, log }).collect()
        };
        let shape = blocks::BlockShape::new(intervals.into_iter().map(block).collect());
        Ok(Self(Arc::new(shape.map_err(raise)?)))
    }
}

/// Dyadic blocks of a tensor: those of a shape at addresses.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct DyadicBlocks(pub Arc<TensorBlocks>);

#[pymethods]
impl DyadicBlocks {
    #[new]
    fn new(shape: &BlockShape, addresses: Vec<usize>) -> PyResult<Self> {
        let blocks = TensorBlocks::of_shape(shape.0.clone(), &addresses).map_err(raise)?;
        Ok(Self(Arc::new(blocks)))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

/// The weights along one axis of a tensor.
#[pyclass(frozen, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone)]
pub struct AxisVector(pub terms::AxisVector);

#[pymethods]
impl AxisVector {
    #[staticmethod]
    fn eq(point: ExtensionVector) -> Self {
        Self(terms::AxisVector::eq(point.0))
    }

    #[staticmethod]
    fn ones() -> Self {
        Self(terms::AxisVector::Ones)
    }

    #[staticmethod]
    fn one_hot(index: usize) -> Self {
        Self(terms::AxisVector::OneHot(index))
    }

    #[staticmethod]
    fn explicit(values: ExtensionVector) -> Self {
        Self(terms::AxisVector::explicit(values.0))
    }

    /// What [`Self::__bytes__`] gave.
    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        let invalid = || PyValueError::new_err("these bytes are no axis vector");
        let (&kind, content) = bytes.split_first().ok_or_else(invalid)?;
        let values = || decode_extension(content).map_err(raise);
        Ok(Self(match kind {
            0 => terms::AxisVector::eq(values()?),
            1 => terms::AxisVector::Ones,
            2 => {
                let index = content.try_into().map_err(|_| invalid())?;
                terms::AxisVector::OneHot(u64::from_le_bytes(index) as usize)
            }
            3 => terms::AxisVector::explicit(values()?),
            _ => return Err(invalid()),
        }))
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let (mut out, values) = match &self.0 {
            terms::AxisVector::Eq(point) => (vec![0], &point[..]),
            terms::AxisVector::Ones => (vec![1], &[][..]),
            terms::AxisVector::OneHot(index) => {
                ([&[2], &(*index as u64).to_le_bytes()[..]].concat(), &[][..])
            }
            terms::AxisVector::Explicit(values) => (vec![3], &values[..]),
        };
        encode_extension(values, &mut out);
        PyBytes::new(py, &out)
    }

    /// The first `size` weights.
    fn dense(&self, size: usize) -> PyResult<ExtensionVector> {
        self.0.dense(size).map(ExtensionVector).map_err(raise)
    }

    /// The sum of the first `size` weights.
    fn sum(&self, size: usize) -> Extension {
        Extension(self.0.sum(size))
    }
}

/// A list of terms: the weight vector of one or many linear claims.
#[pyclass(module = "deepprove_dist._kernels")]
#[derive(Default)]
pub struct Terms(pub Vec<Term>);

#[pymethods]
impl Terms {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// coefficient * product of one vector an axis.
    fn add_product(
        &mut self,
        coefficient: Extension,
        blocks: &DyadicBlocks,
        axes: Vec<AxisVector>,
    ) -> PyResult<()> {
        let weights = Weights::Product(axes.into_iter().map(|a| a.0).collect());
        self.0.push(Term::new(coefficient.0, blocks.0.clone(), weights).map_err(raise)?);
        Ok(())
    }

    /// The multilinear extension of the weight vector at `point`, one coordinate an address bit.
    fn evaluate(&self, point: &ExtensionVector) -> PyResult<Extension> {
        terms::evaluate(&self.0, &point.0).map(Extension).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BlockShape>()?;
    module.add_class::<DyadicBlocks>()?;
    module.add_class::<AxisVector>()?;
    module.add_class::<Terms>()
}
