//! Terms of claims: weights on tensors that are known by their index, and on the columns of a matrix.

use std::sync::Arc;

use deepprove_verifier::blocks::{DyadicBlock, Interval, TensorBlocks};
use deepprove_verifier::error::Result;
use deepprove_verifier::terms::{self, TensorTerm, TensorWeights, Term, Weights};
use pyo3::prelude::*;

use crate::claims::{AxisVector, DyadicBlocks, Terms};
use crate::rejection::raise;
use crate::scalar::Extension;
use crate::vectors::ExtensionVector;

/// coefficient * tensor, weighed by one vector an axis.
#[pyclass(frozen, get_all, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone)]
pub struct ProductTerm {
    /// Scales the whole term.
    coefficient: Extension,
    /// The tensor's index in the system.
    tensor: usize,
    /// For each axis of the tensor, a vector of that axis's size.
    axes: Vec<AxisVector>,
}

#[pymethods]
impl ProductTerm {
    #[new]
    fn new(coefficient: Extension, tensor: usize, axes: Vec<AxisVector>) -> Self {
        Self { coefficient, tensor, axes }
    }
}

/// coefficient * tensor, with weights of its own in each dyadic block.
///
/// At the index i of block B, of 2^k values, the weight is factors[B] * eq(last k coordinates of point, i).
#[pyclass(frozen, get_all, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone)]
pub struct BlockDiagonalTerm {
    /// Scales the whole term.
    coefficient: Extension,
    /// The tensor's index in the system.
    tensor: usize,
    /// One element a block, in the order of the tensor's blocks.
    factors: ExtensionVector,
    /// At least as many coordinates as the largest block has bits.
    point: ExtensionVector,
}

#[pymethods]
impl BlockDiagonalTerm {
    #[new]
    fn new(coefficient: Extension, tensor: usize, factors: ExtensionVector, point: ExtensionVector) -> Self {
        Self { coefficient, tensor, factors, point }
    }
}

/// The columns of a matrix, weighed by powers of z: sum_c sum_i M[i][c] z^(c rows + i), c from 0 on.
#[pyclass(frozen, get_all, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone, PartialEq, Eq)]
pub struct PowersTerm {
    /// Of the matrix's columns, in the order of the powers.
    addresses: Vec<usize>,
    /// log2 of the rows of a column.
    log_rows: usize,
    /// The point.
    z: Extension,
}

#[pymethods]
impl PowersTerm {
    #[new]
    fn new(addresses: Vec<usize>, log_rows: usize, z: Extension) -> Self {
        Self { addresses, log_rows, z }
    }
}

impl PowersTerm {
    /// `scale` times the term; the columns are blocks of one axis.
    fn stored(&self, scale: Extension) -> Result<Term> {
        let bits = u32::try_from(self.log_rows).unwrap_or(u32::MAX);
        let first = |column: usize| column.checked_shl(bits).unwrap_or(usize::MAX);
        let interval = Interval { start: 0, log: self.log_rows };
        let block = |&address: &usize| DyadicBlock::new(first(address), vec![interval]);
        let blocks: Vec<DyadicBlock> = self.addresses.iter().map(block).collect::<Result<_>>()?;
        let exponents = (0..blocks.len()).map(first).collect();
        Term::new(scale.0, Arc::new(TensorBlocks::new(blocks)?), Weights::Powers { z: self.z.0, exponents })
    }
}

/// A term of any kind.
#[derive(FromPyObject, IntoPyObject)]
enum AnyTerm {
    Product(ProductTerm),
    BlockDiagonal(BlockDiagonalTerm),
    Powers(PowersTerm),
}

/// A term as claims have it.
#[derive(Clone, PartialEq, Eq)]
enum ClaimTerm {
    Tensor(TensorTerm),
    Powers(PowersTerm),
}

impl From<AnyTerm> for ClaimTerm {
    fn from(term: AnyTerm) -> Self {
        let (coefficient, tensor, weights) = match term {
            AnyTerm::Product(ProductTerm { coefficient, tensor, axes }) => {
                let vectors = axes.into_iter().map(|axis| axis.0).collect();
                (coefficient.0, tensor, TensorWeights::Product(vectors))
            }
            AnyTerm::BlockDiagonal(BlockDiagonalTerm { coefficient, tensor, factors, point }) => {
                let (factors, point) = (Arc::new(factors.0), Arc::new(point.0));
                (coefficient.0, tensor, TensorWeights::BlockDiagonal { factors, point })
            }
            AnyTerm::Powers(term) => return Self::Powers(term),
        };
        Self::Tensor(TensorTerm { coefficient, tensor, weights })
    }
}

impl From<&ClaimTerm> for AnyTerm {
    fn from(term: &ClaimTerm) -> Self {
        let TensorTerm { coefficient, tensor, weights } = match term {
            ClaimTerm::Tensor(term) => term,
            ClaimTerm::Powers(term) => return Self::Powers(term.clone()),
        };
        let (coefficient, tensor) = (Extension(*coefficient), *tensor);
        match weights {
            TensorWeights::Product(vectors) => {
                let axes = vectors.iter().cloned().map(AxisVector).collect();
                Self::Product(ProductTerm { coefficient, tensor, axes })
            }
            TensorWeights::BlockDiagonal { factors, point } => {
                let (factors, point) = (ExtensionVector(factors.to_vec()), ExtensionVector(point.to_vec()));
                Self::BlockDiagonal(BlockDiagonalTerm { coefficient, tensor, factors, point })
            }
        }
    }
}

/// The terms of a claim, whatever their number, as one object.
#[pyclass(frozen, eq, sequence, module = "deepprove_dist._kernels")]
#[derive(PartialEq, Eq)]
pub struct ClaimTerms(Vec<ClaimTerm>);

#[pymethods]
impl ClaimTerms {
    #[new]
    #[pyo3(signature = (terms=Vec::new()))]
    fn new(terms: Vec<AnyTerm>) -> Self {
        Self(terms.into_iter().map(ClaimTerm::from).collect())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The terms, one by one.
    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let terms: Vec<AnyTerm> = self.0.iter().map(AnyTerm::from).collect();
        terms.into_pyobject(py)?.as_any().try_iter().map(Bound::into_any)
    }

    /// All terms of some, one after the other.
    #[staticmethod]
    fn concatenated(parts: Vec<PyRef<'_, Self>>) -> Self {
        Self(parts.iter().flat_map(|part| part.0.iter().cloned()).collect())
    }
}

impl From<Vec<TensorTerm>> for ClaimTerms {
    fn from(terms: Vec<TensorTerm>) -> Self {
        Self(terms.into_iter().map(ClaimTerm::Tensor).collect())
    }
}

/// The weights of some claims, each with a scale, over the addresses of tensors with these blocks.
#[pyfunction]
fn scaled_terms(
    claims: Vec<PyRef<'_, ClaimTerms>>,
    blocks: Vec<PyRef<'_, DyadicBlocks>>,
    scales: &ExtensionVector,
) -> PyResult<Terms> {
    let blocks: Vec<Arc<TensorBlocks>> = blocks.iter().map(|blocks| blocks.0.clone()).collect();
    if claims.len() != scales.0.len() {
        return Err(raise(terms::OTHER_SCALES));
    }
    let count = claims.iter().map(|claim| claim.0.len()).sum();
    let mut all = Vec::with_capacity(count);
    for (claim, &scale) in claims.iter().zip(&scales.0) {
        for term in &claim.0 {
            all.push(
                match term {
                    ClaimTerm::Tensor(term) => term.stored(scale, &blocks),
                    ClaimTerm::Powers(term) => term.stored(Extension(scale)),
                }
                .map_err(raise)?,
            );
        }
    }
    Ok(Terms(all))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ProductTerm>()?;
    module.add_class::<BlockDiagonalTerm>()?;
    module.add_class::<PowersTerm>()?;
    module.add_class::<ClaimTerms>()?;
    module.add_function(wrap_pyfunction!(scaled_terms, module)?)
}
