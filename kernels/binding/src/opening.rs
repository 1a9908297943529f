//! The opening's sumcheck.

use deepprove_kernels::whir::column_sumcheck::PowerClaim;
use deepprove_kernels::whir::inner_product::{InnerProduct, Opened};
use deepprove_kernels::whir::random_rows;
use deepprove_verifier::{terms, whir};
use pyo3::prelude::*;

use crate::claims::Terms;
use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// A claim at powers of z: (z, coefficient, addresses of its columns, values of the columns at all addresses).
pub type Powers<'py> = (Extension, Extension, Vec<usize>, PyRef<'py, ExtensionVector>);

pub fn power_claims(powers: &[Powers<'_>]) -> Vec<PowerClaim> {
    let claim = |(z, coefficient, addresses, values): &Powers<'_>| PowerClaim {
        z: z.0,
        coefficient: coefficient.0,
        addresses: addresses.clone(),
        column_values: values.0.clone(),
    };
    powers.iter().map(claim).collect()
}

/// Values and weights of k random rows of some columns, column by column; zero in the others.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct RandomRows(random_rows::RandomRows);

#[pymethods]
impl RandomRows {
    #[new]
    fn new(addresses: Vec<usize>, values: &BaseVector, weights: ExtensionVector) -> Self {
        Self(random_rows::RandomRows { addresses, values: values.0.to_vec(), weights: weights.0 })
    }
}

/// The random rows of a hiding proof, or none.
pub fn random_rows(random: Option<PyRef<'_, RandomRows>>) -> random_rows::RandomRows {
    random.map(|random| random.0.clone()).unwrap_or_default()
}

/// The prover's state of an opening after the column rounds, and what they leave of random rows.
#[pyclass(module = "deepprove_dist._kernels")]
pub struct Opening(InnerProduct, [ExtensionVector; 2]);

#[pymethods]
impl Opening {
    /// Runs the column rounds: the state, the round polynomials and the challenges. `order[a]` is the column, of
    /// all matrices' one after the other, at address a; a column that it leaves out takes no part.
    #[staticmethod]
    #[expect(clippy::too_many_arguments, reason = "a Python constructor's")]
    fn columns(
        py: Python<'_>,
        matrices: Vec<PyRef<'_, BaseVector>>,
        order: Vec<usize>,
        log_rows: usize,
        terms: &Terms,
        powers: Vec<Powers<'_>>,
        random: Option<PyRef<'_, RandomRows>>,
        claim: Extension,
        transcript: &mut Transcript,
        pool: &Pool,
    ) -> PyResult<(Self, ExtensionVector, ExtensionVector)> {
        let matrices: Vec<_> = matrices.iter().map(|m| m.0.clone()).collect();
        let (columns, terms) = ((&matrices[..], &order[..]), &terms.0);
        let (claims, random) = (power_claims(&powers), random_rows(random));
        let transcript = &mut transcript.0;
        let open =
            || InnerProduct::open_columns(columns, log_rows, terms, &claims, &random, claim.0, transcript);
        let size = matrices.iter().map(|m| m.len()).sum();
        let Opened { state, rounds, random } = py.detach(|| pool.0.run(size, open)).map_err(raise)?;
        let opening = Self(state, random.map(ExtensionVector));
        Ok((opening, ExtensionVector(rounds.sent), ExtensionVector(rounds.point)))
    }

    /// What all parts have left of f and of the weights.
    #[staticmethod]
    fn join(py: Python<'_>, f: Vec<ExtensionVector>, w: Vec<ExtensionVector>, pool: &Pool) -> PyResult<Self> {
        let vectors = |parts: Vec<ExtensionVector>| parts.into_iter().map(|v| v.0).collect::<Vec<_>>();
        let (f, w) = (vectors(f), vectors(w));
        let join = || pool.0.install(|| InnerProduct::join(&f, &w));
        let state = py.detach(join).map_err(raise)?;
        Ok(Self(state, [Vec::new(), Vec::new()].map(ExtensionVector)))
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

    /// What the column rounds have left of the random rows: values and weights.
    fn random_rows(&self) -> (ExtensionVector, ExtensionVector) {
        let [values, weights] = &self.1;
        (values.clone(), weights.clone())
    }

    /// The inner product of the weights and a vector, given by five columns: its coordinates.
    fn weigh(&self, py: Python<'_>, columns: &BaseVector, pool: &Pool) -> PyResult<Extension> {
        let weigh = || self.0.weigh(&columns.0);
        py.detach(|| pool.0.run(self.0.len(), weigh)).map(Extension).map_err(raise)
    }

    /// Adds `scale` times such a vector.
    fn add(&mut self, py: Python<'_>, columns: &BaseVector, scale: Extension, pool: &Pool) -> PyResult<()> {
        let steps = self.0.len();
        let add = || self.0.add(&columns.0, scale.0);
        py.detach(|| pool.0.run(steps, add)).map_err(raise)
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
    module.add_class::<RandomRows>()?;
    module.add_class::<Opening>()?;
    module.add_function(wrap_pyfunction!(verify_rounds, module)?)?;
    module.add_function(wrap_pyfunction!(powers_at, module)?)?;
    module.add_function(wrap_pyfunction!(base_powers_at, module)?)
}
