//! What set-up measures of tensors on samples, of numpy arrays.

use deepprove_kernels::integers::rounding::Narrow;
use deepprove_kernels::samples::extremes::{add_single_squares, add_squares, extremes};
use deepprove_kernels::samples::{Real, deviation};
use numpy::ndarray::{Array2, ArrayView2};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray1, PyReadwriteArray1};
use pyo3::prelude::*;

use crate::arrays::{RealRows, Reals, SignedIntegers, of_integers, refused};

/// Sums of squares, in double or single precision.
#[derive(FromPyObject)]
enum Squares<'py> {
    Double(PyReadwriteArray1<'py, f64>),
    Single(PyReadwriteArray1<'py, f32>),
}

/// Of each channel of real values [channels, positions] four sums [channels, 4], and the largest error of all.
///
/// The sums are of squared errors, of squared values, and of squared and plain distances from the channel's origin.
/// Integers are in row-major order, and count `scale`.
#[pyfunction]
fn deviations<'py>(
    py: Python<'py>,
    expected: RealRows<'_>,
    integers: SignedIntegers<'_>,
    scale: f64,
    origins: PyReadonlyArray1<'_, f64>,
) -> PyResult<(Bound<'py, PyArray2<f64>>, f64)> {
    let (integers, origins) = (integers.vector()?, origins.as_slice().map_err(refused)?);
    let (sums, largest) = of_integers!(integers, |integers| match expected {
        RealRows::Double(rows) => channel_deviations(py, rows.as_array(), integers, scale, origins),
        RealRows::Single(rows) => channel_deviations(py, rows.as_array(), integers, scale, origins),
    })?;
    let sums = Array2::from_shape_vec((origins.len(), 4), sums).map_err(refused)?;
    Ok((sums.into_pyarray(py), largest))
}

fn channel_deviations<R: Real + Sync, N: Narrow + Sync>(
    py: Python<'_>,
    expected: ArrayView2<'_, R>,
    integers: &[N],
    scale: f64,
    origins: &[f64],
) -> PyResult<(Vec<f64>, f64)> {
    if expected.len() != integers.len() || expected.nrows() != origins.len() {
        return Err(refused("sizes do not fit"));
    }
    let (expected, positions) = (contiguous(&expected)?, expected.ncols().max(1));
    Ok(py.detach(|| {
        let (mut sums, mut largest) = (Vec::with_capacity(4 * origins.len()), 0.0f64);
        for ((expected, integers), &origin) in expected.iter().zip(integers.chunks(positions)).zip(origins) {
            let (of_channel, error) = deviation::deviation(expected, integers, scale, origin);
            sums.extend(of_channel);
            largest = largest.max(error);
        }
        (sums, largest)
    }))
}

/// The least and the largest value of each row; both are NaN where a value is not finite.
#[pyfunction]
#[allow(clippy::type_complexity)]
fn row_extremes<'py>(
    py: Python<'py>,
    values: RealRows<'_>,
) -> PyResult<(Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>)> {
    let ends: (Vec<f64>, Vec<f64>) = match values {
        RealRows::Double(values) => {
            let rows = values.as_array();
            let rows = contiguous(&rows)?;
            py.detach(|| rows.into_iter().map(extremes).unzip())
        }
        RealRows::Single(values) => {
            let rows = values.as_array();
            let rows = contiguous(&rows)?;
            py.detach(|| rows.into_iter().map(extremes).unzip())
        }
    };
    Ok((ends.0.into_pyarray(py), ends.1.into_pyarray(py)))
}

/// Adds the square of each value to the sum beside it.
#[pyfunction]
fn add_to_squares(py: Python<'_>, squares: Squares<'_>, values: Reals<'_>) -> PyResult<()> {
    macro_rules! add {
        ($add:ident, $squares:expr, $values:expr) => {{
            let (sums, values) =
                ($squares.as_slice_mut().map_err(refused)?, $values.as_slice().map_err(refused)?);
            py.detach(|| $add(sums, values));
        }};
    }
    match (squares, values) {
        (Squares::Double(mut squares), Reals::Double(values)) => add!(add_squares, squares, values),
        (Squares::Double(mut squares), Reals::Single(values)) => add!(add_squares, squares, values),
        (Squares::Single(mut squares), Reals::Double(values)) => add!(add_single_squares, squares, values),
        (Squares::Single(mut squares), Reals::Single(values)) => add!(add_single_squares, squares, values),
    }
    Ok(())
}

fn contiguous<'a, T>(rows: &'a ArrayView2<'_, T>) -> PyResult<Vec<&'a [T]>> {
    let rows: Option<Vec<_>> = rows.outer_iter().map(|row| row.to_slice()).collect();
    rows.ok_or_else(|| refused("rows are contiguous"))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(deviations, module)?)?;
    module.add_function(wrap_pyfunction!(row_extremes, module)?)?;
    module.add_function(wrap_pyfunction!(add_to_squares, module)?)
}
