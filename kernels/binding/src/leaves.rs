//! The blocks of a fraction tree's leaves, as a verifier weighs them.

use deepprove_verifier::leaves;
use pyo3::prelude::*;

use crate::claim_terms::ClaimTerms;
use crate::linear_pieces::LinearPieces;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::vectors::ExtensionVector;

/// For each row its leaf blocks: the first leaf, and log2 of the size.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct LeafBlocks(leaves::LeafBlocks);

#[pymethods]
impl LeafBlocks {
    #[new]
    fn new(rows: Vec<Vec<(usize, usize)>>) -> Self {
        Self(leaves::LeafBlocks(rows))
    }

    /// For each block eq of the point's first coordinates and the block's number.
    fn at(&self, point: ExtensionVector) -> PyResult<LeafWeights> {
        self.0.at(point.0).map(LeafWeights).map_err(raise)
    }
}

/// The weights of all leaf blocks at a point.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct LeafWeights(leaves::LeafWeights);

#[pymethods]
impl LeafWeights {
    /// The sum of each row's weights.
    #[getter]
    fn totals(&self) -> ExtensionVector {
        ExtensionVector(self.0.totals())
    }

    /// `coefficient` times the weights of the rows from `first` on, each on a tensor; None for no term.
    fn terms(
        &self,
        coefficient: Extension,
        first: usize,
        tensors: Vec<Option<usize>>,
    ) -> PyResult<ClaimTerms> {
        self.0.terms(coefficient.0, first, &tensors).map(ClaimTerms::from).map_err(raise)
    }

    /// The weighted sum of a table's values: those of block B begin with `starts`[B].
    fn table(&self, row: usize, pieces: &LinearPieces, starts: Vec<usize>) -> PyResult<Extension> {
        self.0.table(row, &pieces.0, &starts).map(Extension).map_err(raise)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LeafBlocks>()?;
    module.add_class::<LeafWeights>()
}
