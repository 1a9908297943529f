//! Commitments to matrices: a Merkle tree over the rows of their Reed-Solomon code.
//!
//! Of a code with n rows, leaf l < n / 2^t = 2^h holds the 2^t rows at g^l, g^(l + n/2^t), g^(l + 2n/2^t),
//! ..., so that a matrix with few columns does not pay a tree of short leaves. Leaf l stands at the place
//! in the tree whose h bits are those of l reversed, so that rows which one machine can encode alone make
//! one subtree: see [`crate::part`].

use p3_field::ExtensionField;
use p3_util::reverse_bits_len;

use crate::error::{Check, Error, Rejection, Result};
use crate::field::{F, TWO_ADICITY};
use crate::hashing::{Digest, hash_leaves};
use crate::merkle;
use crate::partial_commitment::{CodePart, PartialCommitment};
use crate::pool::Pool;
use crate::reed_solomon::{Domain, Encoder};

/// The sizes of a committed matrix's code, known to prover and verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeShape {
    domain: Domain,
    columns: usize,
    log_group: usize,
}

impl CodeShape {
    /// A matrix of 2^log_rows rows and `columns` base columns (five for each extension column), coded
    /// at rate 2^-log_inverse_rate, with 2^log_group rows of the code in a leaf.
    ///
    /// # Errors
    /// [`Error::Shape`] if the code is longer than 2^24, there is no column, more rows in a group than
    /// in the code, or a leaf has more bytes than addresses.
    pub fn new(log_rows: usize, columns: usize, log_inverse_rate: usize, log_group: usize) -> Result<Self> {
        let domain = Domain::new(log_rows, log_inverse_rate)?;
        if log_group > domain.log_length() {
            return Err(Error::Shape("a leaf has more rows than the code"));
        }
        if columns == 0 || columns > usize::MAX >> (TWO_ADICITY + 8) {
            return Err(Error::Shape("a matrix has no column or too many"));
        }
        Ok(Self { domain, columns, log_group })
    }

    /// The height of the tree; it has 2^height leaves.
    pub fn height(&self) -> usize {
        self.domain.log_length() - self.log_group
    }

    /// Base columns of the matrix.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Logarithm of the number of rows of the code in a leaf.
    pub fn log_group(&self) -> usize {
        self.log_group
    }

    /// Base elements in a leaf: 2^log_group rows of the code, one after the other.
    pub fn leaf_width(&self) -> usize {
        self.columns << self.log_group
    }

    /// Where the columns' polynomials are evaluated.
    pub fn domain(&self) -> Domain {
        self.domain
    }

    /// The place in the tree of the leaf that holds row `position` of the code.
    pub fn place(&self, position: usize) -> usize {
        reverse_bits_len(position & ((1 << self.height()) - 1), self.height())
    }
}

/// Some leaves of a commitment with their proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiOpening {
    /// The leaves, one after the other in the order of their places.
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
    /// [`Error::Shape`] if there are more values than places, or the shape's base columns are no whole
    /// extension columns.
    pub fn commit<V: ExtensionField<F>>(
        values: &[V],
        shape: CodeShape,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        PartialCommitment::commit(values, CodePart::new(shape, 0, 0)?, encoder, pool).map(Self)
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.0.root()
    }

    /// Opens the leaves at these places of the tree.
    ///
    /// # Errors
    /// [`Error::Shape`] if the places are not sorted, distinct, in range and at least one.
    pub fn open(&self, places: &[usize]) -> Result<MultiOpening> {
        let opening = self.0.open(places)?;
        Ok(MultiOpening { rows: opening.rows, nodes: opening.levels.concat() })
    }
}

/// Checks that `rows` are the leaves at these places of the tree under `root`.
///
/// # Errors
/// [`Error::Rejected`] if they are not, naming the check; [`Error::Shape`] if the places are not
/// sorted, distinct, in range and at least one.
pub fn verify_opening(
    root: &Digest,
    shape: &CodeShape,
    places: &[usize],
    rows: &[F],
    nodes: &[Digest],
) -> Result<()> {
    let width = shape.leaf_width();
    let expected = places.len().checked_mul(width).ok_or(Error::Shape("too many rows are opened"))?;
    if rows.len() != expected {
        return Err(Rejection::counted(Check::MerkleRows, expected, rows.len()).into());
    }
    let mut digests = vec![Digest::default(); places.len()];
    hash_leaves(width, |i, leaves| leaves.copy_from_slice(&rows[i * width..][..leaves.len()]), &mut digests);
    merkle::verify(root, shape.height(), places, digests, nodes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
    use proptest::prelude::*;

    use super::*;
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

            let code = encoder.encode(&values, columns, &shape.domain(), &pool()).unwrap();
            let expected: Vec<F> = indices
                .iter()
                .filter_map(|&place| (0..leaves).find(|&leaf| shape.place(leaf) == place))
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
    fn a_leaf_stands_where_the_reversed_bits_of_its_number_say() {
        let shape = CodeShape::new(2, 7, 2, 1).unwrap();
        let places: Vec<usize> = (0..16).map(|position| shape.place(position)).collect();
        assert_eq!(places, [[0, 4, 2, 6, 1, 5, 3, 7]; 2].concat());
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
    fn bad_shapes_are_refused() {
        assert!(CodeShape::new(20, 1, 5, 0).is_err());
        assert!(CodeShape::new(usize::MAX, 1, 1, 0).is_err());
        assert!(CodeShape::new(2, 1, 1, 4).is_err());
        assert!(CodeShape::new(2, 0, 1, 0).is_err());
        assert!(CodeShape::new(2, usize::MAX, 1, 0).is_err());
        let shape = CodeShape::new(2, 1, 1, 0).unwrap();
        assert!(Commitment::commit(&values(5), shape, &Encoder::default(), &pool()).is_err());
        assert!(verify_opening(&[0; 32], &shape, &[], &[], &[]).is_err());
        assert!(verify_opening(&[0; 32], &shape, &[8], &[F::ONE], &[]).is_err());
    }
}
