//! Binary Merkle trees and openings of several leaves at once.
//!
//! A multi-opening of sorted, distinct leaves carries exactly the nodes that a verifier can not
//! compute itself, level by level from the leaves up, left to right: a node shared by several paths is
//! sent once. The indices determine the count and the order of the nodes.

use crate::error::{Error, Result};
use crate::pool::{PARALLEL_THRESHOLD, Pool};
use deepprove_verifier::hashing::{Digest, hash_nodes};
use deepprove_verifier::merkle::needed_nodes;

/// Leaves of a subtree that one task computes.
const TASK_LEAVES: usize = 1 << 8;

/// A tree over a power of two of leaf digests; level 0 is the leaves, the last level the root.
///
/// A tree over the roots of equally high subtrees, left to right, has the root of the whole: parts may
/// be built elsewhere and joined.
pub struct MerkleTree {
    levels: Vec<Vec<Digest>>,
}

impl MerkleTree {
    /// Builds the tree over leaf digests, or joins the roots of subtrees.
    ///
    /// # Errors
    /// [`Error::Shape`] if the count of leaves is no power of two.
    pub fn new(leaves: Vec<Digest>, pool: &Pool) -> Result<Self> {
        if !leaves.len().is_power_of_two() {
            return Err(Error::Shape("the leaves of a Merkle tree are no power of two"));
        }
        let copy = |first, slots: &mut [Digest]| slots.copy_from_slice(&leaves[first..][..slots.len()]);
        Ok(Self::over(leaves.len().ilog2() as usize, 1, copy, pool))
    }

    /// Builds the tree over 2^`height` leaves; `hash` writes the digests of those from a leaf on, and takes `steps`
    /// for each.
    pub fn over(
        height: usize,
        steps: usize,
        hash: impl Fn(usize, &mut [Digest]) + Sync,
        pool: &Pool,
    ) -> Self {
        let mut levels: Vec<_> = (0..=height).rev().map(|log| vec![Digest::default(); 1 << log]).collect();
        let slices: Vec<&mut [Digest]> = levels.iter_mut().map(Vec::as_mut_slice).collect();
        let steps = steps << height;
        let task_leaves = if steps < PARALLEL_THRESHOLD { 1 << height } else { TASK_LEAVES };
        pool.run(steps, || grow(0, slices, task_leaves, &hash));
        Self { levels }
    }

    /// The root.
    pub fn root(&self) -> Digest {
        self.levels[self.levels.len() - 1][0]
    }

    /// The nodes that prove the leaves at `indices`, level by level from the leaves up, none of the root's.
    ///
    /// # Errors
    /// [`Error::Shape`] if the indices are not sorted, distinct, below the count of leaves and at
    /// least one.
    pub fn open(&self, indices: &[usize]) -> Result<Vec<Vec<Digest>>> {
        let needed = needed_nodes(self.levels.len() - 1, indices)?;
        let levels = self.levels.iter().zip(needed);
        Ok(levels.map(|(level, needed)| needed.into_iter().map(|i| level[i]).collect()).collect())
    }
}

/// Writes all levels of a subtree, whose leaves are those from `first` on: the nodes over leaves that are still in
/// the cache.
fn grow(
    first: usize,
    mut levels: Vec<&mut [Digest]>,
    task_leaves: usize,
    hash: &(impl Fn(usize, &mut [Digest]) + Sync),
) {
    let (count, height) = (levels[0].len(), levels.len() - 1);
    let written = if count <= task_leaves {
        hash(first, levels[0]);
        0
    } else {
        let below = levels.iter_mut().take_while(|level| level.len() > 1);
        let (left, right) = below.map(|level| level.split_at_mut(level.len() / 2)).unzip();
        let middle = first + count / 2;
        rayon::join(|| grow(first, left, task_leaves, hash), || grow(middle, right, task_leaves, hash));
        height - 1
    };
    for level in written..height {
        let (below, above) = levels.split_at_mut(level + 1);
        hash_nodes(below[level], above[0]);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use deepprove_verifier::error::{Check, Rejection};
    use deepprove_verifier::merkle::verify;
    use proptest::prelude::*;

    use super::*;

    fn leaves(height: usize) -> Vec<Digest> {
        (0..1_u32 << height).map(|i| *blake3::hash(&i.to_le_bytes()).as_bytes()).collect()
    }

    fn pool() -> Pool {
        Pool::new(2).unwrap()
    }

    fn node(left: Digest, right: Digest) -> Digest {
        let mut out = [[0; 32]];
        hash_nodes(&[left, right], &mut out);
        out[0]
    }

    fn naive_root(leaves: &[Digest]) -> Digest {
        match leaves {
            [leaf] => *leaf,
            _ => {
                let (left, right) = leaves.split_at(leaves.len() / 2);
                node(naive_root(left), naive_root(right))
            }
        }
    }

    fn altered(digests: &[Digest], victim: usize) -> Vec<Digest> {
        let mut altered = digests.to_vec();
        altered[victim % digests.len()][victim % 32] ^= 1;
        altered
    }

    /// The nodes of an opening by definition: unknown siblings of known nodes.
    fn naive_nodes(leaves: &[Digest], indices: &[usize]) -> Vec<Digest> {
        let mut nodes = Vec::new();
        let height = leaves.len().ilog2();
        for level in 0..height {
            let at = |i: usize| naive_root(&leaves[i << level..(i + 1) << level]);
            for i in 0..1 << (height - level) {
                let known = |i: usize| indices.iter().any(|leaf| leaf >> level == i);
                if !known(i) && known(i ^ 1) {
                    nodes.push(at(i));
                }
            }
        }
        nodes
    }

    proptest! {
        #[test]
        fn openings_verify_and_tampered_ones_do_not(
            height in 0_usize..7,
            picks in prop::collection::btree_set(0_usize..64, 1..20),
            victim: usize,
        ) {
            let leaves = leaves(height);
            let tree = MerkleTree::new(leaves.clone(), &pool()).unwrap();
            let root = tree.root();
            prop_assert_eq!(root, naive_root(&leaves));
            let indices: BTreeSet<usize> = picks.iter().map(|i| i % leaves.len()).collect();
            let indices: Vec<usize> = indices.into_iter().collect();
            let nodes = tree.open(&indices).unwrap().concat();
            prop_assert_eq!(&nodes, &naive_nodes(&leaves, &indices));
            let digests: Vec<Digest> = indices.iter().map(|&i| leaves[i]).collect();
            let check = |digests: &[Digest], nodes: &[Digest]| {
                verify(&root, height, &indices, digests.to_vec(), nodes)
            };
            prop_assert_eq!(check(&digests, &nodes), Ok(()));

            let differs = Err(Rejection::of(Check::MerkleRoot).into());
            prop_assert_eq!(check(&altered(&digests, victim), &nodes), differs);
            let count = nodes.len();
            let left_over = Err(Rejection::counted(Check::MerkleSurplusNode, count, count + 1).into());
            prop_assert_eq!(check(&digests, &[&nodes[..], &[root]].concat()), left_over);
            if let Some((_, fewer)) = nodes.split_last() {
                let missing = Err(Rejection::at_index(Check::MerkleMissingNode, count - 1).into());
                prop_assert_eq!(check(&digests, fewer), missing);
                prop_assert_eq!(check(&digests, &altered(&nodes, victim)), differs);
            }
        }
    }

    #[test]
    fn subtrees_join_to_the_whole() {
        let leaves = leaves(14);
        let whole = MerkleTree::new(leaves.clone(), &pool()).unwrap();
        let subtree = |part: &[Digest]| MerkleTree::new(part.to_vec(), &pool()).unwrap().root();
        let roots = leaves.chunks(1 << 12).map(subtree).collect();
        assert_eq!(MerkleTree::new(roots, &pool()).unwrap().root(), whole.root());
        assert_eq!(naive_root(&leaves), whole.root());
    }

    #[test]
    fn bad_shapes_are_refused() {
        assert!(MerkleTree::new(leaves(2)[..3].to_vec(), &pool()).is_err());
        assert!(MerkleTree::new(Vec::new(), &pool()).is_err());
        let tree = MerkleTree::new(leaves(2), &pool()).unwrap();
        for indices in [&[][..], &[4], &[1, 1], &[2, 1]] {
            assert!(tree.open(indices).is_err());
            assert!(verify(&tree.root(), 2, indices, vec![[0; 32]; indices.len()], &[]).is_err());
        }
        assert!(verify(&tree.root(), 2, &[0], Vec::new(), &[]).is_err());
        assert!(verify(&tree.root(), 64, &[0], leaves(0), &[]).is_err());
    }
}
