//! What set-up measures of tensors on samples, of numpy arrays.

use deepprove_kernels::samples::deviation;
use deepprove_kernels::samples::extremes::{add_single_squares, add_squares, extremes};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Sums of squares, in double or single precision.
#[derive(FromPyObject)]
enum Squares<'py> {
    Double(PyReadwriteArray1<'py, f64>),
    Single(PyReadwriteArray1<'py, f32>),
}

/// Of each channel of real values [channels, positions] four sums [channels, 4], and the largest error of all.
///
/// The sums are of squared errors, of squared values, and of squared and plain distances from the channel's origin.
/// An integer counts `scale`.
#[pyfunction]
fn deviations<'py>(
    py: Python<'py>,
    expected: PyReadonlyArray2<'_, f64>,
    integers: PyReadonlyArray2<'_, i64>,
    scale: f64,
    origins: PyReadonlyArray1<'_, f64>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, f64)> {
    let (expected, integers, origins) = (expected.as_array(), integers.as_array(), origins.as_array());
    if expected.dim() != integers.dim() || expected.nrows() != origins.len() {
        return Err(refused("sizes do not fit"));
    }
    let mut sums = Vec::with_capacity(4 * origins.len());
    let mut largest = 0.0f64;
    let rows = expected.rows().into_iter().zip(integers.rows()).zip(origins);
    for ((expected, integers), &origin) in rows {
        let (Some(expected), Some(integers)) = (expected.to_slice(), integers.to_slice()) else {
            return Err(refused("rows are contiguous"));
        };
        let (of_channel, error) = py.detach(|| deviation::deviation(expected, integers, scale, origin));
        sums.extend(of_channel);
        largest = largest.max(error);
    }
    let sums = numpy::ndarray::Array2::from_shape_vec((origins.len(), 4), sums).map_err(refused)?;
    Ok((sums.into_pyarray(py), largest))
}

/// The least and the largest value of each row; both are NaN where a value is not finite.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn row_extremes<'py>(
    py: Python<'py>,
    values: PyReadonlyArray2<'_, f64>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)> {
    let values = values.as_array();
    let rows: Option<Vec<&[f64]>> = values.rows().into_iter().map(|row| row.to_slice()).collect();
    let rows = rows.ok_or_else(|| refused("rows are contiguous"))?;
    let ends: (Vec<f64>, Vec<f64>) = py.detach(|| rows.into_iter().map(extremes).unzip());
    Ok((ends.0.into_pyarray(py), ends.1.into_pyarray(py)))
}

/// Adds the square of each value to the sum beside it.
#[pyfunction]
fn add_to_squares(py: Python<'_>, squares: Squares<'_>, values: PyReadonlyArray1<'_, f64>) -> PyResult<()> {
    let values = values.as_slice().map_err(refused)?;
    match squares {
        Squares::Double(mut sums) => {
            let sums = sums.as_slice_mut().map_err(refused)?;
            py.detach(|| add_squares(sums, values));
        }
        Squares::Single(mut sums) => {
            let sums = sums.as_slice_mut().map_err(refused)?;
            py.detach(|| add_single_squares(sums, values));
        }
    }
    Ok(())
}

fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(deviations, module)?)?;
    module.add_function(wrap_pyfunction!(row_extremes, module)?)?;
    module.add_function(wrap_pyfunction!(add_to_squares, module)?)
}
