//! Commitments to matrices: a Merkle tree over the rows of their Reed-Solomon code.
//!
//! Of a code with n rows, leaf j < n / 2^t holds the 2^t rows at g^j, g^(j + n/2^t), g^(j + 2n/2^t),
//! ..., so that a matrix with few columns does not pay a tree of short leaves. Encoding, hashing a
//! range of leaves and building a tree are separate steps: machines may own ranges of leaves and
//! join the roots of their subtrees.

use std::ops::Range;

use p3_field::ExtensionField;
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::field::{EF, EXTENSION_DEGREE, F, TWO_ADICITY};
use crate::hashing::{Digest, hash_leaves};
use crate::merkle::{self, MerkleTree};
use crate::pool::{PARALLEL_THRESHOLD, Pool};
use crate::reed_solomon::{Codeword, Encoder};

/// Leaves that one task hashes.
const TASK_LEAVES: usize = 1 << 8;

/// The sizes of a committed matrix's code, known to prover and verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeShape {
    log_rows: usize,
    columns: usize,
    log_inverse_rate: usize,
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
        let log_length = log_rows.saturating_add(log_inverse_rate);
        if log_length > TWO_ADICITY {
            return Err(Error::Shape("a code is longer than the subgroup of order 2^24"));
        }
        if log_group > log_length {
            return Err(Error::Shape("a leaf has more rows than the code"));
        }
        if columns == 0 || columns > usize::MAX >> (TWO_ADICITY + 8) {
            return Err(Error::Shape("a matrix has no column or too many"));
        }
        Ok(Self { log_rows, columns, log_inverse_rate, log_group })
    }

    /// The height of the tree; it has 2^height leaves.
    pub fn height(&self) -> usize {
        self.log_rows + self.log_inverse_rate - self.log_group
    }

    /// Base elements in a leaf: 2^log_group rows of the code, one after the other.
    pub fn leaf_width(&self) -> usize {
        self.columns << self.log_group
    }
}

/// Some leaves of a commitment with their proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiOpening {
    /// The leaves, one after the other in the order of their indices.
    pub rows: Vec<F>,
    /// The nodes of [`MerkleTree::open`].
    pub nodes: Vec<Digest>,
}

/// A committed matrix: its code and the tree over it.
pub struct Commitment {
    shape: CodeShape,
    code: Codeword,
    tree: MerkleTree,
}

impl Commitment {
    /// Commits a matrix of base elements, column-major: values[column * 2^log_rows + row]. Missing
    /// values at the end are zero.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more values than the shape has places.
    pub fn commit_base(values: &[F], shape: CodeShape, encoder: &Encoder, pool: &Pool) -> Result<Self> {
        Self::commit(values, shape, encoder, pool)
    }

    /// Commits a matrix of extension elements, laid out as for [`Commitment::commit_base`]; each
    /// column is five base columns of the code.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more values than places, or the shape's base columns are no
    /// multiple of five.
    pub fn commit_extension(values: &[EF], shape: CodeShape, encoder: &Encoder, pool: &Pool) -> Result<Self> {
        if !shape.columns.is_multiple_of(EXTENSION_DEGREE) {
            return Err(Error::Shape("base columns do not make whole extension columns"));
        }
        Self::commit(values, shape, encoder, pool)
    }

    fn commit<V: ExtensionField<F>>(
        values: &[V],
        shape: CodeShape,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        let columns = shape.columns / V::DIMENSION;
        let code = encoder.encode(values, shape.log_rows, columns, shape.log_inverse_rate, pool)?;
        let leaves = hash_range(&code, &shape, 0..1 << shape.height(), pool);
        Ok(Self { shape, code, tree: MerkleTree::new(leaves, pool)? })
    }

    /// The root of the tree.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Opens the leaves at `indices`.
    ///
    /// # Errors
    /// [`Error::Shape`] if the indices are not sorted, distinct, in range and at least one.
    pub fn open(&self, indices: &[usize]) -> Result<MultiOpening> {
        let nodes = self.tree.open(indices)?;
        let rows = indices.iter().flat_map(|&leaf| leaf_rows(&self.code, &self.shape, leaf)).flatten();
        Ok(MultiOpening { rows: rows.copied().collect(), nodes })
    }
}

/// Hashes a range of a code's leaves.
pub fn hash_range(code: &Codeword, shape: &CodeShape, leaves: Range<usize>, pool: &Pool) -> Vec<Digest> {
    let mut digests = vec![Digest::default(); leaves.len()];
    let hash = |(task, digests): (usize, &mut [Digest])| {
        let start = leaves.start + task * TASK_LEAVES;
        hash_leaves(shape.leaf_width(), |i| leaf_rows(code, shape, start + i), digests);
    };
    if digests.len() * shape.leaf_width() < PARALLEL_THRESHOLD {
        digests.chunks_mut(TASK_LEAVES).enumerate().for_each(hash);
    } else {
        pool.install(|| digests.par_chunks_mut(TASK_LEAVES).enumerate().for_each(hash));
    }
    digests
}

/// Checks that `rows` are the leaves at `indices` of the code committed under `root`.
///
/// # Errors
/// [`Error::Rejected`] if they are not, naming the check; [`Error::Shape`] if the indices are not
/// sorted, distinct, in range and at least one.
pub fn verify_opening(
    root: &Digest,
    shape: &CodeShape,
    indices: &[usize],
    rows: &[F],
    nodes: &[Digest],
) -> Result<()> {
    let width = shape.leaf_width();
    if indices.len().checked_mul(width) != Some(rows.len()) {
        return Err(Error::Rejected("Merkle opening: the rows have another length"));
    }
    let mut digests = vec![Digest::default(); indices.len()];
    hash_leaves(width, |i| std::iter::once(&rows[i * width..(i + 1) * width]), &mut digests);
    merkle::verify(root, shape.height(), indices, digests, nodes)
}

/// The rows of the code that make a leaf.
fn leaf_rows<'a>(code: &'a Codeword, shape: &CodeShape, leaf: usize) -> impl Iterator<Item = &'a [F]> {
    let stride = 1 << shape.height();
    (0..1 << shape.log_group).map(move |i| code.row(leaf + i * stride))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
    use proptest::prelude::*;

    use super::*;

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
            let commitment = Commitment::commit_base(&values, shape, &encoder, &pool()).unwrap();
            let leaves = 1 << shape.height();
            let indices: BTreeSet<usize> = picks.iter().map(|i| i % leaves).collect();
            let indices: Vec<usize> = indices.into_iter().collect();
            let MultiOpening { rows, nodes } = commitment.open(&indices).unwrap();
            let root = commitment.root();
            let check = |rows: &[F]| verify_opening(&root, &shape, &indices, rows, &nodes);
            prop_assert_eq!(check(&rows), Ok(()));

            let code = encoder.encode(&values, log_rows, columns, log_inverse_rate, &pool()).unwrap();
            let expected: Vec<F> = indices
                .iter()
                .flat_map(|leaf| (*leaf..code.rows()).step_by(leaves))
                .flat_map(|j| code.row(j).to_vec())
                .collect();
            prop_assert_eq!(&rows, &expected);

            let mut wrong = rows.clone();
            wrong[victim % rows.len()] += F::ONE;
            let differs = Err(Error::Rejected("Merkle opening: the root differs"));
            prop_assert_eq!(check(&wrong), differs);
            let length = Err(Error::Rejected("Merkle opening: the rows have another length"));
            prop_assert_eq!(check(&rows[1..]), length.clone());
            prop_assert_eq!(check(&[&rows[..], &[F::ZERO]].concat()), length);
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
    fn ranges_of_leaves_join() {
        let shape = CodeShape::new(8, 7, 2, 1).unwrap();
        let encoder = Encoder::default();
        let whole = Commitment::commit_base(&values(7 << 8), shape, &encoder, &pool()).unwrap();
        let part = |i: usize| hash_range(&whole.code, &shape, 128 * i..128 * (i + 1), &pool());
        let roots = (0..4).map(|i| MerkleTree::new(part(i), &pool()).unwrap().root()).collect();
        assert_eq!(MerkleTree::new(roots, &pool()).unwrap().root(), whole.root());
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
        let from_extension = Commitment::commit_extension(&extension, shape, &encoder, &pool()).unwrap();
        let from_base = Commitment::commit_base(&by_columns, shape, &encoder, &pool()).unwrap();
        assert_eq!(from_extension.root(), from_base.root());
        let not_whole = CodeShape::new(4, 16, 2, 0).unwrap();
        assert!(Commitment::commit_extension(&extension, not_whole, &encoder, &pool()).is_err());
    }

    #[test]
    fn bad_shapes_are_refused() {
        assert!(CodeShape::new(20, 1, 5, 0).is_err());
        assert!(CodeShape::new(usize::MAX, 1, 1, 0).is_err());
        assert!(CodeShape::new(2, 1, 1, 4).is_err());
        assert!(CodeShape::new(2, 0, 1, 0).is_err());
        assert!(CodeShape::new(2, usize::MAX, 1, 0).is_err());
        let shape = CodeShape::new(2, 1, 1, 0).unwrap();
        assert!(Commitment::commit_base(&values(5), shape, &Encoder::default(), &pool()).is_err());
        assert!(verify_opening(&[0; 32], &shape, &[], &[], &[]).is_err());
        assert!(verify_opening(&[0; 32], &shape, &[8], &[F::ONE], &[]).is_err());
    }
}
