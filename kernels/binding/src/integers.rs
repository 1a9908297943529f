//! Sums of products of small integers, from numpy arrays into numpy arrays.

use deepprove_kernels::integers::gather::Gather;
use deepprove_kernels::integers::narrow::narrow;
use deepprove_kernels::integers::rescale::{self, rescale_by_line};
use deepprove_kernels::integers::rounding;
use deepprove_kernels::integers::weights::{self, multiply_rows};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray1,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Weights of 16 bits, in the order that sums of products read them fastest in.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct IntegerWeights(weights::Weights);

#[pymethods]
impl IntegerWeights {
    /// Of values [groups, rows, taps] in row-major order.
    #[new]
    fn new(py: Python<'_>, groups: usize, rows: usize, values: PyReadonlyArray1<'_, i16>) -> PyResult<Self> {
        let values = values.as_slice().map_err(refused)?;
        py.detach(|| weights::Weights::new(groups, rows, values))
            .map(Self)
            .ok_or_else(|| refused("not so many weights"))
    }

    /// The largest sum of the magnitudes of a row.
    #[getter]
    fn largest(&self) -> i64 {
        self.0.largest()
    }

    /// Writes sums [groups * rows, columns] and the rows' biases: exact where they fit 32 bits.
    ///
    /// Column c and tap k of group g have the value at `g * group_step + taps[k] + columns[c]` of the source.
    /// Several threads may write other columns of one array.
    #[allow(clippy::too_many_arguments)]
    fn multiply(
        &self,
        py: Python<'_>,
        source: PyReadonlyArray1<'_, i16>,
        taps: PyReadonlyArray1<'_, u32>,
        group_step: usize,
        columns: PyReadonlyArray1<'_, u32>,
        biases: PyReadonlyArray1<'_, i64>,
        sums: &Bound<'_, PyArray2<i64>>,
    ) -> PyResult<()> {
        let (taps, columns) = (taps.as_slice().map_err(refused)?, columns.as_slice().map_err(refused)?);
        let (source, biases) = (source.as_slice().map_err(refused)?, biases.as_slice().map_err(refused)?);
        let gather = Gather::new(source, taps, group_step, columns, self.0.groups())
            .ok_or_else(|| refused("an offset lies beyond the source"))?;
        let shape = [self.0.all_rows(), columns.len()];
        let fits = taps.len() == self.0.taps() && sums.shape() == shape && biases.len() == shape[0];
        if !fits || sums.strides()[1] != 8 || sums.strides()[0] < 0 {
            return Err(refused("sizes do not fit"));
        }
        // SAFETY: the array is alive while this function borrows it. Threads that write it have other columns.
        let mut sums = unsafe { sums.as_array_mut() };
        py.detach(|| {
            self.0.multiply(&gather, |row, first, part| {
                let bias = biases[row];
                let mut target = sums.row_mut(row);
                let target =
                    &mut target.as_slice_mut().expect("a row is contiguous")[first..first + part.len()];
                for (sum, &value) in target.iter_mut().zip(part) {
                    *sum = i64::from(value) + bias;
                }
            });
        });
        Ok(())
    }
}

/// The sum of each row of weights [rows, taps] times each row of values [columns, taps]: [rows, columns], exact.
#[pyfunction]
fn multiply_weights<'py>(
    py: Python<'py>,
    weights: PyReadonlyArray2<'_, i16>,
    values: PyReadonlyArray2<'_, i16>,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let (rows, columns, taps) = (weights.shape()[0], values.shape()[0], weights.shape()[1]);
    if taps != values.shape()[1] || taps == 0 || columns == 0 {
        return Err(refused("sizes do not fit"));
    }
    let (weights, values) = (weights.as_slice().map_err(refused)?, values.as_slice().map_err(refused)?);
    let mut sums = vec![0; rows * columns];
    py.detach(|| multiply_rows(weights, values, taps, &mut sums));
    let sums = numpy::ndarray::Array2::from_shape_vec((rows, columns), sums).map_err(refused)?;
    Ok(sums.into_pyarray(py))
}

/// Reals of either precision, in a row.
#[derive(FromPyObject)]
enum Reals<'py> {
    Single(PyReadonlyArray1<'py, f32>),
    Double(PyReadonlyArray1<'py, f64>),
}

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
    values: PyReadonlyArray1<'_, i64>,
) -> PyResult<Option<(Bound<'py, PyArray1<i16>>, u16)>> {
    let values = values.as_slice().map_err(refused)?;
    let narrow = py.detach(|| narrow(values));
    Ok(narrow.map(|(values, largest)| (values.into_pyarray(py), largest)))
}

/// T((v + 2^(s-1)) >> s) of each value; `line` is T's offset and ends, where it is a line that is cut at both.
///
/// None where a quotient is beyond the table.
#[pyfunction]
fn rescaled<'py>(
    py: Python<'py>,
    values: PyReadonlyArray1<'_, i64>,
    shift: u32,
    first: i64,
    table: PyReadonlyArray1<'_, i64>,
    line: Option<(i64, i64, i64)>,
) -> PyResult<Option<Bound<'py, PyArray1<i64>>>> {
    let (values, table) = (values.as_slice().map_err(refused)?, table.as_slice().map_err(refused)?);
    if shift > 32 {
        return Err(refused("shifts are 32 bits at most"));
    }
    let last = first + table.len() as i64 - 1;
    let result = py.detach(|| match line {
        Some((offset, low, high)) if low <= high => {
            rescale_by_line(values, shift, (first, last), offset, (low, high))
        }
        _ => rescale::rescale(values, shift, first, table),
    });
    Ok(result.map(|values| values.into_pyarray(py)))
}

/// The constant and a multiple of each array, of one length, added up.
#[pyfunction]
fn weighted_sum<'py>(
    py: Python<'py>,
    arrays: Vec<(i64, PyReadonlyArray1<'_, i64>)>,
    constant: i64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let vectors: Result<Vec<_>, _> =
        arrays.iter().map(|(factor, array)| array.as_slice().map(|values| (*factor, values))).collect();
    let vectors = vectors.map_err(refused)?;
    if vectors.iter().any(|(_, values)| values.len() != vectors[0].1.len()) {
        return Err(refused("sizes do not fit"));
    }
    Ok(py.detach(|| rescale::weighted_sum(&vectors, constant)).into_pyarray(py))
}

fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IntegerWeights>()?;
    module.add_function(wrap_pyfunction!(multiply_weights, module)?)?;
    module.add_function(wrap_pyfunction!(narrowed, module)?)?;
    module.add_function(wrap_pyfunction!(round_to_units, module)?)?;
    module.add_function(wrap_pyfunction!(signed_row_sums, module)?)?;
    module.add_function(wrap_pyfunction!(weighted_sum, module)?)?;
    module.add_function(wrap_pyfunction!(rescaled, module)?)
}
