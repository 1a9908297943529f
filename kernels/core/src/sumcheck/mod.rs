//! Provers of sums over a hypercube, sum_x prod_k f_k(x) = v.
//!
//! A round sends the polynomial p(X) = sum_x prod_k f_k(X, x) in the top variable, the verifier draws r, and all
//! f_k are bound to r, which halves them. [`deepprove_verifier::sumcheck`] is the other side.

pub mod batch;
pub mod chosen;
pub mod pair;
