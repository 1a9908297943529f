//! Sums of products of small integers, from numpy arrays into numpy arrays.

use deepprove_kernels::integers::gather::Gather;
use deepprove_kernels::integers::narrow::narrow;
use deepprove_kernels::integers::rescale::{self, Column, Vector};
use deepprove_kernels::integers::rounding::{self, Narrow};
use deepprove_kernels::integers::weights::{self, multiply_rows};
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyReadwriteArray1, PyUntypedArrayMethods,
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

/// Integers of any width, in a row.
#[derive(FromPyObject)]
enum Whole<'py> {
    EightBytes(PyReadonlyArray1<'py, i64>),
    FourBytes(PyReadonlyArray1<'py, i32>),
    TwoBytes(PyReadonlyArray1<'py, i16>),
    OneByte(PyReadonlyArray1<'py, i8>),
}

impl Whole<'_> {
    fn vector(&self) -> PyResult<Vector<'_>> {
        Ok(match self {
            Self::EightBytes(values) => Vector::EightBytes(values.as_slice().map_err(refused)?),
            Self::FourBytes(values) => Vector::FourBytes(values.as_slice().map_err(refused)?),
            Self::TwoBytes(values) => Vector::TwoBytes(values.as_slice().map_err(refused)?),
            Self::OneByte(values) => Vector::OneByte(values.as_slice().map_err(refused)?),
        })
    }
}

/// What an expression makes of a vector's slice, of whatever width it is.
macro_rules! of_vector {
    ($vector:expr, |$slice:ident| $result:expr) => {
        match $vector {
            Vector::OneByte($slice) => $result,
            Vector::TwoBytes($slice) => $result,
            Vector::FourBytes($slice) => $result,
            Vector::EightBytes($slice) => $result,
        }
    };
}

/// Integers of any width that are written, in a row.
#[derive(FromPyObject)]
enum Written<'py> {
    EightBytes(PyReadwriteArray1<'py, i64>),
    FourBytes(PyReadwriteArray1<'py, i32>),
    TwoBytes(PyReadwriteArray1<'py, i16>),
    OneByte(PyReadwriteArray1<'py, i8>),
}

impl Written<'_> {
    /// Raises ValueError unless it has so many integers.
    fn column(&mut self, length: usize) -> PyResult<Column<'_>> {
        let (column, size) = match self {
            Self::EightBytes(values) => {
                let values = values.as_slice_mut().map_err(refused)?;
                let size = values.len();
                (Column::EightBytes(values), size)
            }
            Self::FourBytes(values) => {
                let values = values.as_slice_mut().map_err(refused)?;
                let size = values.len();
                (Column::FourBytes(values), size)
            }
            Self::TwoBytes(values) => {
                let values = values.as_slice_mut().map_err(refused)?;
                let size = values.len();
                (Column::TwoBytes(values), size)
            }
            Self::OneByte(values) => {
                let values = values.as_slice_mut().map_err(refused)?;
                let size = values.len();
                (Column::OneByte(values), size)
            }
        };
        if size == length { Ok(column) } else { Err(refused("sizes do not fit")) }
    }
}

/// The integers in 16 bits each, and their largest magnitude; None where one has more.
#[pyfunction]
fn narrowed<'py>(py: Python<'py>, values: Whole<'_>) -> PyResult<Option<(Bound<'py, PyArray1<i16>>, u16)>> {
    let vector = values.vector()?;
    let narrow = py.detach(|| of_vector!(vector, |values| narrow(values)));
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
    values: Whole<'_>,
    shift: u32,
    first: i64,
    table: PyReadonlyArray1<'_, i64>,
    line: Option<(i64, i64, i64)>,
    mut result: Written<'_>,
    widths: Vec<u32>,
    mut columns: Vec<Written<'_>>,
) -> PyResult<bool> {
    let vector = values.vector()?;
    let length = of_vector!(&vector, |values| values.len());
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
        of_vector!(vector, |values| rescale::rescale(values, shift, &table, &mut result, parts))
    }))
}

/// The constant and a multiple of each array, of one length, added up.
#[pyfunction]
fn weighted_sum<'py>(
    py: Python<'py>,
    arrays: Vec<(i64, Whole<'_>)>,
    constant: i64,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let vectors: PyResult<Vec<_>> =
        arrays.iter().map(|(factor, array)| Ok((*factor, array.vector()?))).collect();
    let vectors = vectors?;
    let lengths: Vec<usize> =
        vectors.iter().map(|(_, vector)| of_vector!(vector, |values| values.len())).collect();
    let length = lengths.first().copied().unwrap_or(0);
    if lengths.iter().any(|&other| other != length) {
        return Err(refused("sizes do not fit"));
    }
    Ok(py.detach(|| rescale::weighted_sum(&vectors, length, constant)).into_pyarray(py))
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
    module.add_function(wrap_pyfunction!(rescale_into, module)?)
}
