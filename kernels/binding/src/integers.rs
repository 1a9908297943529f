//! Sums of products of small integers, from numpy arrays into numpy arrays.

use deepprove_kernels::integers::gather::Gather;
use deepprove_kernels::integers::narrow::narrow;
use deepprove_kernels::integers::rescale::{rescale, rescale_by_line};
use deepprove_kernels::integers::weights::{self, multiply_column};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
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

/// The sum of each row of weights [rows, taps] times values [taps], exact.
#[pyfunction]
fn multiply_weights<'py>(
    py: Python<'py>,
    weights: PyReadonlyArray2<'_, i16>,
    values: PyReadonlyArray1<'_, i16>,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let rows = weights.shape()[0];
    if weights.shape()[1] != values.len() || values.is_empty() {
        return Err(refused("sizes do not fit"));
    }
    let (weights, values) = (weights.as_slice().map_err(refused)?, values.as_slice().map_err(refused)?);
    let mut sums = vec![0; rows];
    py.detach(|| multiply_column(weights, values, &mut sums));
    Ok(sums.into_pyarray(py))
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
        _ => rescale(values, shift, first, table),
    });
    Ok(result.map(|values| values.into_pyarray(py)))
}

fn refused(error: impl ToString) -> PyErr {
    PyValueError::new_err(error.to_string())
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IntegerWeights>()?;
    module.add_function(wrap_pyfunction!(multiply_weights, module)?)?;
    module.add_function(wrap_pyfunction!(narrowed, module)?)?;
    module.add_function(wrap_pyfunction!(rescaled, module)?)
}
