//! What a kernel can refuse. Data from outside (proofs, keys, other machines) never panics.

pub use deepprove_verifier::error::{Check, Rejection};

/// A refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Arguments whose sizes do not fit together.
    #[error("shape: {0}")]
    Shape(&'static str),
    /// A verifier's check that a proof does not pass.
    #[error(transparent)]
    Rejected(#[from] Rejection),
    /// A check that a share of a proof, from another machine, does not pass.
    #[error("{}", .0.text())]
    Share(ShareCheck),
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl From<deepprove_verifier::error::Error> for Error {
    fn from(error: deepprove_verifier::error::Error) -> Self {
        match error {
            deepprove_verifier::error::Error::Shape(text) => Self::Shape(text),
            deepprove_verifier::error::Error::Rejected(rejection) => Self::Rejected(rejection),
        }
    }
}

/// A check of what several machines put together to one proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ShareCheck {
    /// The root of a part's tree is one digest.
    JoinedRoot,
    /// All parts that hold opened leaves have answered.
    JoinedParts,
    /// A part's opened rows have the length that the indices give.
    JoinedRows,
    /// A part has sent the nodes that its leaves need.
    JoinedNodes,
    /// A part of a layer of the fraction tree has the layer's size.
    FractionSize,
    /// A part of the fraction tree sends two sums a round.
    FractionSums,
    /// What remains of a layer has the claim that the parts' sums led to.
    FractionClaim,
    /// The committed columns have the claimed inner product.
    ColumnClaim,
}

impl ShareCheck {
    /// The short name, stable across versions.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::JoinedRoot => "joined root",
            Self::JoinedParts => "joined parts",
            Self::JoinedRows => "joined row length",
            Self::JoinedNodes => "joined nodes",
            Self::FractionSize => "fraction tree part size",
            Self::FractionSums => "fraction tree part sums",
            Self::FractionClaim => "fraction tree part claim",
            Self::ColumnClaim => "column claim",
        }
    }

    /// What a person reads.
    const fn text(self) -> &'static str {
        match self {
            Self::JoinedRoot => "joined tree: a root has not 32 bytes",
            Self::JoinedParts => "joined opening: another number of parts has answered",
            Self::JoinedRows => "joined opening: a part's rows have another length",
            Self::JoinedNodes => "joined opening: a part has sent another number of nodes",
            Self::FractionSize => "fraction tree: a part does not have the size of its layer",
            Self::FractionSums => "fraction tree: a part does not send two sums a round",
            Self::FractionClaim => "fraction tree: the parts do not have the claim that they led to",
            Self::ColumnClaim => "opening: the columns do not have the claimed inner product",
        }
    }
}
