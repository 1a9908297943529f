//! Arithmetic kernels of deepprove-dist. No Python here: the binding crate is a thin layer on top.

pub mod columns;
pub mod commitment;
pub mod contract;
pub mod eq;
pub mod error;
pub mod field;
pub mod fraction;
pub mod hashing;
pub mod inner_product;
pub mod joined;
pub mod leaves;
pub mod merkle;
pub mod pair;
pub mod part;
pub mod places;
pub mod pool;
pub mod reed_solomon;
pub mod sumcheck;
pub mod table;
pub mod terms;
pub mod transcript;
pub mod univariate;
pub mod vector;
pub mod weights;
pub mod window;
