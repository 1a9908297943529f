//! What a kernel can refuse. Data from outside (proofs, keys) never panics.

/// A refusal of data from outside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Bytes that are no canonical encoding.
    #[error("encoding: {0}")]
    Encoding(&'static str),
    /// Arguments whose sizes do not fit together.
    #[error("shape: {0}")]
    Shape(&'static str),
    /// A verifier's check that a proof does not pass; the text names the check.
    #[error("{0}")]
    Rejected(&'static str),
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;
