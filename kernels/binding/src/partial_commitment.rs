//! Parts of a commitment, and the tree over them.

use deepprove_kernels::error::{Error, ShareCheck};
use deepprove_kernels::field::F;
use deepprove_kernels::parts::commitment::{self as core, CodePart, PartOpening};
use deepprove_kernels::parts::joined;
use deepprove_verifier::hashing::Digest;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::commitment::{Code, Encoder, digests, elements, opened};
use crate::pool::Pool;
use crate::rejection::raise;
use crate::vectors::{BaseVector, ExtensionVector};

fn code_part(code: &Code, log_parts: usize, part: usize) -> PyResult<CodePart> {
    CodePart::new(code.0, log_parts, part).map_err(raise)
}

/// The code of one of 2^log_parts parts while blocks of whole columns are added, in any order.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct PartialCode(Option<core::PartialCode>);

#[pymethods]
impl PartialCode {
    #[new]
    fn new(code: &Code, log_parts: usize, part: usize) -> PyResult<Self> {
        Ok(Self(Some(core::PartialCode::new(code_part(code, log_parts, part)?))))
    }

    /// Encodes a block of whole base columns, column-major, the first of which is `first_column`.
    fn add_columns(
        &mut self,
        py: Python<'_>,
        first_column: usize,
        values: &BaseVector,
        encoder: &Encoder,
        pool: &Pool,
    ) -> PyResult<()> {
        let code = self.0.as_mut().ok_or_else(finished)?;
        let add = || code.add_whole_columns(first_column, &values.0, &encoder.0, &pool.0);
        py.detach(add).map_err(raise)
    }

    /// Hashes the rows and builds the subtree; ends this object's use.
    fn finish(&mut self, py: Python<'_>, pool: &Pool) -> PyResult<PartialCommitment> {
        let code = self.0.take().ok_or_else(finished)?;
        py.detach(|| code.finish(&pool.0)).map(PartialCommitment).map_err(raise)
    }
}

fn finished() -> PyErr {
    PyValueError::new_err("the code of this part is finished")
}

/// A part's rows of the code of a committed matrix, and the subtree over them.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct PartialCommitment(core::PartialCommitment);

#[pymethods]
impl PartialCommitment {
    /// Commits a part of base columns, column-major, with the random rows after their rows, from all parts of their
    /// vector: as `BaseVector.parts` gives them, without zeros at their ends perhaps.
    #[staticmethod]
    #[pyo3(signature = (parts, code, log_parts, part, encoder, pool, random_rows=None))]
    #[expect(clippy::too_many_arguments, reason = "what a part is of, which it is, and what with")]
    fn of_parts(
        py: Python<'_>,
        parts: Vec<PyRef<'_, BaseVector>>,
        code: &Code,
        log_parts: usize,
        part: usize,
        encoder: &Encoder,
        pool: &Pool,
        random_rows: Option<&BaseVector>,
    ) -> PyResult<Self> {
        let (part, random_rows) = (code_part(code, log_parts, part)?, elements(random_rows));
        let parts: Vec<&[F]> = parts.iter().map(|part| part.0.as_slice()).collect();
        let commit = || core::PartialCommitment::commit_parts(&parts, random_rows, part, &encoder.0, &pool.0);
        py.detach(commit).map(Self).map_err(raise)
    }

    /// Commits a part of extension columns, from all of them, column-major.
    #[staticmethod]
    fn of_extension(
        py: Python<'_>,
        values: &ExtensionVector,
        code: &Code,
        log_parts: usize,
        part: usize,
        encoder: &Encoder,
        pool: &Pool,
    ) -> PyResult<Self> {
        let part = code_part(code, log_parts, part)?;
        let commit = || core::PartialCommitment::commit(&values.0, part, &encoder.0, &pool.0);
        py.detach(commit).map(Self).map_err(raise)
    }

    /// Commits a part of base columns, from all of them, row-major.
    #[staticmethod]
    fn of_rows(
        py: Python<'_>,
        matrix: &BaseVector,
        code: &Code,
        log_parts: usize,
        part: usize,
        encoder: &Encoder,
        pool: &Pool,
    ) -> PyResult<Self> {
        let part = code_part(code, log_parts, part)?;
        let commit = || core::PartialCommitment::commit_rows(&matrix.0, part, &encoder.0, &pool.0);
        py.detach(commit).map(Self).map_err(raise)
    }

    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    /// The leaves at sorted, distinct leaf indices of the whole tree, all of this part, and for each level of the
    /// subtree below its root, from the leaves up, the nodes that prove them.
    fn open<'py>(
        &self,
        py: Python<'py>,
        indices: Vec<usize>,
    ) -> PyResult<(BaseVector, Vec<Bound<'py, PyBytes>>)> {
        let opening = self.0.open(&indices).map_err(raise)?;
        let levels = opening.levels.iter().map(|level| PyBytes::new(py, level.as_flattened())).collect();
        Ok((BaseVector(opening.rows.into()), levels))
    }
}

/// The tree over the roots of a commitment's parts, from left to right.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct JoinedTree(joined::JoinedTree);

#[pymethods]
impl JoinedTree {
    #[new]
    fn new(roots: Vec<Vec<u8>>, code: &Code, pool: &Pool) -> PyResult<Self> {
        let root =
            |root: Vec<u8>| Digest::try_from(root).map_err(|_| raise(Error::Share(ShareCheck::JoinedRoot)));
        let roots = roots.into_iter().map(root).collect::<PyResult<_>>()?;
        joined::JoinedTree::new(roots, code.0, &pool.0).map(Self).map_err(raise)
    }

    #[getter]
    fn root<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.root())
    }

    /// The opening of the whole at sorted, distinct leaf indices, from those of the parts that hold any of them, in
    /// order; raises Rejected where a part's has not the rows or nodes that the indices ask for.
    fn join<'py>(
        &self,
        py: Python<'py>,
        indices: Vec<usize>,
        openings: Vec<(PyRef<'py, BaseVector>, Vec<Vec<u8>>)>,
    ) -> PyResult<(BaseVector, Bound<'py, PyBytes>)> {
        let opening = |(rows, levels): &(PyRef<'_, BaseVector>, Vec<Vec<u8>>)| {
            let levels = levels.iter().map(|level| Ok(digests(level)?.to_vec())).collect::<PyResult<_>>()?;
            Ok(PartOpening { rows: rows.0.to_vec(), levels })
        };
        let openings = openings.iter().map(opening).collect::<PyResult<Vec<_>>>()?;
        self.0.join(&indices, &openings).map(|opening| opened(py, opening)).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PartialCode>()?;
    module.add_class::<PartialCommitment>()?;
    module.add_class::<JoinedTree>()
}
