//! Openings of several leaves of a binary Merkle tree at once.
//!
//! A multi-opening of sorted, distinct leaves carries exactly the nodes that a verifier cannot
//! compute itself, level by level from the leaves up, left to right: a node shared by several paths is
//! sent once. The indices determine the count and the order of the nodes.

use crate::error::{Check, Error, Rejection, Result};
use crate::hashing::{Digest, hash_nodes};

/// For each level below the root of a tree of 2^height leaves, from the leaves up: the indices of the nodes
/// that an opening of the leaves at `indices` carries.
///
/// # Errors
/// As [`check_indices`].
pub fn needed_nodes(height: usize, indices: &[usize]) -> Result<Vec<Vec<usize>>> {
    check_indices(indices, height)?;
    let mut known = indices.to_vec();
    let mut level = || {
        let (parents, unknown): (Vec<_>, Vec<_>) = climb(&known).unzip();
        known = parents;
        unknown.into_iter().flatten().collect()
    };
    Ok((0..height).map(|_| level()).collect())
}

/// Checks the digests of the leaves at `indices` against the root of a tree of 2^height leaves.
///
/// # Errors
/// [`Check::MerkleMissingNode`] and [`Check::MerkleSurplusNode`] if nodes are missing or left over,
/// [`Check::MerkleRoot`] if the root is another; [`Error::Shape`] if the indices do not fit the tree or the
/// digests.
pub fn verify(
    root: &Digest,
    height: usize,
    indices: &[usize],
    mut digests: Vec<Digest>,
    nodes: &[Digest],
) -> Result<()> {
    check_indices(indices, height)?;
    if digests.len() != indices.len() {
        return Err(Error::Shape("leaf digests and indices differ in number"));
    }
    let count = nodes.len();
    let mut nodes = nodes.iter();
    let mut known = indices.to_vec();
    let mut children = Vec::with_capacity(indices.len().saturating_mul(2));
    for _ in 0..height {
        let mut computed = digests.iter();
        children.clear();
        let mut parents = Vec::with_capacity(known.len());
        for (parent, unknown) in climb(&known) {
            for child in [left_child(parent), left_child(parent) | 1] {
                let next = if unknown == Some(child) { nodes.next() } else { computed.next() };
                children.push(*next.ok_or(Rejection::at_index(Check::MerkleMissingNode, count))?);
            }
            parents.push(parent);
        }
        known = parents;
        digests.truncate(known.len());
        hash_nodes(&children, &mut digests);
    }
    let surplus = nodes.count();
    if surplus > 0 {
        return Err(Rejection::counted(Check::MerkleSurplusNode, count.saturating_sub(surplus), count).into());
    }
    if digests != [*root] {
        return Err(Rejection::of(Check::MerkleRoot).into());
    }
    Ok(())
}

/// The first of a node's two children.
fn left_child(parent: usize) -> usize {
    parent.saturating_mul(2)
}

/// The parents of sorted, distinct nodes, each with the child that is not among them, if any.
fn climb(known: &[usize]) -> impl Iterator<Item = (usize, Option<usize>)> {
    known.chunk_by(|a, b| a / 2 == b / 2).filter_map(|children| match children {
        [child] => Some((child / 2, Some(child ^ 1))),
        [child, ..] => Some((child / 2, None)),
        [] => None,
    })
}

/// Checks that `indices` are leaves of a tree of 2^height leaves, in order.
///
/// # Errors
/// [`Error::Shape`] if they are not sorted, distinct, in range and at least one.
pub fn check_indices(indices: &[usize], height: usize) -> Result<()> {
    let leaves = u32::try_from(height).ok().and_then(|height| 1_usize.checked_shl(height));
    let leaves = leaves.ok_or(Error::Shape("no index reaches this Merkle tree's leaves"))?;
    let Some(&last) = indices.last() else {
        return Err(Error::Shape("no leaf is opened"));
    };
    if last >= leaves || !indices.is_sorted_by(|a, b| a < b) {
        return Err(Error::Shape("leaf indices are not sorted, distinct and in range"));
    }
    Ok(())
}
