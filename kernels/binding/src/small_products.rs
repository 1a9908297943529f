//! Sums of products of small integers, from numpy arrays into numpy arrays.

use deepprove_kernels::integers::gather::Gather;
use deepprove_kernels::integers::rounding::Narrow;
use deepprove_kernels::integers::weights::{self, multiply_rows};
use numpy::{
    Element, IntoPyArray, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods,
};
use pyo3::prelude::*;

use crate::arrays::{SignedIntegers, of_integers, refused};

/// Weights of 32 bits, in the order that sums of products read them fastest in.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct IntegerWeights(weights::Weights);

#[pymethods]
impl IntegerWeights {
    /// Of values [groups, rows, taps] in row-major order.
    #[new]
    fn new(py: Python<'_>, groups: usize, rows: usize, values: SignedIntegers<'_>) -> PyResult<Self> {
        let values = values.vector()?;
        py.detach(|| of_integers!(values, |values| weights::Weights::new(groups, rows, values)))
            .map(Self)
            .ok_or_else(|| refused("not so many weights, or of more than 32 bits"))
    }

    /// The largest sum of the magnitudes of a row.
    #[getter]
    fn largest(&self) -> i64 {
        self.0.largest()
    }

    /// Writes sums [groups * rows, columns] with the rows' biases: exact where they fit 32 bits, and the array's.
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
        sums: Sums<'_>,
    ) -> PyResult<()> {
        let (taps, columns) = (taps.as_slice().map_err(refused)?, columns.as_slice().map_err(refused)?);
        let (source, biases) = (source.as_slice().map_err(refused)?, biases.as_slice().map_err(refused)?);
        let gather = Gather::new(source, taps, group_step, columns, self.0.groups())
            .ok_or_else(|| refused("an offset lies beyond the source"))?;
        if taps.len() != self.0.taps() || biases.len() != self.0.all_rows() {
            return Err(refused("sizes do not fit"));
        }
        match sums {
            Sums::Wide(sums) => self.write(py, &gather, biases, &sums),
            Sums::Narrow(sums) => self.write(py, &gather, biases, &sums),
        }
    }
}

/// Sums [rows, columns] that are written.
#[derive(FromPyObject)]
enum Sums<'py> {
    Wide(Bound<'py, PyArray2<i64>>),
    Narrow(Bound<'py, PyArray2<i32>>),
}

impl IntegerWeights {
    fn write<N: Narrow + Element + Send>(
        &self,
        py: Python<'_>,
        gather: &Gather<'_>,
        biases: &[i64],
        sums: &Bound<'_, PyArray2<N>>,
    ) -> PyResult<()> {
        let strides = sums.strides();
        if sums.shape() != [self.0.all_rows(), gather.columns()]
            || strides[1] != size_of::<N>() as isize
            || strides[0] < 0
        {
            return Err(refused("sizes do not fit"));
        }
        // SAFETY: the array is alive while this function borrows it. Threads that write it have other columns.
        let mut sums = unsafe { sums.as_array_mut() };
        py.detach(|| {
            self.0.multiply(gather, |row, first, part| {
                let bias = biases[row];
                let mut target = sums.row_mut(row);
                let target =
                    &mut target.as_slice_mut().expect("a row is contiguous")[first..first + part.len()];
                for (sum, &value) in target.iter_mut().zip(part) {
                    *sum = N::of_wide(i64::from(value) + bias);
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

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<IntegerWeights>()?;
    module.add_function(wrap_pyfunction!(multiply_weights, module)?)
}
