//! Vectors of base and extension elements, and kernels from vectors to vectors.

use std::sync::Arc;

use deepprove_kernels::field::vector::{self, unpack};
use deepprove_kernels::field::{
    BASE_BYTES, EF, EXTENSION_BYTES, EXTENSION_DEGREE, F, PackedEF, PackedF, WIDTH, decode_base,
    decode_extension, from_integers, write_base, write_extension,
};
use deepprove_kernels::parts::packed;
use deepprove_kernels::parts::residue::{Residue, interleave_encoded, split};
use deepprove_kernels::poly::arrange::arrange;
use deepprove_kernels::poly::eq::eq_scalars;
use deepprove_kernels::poly::univariate::{evaluate_base, evaluate_extension};
use deepprove_verifier::transcript::Transcript;
use numpy::{IntoPyArray, PyArray1};
use p3_field::integers::QuotientMap;
use p3_field::{BasedVectorSpace, PackedValue, PrimeCharacteristicRing, PrimeField32};
use pyo3::exceptions::{PyIndexError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PySlice};

use crate::arrays::{SignedIntegers, of_integers};
use crate::claims::DyadicBlocks;
use crate::pool::Pool;
use crate::public_integers::signed;
use crate::rejection::raise;
use crate::scalar::{Extension, Operand};

/// An immutable vector of base elements, shared and never copied.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct BaseVector(pub Arc<Vec<F>>);

#[pymethods]
impl BaseVector {
    /// Residues of signed integers.
    #[staticmethod]
    fn from_array(py: Python<'_>, values: SignedIntegers<'_>) -> PyResult<Self> {
        let residues = of_integers!(values.vector()?, |values| py.detach(|| from_integers(values)));
        Ok(Self(Arc::new(residues)))
    }

    /// Residues of signed integers of 4 bytes each, little-endian.
    #[staticmethod]
    fn from_signed(integers: &[u8]) -> PyResult<Self> {
        Ok(Self(Arc::new(from_integers(&signed(integers)?))))
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        Ok(Self(Arc::new(decode_base(bytes).map_err(raise)?)))
    }

    /// The columns of `rows` values with the last ones of each replaced: `tails` has as many for each column.
    fn with_tails(&self, rows: usize, tails: &Self) -> PyResult<Self> {
        let columns = self.0.len().checked_div(rows).unwrap_or(0);
        let tail = tails.0.len().checked_div(columns).unwrap_or(0);
        if columns * rows != self.0.len() || columns * tail != tails.0.len() || tail == 0 || tail > rows {
            return Err(PyValueError::new_err("tails do not fit the columns"));
        }
        let mut values = self.0.as_ref().clone();
        for (column, tail) in values.chunks_exact_mut(rows).zip(tails.0.chunks_exact(tail)) {
            column[rows - tail.len()..].copy_from_slice(tail);
        }
        Ok(Self(values.into()))
    }

    /// Tensors (values, shape, blocks) in the order of the `length` addresses from `first` on, zero
    /// elsewhere; of `part` = (log of the number of parts, index) only the indices with these low bits.
    #[staticmethod]
    #[pyo3(signature = (first, length, tensors, part=(0, 0)))]
    fn arranged(
        py: Python<'_>,
        first: usize,
        length: usize,
        tensors: &Bound<'_, PyAny>,
        part: (usize, usize),
    ) -> PyResult<Self> {
        let part = Residue::new(part.0, part.1).map_err(raise)?;
        if !first.is_multiple_of(1 << part.log_parts) || !length.is_multiple_of(1 << part.log_parts) {
            return Err(PyValueError::new_err("the addresses are no whole rows of parts"));
        }
        let mut matrix = F::zero_vec(length >> part.log_parts);
        // One by one: an iterator may read a tensor only when it is its turn.
        for tensor in tensors.try_iter()? {
            let (values, shape, blocks): (PyRef<'_, BaseVector>, Vec<usize>, PyRef<'_, DyadicBlocks>) =
                tensor?.extract()?;
            let (values, shape, blocks) = (values.0.clone(), &shape, &blocks.0[..]);
            py.detach(|| arrange(&values, shape, blocks, first, part, &mut matrix)).map_err(raise)?;
        }
        Ok(Self(Arc::new(matrix)))
    }

    /// The 2^`log_parts` parts: the values whose index has the low bits 0, 1, ... `trimmed` ones are those of
    /// the vector without the zeros at its end.
    #[pyo3(signature = (log_parts, trimmed=false))]
    fn parts(&self, py: Python<'_>, log_parts: usize, trimmed: bool) -> PyResult<Vec<Self>> {
        Residue::new(log_parts, 0).map_err(raise)?;
        let values = if trimmed { used(&self.0) } else { &self.0 };
        let parts = py.detach(|| split(values, log_parts));
        Ok(parts.into_iter().map(|part| Self(Arc::new(part))).collect())
    }

    /// Without the zeros at its end.
    fn trimmed(&self) -> Self {
        Self(Arc::new(used(&self.0).to_vec()))
    }

    /// As bytes that are few where its values are small integers.
    fn packed<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &py.detach(|| packed::pack(&self.0)))
    }

    /// From `packed`. Raises ValueError for other bytes.
    #[staticmethod]
    fn from_packed(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        Ok(Self(Arc::new(py.detach(|| packed::unpack(bytes)).map_err(raise)?)))
    }

    /// With zeros at its end, `length` values in all.
    fn padded(&self, length: usize) -> PyResult<Self> {
        if length < self.0.len() {
            return Err(PyValueError::new_err("the vector is longer than it is to become"));
        }
        let mut values = Vec::with_capacity(length);
        values.extend_from_slice(&self.0);
        values.resize(length, F::ZERO);
        Ok(Self(Arc::new(values)))
    }

    /// The vector whose parts, a power of two of equally long ones, these are as bytes, in rows of `width` values
    /// that are not cut.
    #[staticmethod]
    fn interleaved_bytes(py: Python<'_>, parts: Vec<PyBackedBytes>, width: usize) -> PyResult<Self> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| part.as_ref()).collect();
        let values = py.detach(|| interleave_encoded(&parts, width));
        Ok(Self(Arc::new(values.map_err(raise)?)))
    }

    /// Canonical representatives.
    fn to_array<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<u32>> {
        self.0.iter().map(PrimeField32::as_canonical_u32).collect::<Vec<_>>().into_pyarray(py)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.0.len() * BASE_BYTES, |out| {
            write_base(&self.0, out);
            Ok(())
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The values of a slice without steps.
    fn __getitem__(&self, key: &Bound<'_, PySlice>) -> PyResult<Self> {
        let range = key.indices(self.0.len() as isize)?;
        if range.step != 1 {
            return Err(PyValueError::new_err("a slice of base elements has no steps"));
        }
        let start = range.start as usize;
        Ok(Self(Arc::new(self.0[start..start + range.slicelength].to_vec())))
    }

    /// All vectors, one after the other.
    #[staticmethod]
    fn concatenated(vectors: Vec<PyRef<'_, Self>>) -> Self {
        let vectors: Vec<&[F]> = vectors.iter().map(|vector| vector.0.as_slice()).collect();
        Self(Arc::new(vectors.concat()))
    }

    /// The digest of the values' bytes under a given context.
    fn digest<'py>(&self, py: Python<'py>, context: &str) -> Bound<'py, PyBytes> {
        let mut transcript = Transcript::new(context.as_bytes());
        py.detach(|| transcript.absorb_base("digest", &self.0));
        PyBytes::new(py, &transcript.digest())
    }

    /// sum_i values[i] z^i of each run of `rows` values.
    fn column_values(
        &self,
        py: Python<'_>,
        rows: usize,
        z: Extension,
        pool: &Pool,
    ) -> PyResult<ExtensionVector> {
        if rows == 0 || !self.0.len().is_multiple_of(rows) {
            return Err(PyValueError::new_err("the vector does not hold whole columns"));
        }
        // Unused addresses stand at the end of a matrix: a large part of the last column may be zero.
        let evaluate = || self.0.chunks_exact(rows).map(|c| evaluate_base(used(c), z.0, &pool.0)).collect();
        Ok(ExtensionVector(py.detach(evaluate)))
    }
}

/// Values without the zeros at their end.
fn used(values: &[F]) -> &[F] {
    &values[..values.iter().rposition(|&x| x != F::ZERO).map_or(0, |last| last + 1)]
}

/// An immutable vector of extension elements.
#[pyclass(frozen, eq, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone, PartialEq, Eq)]
pub struct ExtensionVector(pub Vec<EF>);

#[pymethods]
impl ExtensionVector {
    #[new]
    fn new(values: Vec<Operand>) -> Self {
        Self(values.into_iter().map(Operand::value).collect())
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        decode_extension(bytes).map(Self).map_err(raise)
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        PyBytes::new_with(py, self.0.len() * EXTENSION_BYTES, |out| {
            write_extension(&self.0, out);
            Ok(())
        })
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Base elements as elements of the extension.
    #[staticmethod]
    fn of_base(values: &BaseVector) -> Self {
        Self(values.0.iter().map(|&value| EF::from(value)).collect())
    }

    /// `length` elements, the sum of runs (first index, values) and zero elsewhere.
    #[staticmethod]
    fn from_runs(length: usize, runs: Vec<(usize, PyRef<'_, Self>)>) -> PyResult<Self> {
        let mut sums = EF::zero_vec(length);
        for (first, run) in &runs {
            let end = first.checked_add(run.0.len()).filter(|&end| end <= length);
            let end = end.ok_or_else(|| PyValueError::new_err("a run ends after the last element"))?;
            sums[*first..end].iter_mut().zip(&run.0).for_each(|(sum, &value)| *sum += value);
        }
        Ok(Self(sums))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, key: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        if let Ok(slice) = key.cast::<PySlice>() {
            let range = slice.indices(self.0.len() as isize)?;
            let at = |k| self.0[(range.start + k as isize * range.step) as usize];
            let values = (0..range.slicelength).map(at).collect();
            return Ok(Bound::new(py, Self(values))?.into_any());
        }
        let index: isize = key.extract()?;
        let index = if index < 0 { index + self.0.len() as isize } else { index };
        let value = usize::try_from(index).ok().and_then(|i| self.0.get(i));
        let value = value.ok_or_else(|| PyIndexError::new_err("index out of range"))?;
        Ok(Bound::new(py, Extension(*value))?.into_any())
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let elements: Vec<Extension> = self.0.iter().copied().map(Extension).collect();
        elements.into_pyobject(py)?.try_iter().map(Bound::into_any)
    }

    /// This vector and `other` after it.
    fn __add__(&self, other: &Self) -> Self {
        Self([self.0.as_slice(), other.0.as_slice()].concat())
    }

    /// The sum, element by element.
    fn plus(&self, other: &Self) -> PyResult<Self> {
        if self.0.len() != other.0.len() {
            return Err(PyValueError::new_err("vectors of different lengths have no sum"));
        }
        Ok(Self(self.0.iter().zip(&other.0).map(|(&a, &b)| a + b).collect()))
    }

    /// The difference, element by element.
    fn minus(&self, other: &Self) -> PyResult<Self> {
        if self.0.len() != other.0.len() {
            return Err(PyValueError::new_err("vectors of different lengths have no difference"));
        }
        Ok(Self(self.0.iter().zip(&other.0).map(|(&a, &b)| a - b).collect()))
    }

    /// Each element times `factor`.
    fn scaled(&self, factor: Extension) -> Self {
        Self(self.0.iter().map(|&value| value * factor.0).collect())
    }

    /// The elements at some indices, in their order.
    fn take(&self, indices: Vec<usize>) -> PyResult<Self> {
        let values: Option<Vec<EF>> = indices.iter().map(|&index| self.0.get(index).copied()).collect();
        values.map(Self).ok_or_else(|| PyIndexError::new_err("index out of range"))
    }

    /// The elements with these coordinates: five values in a row are one element.
    #[staticmethod]
    fn from_coordinates(values: &BaseVector) -> PyResult<Self> {
        if !values.0.len().is_multiple_of(EXTENSION_DEGREE) {
            return Err(PyValueError::new_err("an extension element has five coordinates"));
        }
        Ok(Self(EF::reconstitute_from_base(values.0.to_vec())))
    }

    /// The product, element by element.
    fn times(&self, other: &Self) -> PyResult<Self> {
        if self.0.len() != other.0.len() {
            return Err(PyValueError::new_err("vectors of different lengths have no product"));
        }
        Ok(Self(self.0.iter().zip(&other.0).map(|(&a, &b)| a * b).collect()))
    }

    /// sum_i self[i] x^i at each base point x.
    fn at(&self, points: &BaseVector) -> Self {
        // Points side by side fill registers; zeros follow the last.
        let mut padded = points.0.to_vec();
        padded.resize(points.0.len().next_multiple_of(WIDTH), F::ZERO);
        let horner = |&x: &PackedF| {
            self.0.iter().rev().fold(PackedEF::ZERO, |sum, &value| sum * x + PackedEF::from(value))
        };
        let mut values = unpack(&PackedF::pack_slice(&padded).iter().map(horner).collect::<Vec<_>>());
        values.truncate(points.0.len());
        Self(values)
    }

    /// Each element times the integer of its index.
    fn weigh(&self, integers: Vec<i64>) -> PyResult<Self> {
        if self.0.len() != integers.len() {
            return Err(PyValueError::new_err("one integer for each element is needed"));
        }
        Ok(Self(self.0.iter().zip(integers).map(|(&value, k)| value * F::from_int(k)).collect()))
    }

    /// Each element `times` times in a row.
    fn repeat_each(&self, times: usize) -> Self {
        Self(self.0.iter().flat_map(|&value| std::iter::repeat_n(value, times)).collect())
    }

    /// Every product self[i] other[j], at index i len(other) + j.
    fn outer(&self, other: &Self) -> Self {
        Self(self.0.iter().flat_map(|&a| other.0.iter().map(move |&b| a * b)).collect())
    }

    /// eq(self, other) for two points.
    fn eq_at(&self, other: &Self) -> PyResult<Extension> {
        if self.0.len() != other.0.len() {
            return Err(PyValueError::new_err("points of different lengths"));
        }
        Ok(Extension(deepprove_kernels::poly::eq::eq_points(&self.0, &other.0)))
    }

    /// sum_i self[i] other[i].
    fn dot(&self, other: &Self) -> PyResult<Extension> {
        if self.0.len() != other.0.len() {
            return Err(PyValueError::new_err("vectors of one length have an inner product"));
        }
        Ok(Extension(vector::dot(&self.0, &other.0)))
    }

    /// sum_i self[i] z^i.
    fn evaluate(&self, py: Python<'_>, z: Extension, pool: &Pool) -> Extension {
        py.detach(|| Extension(evaluate_extension(&self.0, z.0, &pool.0)))
    }

    /// 1, x, x^2, ..., x^(count - 1).
    #[staticmethod]
    fn powers(x: Extension, count: usize) -> Self {
        Self(x.0.powers().take(count).collect())
    }

    /// eq(point, i) for all i below 2^len(point).
    #[staticmethod]
    fn eq(point: &Self) -> PyResult<Self> {
        if point.0.len() > 32 {
            return Err(PyValueError::new_err("an equality table has at most 32 variables"));
        }
        Ok(Self(eq_scalars(&point.0, EF::ONE)))
    }

    /// The sum of all elements.
    fn total(&self) -> Extension {
        Extension(self.0.iter().copied().sum())
    }

    /// sum_{i < count} eq(self, i).
    fn eq_prefix_sum(&self, count: usize) -> Extension {
        Extension(deepprove_kernels::poly::eq::eq_prefix_sum(&self.0, count))
    }
}

/// See [`count_integers`]; none where a value is among no numbers that are counted.
fn count<T: Copy + Into<i64>>(values: &[T], first: i64, size: usize) -> Option<Vec<i64>> {
    let mut counts = vec![0_i64; size];
    for &value in values {
        let row = value.into().checked_sub(first).and_then(|row| usize::try_from(row).ok());
        *row.and_then(|row| counts.get_mut(row))? += 1;
    }
    Some(counts)
}

/// How often each of `size` numbers from `first` on is among the values.
#[pyfunction]
fn count_integers<'py>(
    py: Python<'py>,
    values: SignedIntegers<'py>,
    first: i64,
    size: usize,
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let counts = of_integers!(values.vector()?, |values| py.detach(|| count(values, first, size)));
    let counts =
        counts.ok_or_else(|| PyValueError::new_err("a value is not among those that are counted"))?;
    Ok(counts.into_pyarray(py))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(count_integers, module)?)?;
    module.add_class::<BaseVector>()?;
    module.add_class::<ExtensionVector>()
}
