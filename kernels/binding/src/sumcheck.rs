//! The batched sumcheck.

use deepprove_kernels::field::vector::ExtVector;
use deepprove_kernels::sumcheck::batch::{self, Instance};
use deepprove_verifier::sumcheck::{self as verifier, InstanceShape};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::ExtensionVector;

/// Rounds, final evaluations and point of a batch of claims (claim, factors).
#[pyfunction]
fn sumcheck_prove(
    py: Python<'_>,
    instances: Vec<(Extension, Vec<PyRef<'_, ExtensionVector>>)>,
    batching: Extension,
    transcript: &mut Transcript,
    pool: &Pool,
) -> PyResult<(ExtensionVector, ExtensionVector, ExtensionVector)> {
    let instance = |(claim, factors): &(Extension, Vec<PyRef<'_, ExtensionVector>>)| {
        if factors.iter().any(|f| !f.0.len().is_power_of_two()) {
            return Err(PyValueError::new_err("a factor of a sumcheck spans a hypercube"));
        }
        let factors = factors.iter().map(|f| ExtVector::from_scalars(&f.0)).collect();
        Ok(Instance { claim: claim.0, factors })
    };
    let instances: Vec<Instance> = instances.iter().map(instance).collect::<PyResult<_>>()?;
    let largest = instances.iter().flat_map(|i| &i.factors).map(ExtVector::len).max().unwrap_or(0);
    let prove = || batch::prove(instances, batching.0, &mut transcript.0);
    let proof = py.detach(|| pool.0.run(largest, prove)).map_err(raise)?;
    Ok((ExtensionVector(proof.rounds), ExtensionVector(proof.finals), ExtensionVector(proof.point)))
}

/// The point of a batch with shapes (variables, degree); raises Rejected.
#[pyfunction]
fn sumcheck_verify(
    claims: &ExtensionVector,
    shapes: Vec<(usize, usize)>,
    batching: Extension,
    rounds: &ExtensionVector,
    finals: &ExtensionVector,
    transcript: &mut Transcript,
) -> PyResult<ExtensionVector> {
    let shape = |(variables, degree)| InstanceShape { variables, degree };
    let shapes: Vec<_> = shapes.into_iter().map(shape).collect();
    verifier::verify(&claims.0, &shapes, batching.0, &rounds.0, &finals.0, &mut transcript.0)
        .map(ExtensionVector)
        .map_err(raise)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(sumcheck_prove, module)?)?;
    module.add_function(wrap_pyfunction!(sumcheck_verify, module)?)
}
