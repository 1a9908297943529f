//! Commitments and their openings.

use deepprove_kernels::commitment::{self as core, CodeShape, MultiOpening};
use deepprove_kernels::error::{Check, Rejection};
use deepprove_kernels::field::{EF, EXTENSION_DEGREE, F, TWO_ADICITY};
use deepprove_kernels::hashing::Digest;
use deepprove_kernels::reed_solomon;
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing, TwoAdicField};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::{BaseVector, ExtensionVector};

/// Tables of the transforms, kept between commitments.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
#[derive(Default)]
pub struct Encoder(pub reed_solomon::Encoder);

#[pymethods]
impl Encoder {
    #[new]
    fn new() -> Self {
        Self::default()
    }
}

/// The code of a committed matrix: (log_rows, base columns, log_inverse_rate, log_group).
#[pyclass(frozen, eq, module = "deepprove_dist._kernels", name = "CodeShape")]
#[derive(PartialEq, Eq)]
pub struct Code(pub CodeShape);

#[pymethods]
impl Code {
    #[new]
    fn new(log_rows: usize, columns: usize, log_inverse_rate: usize, log_group: usize) -> PyResult<Self> {
        CodeShape::new(log_rows, columns, log_inverse_rate, log_group).map(Self).map_err(raise)
    }

    /// Logarithm of the number of leaves.
    #[getter]
    fn height(&self) -> usize {
        self.0.height()
    }

    /// For each position (row of the code) the place in the tree of the leaf that holds it.
    fn leaf_indices(&self, positions: Vec<usize>) -> PyResult<Vec<usize>> {
        let length = 1 << self.0.domain().log_length();
        if positions.iter().any(|&position| position >= length) {
            return Err(PyValueError::new_err("a position lies outside the code"));
        }
        Ok(positions.into_iter().map(|position| self.0.place(position)).collect())
    }
}

/// Leaves and nodes as Python takes them.
pub fn opened(py: Python<'_>, opening: MultiOpening) -> (BaseVector, Bound<'_, PyBytes>) {
    (BaseVector(opening.rows.into()), PyBytes::new(py, opening.nodes.as_flattened()))
}

/// Nodes that Python hands over; Rejected unless they are whole digests.
pub fn digests(nodes: &[u8]) -> PyResult<&[Digest]> {
    match nodes.as_chunks::<{ size_of::<Digest>() }>() {
        (digests, []) => Ok(digests),
        _ => Err(raise(Rejection::of(Check::MerkleDigests))),
    }
}

/// A committed matrix with its code and its tree.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct Commitment(core::Commitment);

#[pymethods]
impl Commitment {
    /// Commits base columns, column-major.
    #[staticmethod]
    fn of_base(
        py: Python<'_>,
        values: &BaseVector,
        code: &Code,
        encoder: &Encoder,
        pool: &Pool,
    ) -> PyResult<Self> {
        let commit = || core::Commitment::commit(&values.0, code.0, &encoder.0, &pool.0);
        py.detach(commit).map(Self).map_err(raise)
    }

    /// Commits extension columns, column-major; each is five base columns of the code.
    #[staticmethod]
    fn of_extension(
        py: Python<'_>,
        values: &ExtensionVector,
        code: &Code,
        encoder: &Encoder,
        pool: &Pool,
    ) -> PyResult<Self> {
        let commit = || core::Commitment::commit(&values.0, code.0, &encoder.0, &pool.0);
        py.detach(commit).map(Self).map_err(raise)
    }

    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    /// The leaves at sorted, distinct leaf indices of the tree, and the nodes that prove them.
    fn open<'py>(&self, py: Python<'py>, indices: Vec<usize>) -> PyResult<(BaseVector, Bound<'py, PyBytes>)> {
        self.0.open(&indices).map(|opening| opened(py, opening)).map_err(raise)
    }
}

/// Checks the leaves at these indices against its root; raises Rejected.
#[pyfunction]
fn verify_opening(
    root: &[u8],
    code: &Code,
    indices: Vec<usize>,
    rows: &BaseVector,
    nodes: &[u8],
) -> PyResult<()> {
    let root: &Digest = root.try_into().map_err(|_| PyValueError::new_err("a root has 32 bytes"))?;
    core::verify_opening(root, &code.0, &indices, &rows.0, digests(nodes)?).map_err(raise)
}

/// For query positions `position[k]` (row of the code) in leaves laid out by `code`: the combination of
/// the row's columns with `weights`, base columns one by one or, with `extension`, five by five.
/// `slots[k]` is the place of the position's leaf among the opened ones.
#[pyfunction]
fn combine_rows(
    rows: &BaseVector,
    code: &Code,
    positions: Vec<usize>,
    slots: Vec<usize>,
    weights: &ExtensionVector,
    extension: bool,
) -> PyResult<ExtensionVector> {
    let degree = if extension { EXTENSION_DEGREE } else { 1 };
    let (width, columns) = (code.0.leaf_width(), weights.0.len() * degree);
    if columns == 0 || !width.is_multiple_of(columns) || positions.len() != slots.len() {
        return Err(PyValueError::new_err("weights or positions do not fit the code"));
    }
    let combine = |(&position, &slot): (&usize, &usize)| {
        let row = slot.checked_mul(width)?.checked_add((position >> code.0.height()) * columns)?;
        let row = rows.0.get(row..row + columns)?;
        Some(match extension {
            false => weights.0.iter().zip(row).map(|(&w, &x)| w * x).sum(),
            true => weights
                .0
                .iter()
                .zip(row.chunks_exact(EXTENSION_DEGREE))
                .map(|(&w, x)| w * EF::from_basis_coefficients_fn(|i| x[i]))
                .sum(),
        })
    };
    let combined: Option<Vec<EF>> = positions.iter().zip(&slots).map(combine).collect();
    combined
        .map(ExtensionVector)
        .ok_or_else(|| PyValueError::new_err("a position lies outside the opened rows"))
}

/// g^position for the generator g of the subgroup of order 2^log_length.
#[pyfunction]
fn domain_points(log_length: usize, positions: Vec<u64>) -> PyResult<BaseVector> {
    if log_length > TWO_ADICITY {
        return Err(PyValueError::new_err("a code is longer than the subgroup of order 2^24"));
    }
    let g = F::two_adic_generator(log_length);
    Ok(BaseVector(std::sync::Arc::new(positions.into_iter().map(|j| g.exp_u64(j)).collect())))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Encoder>()?;
    module.add_class::<Code>()?;
    module.add_class::<Commitment>()?;
    module.add_function(wrap_pyfunction!(verify_opening, module)?)?;
    module.add_function(wrap_pyfunction!(combine_rows, module)?)?;
    module.add_function(wrap_pyfunction!(domain_points, module)?)
}
