//! A part of a commitment: one of 2^s equal subtrees, computed from the matrix alone.
//!
//! Leaf l of a code stands in the tree at the reversal of l's bits, so the leaves l = f modulo 2^s make
//! one subtree, the one whose number, from left to right, is the reversal of f's s bits. Their rows are the
//! codeword positions j = f modulo 2^s, which are encoded without the others. So machines encode and hash
//! a part each, and only roots and opened leaves travel. A whole commitment is the one part of 2^0.

use std::collections::BTreeMap;

use p3_field::ExtensionField;
use p3_util::reverse_bits_len;

use crate::code::codeword::Codeword;
use crate::code::domain::Domain;
use crate::code::reed_solomon::Encoder;
use crate::error::{Error, Result};
use crate::field::F;
use crate::merkle::tree::MerkleTree;
use crate::pool::Pool;
use deepprove_verifier::code::CodeShape;
use deepprove_verifier::hashing::{Digest, LANES, hash_leaves, padded_width};

/// Part `index` of the 2^log_parts equal subtrees of a code's tree, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodePart {
    shape: CodeShape,
    domain: Domain,
    index: usize,
    height: usize,
}

impl CodePart {
    /// Part `index` of 2^log_parts.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more parts than leaves, or not so many parts as the index says.
    pub fn new(shape: CodeShape, log_parts: usize, index: usize) -> Result<Self> {
        let height = shape.height().checked_sub(log_parts);
        let height = height.ok_or(Error::Shape("a tree is cut into more parts than it has leaves"))?;
        if index >> log_parts != 0 {
            return Err(Error::Shape("a tree has no part of this number"));
        }
        let domain = Domain::of(&shape).part(log_parts, reverse_bits_len(index, log_parts))?;
        Ok(Self { shape, domain, index, height })
    }

    /// The index in this subtree of a leaf of the whole tree.
    fn local_index(&self, index: usize) -> Result<usize> {
        let in_part = index >> self.height == self.index;
        in_part.then_some(index & ((1 << self.height) - 1)).ok_or(Error::Shape("a leaf is of another part"))
    }
}

/// A part's code while blocks of whole columns are added to it, in any order.
pub struct PartialCode {
    part: CodePart,
    blocks: BTreeMap<usize, Codeword>,
}

impl PartialCode {
    /// The code of no column.
    pub fn new(part: CodePart) -> Self {
        Self { part, blocks: BTreeMap::new() }
    }

    /// Encodes the `columns` columns from base column `first` on (an extension column is five base columns);
    /// `values` are column-major, missing ones at the end are zero.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more values than the columns have, or the code has no such columns or
    /// has been given some of them.
    pub fn add_columns<V: ExtensionField<F>>(
        &mut self,
        first: usize,
        columns: usize,
        values: &[V],
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<()> {
        let end = columns.checked_mul(V::DIMENSION).and_then(|width| first.checked_add(width));
        let Some(end) = end.filter(|&end| end <= self.part.shape.columns()) else {
            return Err(Error::Shape("a block of columns lies outside the matrix"));
        };
        let before = self.blocks.range(..end).next_back();
        if before.is_some_and(|(start, block)| start + block.width() > first) {
            return Err(Error::Shape("blocks of columns overlap"));
        }
        self.blocks.insert(first, encoder.encode(values, columns, &self.part.domain, pool)?);
        Ok(())
    }

    /// Encodes whole base columns, as many as `values` has, from column `first` on.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`PartialCode::add_columns`], or if a column is cut.
    pub fn add_whole_columns(
        &mut self,
        first: usize,
        values: &[F],
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<()> {
        let rows = 1 << self.part.shape.log_rows();
        if !values.len().is_multiple_of(rows) {
            return Err(Error::Shape("a block has no whole columns"));
        }
        self.add_columns(first, values.len() / rows, values, encoder, pool)
    }

    /// Hashes the rows and builds the subtree.
    ///
    /// # Errors
    /// [`Error::Shape`] if columns are missing.
    pub fn finish(self, pool: &Pool) -> Result<PartialCommitment> {
        let columns: usize = self.blocks.values().map(Codeword::width).sum();
        if columns != self.part.shape.columns() {
            return Err(Error::Shape("columns of the matrix are missing"));
        }
        let code = Rows { part: self.part, blocks: self.blocks.into_values().collect() };
        let tree = code.tree(pool);
        Ok(PartialCommitment { code, tree })
    }
}

/// Some leaves of a part with their proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartOpening {
    /// The leaves, one after the other in the order of their indices.
    pub rows: Vec<F>,
    /// The nodes of [`MerkleTree::open`], for each level of the subtree below its root.
    pub levels: Vec<Vec<Digest>>,
}

/// A part of a committed matrix: its rows of the code and the tree over them.
pub struct PartialCommitment {
    code: Rows,
    tree: MerkleTree,
}

impl PartialCommitment {
    /// Commits a whole matrix's part, column-major: values[column * 2^log_rows + row], base elements or
    /// extension elements, of which each column is five base columns of the code. Missing values at the
    /// end are zero.
    ///
    /// # Errors
    /// [`Error::Shape`] if there are more values than the matrix has, or the shape's base columns are no whole
    /// extension columns.
    pub fn commit<V: ExtensionField<F>>(
        values: &[V],
        part: CodePart,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        Self::commit_hiding(values, &[], part, encoder, pool)
    }

    /// Commits a part of a matrix with further rows, equally many in each column, column-major: a column's values of
    /// them are its coefficients from 2^log_rows on.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`PartialCommitment::commit`], or if columns have not equally many random rows, or
    /// all rows together are not fewer than the code's positions.
    pub fn commit_hiding<V: ExtensionField<F>>(
        values: &[V],
        random_rows: &[V],
        part: CodePart,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        let columns = part.shape.columns() / V::DIMENSION;
        let block = encoder.encode_hiding(values, random_rows, columns, &part.domain, pool)?;
        PartialCode { part, blocks: BTreeMap::from([(0, block)]) }.finish(pool)
    }

    /// Commits a part of base columns, column-major, from all parts of their vector; see [`Encoder::encode_parts`].
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`Encoder::encode_parts`].
    pub fn commit_parts(
        parts: &[&[F]],
        random_rows: &[F],
        part: CodePart,
        encoder: &Encoder,
        pool: &Pool,
    ) -> Result<Self> {
        let block = encoder.encode_parts(parts, random_rows, part.shape.columns(), &part.domain, pool)?;
        PartialCode { part, blocks: BTreeMap::from([(0, block)]) }.finish(pool)
    }

    /// Commits a part of a row-major matrix of base columns.
    ///
    /// # Errors
    /// [`Error::Shape`] if the matrix has another shape.
    pub fn commit_rows(matrix: &[F], part: CodePart, encoder: &Encoder, pool: &Pool) -> Result<Self> {
        let block = encoder.encode_rows(matrix, &part.domain, pool)?;
        PartialCode { part, blocks: BTreeMap::from([(0, block)]) }.finish(pool)
    }

    /// The root of the subtree.
    pub fn root(&self) -> Digest {
        self.tree.root()
    }

    /// Opens the leaves at these indices of the whole tree.
    ///
    /// # Errors
    /// [`Error::Shape`] if the indices are not sorted, distinct, in this part and at least one.
    pub fn open(&self, indices: &[usize]) -> Result<PartOpening> {
        let local: Vec<usize> =
            indices.iter().map(|&index| self.code.part.local_index(index)).collect::<Result<_>>()?;
        let levels = self.tree.open(&local)?;
        let leaf = |&index: &usize| self.code.leaf(reverse_bits_len(index, self.code.part.height));
        Ok(PartOpening { rows: local.iter().flat_map(leaf).flatten().copied().collect(), levels })
    }
}

/// The rows of a part's code, cut into blocks of columns.
struct Rows {
    part: CodePart,
    blocks: Vec<Codeword>,
}

impl Rows {
    /// The pieces of the rows that make the part's leaf `leaf`, in natural order.
    fn leaf(&self, leaf: usize) -> impl Iterator<Item = &[F]> {
        let rows = (0..1 << self.part.shape.log_group()).map(move |i| leaf + (i << self.part.height));
        rows.flat_map(|j| self.blocks.iter().map(move |block| block.row(j)))
    }

    /// The tree over the hashes of all leaves.
    fn tree(&self, pool: &Pool) -> MerkleTree {
        let (log_group, width) = (self.part.shape.log_group(), self.part.shape.columns());
        let leaf_width = width << log_group;
        let padded = padded_width(leaf_width);
        let position = |row: usize| {
            let (leaf, in_leaf) = (row >> log_group, row & ((1 << log_group) - 1));
            leaf * padded + reverse_bits_len(in_leaf, log_group) * width
        };
        let positions: Vec<usize> = (0..LANES << log_group).map(position).collect();
        let hash = |first: usize, digests: &mut [Digest]| {
            let write = |index: usize, leaves: &mut [F]| {
                let positions = &positions[..(leaves.len() / padded) << log_group];
                let mut column = 0;
                for block in &self.blocks {
                    block.copy_reversed((first + index) << log_group, positions, &mut leaves[column..]);
                    column += block.width();
                }
            };
            hash_leaves(leaf_width, write, digests);
        };
        MerkleTree::over(self.part.height, leaf_width, hash, pool)
    }
}

#[cfg(test)]
mod tests {
    use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

    use super::*;
    use crate::field::{EF, EXTENSION_DEGREE};

    fn pool() -> Pool {
        Pool::new(2).unwrap()
    }

    fn values(count: usize) -> Vec<F> {
        (0..count as u32).map(|i| F::new(i.wrapping_mul(2_654_435_761) >> 2)).collect()
    }

    /// The part from blocks of columns, which end before the given columns; odd blocks first.
    fn streamed(values: &[F], part: CodePart, ends: &[usize]) -> Result<PartialCommitment> {
        let (rows, mut code) = (values.len() / part.shape.columns(), PartialCode::new(part));
        let starts = [&[0], ends].concat();
        for (start, end) in
            (1..ends.len()).step_by(2).chain((0..ends.len()).step_by(2)).map(|i| (starts[i], ends[i]))
        {
            code.add_columns(
                start,
                end - start,
                &values[start * rows..end * rows],
                &Encoder::default(),
                &pool(),
            )?;
        }
        code.finish(&pool())
    }

    #[test]
    fn blocks_of_columns_make_the_same_part_in_any_order() {
        // Tall ones, whose cosets stand side by side, short ones, whose cosets do not, and both.
        let cuts: [&[usize]; 8] = [
            &[11],
            &[1, 11],
            &[3, 4, 9, 11],
            &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11],
            &[37],
            &[3, 37],
            &[20, 37],
            &[20, 36, 37],
        ];
        for (ends, (log_parts, index)) in
            cuts.into_iter().flat_map(|ends| [(0, 0), (1, 1), (3, 4), (6, 37)].map(|part| (ends, part)))
        {
            let columns = ends[ends.len() - 1];
            let values = values(columns << 5);
            let part = CodePart::new(CodeShape::new(5, columns, 2, 1).unwrap(), log_parts, index).unwrap();
            let whole = PartialCommitment::commit(&values, part, &Encoder::default(), &pool()).unwrap();
            let indices = [index << part.height];
            let blocks = streamed(&values, part, ends).unwrap();
            assert_eq!(blocks.root(), whole.root());
            assert_eq!(blocks.open(&indices), whole.open(&indices));
        }
    }

    #[test]
    fn parts_with_random_rows_join_to_the_whole() {
        // Tall and short matrices, each with fewer and with more random rows than rows or a part's positions.
        for (log_rows, columns, random) in [(5, 2, 9), (5, 2, 70), (6, 30, 9), (6, 30, 64), (4, 30, 50)] {
            let shape = CodeShape::new(log_rows, columns, 3, 1).unwrap();
            let (values, random_rows) = (values(columns << log_rows), values(columns * random));
            let (encoder, pool) = (Encoder::default(), pool());
            let commit = |log_parts, index| {
                let part = CodePart::new(shape, log_parts, index).unwrap();
                PartialCommitment::commit_hiding(&values, &random_rows, part, &encoder, &pool).unwrap()
            };
            let whole = commit(0, 0);
            for log_count in 0..3 {
                let split = crate::parts::residue::split(&values, log_count);
                let split: Vec<&[F]> = split.iter().map(Vec::as_slice).collect();
                let part = CodePart::new(shape, 0, 0).unwrap();
                let joined =
                    PartialCommitment::commit_parts(&split, &random_rows, part, &encoder, &pool).unwrap();
                assert_eq!(joined.root(), whole.root());
            }
            let code =
                encoder.encode_hiding(&values, &random_rows, columns, &Domain::of(&shape), &pool).unwrap();
            let leaves = 1 << shape.height();
            assert_eq!(whole.open(&[0]).unwrap().rows, [code.row(0), code.row(leaves)].concat());
            for log_parts in [1, 3, shape.height()] {
                let parts: Vec<_> = (0..1 << log_parts).map(|index| commit(log_parts, index)).collect();
                let roots = parts.iter().map(PartialCommitment::root).collect();
                assert_eq!(MerkleTree::new(roots, &pool).unwrap().root(), whole.root());
                let index = leaves - 1;
                assert_eq!(
                    parts[parts.len() - 1].open(&[index]).unwrap().rows,
                    whole.open(&[index]).unwrap().rows
                );
            }
            let none = PartialCommitment::commit(&values, whole.code.part, &encoder, &pool).unwrap();
            assert_ne!(none.root(), whole.root());
        }
    }

    #[test]
    fn a_part_holds_its_rows_only() {
        let shape = CodeShape::new(10, 10, 3, 0).unwrap();
        let elements = EF::reconstitute_from_base(values(10 << 10));
        for log_parts in [0, 2, 5, 13] {
            let part = CodePart::new(shape, log_parts, 0).unwrap();
            let commitment =
                PartialCommitment::commit(&elements, part, &Encoder::default(), &pool()).unwrap();
            let held: usize = commitment.code.blocks.iter().map(|block| block.rows() * block.width()).sum();
            assert_eq!(held, 10 << (13 - log_parts));
        }
    }

    #[test]
    fn bad_shapes_are_refused() {
        let shape = CodeShape::new(2, EXTENSION_DEGREE, 1, 1).unwrap();
        for (log_parts, index) in [(3, 0), (usize::MAX, 0), (1, 2), (2, usize::MAX)] {
            assert!(CodePart::new(shape, log_parts, index).is_err());
        }
        let part = CodePart::new(shape, 1, 1).unwrap();
        let (encoder, pool) = (Encoder::default(), pool());
        let mut code = PartialCode::new(part);
        let mut add =
            |first, columns, count| code.add_columns(first, columns, &vec![F::ONE; count], &encoder, &pool);
        add(1, 3, 12).unwrap();
        for (first, columns, count) in
            [(5, 1, 4), (4, 2, 8), (usize::MAX, 1, 4), (4, usize::MAX, 4), (0, 1, 5), (0, 0, 0)]
        {
            assert!(add(first, columns, count).is_err());
        }
        for (first, columns) in [(0, 2), (1, 3), (2, 1), (3, 2), (0, 5)] {
            let overlap = Err(Error::Shape("blocks of columns overlap"));
            assert_eq!(add(first, columns, 4 * columns), overlap);
        }
        assert!(code.add_columns(0, 1, &[EF::ONE; 4], &encoder, &pool).is_err());
        assert!(code.finish(&pool).is_err());
        assert!(PartialCommitment::commit(&[F::ONE; 21], part, &encoder, &pool).is_err());
        for parts in [&[][..], &[1; 3], &[1; 8], &[11, 1], &[1, 11], &[21]] {
            let parts: Vec<&[F]> = parts.iter().map(|&length| &[F::ONE; 21][..length]).collect();
            assert!(PartialCommitment::commit_parts(&parts, &[], part, &encoder, &pool).is_err());
        }
        let commitment = PartialCommitment::commit(&[F::ONE; 20], part, &encoder, &pool).unwrap();
        assert!(commitment.open(&[2, 3]).is_ok());
        for indices in [&[][..], &[1], &[2, 2], &[3, 2], &[4], &[1, 2], &[usize::MAX]] {
            assert!(commitment.open(indices).is_err());
        }
    }
}
