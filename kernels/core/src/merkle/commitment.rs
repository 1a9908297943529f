//! Commitments to matrices: a Merkle tree over the rows of their Reed-Solomon code.
//!
//! Of a code with n rows, leaf l < n / 2^t = 2^h holds the 2^t rows at g^l, g^(l + n/2^t), g^(l + 2n/2^t),
//! ..., so that a matrix with few columns does not pay a tree of short leaves. Leaf l stands at the index
//! in the tree whose h bits are those of l reversed, so that rows which one machine can encode alone make
//! one subtree: see [`crate::part`].

use p3_field::ExtensionField;

use crate::code::reed_solomon::Encoder;
use crate::error::Result;
use crate::field::F;
use crate::parts::commitment::{CodePart, PartialCommitment};
use crate::pool::Pool;
use deepprove_verifier::code::CodeShape;
use deepprove_verifier::hashing::Digest;

/// Some leaves of a commitment with their proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiOpening {
    /// The leaves, one after the other in the order of their indices.
    pub rows: Vec<F>,
    /// The nodes of [`merkle::MerkleTree::open`], one level after the other.
    pub nodes: Vec<Digest>,
}

/// A committed matrix: its code and the tree over it.
pub struct Commitment(PartialCommitment);

impl Commitment {
    /// Commits a matrix of base or extension elements, as [`PartialCommitment::commit`] does a part of it.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more values than the matrix has, or the shape's base columns are no whole
    /// extension columns.
    pub fn commit<V: ExtensionField<F>>(
        values: &[V],
        shape: CodeShape,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        Self::commit_hiding(values, &[], shape, encoder, pool)
    }

    /// Commits a matrix with random rows, as [`PartialCommitment::commit_hiding`] does a part of it.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`Commitment::commit`], or if the random rows do not fit.
    pub fn commit_hiding<V: ExtensionField<F>>(
        values: &[V],
        random_rows: &[V],
        shape: CodeShape,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        let part = CodePart::new(shape, 0, 0)?;
        let steps = shape.columns() << shape.log_length();
        // Once for all steps: threads that wait for each other between them are slow to wake.
        pool.run(steps, || PartialCommitment::commit_hiding(values, random_rows, part, encoder, pool))
            .map(Self)
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.0.root()
    }

    /// Opens the leaves at these indices of the tree.
    ///
    /// # Errors
    /// [`Error::Shape`] if the indices are not sorted, distinct, in range and at least one.
    pub fn open(&self, indices: &[usize]) -> Result<MultiOpening> {
        let opening = self.0.open(indices)?;
        Ok(MultiOpening { rows: opening.rows, nodes: opening.levels.concat() })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
    use proptest::prelude::*;

    use deepprove_verifier::code::verify_opening;
    use deepprove_verifier::error::{Check, Rejection};

    use super::*;
    use crate::code::domain::Domain;
    use crate::field::EF;

    fn pool() -> Pool {
        Pool::new(2).unwrap()
    }

    fn values(count: usize) -> Vec<F> {
        (0..count as u32).map(|i| F::new(i.wrapping_mul(2_654_435_761) >> 2)).collect()
    }

    proptest! {
        #[test]
        fn openings_show_the_code_and_tampered_ones_are_rejected(
            log_rows in 0_usize..6,
            columns in 1_usize..30,
            log_inverse_rate in 0_usize..4,
            group in 0_usize..4,
            picks in prop::collection::vec(any::<usize>(), 1..20),
            victim: usize,
        ) {
            let log_group = group.min(log_rows + log_inverse_rate);
            let shape = CodeShape::new(log_rows, columns, log_inverse_rate, log_group).unwrap();
            let encoder = Encoder::default();
            let values = values(columns << log_rows);
            let commitment = Commitment::commit(&values, shape, &encoder, &pool()).unwrap();
            let leaves = 1 << shape.height();
            let indices: BTreeSet<usize> = picks.iter().map(|i| i % leaves).collect();
            let indices: Vec<usize> = indices.into_iter().collect();
            let MultiOpening { rows, nodes } = commitment.open(&indices).unwrap();
            let root = commitment.root();
            let check = |rows: &[F]| verify_opening(&root, &shape, &indices, rows, &nodes);
            prop_assert_eq!(check(&rows), Ok(()));

            let code = encoder.encode(&values, columns, &Domain::of(&shape), &pool()).unwrap();
            let expected: Vec<F> = indices
                .iter()
                .filter_map(|&index| (0..leaves).find(|&leaf| shape.leaf_index(leaf) == index))
                .flat_map(|leaf| (leaf..code.rows()).step_by(leaves))
                .flat_map(|j| code.row(j).to_vec())
                .collect();
            prop_assert_eq!(&rows, &expected);

            let mut wrong = rows.clone();
            wrong[victim % rows.len()] += F::ONE;
            let differs = Err(Rejection::of(Check::MerkleRoot).into());
            prop_assert_eq!(check(&wrong), differs);
            let length = |actual| Err(Rejection::counted(Check::MerkleRows, rows.len(), actual).into());
            prop_assert_eq!(check(&rows[1..]), length(rows.len() - 1));
            prop_assert_eq!(check(&[&rows[..], &[F::ZERO]].concat()), length(rows.len() + 1));
            // All leaves of constant columns are equal.
            if log_rows > 0 && let Some(other) = (0..leaves).find(|leaf| !indices.contains(leaf)) {
                let mut moved = indices.clone();
                moved[victim % indices.len()] = other;
                moved.sort_unstable();
                prop_assert!(verify_opening(&root, &shape, &moved, &rows, &nodes).is_err());
            }
        }
    }

    #[test]
    fn an_extension_matrix_is_five_base_columns_a_column() {
        let base = values(15 << 4);
        let extension = EF::reconstitute_from_base(base.clone());
        let by_columns: Vec<F> = base
            .chunks_exact(5 << 4)
            .flat_map(|column| (0..5).flat_map(|k| column[k..].iter().copied().step_by(5)))
            .collect();
        let shape = CodeShape::new(4, 15, 2, 0).unwrap();
        let encoder = Encoder::default();
        let from_extension = Commitment::commit(&extension, shape, &encoder, &pool()).unwrap();
        let from_base = Commitment::commit(&by_columns, shape, &encoder, &pool()).unwrap();
        assert_eq!(from_extension.root(), from_base.root());
        let not_whole = CodeShape::new(4, 16, 2, 0).unwrap();
        assert!(Commitment::commit(&extension, not_whole, &encoder, &pool()).is_err());
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        let shape = CodeShape::new(2, 1, 1, 0).unwrap();
        assert!(Commitment::commit(&values(5), shape, &Encoder::default(), &pool()).is_err());
    }
}
