//! The tree over the roots of a commitment's parts, and openings of several parts put together.
//!
//! Below the parts' roots, every sibling of a node is of the same part, so a level of the whole opening is
//! that level of the parts' openings one after the other; above, this tree has the nodes. What comes from
//! other machines is checked for its lengths, so that an opening is well formed; whoever needs it to be right
//! verifies it.

use crate::error::{Error, Result, ShareCheck};
use crate::merkle::commitment::MultiOpening;
use crate::merkle::tree::MerkleTree;
use crate::parts::commitment::PartOpening;
use crate::pool::Pool;
use deepprove_verifier::code::CodeShape;
use deepprove_verifier::hashing::Digest;
use deepprove_verifier::merkle::{check_indices, needed_nodes};

/// A commitment whose parts are elsewhere.
pub struct JoinedTree {
    shape: CodeShape,
    top: MerkleTree,
    /// Height of a part.
    height: usize,
}

impl JoinedTree {
    /// Joins the roots of all parts, from left to right.
    ///
    /// # Errors
    /// [`Error::Shape`] if they are no power of two, or more than the code has leaves.
    pub fn new(roots: Vec<Digest>, shape: CodeShape, pool: &Pool) -> Result<Self> {
        let log_parts = roots.len().checked_ilog2().unwrap_or_default() as usize;
        let height = shape.height().checked_sub(log_parts);
        let height = height.ok_or(Error::Shape("a tree is cut into more parts than it has leaves"))?;
        Ok(Self { shape, top: MerkleTree::new(roots, pool)?, height })
    }

    /// The root of the whole.
    pub fn root(&self) -> Digest {
        self.top.root()
    }

    /// The opening of the leaves at `indices`, made of those of the parts that hold any of them, from left to
    /// right; the same as one machine with the whole would give, if the parts' are right.
    ///
    /// # Errors
    /// [`Error::Shape`] if the indices are not sorted, distinct, in range and at least one;
    /// [`Error::Share`] if there are not as many openings, rows or nodes as the indices ask for.
    pub fn join(&self, indices: &[usize], openings: &[PartOpening]) -> Result<MultiOpening> {
        check_indices(indices, self.shape.height())?;
        let by_part: Vec<&[usize]> = indices.chunk_by(|a, b| a >> self.height == b >> self.height).collect();
        if openings.len() != by_part.len() {
            return Err(Error::Share(ShareCheck::JoinedParts));
        }
        for (indices, opening) in by_part.iter().zip(openings) {
            self.check(indices, opening)?;
        }
        let parts: Vec<usize> = by_part.iter().map(|indices| indices[0] >> self.height).collect();
        let below = (0..self.height).flat_map(|level| openings.iter().map(move |o| &o.levels[level]));
        let nodes: Vec<Digest> = below.chain(&self.top.open(&parts)?).flatten().copied().collect();
        Ok(MultiOpening { rows: openings.iter().flat_map(|o| &o.rows).copied().collect(), nodes })
    }

    /// Checks the lengths of a part's opening of the leaves at `indices`.
    fn check(&self, indices: &[usize], opening: &PartOpening) -> Result<()> {
        if opening.rows.len() != indices.len() * self.shape.leaf_width() {
            return Err(Error::Share(ShareCheck::JoinedRows));
        }
        let local: Vec<usize> = indices.iter().map(|index| index & ((1 << self.height) - 1)).collect();
        let needed = needed_nodes(self.height, &local)?;
        if !opening.levels.iter().map(Vec::len).eq(needed.iter().map(Vec::len)) {
            return Err(Error::Share(ShareCheck::JoinedNodes));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::{BasedVectorSpace, ExtensionField};
    use proptest::prelude::*;

    use super::*;
    use crate::code::reed_solomon::Encoder;
    use crate::field::{EF, EXTENSION_DEGREE, F};
    use crate::merkle::commitment::Commitment;
    use crate::parts::commitment::{CodePart, PartialCommitment};

    fn pool() -> Pool {
        Pool::new(2).unwrap()
    }

    fn values(count: usize) -> Vec<F> {
        (0..count as u32).map(|i| F::new(i.wrapping_mul(2_654_435_761) >> 2)).collect()
    }

    /// The joined tree, and the openings of the parts that hold `indices`.
    fn parted<V: ExtensionField<F>>(
        values: &[V],
        shape: CodeShape,
        log_parts: usize,
        indices: &[usize],
    ) -> (JoinedTree, Vec<PartOpening>) {
        let encoder = Encoder::default();
        let commit = |index| {
            let part = CodePart::new(shape, log_parts, index).unwrap();
            PartialCommitment::commit(values, part, &encoder, &pool()).unwrap()
        };
        let parts: Vec<PartialCommitment> = (0..1 << log_parts).map(commit).collect();
        let roots = parts.iter().map(PartialCommitment::root).collect();
        let part_of = |index: usize| index >> (shape.height() - log_parts);
        let by_part = indices.chunk_by(|&a, &b| part_of(a) == part_of(b));
        let openings = by_part.map(|indices| parts[part_of(indices[0])].open(indices).unwrap()).collect();
        (JoinedTree::new(roots, shape, &pool()).unwrap(), openings)
    }

    fn check<V: ExtensionField<F>>(values: &[V], shape: CodeShape, parts: usize, picks: &[usize]) {
        let indices: BTreeSet<usize> = picks.iter().map(|i| i % (1 << shape.height())).collect();
        let indices: Vec<usize> = indices.into_iter().collect();
        let whole = Commitment::commit(values, shape, &Encoder::default(), &pool()).unwrap();
        let (tree, openings) = parted(values, shape, parts.min(shape.height()), &indices);
        assert_eq!(tree.root(), whole.root());
        assert_eq!(tree.join(&indices, &openings), whole.open(&indices));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn parts_join_to_the_whole(
            log_rows in 0_usize..6,
            columns in 1_usize..6,
            log_inverse_rate in 0_usize..4,
            group in 0_usize..4,
            parts in 0_usize..9,
            missing in 0_usize..40,
            picks in prop::collection::vec(any::<usize>(), 1..20),
        ) {
            let log_group = group.min(log_rows + log_inverse_rate);
            let shape = |columns| CodeShape::new(log_rows, columns, log_inverse_rate, log_group).unwrap();
            let count = (columns << log_rows).saturating_sub(missing);
            check(&values(count), shape(columns), parts, &picks);
            let elements = EF::reconstitute_from_base(values(EXTENSION_DEGREE * count));
            check(&elements, shape(EXTENSION_DEGREE * columns), parts, &picks);
        }
    }

    #[test]
    fn bad_shapes_are_refused() {
        let shape = CodeShape::new(2, 3, 1, 1).unwrap();
        for roots in [0, 3, 8] {
            assert!(JoinedTree::new(vec![[0; 32]; roots], shape, &pool()).is_err());
        }
        let (tree, openings) = parted(&values(12), shape, 1, &[0, 3]);
        for indices in [&[][..], &[3, 0], &[0, 0], &[0, 4]] {
            assert!(matches!(tree.join(indices, &openings), Err(Error::Shape(_))));
        }
    }

    #[test]
    fn answers_of_other_lengths_are_rejected() {
        let shape = CodeShape::new(3, 3, 1, 1).unwrap();
        let (tree, openings) = parted(&values(24), shape, 1, &[0, 5]);
        let alterations: [fn(&mut Vec<PartOpening>); 8] = [
            |o| o.truncate(1),
            |o| o.extend_from_within(..1),
            |o| o[0].rows.truncate(1),
            |o| o[1].rows.extend_from_within(..1),
            |o| o[1].levels.truncate(1),
            |o| o[1].levels.push(Vec::new()),
            |o| o[0].levels[0].clear(),
            |o| o[0].levels[1].push([0; 32]),
        ];
        for alter in alterations {
            let mut altered = openings.clone();
            alter(&mut altered);
            assert!(matches!(tree.join(&[0, 5], &altered), Err(Error::Share(_))));
        }
        assert!(matches!(tree.join(&[0, 1, 5], &openings), Err(Error::Share(_))));
        assert!(tree.join(&[0, 5], &openings).is_ok());
    }
}
