//! Arithmetic kernels of deepprove-dist. No Python here: the binding crate is a thin layer on top.

pub mod column_rounds;
pub mod columns;
pub mod commitment;
pub mod contract;
pub mod eq;
pub mod error;
pub mod field;
pub mod fraction;
pub mod hashing;
pub mod inner_product;
pub mod leaves;
pub mod merkle;
pub mod pair;
pub mod partial_opening;
pub mod places;
pub mod pool;
pub mod reed_solomon;
pub mod residue;
pub mod sumcheck;
pub mod table;
pub mod terms;
pub mod transcript;
pub mod univariate;
pub mod vector;
pub mod weights;
pub mod window;
