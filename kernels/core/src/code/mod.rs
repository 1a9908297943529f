//! Reed-Solomon codes of the columns of a matrix.
//!
//! A column of 2^m values is the polynomial with these coefficients; its code is the polynomial's values on a
//! subgroup of order 2^m R, at rate 1/R. The subgroup falls into cosets, on each of which a polynomial equals its
//! residue modulo X^k - s^k, and a residue is evaluated by splitting X^k - s^k into ever smaller factors. A matrix
//! with few columns is *tall*, one whose rows fill registers is *short*; each has its own way to the residues.

pub mod codeword;
mod cosets;
pub mod domain;
mod matrix_parts;
pub mod reed_solomon;
pub(crate) mod short;
mod tall;
mod transform;
