//! Rounding, rescaling and weighted sums of integers, from numpy arrays into numpy arrays.

use deepprove_kernels::integers::narrow::narrow;
use deepprove_kernels::integers::{rescale, rounding};
use numpy::{
    IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::arrays::{Reals, SignedIntegers, WrittenIntegers, of_integers, refused};

/// Integers that are written, in a row.
#[derive(FromPyObject)]
enum Rounded<'py> {
    OneByte(PyReadwriteArray1<'py, i8>),
    TwoBytes(PyReadwriteArray1<'py, i16>),
    FourBytes(PyReadwriteArray1<'py, i32>),
}

/// Integers, in rows.
#[derive(FromPyObject)]
enum Rows<'py> {
    OneByte(PyReadonlyArray2<'py, i8>),
    TwoBytes(PyReadonlyArray2<'py, i16>),
    FourBytes(PyReadonlyArray2<'py, i32>),
}

/// Rounds values times factor and scale to units, halves to even; the least and the largest, both NaN where one is.
///
/// Integers beyond their type are cut: the caller looks at the ends.
#[pyfunction]
fn round_to_units(
    py: Python<'_>,
    values: Reals<'_>,
    factors: (f64, f64, f64),
    rounded: Rounded<'_>,
) -> PyResult<(f64, f64)> {
    macro_rules! round {
        ($values:expr, $rounded:expr) => {{
            let (values, rounded) =
                ($values.as_slice().map_err(refused)?, $rounded.as_slice_mut().map_err(refused)?);
            if values.len() != rounded.len() {
                return Err(refused("sizes do not fit"));
            }
            py.detach(|| rounding::round_to_units(values, factors, rounded))
        }};
    }
    Ok(match (values, rounded) {
        (Reals::Single(values), Rounded::OneByte(mut rounded)) => round!(values, rounded),
        (Reals::Single(values), Rounded::TwoBytes(mut rounded)) => round!(values, rounded),
        (Reals::Single(values), Rounded::FourBytes(mut rounded)) => round!(values, rounded),
        (Reals::Double(values), Rounded::OneByte(mut rounded)) => round!(values, rounded),
        (Reals::Double(values), Rounded::TwoBytes(mut rounded)) => round!(values, rounded),
        (Reals::Double(values), Rounded::FourBytes(mut rounded)) => round!(values, rounded),
    })
}

/// The sums of the positive and of the negative integers of each row.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn signed_row_sums<'py>(
    py: Python<'py>,
    rows: Rows<'_>,
) -> PyResult<(Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>)> {
    macro_rules! sums {
        ($rows:expr) => {{
            let width = $rows.shape()[1].max(1);
            let values = $rows.as_slice().map_err(refused)?;
            py.detach(|| values.chunks_exact(width).map(rounding::signed_sums).unzip())
        }};
    }
    let (positive, negative): (Vec<i64>, Vec<i64>) = match rows {
        Rows::OneByte(rows) => sums!(rows),
        Rows::TwoBytes(rows) => sums!(rows),
        Rows::FourBytes(rows) => sums!(rows),
    };
    Ok((positive.into_pyarray(py), negative.into_pyarray(py)))
}

/// The integers in 16 bits each, and their largest magnitude; None where one has more.
#[pyfunction]
fn narrowed<'py>(
    py: Python<'py>,
    values: SignedIntegers<'_>,
) -> PyResult<Option<(Bound<'py, PyArray1<i16>>, u16)>> {
    let vector = values.vector()?;
    let narrow = py.detach(|| of_integers!(vector, |values| narrow(values)));
    Ok(narrow.map(|(values, largest)| (values.into_pyarray(py), largest)))
}

/// Writes T(q) of each value v, where v + 2^(s-1) = q * 2^s + r: whether each q is in T's domain.
///
/// T has these values from `first` on. `line` is its offset and ends, where it is a line that is cut at both. With
/// columns it also writes q, and the limbs of r of these widths.
#[pyfunction]
#[allow(clippy::too_many_arguments)]
fn rescale_into(
    py: Python<'_>,
    values: SignedIntegers<'_>,
    shift: u32,
    first: i64,
    table: PyReadonlyArray1<'_, i64>,
    line: Option<(i64, i64, i64)>,
    mut result: WrittenIntegers<'_>,
    widths: Vec<u32>,
    mut columns: Vec<WrittenIntegers<'_>>,
) -> PyResult<bool> {
    let vector = values.vector()?;
    let length = vector.len();
    let is_line = line.is_none_or(|(_, low, high)| low <= high);
    if shift > 32 || widths.iter().sum::<u32>() > 32 || !is_line {
        return Err(refused("shifts are 32 bits at most"));
    }
    if !columns.is_empty() && columns.len() != 1 + widths.len() {
        return Err(refused("sizes do not fit"));
    }
    let table = rescale::Table { first, values: table.as_slice().map_err(refused)?, line };
    let mut result = result.column(length)?;
    let mut columns = columns.iter_mut().map(|column| column.column(length)).collect::<PyResult<Vec<_>>>()?;
    Ok(py.detach(|| {
        let parts = if columns.is_empty() { None } else { Some((&widths[..], &mut columns[..])) };
        of_integers!(vector, |values| rescale::rescale(values, shift, &table, &mut result, parts))
    }))
}

/// The constant and a multiple of each array, of one length, added up.
#[pyfunction]
fn weighted_sum<'py>(
    py: Python<'py>,
    arrays: Vec<(i64, SignedIntegers<'_>)>,
    constant: i64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let vectors: PyResult<Vec<_>> =
        arrays.iter().map(|(factor, array)| Ok((*factor, array.vector()?))).collect();
    let vectors = vectors?;
    let length = vectors.first().map_or(0, |(_, vector)| vector.len());
    if vectors.iter().any(|(_, vector)| vector.len() != length) {
        return Err(refused("sizes do not fit"));
    }
    Ok(py.detach(|| rescale::weighted_sum(&vectors, length, constant)).into_pyarray(py))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(narrowed, module)?)?;
    module.add_function(wrap_pyfunction!(round_to_units, module)?)?;
    module.add_function(wrap_pyfunction!(signed_row_sums, module)?)?;
    module.add_function(wrap_pyfunction!(weighted_sum, module)?)?;
    module.add_function(wrap_pyfunction!(rescale_into, module)?)
}
