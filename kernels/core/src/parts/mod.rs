//! A proof in parts: what one of 2^s machines computes of it, and how the parts are joined.
//!
//! Every step binds top bits first, so the machine that owns the indices q modulo 2^s of a vector owns the same
//! residue of whatever remains of it: of the committed rows, of each layer of the fraction tree, of f and w in the
//! opening. Sums over all indices are sums of the parts' sums, and leaf l of a Merkle tree stands at l's reversed
//! bits, so a residue is a subtree. What is sent is what one machine would send.

pub mod commitment;
pub mod joined;
pub mod opening;
pub mod packed;
pub mod residue;
pub mod rounds;
mod row_gram;
pub mod tree;
