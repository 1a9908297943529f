//! The fraction tree.

use std::sync::Arc;

use deepprove_kernels::error::Result;
use deepprove_kernels::field::F;
use deepprove_kernels::logup;
use deepprove_kernels::logup::leaves::{Column, LeafBlock, Leaves};
use deepprove_verifier::logup as verifier;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// The leaves of a fraction tree, block by block.
#[pyclass(module = "deepprove_dist._kernels")]
#[derive(Default)]
pub struct FractionLeaves(Vec<LeafBlock>);

/// A column: a vector and the index of its first value.
type ColumnStart<'py> = (PyRef<'py, BaseVector>, usize);

#[pymethods]
impl FractionLeaves {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// 2^log_size leaves from `leaf` on with denominators constant + sum coefficient * column and
    /// numerators 1, or minus the multiplicities.
    #[pyo3(signature = (leaf, log_size, constant, terms, multiplicities=None))]
    fn add(
        &mut self,
        leaf: usize,
        log_size: u32,
        constant: Extension,
        terms: Vec<(Extension, ColumnStart<'_>)>,
        multiplicities: Option<ColumnStart<'_>>,
    ) -> PyResult<()> {
        let len = block_length(log_size)?;
        let column = |(vector, start): &ColumnStart<'_>| -> PyResult<Column> {
            Column::new(vector.0.clone(), *start, len).map_err(raise)
        };
        let terms = terms.iter().map(|(c, start)| Ok((c.0, column(start)?))).collect::<PyResult<_>>()?;
        let multiplicities = multiplicities.as_ref().map(column).transpose()?;
        self.0.push(LeafBlock { leaf, len, constant: constant.0, terms, multiplicities });
        Ok(())
    }

    /// Proves that all fractions add up to zero: values sent, with their pads where there are any, the point, and
    /// numerator and denominator there as the values give them.
    fn prove(
        &self,
        py: Python<'_>,
        levels: usize,
        transcript: &mut Transcript,
        pool: &Pool,
        pads: ExtensionVector,
    ) -> PyResult<Sent> {
        let prove = || logup::prove(self.layers(levels)?, &mut transcript.0, pads.0);
        let leaves = 1 << levels.min(32);
        let proof = py.detach(|| pool.0.run(leaves, prove)).map_err(raise)?;
        Ok(sent(proof))
    }
}

/// Where a column's values are: in a vector that is kept, or in one that comes with each proof, by its number.
enum Source {
    Kept(Arc<Vec<F>>),
    Given(usize),
}

/// A leaf block, whose denominator has the coefficients of its row.
struct PlannedBlock {
    row: usize,
    leaf: usize,
    len: usize,
    terms: Vec<(Source, usize)>,
    multiplicities: Option<(Source, usize)>,
}

/// A vector, or the number of one that comes with each proof.
#[derive(FromPyObject)]
enum SourceField<'py> {
    Kept(PyRef<'py, BaseVector>),
    Given(usize),
}

/// Leaf blocks without the vectors and the coefficients that a proof has for them.
#[pyclass(module = "deepprove_dist._kernels")]
#[derive(Default)]
pub struct LeafPlan(Vec<PlannedBlock>);

#[pymethods]
impl LeafPlan {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// 2^log_size leaves from `leaf` on: a block of row number `row` with these columns, each a source and the index
    /// of its first value, and with multiplicities where it is of a table.
    #[pyo3(signature = (row, leaf, log_size, columns, multiplicities=None))]
    fn add(
        &mut self,
        row: usize,
        leaf: usize,
        log_size: u32,
        columns: Vec<(SourceField<'_>, usize)>,
        multiplicities: Option<(SourceField<'_>, usize)>,
    ) -> PyResult<()> {
        let len = block_length(log_size)?;
        let column = |(source, start): (SourceField<'_>, usize)| match source {
            SourceField::Kept(vector) => (Source::Kept(vector.0.clone()), start),
            SourceField::Given(number) => (Source::Given(number), start),
        };
        let terms = columns.into_iter().map(column).collect();
        self.0.push(PlannedBlock { row, leaf, len, terms, multiplicities: multiplicities.map(column) });
        Ok(())
    }

    /// The leaves of a proof: `given` are its vectors, `denominators` the constant and the coefficients of each row.
    fn leaves(
        &self,
        given: Vec<PyRef<'_, BaseVector>>,
        denominators: Vec<(Extension, Vec<Extension>)>,
    ) -> PyResult<FractionLeaves> {
        let block = |block: &PlannedBlock| {
            let column = |(source, start): &(Source, usize)| {
                let vector = match source {
                    Source::Kept(vector) => vector,
                    Source::Given(number) => &given.get(*number).ok_or_else(no_column)?.0,
                };
                Column::new(vector.clone(), *start, block.len).map_err(raise)
            };
            let (constant, coefficients) = denominators.get(block.row).ok_or_else(no_column)?;
            let terms = coefficients.iter().zip(&block.terms).map(|(c, source)| Ok((c.0, column(source)?)));
            Ok(LeafBlock {
                leaf: block.leaf,
                len: block.len,
                constant: constant.0,
                terms: terms.collect::<PyResult<_>>()?,
                multiplicities: block.multiplicities.as_ref().map(column).transpose()?,
            })
        };
        self.0.iter().map(block).collect::<PyResult<_>>().map(FractionLeaves)
    }
}

fn block_length(log_size: u32) -> PyResult<usize> {
    1usize.checked_shl(log_size).ok_or_else(|| PyValueError::new_err("a block of leaves is too large"))
}

fn no_column() -> PyErr {
    PyValueError::new_err("leaves need a vector and a denominator that are not there")
}

impl FractionLeaves {
    /// The tree of all 2^`levels` leaves.
    pub fn layers(&self, levels: usize) -> Result<logup::Layers> {
        Ok(Leaves::new(self.0.clone(), levels)?.into())
    }

    /// The same, with at most 2^`log_written` nodes written at once.
    pub fn written(&self, levels: usize, log_written: usize) -> Result<logup::Layers> {
        Ok(logup::Layers::written(Leaves::new(self.0.clone(), levels)?, log_written))
    }
}

/// Values sent, point, numerator and denominator there.
pub type Sent = (ExtensionVector, ExtensionVector, Extension, Extension);

/// A proof for Python.
pub fn sent(proof: logup::FractionProof) -> Sent {
    let leaf = proof.leaf;
    (
        ExtensionVector(proof.values),
        ExtensionVector(leaf.point),
        Extension(leaf.numerator),
        Extension(leaf.denominator),
    )
}

/// Point, numerator and denominator of the leaf claim, and of each layer below the root: the challenges, the last
/// claims, which are not checked, and their derivatives.
type Reduced = (ExtensionVector, Extension, Extension, ExtensionVector, ExtensionVector, ExtensionVector);

/// What a fraction tree leaves to check; raises Rejected for another number of values.
#[pyfunction]
fn fraction_verify(
    levels: usize,
    values: &ExtensionVector,
    transcript: &mut Transcript,
) -> PyResult<Reduced> {
    let verifier::Reduced { leaf, lambdas, claims, coefficients } =
        verifier::verify(levels, &values.0, &mut transcript.0).map_err(raise)?;
    let layers = [lambdas, claims, coefficients].map(ExtensionVector);
    let [lambdas, claims, coefficients] = layers;
    let leaf = (ExtensionVector(leaf.point), Extension(leaf.numerator), Extension(leaf.denominator));
    Ok((leaf.0, leaf.1, leaf.2, lambdas, claims, coefficients))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<FractionLeaves>()?;
    module.add_class::<LeafPlan>()?;
    module.add_function(wrap_pyfunction!(fraction_verify, module)?)
}
