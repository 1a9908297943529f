//! The batched sumcheck.

use deepprove_kernels::field::vector::ExtVector;
use deepprove_kernels::sumcheck::{batch, chosen};
use deepprove_verifier::sumcheck::{self as verifier, InstanceShape};
use pyo3::prelude::*;

use crate::arrays::refused;
use crate::pool::Pool;
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::transcript::Transcript;
use crate::vectors::{BaseVector, ExtensionVector};

/// Chosen elements of a matrix: an instance of a batch with three factors.
#[pyclass(frozen, module = "deepprove_dist._kernels")]
pub struct ChosenElements(chosen::ChosenElements);

#[pymethods]
impl ChosenElements {
    /// A matrix in row-major order, whose row k has index `rows[k]` on the hypercube of `point`; and places
    /// (k, column).
    #[new]
    fn new(
        py: Python<'_>,
        matrix: &BaseVector,
        rows: Vec<usize>,
        places: Vec<(usize, usize)>,
        point: &ExtensionVector,
    ) -> PyResult<Self> {
        let matrix = matrix.0.clone();
        let elements = py.detach(|| chosen::ChosenElements::new(matrix, rows, &places, &point.0));
        elements.map(Self).map_err(raise)
    }

    /// The sum of the elements, with the weights of their rows.
    #[getter]
    fn sum(&self) -> Extension {
        Extension(self.0.sum())
    }
}

/// An instance of a batch.
#[derive(FromPyObject)]
enum Instance<'py> {
    Chosen(PyRef<'py, ChosenElements>),
    Factors(Vec<PyRef<'py, ExtensionVector>>),
}

impl Instance<'_> {
    fn read(&self) -> PyResult<batch::Instance> {
        match self {
            Self::Chosen(elements) => Ok(batch::Instance::Chosen(elements.0.clone())),
            Self::Factors(factors) if factors.iter().all(|f| f.0.len().is_power_of_two()) => {
                Ok(batch::Instance::Factors(factors.iter().map(|f| ExtVector::from_scalars(&f.0)).collect()))
            }
            Self::Factors(_) => Err(refused("a factor of a sumcheck spans a hypercube")),
        }
    }
}

/// Rounds, final evaluations and point of a batch. Each value of a round is sent with its pad, where there are any.
/// Round polynomials leave out what the claims give.
#[pyfunction]
fn sumcheck_prove(
    py: Python<'_>,
    instances: Vec<Instance<'_>>,
    batching: Extension,
    transcript: &mut Transcript,
    pool: &Pool,
    pads: ExtensionVector,
) -> PyResult<(ExtensionVector, ExtensionVector, ExtensionVector)> {
    let instances: Vec<batch::Instance> = instances.iter().map(Instance::read).collect::<PyResult<_>>()?;
    let largest = instances.iter().map(batch::Instance::size).max().unwrap_or(0);
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
    module.add_class::<ChosenElements>()?;
    module.add_function(wrap_pyfunction!(sumcheck_prove, module)?)?;
    module.add_function(wrap_pyfunction!(sumcheck_verify, module)?)
}
