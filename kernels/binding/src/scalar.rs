//! One element of the quintic extension.

use deepprove_kernels::field::{EF, F, decode_extension, extension_to_bytes};
use p3_field::PrimeCharacteristicRing;
use p3_field::integers::QuotientMap;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::rejection::raise;

/// An element of the quintic extension of KoalaBear; integers stand for their residues.
#[pyclass(frozen, eq, hash, from_py_object, module = "deepprove_dist._kernels")]
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Extension(pub EF);

/// An operand: an element or an integer.
#[derive(FromPyObject)]
pub enum Operand {
    Element(Extension),
    Integer(i64),
}

impl Operand {
    pub fn value(self) -> EF {
        match self {
            Self::Element(e) => e.0,
            Self::Integer(i) => EF::from(F::from_int(i)),
        }
    }
}

#[pymethods]
impl Extension {
    #[new]
    fn new(value: i64) -> Self {
        Self(EF::from(F::from_int(value)))
    }

    #[staticmethod]
    fn from_bytes(bytes: &[u8]) -> PyResult<Self> {
        match decode_extension(bytes).map_err(raise)?.as_slice() {
            [value] => Ok(Self(*value)),
            _ => Err(PyValueError::new_err("an extension element has 20 bytes")),
        }
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &extension_to_bytes(&self.0))
    }

    fn __add__(&self, other: Operand) -> Self {
        Self(self.0 + other.value())
    }

    fn __radd__(&self, other: Operand) -> Self {
        Self(self.0 + other.value())
    }

    fn __sub__(&self, other: Operand) -> Self {
        Self(self.0 - other.value())
    }

    fn __rsub__(&self, other: Operand) -> Self {
        Self(other.value() - self.0)
    }

    fn __mul__(&self, other: Operand) -> Self {
        Self(self.0 * other.value())
    }

    fn __rmul__(&self, other: Operand) -> Self {
        Self(self.0 * other.value())
    }

    fn __neg__(&self) -> Self {
        Self(-self.0)
    }

    fn __pow__(&self, exponent: u64, modulus: Option<u64>) -> PyResult<Self> {
        if modulus.is_some() {
            return Err(PyTypeError::new_err("an element has no powers modulo an integer"));
        }
        Ok(Self(self.0.exp_u64(exponent)))
    }

    fn __repr__(&self) -> String {
        format!("Extension({})", self.0)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Extension>()
}
