//! The opening's sumcheck by parts, and the coordinator's side of it.

use deepprove_kernels::blocks::log_blocks;
use deepprove_kernels::column_rounds;
use deepprove_kernels::field::EF;
use deepprove_kernels::gram::Gram;
use deepprove_kernels::partial_opening;
use deepprove_kernels::residue::Residue;
use deepprove_kernels::weights::WeightVector;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::claims::Terms;
use crate::opening::{Powers, power_claims};
use crate::pool::Pool;
use crate::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// c_0 and c_2 of a round.
fn pair(sums: &ExtensionVector) -> PyResult<[EF; 2]> {
    sums.0.as_slice().try_into().map_err(|_| PyValueError::new_err("a round has two sums"))
}

/// The rows of one part of the committed matrices in the opening's sumcheck.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct PartialOpening(partial_opening::PartialOpening);

#[pymethods]
impl PartialOpening {
    /// `matrices` hold the rows of `part` = (log of the number of parts, index) only, `terms` speak of all
    /// addresses of columns of 2^`log_rows` rows.
    #[new]
    fn new(
        matrices: Vec<PyRef<'_, BaseVector>>,
        log_rows: usize,
        terms: &Terms,
        part: (usize, usize),
    ) -> PyResult<Self> {
        let matrices = matrices.iter().map(|m| m.0.clone()).collect();
        let part = Residue::new(part.0, part.1).map_err(raise)?;
        partial_opening::PartialOpening::new(matrices, log_rows, &terms.0, part).map(Self).map_err(raise)
    }

    /// The share of the Gram matrix of 2^`log_blocks` blocks of columns, row by row.
    fn gram(&self, py: Python<'_>, log_blocks: usize, pool: &Pool) -> PyResult<ExtensionVector> {
        py.detach(|| pool.0.install(|| self.0.gram(log_blocks))).map(ExtensionVector).map_err(raise)
    }

    /// Binds the blocks' bits to `point`; the share of the next round.
    fn bind(&mut self, py: Python<'_>, point: &ExtensionVector, pool: &Pool) -> PyResult<ExtensionVector> {
        let bind = || pool.0.install(|| self.0.bind(&point.0));
        py.detach(bind).map(|sums| ExtensionVector(sums.to_vec())).map_err(raise)
    }

    /// The share of the next round.
    fn sums(&self, py: Python<'_>, pool: &Pool) -> ExtensionVector {
        ExtensionVector(py.detach(|| pool.0.install(|| self.0.sums())).to_vec())
    }

    /// Binds the next variable to `r`; the share of the next round.
    fn fold(&mut self, py: Python<'_>, r: Extension, pool: &Pool) -> PyResult<ExtensionVector> {
        let fold = || pool.0.install(|| self.0.fold(r.0));
        py.detach(fold).map(|sums| ExtensionVector(sums.to_vec())).map_err(raise)
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

    /// The part's places of f, and of the weights.
    fn remaining(&self) -> (ExtensionVector, ExtensionVector) {
        let [f, w] = self.0.remaining();
        (ExtensionVector(f), ExtensionVector(w))
    }
}

/// The column rounds as the transcript sees them.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct ColumnRounds {
    rounds: column_rounds::ColumnRounds,
    columns: usize,
}

#[pymethods]
impl ColumnRounds {
    #[new]
    fn new(columns: usize, log_rows: usize, powers: Vec<Powers<'_>>, claim: Extension) -> PyResult<Self> {
        let powers = power_claims(&powers);
        let rounds = column_rounds::ColumnRounds::new(columns, log_rows, &powers, claim.0).map_err(raise)?;
        Ok(Self { rounds, columns })
    }

    /// The logarithm of the number of blocks that costs each of 2^`log_parts` parts least, a later round being
    /// worth `round` multiplications. It depends on the boxes and axes of `terms` alone.
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

    /// The rounds that the sum of all parts' Gram matrices gives; raises Rejected where it has not the claim.
    fn gram(&mut self, values: ExtensionVector, transcript: &mut Transcript) -> PyResult<ExtensionVector> {
        let gram = Gram::from_values(values.0, self.columns).map_err(raise)?;
        self.rounds.check(gram.trace()).map_err(raise)?;
        Ok(ExtensionVector(self.rounds.gram(gram, &mut transcript.0)))
    }

    /// One more round; returns its challenge.
    fn send(&mut self, sums: &ExtensionVector, transcript: &mut Transcript) -> PyResult<Extension> {
        Ok(Extension(self.rounds.send(pair(sums)?, &mut transcript.0)))
    }

    #[getter]
    fn remaining(&self) -> usize {
        self.rounds.remaining()
    }

    /// Points and scales of the claims at powers over the rows.
    fn power_weights(&self) -> (ExtensionVector, ExtensionVector) {
        let (points, scales) = self.rounds.power_weights();
        (ExtensionVector(points), ExtensionVector(scales))
    }

    /// The rounds that were sent, the challenges, and the claim that remains.
    fn finish(&self) -> (ExtensionVector, ExtensionVector, Extension) {
        let rounds = self.rounds.rounds();
        let (sent, point) = (rounds.sent.clone(), rounds.point.clone());
        (ExtensionVector(sent), ExtensionVector(point), Extension(self.rounds.claim()))
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PartialOpening>()?;
    module.add_class::<ColumnRounds>()
}
