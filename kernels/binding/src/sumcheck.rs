//! The batched sumcheck.

use deepprove_kernels::field::vector::ExtVector;
use deepprove_kernels::sumcheck::batch;
use deepprove_verifier::sumcheck::{self as verifier, InstanceShape};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::ExtensionVector;

/// Rounds, final evaluations and point of a batch of claims (claim, factors). Each value of a round is sent with
/// its pad, where there are any. Round polynomials leave out what the claims give: only their number counts.
#[pyfunction]
fn sumcheck_prove(
    py: Python<'_>,
    instances: Vec<(Extension, Vec<PyRef<'_, ExtensionVector>>)>,
    batching: Extension,
    transcript: &mut Transcript,
    pool: &Pool,
    pads: ExtensionVector,
) -> PyResult<(ExtensionVector, ExtensionVector, ExtensionVector)> {
    let instance = |(_, factors): &(Extension, Vec<PyRef<'_, ExtensionVector>>)| {
        if factors.iter().any(|f| !f.0.len().is_power_of_two()) {
            return Err(PyValueError::new_err("a factor of a sumcheck spans a hypercube"));
        }
        Ok(factors.iter().map(|f| ExtVector::from_scalars(&f.0)).collect())
    };
    let instances: Vec<Vec<ExtVector>> = instances.iter().map(instance).collect::<PyResult<_>>()?;
    let largest = instances.iter().flatten().map(ExtVector::len).max().unwrap_or(0);
    let prove = || batch::prove(instances, batching.0, &mut transcript.0, pads.0);
    let proof = py.detach(|| pool.0.run(largest, prove)).map_err(raise)?;
    Ok((ExtensionVector(proof.rounds), ExtensionVector(proof.finals), ExtensionVector(proof.point)))
}

/// The point of a batch with shapes (variables, degree), its last claim, which is not checked, and the derivatives
/// of this claim by all claims and then all values of the rounds; raises Rejected.
#[pyfunction]
fn sumcheck_verify(
    claims: &ExtensionVector,
    shapes: Vec<(usize, usize)>,
    batching: Extension,
    rounds: &ExtensionVector,
    transcript: &mut Transcript,
) -> PyResult<(ExtensionVector, Extension, ExtensionVector)> {
    let shape = |(variables, degree)| InstanceShape { variables, degree };
    let shapes: Vec<_> = shapes.into_iter().map(shape).collect();
    let reduced = verifier::verify(&claims.0, &shapes, batching.0, &rounds.0, &mut transcript.0);
    let verifier::Reduced { point, claim, coefficients } = reduced.map_err(raise)?;
    Ok((ExtensionVector(point), Extension(claim), ExtensionVector(coefficients)))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sumcheck_prove, module)?)?;
    module.add_function(wrap_pyfunction!(sumcheck_verify, module)?)
}
