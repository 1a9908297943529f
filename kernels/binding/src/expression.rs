//! Affine expressions, and the weights of their axes.

use std::sync::Arc;

use deepprove_kernels::field::F;
use deepprove_verifier::axis_weights::{self, AxisMap, Indices};
use deepprove_verifier::expression::{self, ExpressionConstant, ExpressionTerm, Followed};
use p3_field::integers::QuotientMap;
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;

use crate::claim_terms::ClaimTerms;
use crate::claims::AxisVector;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::vectors::ExtensionVector;

/// Weights on an axis of `size` positions: eq of a point, or explicit values where there is no point.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct AxisWeights(Arc<axis_weights::AxisWeights>);

#[pymethods]
impl AxisWeights {
    #[new]
    #[pyo3(signature = (size, point, explicit=None))]
    fn new(size: usize, point: Option<ExtensionVector>, explicit: Option<ExtensionVector>) -> PyResult<Self> {
        match (point, explicit) {
            (Some(point), None) => {
                Ok(Self(Arc::new(axis_weights::AxisWeights::eq(size, point.0).map_err(raise)?)))
            }
            (None, Some(values)) if values.0.len() == size => {
                Ok(Self(Arc::new(axis_weights::AxisWeights::explicit(values.0))))
            }
            _ => Err(PyValueError::new_err("an axis has a point, or a weight for each position")),
        }
    }

    /// The weights of several axes taken as one: at each position the product of theirs.
    #[staticmethod]
    fn joined(axes: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let axes: Vec<_> = axes.iter().map(|axis| &*axis.0).collect();
        let joined = axis_weights::AxisWeights::joined(&axes).map_err(raise)?;
        Ok(Self(Arc::new(joined.into_owned())))
    }

    #[getter]
    fn size(&self) -> usize {
        self.0.size()
    }

    /// The point; None of explicit weights.
    #[getter]
    fn point(&self) -> Option<ExtensionVector> {
        self.0.point().map(|point| ExtensionVector(point.to_vec()))
    }

    /// All weights.
    #[getter]
    fn dense(&self) -> PyResult<ExtensionVector> {
        self.0.dense().map(|values| ExtensionVector(values.to_vec())).map_err(raise)
    }

    /// The weights as an axis vector of a term.
    #[getter]
    fn vector(&self) -> AxisVector {
        AxisVector(self.0.vector())
    }

    /// The sum of all weights.
    #[getter]
    fn total(&self) -> Extension {
        Extension(self.0.total())
    }

    /// The sum of the weights of positions first, ..., end - 1.
    fn sum(&self, first: usize, end: usize) -> Extension {
        Extension(self.0.sum(first, end))
    }
}

/// The weights of all axes of an index space, as one object.
#[pyclass(frozen, sequence, module = "deepprove_dist._kernels")]
pub struct SpaceWeights(Vec<Arc<axis_weights::AxisWeights>>);

#[pymethods]
impl SpaceWeights {
    #[new]
    fn new(axes: Vec<PyRef<'_, AxisWeights>>) -> Self {
        Self(axes.iter().map(|axis| axis.0.clone()).collect())
    }

    /// eq of a point on each axis: an axis of d positions takes the next ceil(log2 d) coordinates.
    #[staticmethod]
    fn split(point: &ExtensionVector, space: Vec<usize>) -> PyResult<Self> {
        let axes = axis_weights::AxisWeights::split(&point.0, &space).map_err(raise)?;
        Ok(Self(axes.into_iter().map(Arc::new).collect()))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, index: usize) -> PyResult<AxisWeights> {
        let axis = self.0.get(index).ok_or_else(no_axis)?;
        Ok(AxisWeights(axis.clone()))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let axes: Vec<AxisWeights> = self.0.iter().cloned().map(AxisWeights).collect();
        axes.into_pyobject(py)?.try_iter().map(Bound::into_any)
    }

    /// These axes and `other` after them.
    fn __add__(&self, other: &Self) -> Self {
        Self([self.0.as_slice(), other.0.as_slice()].concat())
    }

    /// The axes at some indices, in their order.
    fn take(&self, indices: Vec<usize>) -> PyResult<Self> {
        let axes: Option<Vec<_>> = indices.iter().map(|&index| self.0.get(index).cloned()).collect();
        axes.map(Self).ok_or_else(no_axis)
    }

    /// The sum of all products of one weight an axis.
    #[getter]
    fn total(&self) -> Extension {
        Extension(self.0.iter().map(|axis| axis.total()).product())
    }
}

fn no_axis() -> PyErr {
    PyIndexError::new_err("index out of range")
}

/// The shapes of a system's tensors, by index.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct TensorShapes(Vec<Vec<usize>>);

#[pymethods]
impl TensorShapes {
    #[new]
    fn new(shapes: Vec<Vec<usize>>) -> Self {
        Self(shapes)
    }
}

/// An affine expression, read once from the package's `Affine`.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct Expression(expression::Expression);

#[pymethods]
impl Expression {
    #[new]
    fn new(affine: AffineFields) -> PyResult<Self> {
        let terms = affine.terms.into_iter().map(TermFields::read).collect::<PyResult<_>>()?;
        let constants = affine.constants.into_iter().map(ConstantFields::read).collect::<PyResult<_>>()?;
        Ok(Self(expression::Expression::new(affine.space, terms, constants)))
    }

    /// scale * the expression under one weight vector an axis: terms over tensors, and the part that is known.
    fn claim(
        &self,
        weights: &SpaceWeights,
        scale: Extension,
        shapes: &TensorShapes,
    ) -> PyResult<(ClaimTerms, Extension)> {
        let weights: Vec<_> = weights.0.iter().map(|axis| &**axis).collect();
        let (terms, known) = self.0.claim(&weights, scale.0, &shapes.0).map_err(raise)?;
        Ok((terms.into(), Extension(known)))
    }
}

/// The fields of the package's `Affine`.
#[derive(FromPyObject)]
struct AffineFields {
    space: Vec<usize>,
    terms: Vec<TermFields>,
    constants: Vec<ConstantFields>,
}

/// Of its `Term`.
#[derive(FromPyObject)]
struct TermFields {
    coefficient: i64,
    tensor: usize,
    axes: Vec<AxisFields>,
}

/// Of its `Constant`.
#[derive(FromPyObject)]
struct ConstantFields {
    value: i64,
    within: Vec<MapFields>,
}

/// Of its `Axis`.
#[derive(FromPyObject)]
enum AxisFields {
    Axis(usize),
    Map(MapFields),
}

/// Of its `IndexMap`.
#[derive(FromPyObject)]
struct MapFields {
    axes: Vec<usize>,
    first: usize,
    end: usize,
    offset: OffsetField,
    stride: usize,
    taps: usize,
    dilation: usize,
    scale: Vec<i64>,
}

/// A first index, or the indices of all positions.
#[derive(FromPyObject)]
enum OffsetField {
    First(i64),
    List(Vec<i64>),
    Input(String),
}

impl TermFields {
    fn read(self) -> PyResult<ExpressionTerm> {
        let axis = |axis| match axis {
            AxisFields::Axis(axis) => Ok(Followed::Axis(axis)),
            AxisFields::Map(map) => map.read().map(Followed::Map),
        };
        let axes = self.axes.into_iter().map(axis).collect::<PyResult<_>>()?;
        Ok(ExpressionTerm { coefficient: F::from_int(self.coefficient), tensor: self.tensor, axes })
    }
}

impl ConstantFields {
    fn read(self) -> PyResult<ExpressionConstant> {
        let within = self.within.into_iter().map(MapFields::read).collect::<PyResult<_>>()?;
        Ok(ExpressionConstant { value: F::from_int(self.value), within })
    }
}

impl MapFields {
    fn read(self) -> PyResult<AxisMap> {
        let Self { axes, first, end, offset, stride, taps, dilation, scale } = self;
        let indices = match offset {
            OffsetField::First(offset) => Indices::Steps { offset, stride, taps, dilation },
            OffsetField::List(indices) => Indices::List(indices),
            OffsetField::Input(name) => {
                return Err(PyValueError::new_err(format!(
                    "the indices of the input '{name}' are not known"
                )));
            }
        };
        let scale = scale.into_iter().map(F::from_int).collect();
        Ok(AxisMap { axes, first, end, indices, scale })
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<AxisWeights>()?;
    module.add_class::<SpaceWeights>()?;
    module.add_class::<TensorShapes>()?;
    module.add_class::<Expression>()
}
