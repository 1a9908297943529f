//! The fraction tree.

use deepprove_kernels::error::Result;
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
        let len = 1usize
            .checked_shl(log_size)
            .ok_or_else(|| PyValueError::new_err("a block of leaves is too large"))?;
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
    module.add_function(wrap_pyfunction!(fraction_verify, module)?)
}
