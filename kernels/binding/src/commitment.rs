//! Commitments and their openings.

use deepprove_kernels::code::reed_solomon;
use deepprove_kernels::error::{Check, Rejection};
use deepprove_kernels::field::F;
use deepprove_kernels::merkle::commitment::{self as core, MultiOpening};
use deepprove_verifier::code::{self as verifier, CodeShape, Columns};
use deepprove_verifier::hashing::Digest;
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

    /// For each position (row of the code) the index in the tree of the leaf that holds it.
    fn leaf_indices(&self, positions: Vec<usize>) -> PyResult<Vec<usize>> {
        self.0.leaf_indices(&positions).map_err(raise)
    }

    /// The distinct leaves that hold positions, increasing, and for each position which of these holds it.
    fn held(&self, positions: Vec<usize>) -> PyResult<(Vec<usize>, Vec<usize>)> {
        self.0.held(&positions).map_err(raise)
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

/// The elements of random rows, none where there are none.
pub fn elements(random_rows: Option<&BaseVector>) -> &[F] {
    random_rows.map_or(&[], |rows| &rows.0)
}

/// A committed matrix with its code and its tree.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct Commitment(core::Commitment);

#[pymethods]
impl Commitment {
    /// Commits base columns, column-major, and after their rows the random rows, column-major as well.
    #[staticmethod]
    #[pyo3(signature = (values, code, encoder, pool, random_rows=None))]
    fn of_base(
        py: Python<'_>,
        values: &BaseVector,
        code: &Code,
        encoder: &Encoder,
        pool: &Pool,
        random_rows: Option<&BaseVector>,
    ) -> PyResult<Self> {
        let random_rows = elements(random_rows);
        let commit = || core::Commitment::commit_hiding(&values.0, random_rows, code.0, &encoder.0, &pool.0);
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
    verifier::verify_opening(root, &code.0, &indices, &rows.0, digests(nodes)?).map_err(raise)
}

/// For query positions `position[k]` (row of the code) in leaves laid out by `code`: the combination of
/// the row's columns with `weights`, base columns one by one or, with `extension`, five by five.
/// `slots[k]` is the number of the position's leaf among the opened ones.
#[pyfunction]
fn combine_rows(
    rows: &BaseVector,
    code: &Code,
    positions: Vec<usize>,
    slots: Vec<usize>,
    weights: &ExtensionVector,
    extension: bool,
) -> PyResult<ExtensionVector> {
    let columns = if extension { Columns::Extension } else { Columns::Base };
    verifier::combine_rows(&rows.0, &code.0, &positions, &slots, &weights.0, columns)
        .map(ExtensionVector)
        .map_err(raise)
}

/// g^position for the generator g of the subgroup of order 2^log_length.
#[pyfunction]
fn domain_points(log_length: usize, positions: Vec<u64>) -> PyResult<BaseVector> {
    verifier::domain_points(log_length, &positions).map(|points| BaseVector(points.into())).map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Encoder>()?;
    module.add_class::<Code>()?;
    module.add_class::<Commitment>()?;
    module.add_function(wrap_pyfunction!(verify_opening, module)?)?;
    module.add_function(wrap_pyfunction!(combine_rows, module)?)?;
    module.add_function(wrap_pyfunction!(domain_points, module)?)
}
