//! The opening's sumcheck.

use deepprove_kernels::whir::column_sumcheck::PowerClaim;
use deepprove_kernels::whir::inner_product::InnerProduct;
use deepprove_verifier::{terms, whir};
use pyo3::prelude::*;

use crate::claims::Terms;
use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// A claim at powers of z: (z, coefficient, first column, end column, values of all columns).
pub type Powers<'py> = (Extension, Extension, usize, usize, PyRef<'py, ExtensionVector>);

pub fn power_claims(powers: &[Powers<'_>]) -> Vec<PowerClaim> {
    let claim = |(z, coefficient, first, end, values): &Powers<'_>| PowerClaim {
        z: z.0,
        coefficient: coefficient.0,
        range: *first..*end,
        column_values: values.0.clone(),
    };
    powers.iter().map(claim).collect()
}

/// The prover's state of an opening after the column rounds.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct Opening(InnerProduct);

#[pymethods]
impl Opening {
    /// Runs the column rounds: the state, the round polynomials and the challenges.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "a Python constructor's")]
    fn columns(
        py: Python<'_>,
        matrices: Vec<PyRef<'_, BaseVector>>,
        log_rows: usize,
        terms: &Terms,
        powers: Vec<Powers<'_>>,
        claim: Extension,
        transcript: &mut Transcript,
        pool: &Pool,
    ) -> PyResult<(Self, ExtensionVector, ExtensionVector)> {
        let matrices: Vec<_> = matrices.iter().map(|m| m.0.clone()).collect();
        let claims = power_claims(&powers);
        let open =
            || InnerProduct::open_columns(&matrices, log_rows, &terms.0, &claims, claim.0, &mut transcript.0);
        let size = matrices.iter().map(|m| m.len()).sum();
        let (state, rounds) = py.detach(|| pool.0.run(size, open)).map_err(raise)?;
        Ok((Self(state), ExtensionVector(rounds.sent), ExtensionVector(rounds.point)))
    }

    /// What all parts have left of f and of the weights.
    #[staticmethod]
    fn join(py: Python<'_>, f: Vec<ExtensionVector>, w: Vec<ExtensionVector>, pool: &Pool) -> PyResult<Self> {
        let vectors = |parts: Vec<ExtensionVector>| parts.into_iter().map(|v| v.0).collect::<Vec<_>>();
        let (f, w) = (vectors(f), vectors(w));
        let join = || pool.0.install(|| InnerProduct::join(&f, &w));
        py.detach(join).map(Self).map_err(raise)
    }

    /// Runs `count` more rounds: the round polynomials and the challenges.
    fn rounds(
        &mut self,
        py: Python<'_>,
        count: usize,
        transcript: &mut Transcript,
        pool: &Pool,
    ) -> PyResult<(ExtensionVector, ExtensionVector)> {
        let steps = self.0.len();
        let rounds = || self.0.rounds(count, &mut transcript.0);
        let rounds = py.detach(|| pool.0.run(steps, rounds)).map_err(raise)?;
        Ok((ExtensionVector(rounds.sent), ExtensionVector(rounds.point)))
    }

    /// The vector that remains.
    fn values(&self) -> ExtensionVector {
        ExtensionVector(self.0.values())
    }

    /// Adds the weights of claims "sum_i f[i] x^i", scaled by `coefficients`.
    fn add_claims(
        &mut self,
        py: Python<'_>,
        points: &ExtensionVector,
        coefficients: &ExtensionVector,
        pool: &Pool,
    ) -> PyResult<()> {
        let steps = self.0.len() * points.0.len();
        let add = || self.0.add_claims(&points.0, &coefficients.0);
        py.detach(|| pool.0.run(steps, add)).map_err(raise)
    }

    /// The same at base points.
    fn add_base_claims(
        &mut self,
        py: Python<'_>,
        points: &BaseVector,
        coefficients: &ExtensionVector,
        pool: &Pool,
    ) -> PyResult<()> {
        let steps = self.0.len() * points.0.len();
        let add = || self.0.add_base_claims(&points.0, &coefficients.0);
        py.detach(|| pool.0.run(steps, add)).map_err(raise)
    }
}

/// Challenges and remaining claim of `count` rounds; raises Rejected.
#[pyfunction]
fn verify_rounds(
    count: usize,
    sent: &ExtensionVector,
    claim: Extension,
    transcript: &mut Transcript,
) -> PyResult<(ExtensionVector, Extension)> {
    let (point, claim) = whir::verify_rounds(count, &sent.0, claim.0, &mut transcript.0).map_err(raise)?;
    Ok((ExtensionVector(point), Extension(claim)))
}

/// The multilinear extension of (1, z, z^2, ...) at `point`.
#[pyfunction]
fn powers_at(z: Extension, point: &ExtensionVector) -> Extension {
    Extension(terms::powers_at(z.0, &point.0))
}

/// sum_k coefficient_k times the multilinear extension of the powers of points[k] at `point`.
#[pyfunction]
fn base_powers_at(
    points: &BaseVector,
    coefficients: &ExtensionVector,
    point: &ExtensionVector,
) -> PyResult<Extension> {
    terms::base_powers_at(&points.0, &coefficients.0, &point.0).map(Extension).map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Opening>()?;
    module.add_function(wrap_pyfunction!(verify_rounds, module)?)?;
    module.add_function(wrap_pyfunction!(powers_at, module)?)?;
    module.add_function(wrap_pyfunction!(base_powers_at, module)?)
}
