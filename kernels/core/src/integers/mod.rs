//! What layers of an integer model compute: exact sums of products of small integers, and rescaling.
//!
//! Weights have 32 bits and sources 16. Sums are those modulo 2^32, as signed integers. So they are exact
//! wherever they fit 32 bits, whatever partial sums reach.
//!
//! Elements of the extension are cut into such integers too, where what they multiply is small.

pub mod gather;
pub(crate) mod lanes;
pub mod narrow;
pub mod parts;
pub mod rescale;
pub mod rounding;
pub mod weights;
