//! The positions at which a matrix's columns are evaluated: all of a code's, or a coset of them.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};

use crate::error::{Error, Result};
use crate::field::F;
use deepprove_verifier::code::{CodeShape, check_length};

/// Where the polynomials of a matrix's columns are evaluated: the positions `residue` modulo 2^log_parts
/// of a code of length 2^(log_rows + log_inverse_rate).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Domain {
    pub(super) log_rows: usize,
    pub(super) log_length: usize,
    pub(super) log_parts: usize,
    pub(super) residue: usize,
}

impl Domain {
    /// The whole subgroup, for polynomials of degree below 2^log_rows at rate 2^-log_inverse_rate.
    ///
    /// # Errors
    /// [`Error::Shape`] if the code is longer than 2^24.
    pub fn new(log_rows: usize, log_inverse_rate: usize) -> Result<Self> {
        let log_length = log_rows.saturating_add(log_inverse_rate);
        check_length(log_length)?;
        Ok(Self { log_rows, log_length, log_parts: 0, residue: 0 })
    }

    /// Where the code of a committed matrix has values.
    pub fn of(shape: &CodeShape) -> Self {
        Self { log_rows: shape.log_rows(), log_length: shape.log_length(), log_parts: 0, residue: 0 }
    }

    /// The positions of the same code that are `residue` modulo 2^log_parts.
    ///
    /// # Errors
    /// [`Error::Shape`] if the code is shorter than 2^log_parts, or the residue not below it.
    pub fn part(self, log_parts: usize, residue: usize) -> Result<Self> {
        if log_parts > self.log_length || residue >> log_parts != 0 {
            return Err(Error::Shape("a code has no such part"));
        }
        Ok(Self { log_parts, residue, ..self })
    }

    /// Logarithm of the number of positions.
    pub(super) fn log_positions(&self) -> usize {
        self.log_length - self.log_parts
    }

    /// The same positions, for polynomials of another degree.
    pub(super) fn of_degree(self, log_rows: usize) -> Self {
        Self { log_rows, ..self }
    }

    /// The point at the first position.
    pub(super) fn first(&self) -> F {
        F::two_adic_generator(self.log_length).exp_u64(self.residue as u64)
    }
}
