//! The opening's sumcheck by parts, and the coordinator's side of it.

use deepprove_kernels::parts;
use deepprove_kernels::parts::residue::Residue;
use deepprove_kernels::whir::block_count::log_blocks;
use deepprove_kernels::whir::column_sumcheck;
use deepprove_kernels::whir::gram::Gram;
use deepprove_kernels::whir::inner_product::Rounds;
use deepprove_kernels::whir::weights::WeightVector;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::claims::Terms;
use crate::opening::{Powers, RandomRows, power_claims, random_rows};
use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// The rows of one part of the committed matrices in the opening's sumcheck.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct PartialOpening(parts::opening::PartialOpening);

#[pymethods]
impl PartialOpening {
    /// `matrices` hold the rows of `part` = (log of the number of parts, index) only, `terms` speak of all
    /// addresses of columns of 2^`log_rows` rows; `order[a]` is the column at address a.
    #[new]
    fn new(
        matrices: Vec<PyRef<'_, BaseVector>>,
        order: Vec<usize>,
        log_rows: usize,
        terms: &Terms,
        part: (usize, usize),
    ) -> PyResult<Self> {
        let matrices = matrices.iter().map(|m| m.0.clone()).collect();
        let part = Residue::new(part.0, part.1).map_err(raise)?;
        let opening = parts::opening::PartialOpening::new(matrices, order, log_rows, &terms.0, part);
        opening.map(Self).map_err(raise)
    }

    /// The share of the Gram matrix of 2^`log_blocks` blocks by the next variables.
    fn gram(&self, py: Python<'_>, log_blocks: usize, pool: &Pool) -> PyResult<ExtensionVector> {
        let gram = || pool.0.install(|| self.0.gram(log_blocks));
        py.detach(gram).map(ExtensionVector).map_err(raise)
    }

    /// Binds the next variables to `point`.
    fn bind(&mut self, py: Python<'_>, point: &ExtensionVector, pool: &Pool) -> PyResult<()> {
        py.detach(|| pool.0.install(|| self.0.bind(&point.0))).map_err(raise)
    }

    /// The share of sum_i f[i] z^i.
    fn evaluate(&self, py: Python<'_>, z: Extension, pool: &Pool) -> Extension {
        Extension(py.detach(|| self.0.evaluate(z.0, &pool.0)))
    }

    /// Adds the weights of claims "sum_i f[i] x^i", scaled by `coefficients`.
    fn add_claims(
        &mut self,
        py: Python<'_>,
        points: &ExtensionVector,
        coefficients: &ExtensionVector,
        pool: &Pool,
    ) -> PyResult<()> {
        let add = || pool.0.install(|| self.0.add_claims(&points.0, &coefficients.0));
        py.detach(add).map_err(raise)
    }

    /// The same at base points.
    fn add_base_claims(
        &mut self,
        py: Python<'_>,
        points: &BaseVector,
        coefficients: &ExtensionVector,
        pool: &Pool,
    ) -> PyResult<()> {
        let add = || pool.0.install(|| self.0.add_base_claims(&points.0, &coefficients.0));
        py.detach(add).map_err(raise)
    }

    /// The share of the inner product of the weights and a vector, given by its coordinates' rows of the part.
    fn weigh(&self, py: Python<'_>, columns: &BaseVector, pool: &Pool) -> PyResult<Extension> {
        let weigh = || pool.0.install(|| self.0.weigh(&columns.0));
        py.detach(weigh).map(Extension).map_err(raise)
    }

    /// Adds `scale` times such a vector.
    fn add(&mut self, py: Python<'_>, columns: &BaseVector, scale: Extension, pool: &Pool) -> PyResult<()> {
        let add = || pool.0.install(|| self.0.add(&columns.0, scale.0));
        py.detach(add).map_err(raise)
    }

    /// The variables that f has left over all parts.
    #[getter]
    fn variables(&self) -> usize {
        self.0.variables()
    }

    /// The part's rows of f as a matrix of `columns` extension columns, one after the other.
    fn rows(&self, columns: usize, pool: &Pool) -> PyResult<BaseVector> {
        self.0.rows(columns, &pool.0).map(|rows| BaseVector(rows.into())).map_err(raise)
    }

    /// The part's values of f, and of the weights.
    fn remaining(&self) -> (ExtensionVector, ExtensionVector) {
        let [f, w] = self.0.remaining();
        (ExtensionVector(f), ExtensionVector(w))
    }
}

/// The column rounds as the transcript sees them.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct ColumnSumcheck(column_sumcheck::ColumnSumcheck);

#[pymethods]
impl ColumnSumcheck {
    #[new]
    fn new(
        columns: usize,
        log_rows: usize,
        powers: Vec<Powers<'_>>,
        random: Option<PyRef<'_, RandomRows>>,
        claim: Extension,
    ) -> PyResult<Self> {
        let (powers, random) = (power_claims(&powers), random_rows(random));
        let sumcheck = column_sumcheck::ColumnSumcheck::new(columns, log_rows, &powers, &random, claim.0);
        sumcheck.map(Self).map_err(raise)
    }

    /// log2 of the blocks that cost each of 2^`log_parts` parts least, a later round being worth `round`
    /// multiplications. It depends on the blocks and axes of `terms` alone.
    #[staticmethod]
    fn log_blocks(
        terms: &Terms,
        columns: usize,
        log_rows: usize,
        log_parts: usize,
        round: usize,
    ) -> PyResult<usize> {
        if columns == 0 {
            return Err(PyValueError::new_err("no column is committed"));
        }
        let part = Residue::new(log_parts, 0).map_err(raise)?;
        let weights = WeightVector::new(&terms.0, columns << log_rows, log_rows, part).map_err(raise)?;
        Ok(log_blocks(&weights, columns, round))
    }

    /// The next rounds, which the sum of all parts' Gram matrices gives: their challenges. Raises Rejected
    /// where the first of these sums has not the claim.
    fn gram(
        &mut self,
        values: ExtensionVector,
        log_blocks: usize,
        transcript: &mut Transcript,
    ) -> PyResult<ExtensionVector> {
        let gram = Gram::from_values(values.0, log_blocks).map_err(raise)?;
        if self.0.rounds().point.is_empty() {
            self.0.check(&gram).map_err(raise)?;
        }
        Ok(ExtensionVector(self.0.gram(gram, &mut transcript.0)))
    }

    #[getter]
    fn remaining(&self) -> usize {
        self.0.remaining()
    }

    /// Points and scales of the claims at powers over the rows.
    fn power_weights(&self) -> (ExtensionVector, ExtensionVector) {
        let (points, scales) = self.0.power_weights();
        (ExtensionVector(points), ExtensionVector(scales))
    }

    /// What all rounds have left of the random rows: values and weights.
    fn random_rows(&self) -> PyResult<(ExtensionVector, ExtensionVector)> {
        let [values, weights] = self.0.random_rows().map_err(raise)?;
        Ok((ExtensionVector(values), ExtensionVector(weights)))
    }

    /// The rounds that were sent, and the challenges.
    fn finish(&self) -> (ExtensionVector, ExtensionVector) {
        let rounds = self.0.rounds();
        let (sent, point) = (rounds.sent.clone(), rounds.point.clone());
        (ExtensionVector(sent), ExtensionVector(point))
    }
}

/// Rounds that a Gram matrix of 2^`log_blocks` blocks gives: what was sent, and the challenges.
#[pyfunction]
fn gram_rounds(
    values: ExtensionVector,
    log_blocks: usize,
    transcript: &mut Transcript,
) -> PyResult<(ExtensionVector, ExtensionVector)> {
    let (gram, mut rounds) = (Gram::from_values(values.0, log_blocks).map_err(raise)?, Rounds::default());
    gram.run(|sums| rounds.send(sums, &mut transcript.0));
    Ok((ExtensionVector(rounds.sent), ExtensionVector(rounds.point)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PartialOpening>()?;
    module.add_class::<ColumnSumcheck>()?;
    module.add_function(wrap_pyfunction!(gram_rounds, module)?)
}
