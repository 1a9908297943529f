//! What a verifier refuses, and why: one variant a check, so that no caller reads texts.
//!
//! An [`Error::Shape`] is the caller's mistake: sizes that the key fixes do not fit together. An
//! [`Error::Rejected`] is the proof's: a check that it does not pass, with the numbers that say where.
//! Data from outside never panics.

use std::fmt::{Display, Formatter};

/// Why a call gave no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Arguments whose sizes do not fit together.
    #[error("shape: {0}")]
    Shape(&'static str),
    /// A proof that does not pass a check.
    #[error(transparent)]
    Rejected(#[from] Rejection),
}

/// Shorthand of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// A check of these kernels that a proof can fail. `as_str` and the variants are stable across versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Check {
    /// Encoded base elements have four bytes each.
    BaseLength,
    /// Encoded extension elements have twenty bytes each.
    ExtensionLength,
    /// An encoded field element is below the modulus.
    CanonicalElement,
    /// The bytes of public integers end with the last of them.
    IntegerCount,
    /// Public integers are in their range.
    IntegerRange,
    /// Public integers have the shortest of their encodings.
    IntegerForm,
    /// The nodes of a Merkle opening are whole digests.
    MerkleDigests,
    /// The opened rows of a code have the length that the code and the indices give.
    MerkleRows,
    /// A Merkle opening has every node that the verifier cannot compute.
    MerkleMissingNode,
    /// A Merkle opening has no other node.
    MerkleSurplusNode,
    /// The opened leaves lead to the committed root.
    MerkleRoot,
    /// A sumcheck has a polynomial for each round.
    SumcheckMissingRound,
    /// A sumcheck has no value after its last round.
    SumcheckSurplusRound,
    /// The proof of a fraction tree has the values that its levels need.
    FractionLength,
    /// The opening has two values for each round of its sumcheck.
    OpeningRounds,
}

impl Check {
    /// All checks, in the order of their declaration.
    pub const ALL: [Self; 15] = [
        Self::BaseLength,
        Self::ExtensionLength,
        Self::CanonicalElement,
        Self::IntegerCount,
        Self::IntegerRange,
        Self::IntegerForm,
        Self::MerkleDigests,
        Self::MerkleRows,
        Self::MerkleMissingNode,
        Self::MerkleSurplusNode,
        Self::MerkleRoot,
        Self::SumcheckMissingRound,
        Self::SumcheckSurplusRound,
        Self::FractionLength,
        Self::OpeningRounds,
    ];

    /// The short name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BaseLength => "base element length",
            Self::ExtensionLength => "extension element length",
            Self::CanonicalElement => "canonical field element",
            Self::IntegerCount => "public tensor length",
            Self::IntegerRange => "public tensor range",
            Self::IntegerForm => "public tensor form",
            Self::MerkleDigests => "Merkle digests",
            Self::MerkleRows => "Merkle row length",
            Self::MerkleMissingNode => "Merkle node missing",
            Self::MerkleSurplusNode => "Merkle node left over",
            Self::MerkleRoot => "Merkle root",
            Self::SumcheckMissingRound => "sumcheck round missing",
            Self::SumcheckSurplusRound => "sumcheck round left over",
            Self::FractionLength => "fraction tree length",
            Self::OpeningRounds => "opening rounds",
        }
    }

    /// The part of the protocol, and what a person reads of a proof that fails the check.
    const fn texts(self) -> (&'static str, &'static str) {
        match self {
            Self::BaseLength => ("encoding", "length is not a whole number of field elements"),
            Self::ExtensionLength => ("encoding", "length is not a whole number of extension elements"),
            Self::CanonicalElement => ("encoding", "field element is not below the modulus"),
            Self::IntegerCount => ("encoding", "another number of elements than the model's"),
            Self::IntegerRange => ("encoding", "a value outside of its range"),
            Self::IntegerForm => ("encoding", "the integers are not in their shortest form"),
            Self::MerkleDigests => ("Merkle opening", "the nodes are no whole digests"),
            Self::MerkleRows => ("Merkle opening", "the rows have another length"),
            Self::MerkleMissingNode => ("Merkle opening", "a node is missing"),
            Self::MerkleSurplusNode => ("Merkle opening", "a node is left over"),
            Self::MerkleRoot => ("Merkle opening", "the root differs"),
            Self::SumcheckMissingRound => ("sumcheck", "too few round polynomials"),
            Self::SumcheckSurplusRound => ("sumcheck", "too many round polynomials"),
            Self::FractionLength => ("fraction tree", "wrong number of values"),
            Self::OpeningRounds => ("opening", "wrong number of round polynomials"),
        }
    }

    /// The part of the protocol that the check is of: "sumcheck", say.
    pub const fn area(self) -> &'static str {
        self.texts().0
    }

    /// What a person reads of a proof that fails the check.
    pub const fn message(self) -> &'static str {
        self.texts().1
    }
}

/// A check that a proof does not pass, and where; a field is `None` where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejection {
    /// The check.
    pub check: Check,
    /// The round of a sumcheck, counted from 0.
    pub round: Option<usize>,
    /// The index of the value, from 0.
    pub index: Option<usize>,
    /// The count that the key asks for.
    pub expected: Option<usize>,
    /// The count that the proof has.
    pub actual: Option<usize>,
}

impl Rejection {
    /// A failed check of the proof as a whole.
    pub const fn of(check: Check) -> Self {
        Self { check, round: None, index: None, expected: None, actual: None }
    }

    /// A failed check of a round.
    pub const fn at_round(check: Check, round: usize) -> Self {
        Self { round: Some(round), ..Self::of(check) }
    }

    /// A failed check of the value at an index.
    pub const fn at_index(check: Check, index: usize) -> Self {
        Self { index: Some(index), ..Self::of(check) }
    }

    /// A count that is not what the key asks for.
    pub const fn counted(check: Check, expected: usize, actual: usize) -> Self {
        Self { expected: Some(expected), actual: Some(actual), ..Self::of(check) }
    }
}

impl Display for Rejection {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.check.area(), self.check.message())
    }
}

impl std::error::Error for Rejection {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_check_is_listed_once_under_a_name_of_its_own() {
        for (index, check) in Check::ALL.into_iter().enumerate() {
            assert_eq!(check as usize, index);
        }
        // The last variant: one that is missing from the list would come after it.
        assert_eq!(Check::ALL.last(), Some(&Check::OpeningRounds));
        let names: BTreeSet<&str> = Check::ALL.into_iter().map(Check::as_str).collect();
        assert_eq!(names.len(), Check::ALL.len());
    }

    #[test]
    fn the_text_names_the_part_of_the_protocol() {
        let rejection = Rejection::at_round(Check::SumcheckMissingRound, 3);
        assert_eq!(rejection.to_string(), "sumcheck: too few round polynomials");
        assert_eq!(Error::from(rejection).to_string(), rejection.to_string());
    }
}
