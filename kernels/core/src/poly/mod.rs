//! Polynomials given by values or coefficients.
//!
//! A vector of 2^n values is a multilinear polynomial in n variables, variable 0 being the top bit of the index;
//! its value at a point u is sum_i eq(u, i) v[i]. A tensor's axes are groups of variables, so binding an axis to
//! weights, or to the taps of a window, and writing it in the order of addresses are linear maps of values.
//! A vector of coefficients is a univariate polynomial sum_i v[i] z^i.

pub mod arrange;
pub mod axes;
pub mod eq;
pub mod integer_axes;
pub mod taps;
pub mod univariate;
