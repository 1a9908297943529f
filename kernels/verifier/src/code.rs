//! Rows of a Reed-Solomon code under a Merkle root: where they stand, whether they are what was committed, and
//! what they fold to.
//!
//! Column c of a matrix with 2^m rows is a polynomial of degree below 2^m; row j of its code has the values of
//! all columns at g^j, g being the generator of the subgroup of order n = 2^m R, R the inverse rate. Of these n
//! rows, leaf l < n / 2^t = 2^h of the tree holds the 2^t rows at g^l, g^(l + n/2^t), g^(l + 2n/2^t), ...,
//! so that a matrix with few columns does not pay a tree of short leaves. Leaf l stands at the index whose h
//! bits are those of l reversed, so that rows which one machine can encode alone make one subtree.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};

use crate::error::{Check, Error, Rejection, Result};
use crate::field::{EF, EXTENSION_DEGREE, F, TWO_ADICITY, extension};
use crate::hashing::{Digest, hash_leaves, padded_width};
use crate::merkle;

/// More base columns than these no matrix has.
const MAX_COLUMNS: usize = usize::MAX >> (usize::BITS / 2);

/// The sizes of a committed matrix's code, known to prover and verifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeShape {
    log_rows: usize,
    log_length: usize,
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
        let log_length = log_rows.saturating_add(log_inverse_rate);
        check_length(log_length)?;
        if log_group > log_length {
            return Err(Error::Shape("a leaf has more rows than the code"));
        }
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(Error::Shape("a matrix has no column or too many"));
        }
        Ok(Self { log_rows, log_length, columns, log_group })
    }

    /// Logarithm of the number of rows of the matrix.
    pub fn log_rows(&self) -> usize {
        self.log_rows
    }

    /// Logarithm of the number of rows of the code.
    pub fn log_length(&self) -> usize {
        self.log_length
    }

    /// The height of the tree; it has 2^height leaves.
    pub fn height(&self) -> usize {
        self.log_length.saturating_sub(self.log_group)
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
        self.columns.saturating_mul(1 << self.log_group)
    }

    /// The index in the tree of the leaf that holds row `position` of the code.
    pub fn leaf_index(&self, position: usize) -> usize {
        let unused = usize::BITS.saturating_sub(u32::try_from(self.height()).unwrap_or(u32::MAX));
        position.reverse_bits().checked_shr(unused).unwrap_or(0)
    }

    /// The indices of the leaves that hold rows of the code, in the order of `positions`.
    ///
    /// # Errors
    /// [`Error::Shape`] if a position lies outside the code.
    pub fn leaf_indices(&self, positions: &[usize]) -> Result<Vec<usize>> {
        if positions.iter().any(|position| position >> self.log_length != 0) {
            return Err(Error::Shape("a position lies outside the code"));
        }
        Ok(positions.iter().map(|&position| self.leaf_index(position)).collect())
    }

    /// The distinct leaves that hold rows of the code, increasing, and for each position which of these holds it.
    ///
    /// # Errors
    /// As [`Self::leaf_indices`].
    pub fn held(&self, positions: &[usize]) -> Result<(Vec<usize>, Vec<usize>)> {
        let indices = self.leaf_indices(positions)?;
        let mut leaves = indices.clone();
        leaves.sort_unstable();
        leaves.dedup();
        let slots = indices.iter().map(|index| leaves.partition_point(|leaf| leaf < index)).collect();
        Ok((leaves, slots))
    }
}

/// Checks the logarithm of a code's length.
///
/// # Errors
/// [`Error::Shape`] if it exceeds 24.
pub fn check_length(log_length: usize) -> Result<()> {
    if log_length > TWO_ADICITY {
        return Err(Error::Shape("a code is longer than the subgroup of order 2^24"));
    }
    Ok(())
}

/// Checks that `rows` are the leaves at these indices of the tree under `root`.
///
/// # Errors
/// [`Check::MerkleRows`], or as [`merkle::verify`], if they are not; [`Error::Shape`] if the indices are not
/// sorted, distinct, in range and at least one.
pub fn verify_opening(
    root: &Digest,
    shape: &CodeShape,
    indices: &[usize],
    rows: &[F],
    nodes: &[Digest],
) -> Result<()> {
    let width = shape.leaf_width();
    let expected = indices.len().checked_mul(width).ok_or(Error::Shape("too many leaves are opened"))?;
    if rows.len() != expected {
        return Err(Rejection::counted(Check::MerkleRows, expected, rows.len()).into());
    }
    let mut digests = vec![Digest::default(); indices.len()];
    let write = |first: usize, leaves: &mut [F]| {
        let rows = rows.get(first.saturating_mul(width)..).unwrap_or_default().chunks_exact(width.max(1));
        for (row, leaf) in rows.zip(leaves.chunks_exact_mut(padded_width(width))) {
            if let Some(slot) = leaf.get_mut(..width) {
                slot.copy_from_slice(row);
            }
        }
    };
    hash_leaves(width, write, &mut digests);
    merkle::verify(root, shape.height(), indices, digests, nodes)
}

/// How the columns of a row are combined: sum_c weights[c] row[c].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Columns {
    /// Base columns, a weight each.
    Base,
    /// Extension columns, five base columns and one weight each.
    Extension,
}

/// For query `positions` (rows of the code) in opened leaves: the combination of the row's columns with
/// `weights`. `slots[k]` is the number, among the opened leaves in `rows`, of the leaf of position k.
///
/// # Errors
/// [`Error::Shape`] if weights or positions do not fit the code, or a position is in no opened leaf.
pub fn combine_rows(
    rows: &[F],
    shape: &CodeShape,
    positions: &[usize],
    slots: &[usize],
    weights: &[EF],
    columns: Columns,
) -> Result<Vec<EF>> {
    let degree = if columns == Columns::Base { 1 } else { EXTENSION_DEGREE };
    let (width, row_width) = (shape.leaf_width(), weights.len().saturating_mul(degree));
    if row_width == 0 || !width.is_multiple_of(row_width) || positions.len() != slots.len() {
        return Err(Error::Shape("weights or positions do not fit the code"));
    }
    let combine = |(&position, &slot): (&usize, &usize)| {
        let group = position.checked_shr(u32::try_from(shape.height()).ok()?)?;
        let first = slot.checked_mul(width)?.checked_add(group.checked_mul(row_width)?)?;
        let row = rows.get(first..first.checked_add(row_width)?)?;
        Some(match columns {
            Columns::Base => weights.iter().zip(row).map(|(&w, &x)| w * x).sum(),
            Columns::Extension => {
                let (elements, _) = row.as_chunks::<EXTENSION_DEGREE>();
                weights.iter().zip(elements).map(|(&w, &x)| w * extension(x)).sum()
            }
        })
    };
    let combined: Option<Vec<EF>> = positions.iter().zip(slots).map(combine).collect();
    combined.ok_or(Error::Shape("a position lies outside the opened rows"))
}

/// g^position for the generator g of the subgroup of order 2^log_length.
///
/// # Errors
/// [`Error::Shape`] if a code is not as long.
pub fn domain_points(log_length: usize, positions: &[u64]) -> Result<Vec<F>> {
    check_length(log_length)?;
    let g = F::two_adic_generator(log_length);
    Ok(positions.iter().map(|&position| g.exp_u64(position)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_leaf_stands_where_the_reversed_bits_of_its_number_say() {
        let shape = CodeShape::new(2, 7, 2, 1).unwrap();
        let positions: Vec<usize> = (0..16).collect();
        let indices = shape.leaf_indices(&positions).unwrap();
        assert_eq!(indices, [[0, 4, 2, 6, 1, 5, 3, 7]; 2].concat());
        assert!(shape.leaf_indices(&[16]).is_err());
        let alone = CodeShape::new(2, 7, 0, 2).unwrap();
        assert_eq!(alone.leaf_indices(&[0, 3]), Ok(vec![0, 0]));
    }

    #[test]
    fn positions_are_in_the_slots_of_their_leaves() {
        let shape = CodeShape::new(2, 7, 2, 1).unwrap();
        let positions = [5, 1, 13, 5, 2];
        let (leaves, slots) = shape.held(&positions).unwrap();
        assert_eq!(leaves, [2, 4, 5]);
        let held: Vec<usize> = slots.iter().map(|&slot| leaves[slot]).collect();
        assert_eq!(held, shape.leaf_indices(&positions).unwrap());
        assert_eq!(shape.held(&[]), Ok((vec![], vec![])));
        assert!(shape.held(&[16]).is_err());
    }

    #[test]
    fn bad_shapes_are_refused() {
        assert!(CodeShape::new(20, 1, 5, 0).is_err());
        assert!(CodeShape::new(usize::MAX, 1, 1, 0).is_err());
        assert!(CodeShape::new(2, 1, 1, 4).is_err());
        assert!(CodeShape::new(2, 0, 1, 0).is_err());
        assert!(CodeShape::new(2, usize::MAX, 1, 0).is_err());
        let shape = CodeShape::new(2, 1, 1, 0).unwrap();
        assert!(verify_opening(&[0; 32], &shape, &[], &[], &[]).is_err());
        assert!(verify_opening(&[0; 32], &shape, &[8], &[F::ONE], &[]).is_err());
    }

    #[test]
    fn a_row_is_found_by_its_leaf_and_its_group() {
        // Two columns, four leaves of two rows each.
        let shape = CodeShape::new(2, 2, 1, 1).unwrap();
        let rows: Vec<F> = (1..=8).map(F::new).collect();
        let weights = [EF::ONE, EF::from_u32(100)];
        let combine = |positions: &[usize], slots: &[usize]| {
            combine_rows(&rows, &shape, positions, slots, &weights, Columns::Base)
        };
        let expected = [(1, 2), (3, 4), (7, 8)].map(|(a, b)| EF::from_u32(a + 100 * b));
        assert_eq!(combine(&[0, 4, 6], &[0, 0, 1]), Ok(expected.to_vec()));
        assert!(combine(&[0], &[2]).is_err());
        assert!(combine(&[0], &[]).is_err());
        assert!(combine(&[usize::MAX], &[usize::MAX]).is_err());
        assert!(combine_rows(&rows, &shape, &[0], &[0], &weights, Columns::Extension).is_err());
    }
}
