//! Commitments: a Merkle tree over the rows of a matrix's Reed-Solomon code.
//!
//! A leaf is the keyed hash of some rows, a node that of its two children. [`deepprove_verifier::code`] says
//! where rows stand, [`deepprove_verifier::merkle`] what an opening carries and how it is checked.

pub mod commitment;
pub mod tree;
