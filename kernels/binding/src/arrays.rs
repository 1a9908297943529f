//! Slices of numpy arrays, of whatever type the arrays have.

use deepprove_kernels::integers::rescale::{Column, Vector};
use numpy::{PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Arguments that do not fit: ValueError.
pub fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Reals of either precision, in a row.
#[derive(FromPyObject)]
pub enum Reals<'py> {
    Double(PyReadonlyArray1<'py, f64>),
    Single(PyReadonlyArray1<'py, f32>),
}

/// Reals of either precision, in rows.
#[derive(FromPyObject)]
pub enum RealRows<'py> {
    Double(PyReadonlyArray2<'py, f64>),
    Single(PyReadonlyArray2<'py, f32>),
}

/// What an expression makes of the slice of a vector of integers, of whatever width they are.
macro_rules! of_integers {
    ($vector:expr, |$slice:ident| $result:expr) => {
        match $vector {
            deepprove_kernels::integers::rescale::Vector::OneByte($slice) => $result,
            deepprove_kernels::integers::rescale::Vector::TwoBytes($slice) => $result,
            deepprove_kernels::integers::rescale::Vector::FourBytes($slice) => $result,
            deepprove_kernels::integers::rescale::Vector::EightBytes($slice) => $result,
        }
    };
}
pub(crate) use of_integers;

/// Signed integers of any width that numpy has, in a row.
#[derive(FromPyObject)]
pub enum SignedIntegers<'py> {
    EightBytes(PyReadonlyArray1<'py, i64>),
    TwoBytes(PyReadonlyArray1<'py, i16>),
    OneByte(PyReadonlyArray1<'py, i8>),
    FourBytes(PyReadonlyArray1<'py, i32>),
}

impl SignedIntegers<'_> {
    /// Raises ValueError where they are not contiguous.
    pub fn vector(&self) -> PyResult<Vector<'_>> {
        Ok(match self {
            Self::EightBytes(values) => Vector::EightBytes(values.as_slice().map_err(refused)?),
            Self::FourBytes(values) => Vector::FourBytes(values.as_slice().map_err(refused)?),
            Self::TwoBytes(values) => Vector::TwoBytes(values.as_slice().map_err(refused)?),
            Self::OneByte(values) => Vector::OneByte(values.as_slice().map_err(refused)?),
        })
    }

    /// The same integers in 64 bits.
    pub fn widened(&self) -> PyResult<Vec<i64>> {
        Ok(of_integers!(self.vector()?, |values| widened(values)))
    }
}

fn widened<I: Copy + Into<i64>>(values: &[I]) -> Vec<i64> {
    values.iter().map(|&value| value.into()).collect()
}

/// Integers of any width that are written, in a row.
#[derive(FromPyObject)]
pub enum WrittenIntegers<'py> {
    EightBytes(PyReadwriteArray1<'py, i64>),
    FourBytes(PyReadwriteArray1<'py, i32>),
    TwoBytes(PyReadwriteArray1<'py, i16>),
    OneByte(PyReadwriteArray1<'py, i8>),
}

impl WrittenIntegers<'_> {
    /// Raises ValueError unless it has so many integers.
    pub fn column(&mut self, length: usize) -> PyResult<Column<'_>> {
        let column = match self {
            Self::EightBytes(values) => Column::EightBytes(values.as_slice_mut().map_err(refused)?),
            Self::FourBytes(values) => Column::FourBytes(values.as_slice_mut().map_err(refused)?),
            Self::TwoBytes(values) => Column::TwoBytes(values.as_slice_mut().map_err(refused)?),
            Self::OneByte(values) => Column::OneByte(values.as_slice_mut().map_err(refused)?),
        };
        if column.len() == length { Ok(column) } else { Err(refused("sizes do not fit")) }
    }
}
