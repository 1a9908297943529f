//! The codewords of a matrix's columns, kept as its encoder's blocks of cosets and read row by row.

use p3_util::reverse_bits_len;

use crate::code::cosets::Cosets;
use crate::field::F;

/// The codewords of a matrix's columns on a domain, seen as rows: row j holds the values of all columns at
/// position residue + 2^log_parts j of the code.
pub struct Codeword {
    /// Block b holds, row by row, the cosets from b 2^log_side on side by side.
    pub(super) blocks: Vec<Vec<F>>,
    /// Logarithm of the rows of a block, where they stand in the order of their reversed bits; else 0.
    log_reversed: usize,
    log_side: usize,
    log_cosets: usize,
    width: usize,
}

impl Codeword {
    pub(super) fn new(blocks: Vec<Vec<F>>, cosets: &Cosets, log_reversed: usize) -> Self {
        let (log_side, log_cosets, width) = (cosets.log_side, cosets.log_count(), cosets.width);
        Self { blocks, log_reversed, log_side, log_cosets, width }
    }

    /// The count of rows, as many as the domain has positions.
    pub fn rows(&self) -> usize {
        self.blocks.len() * (self.blocks[0].len() / self.width)
    }

    /// Base elements in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether rows whose numbers are near each other's, bits reversed, are near each other.
    pub fn is_reversed(&self) -> bool {
        self.log_reversed > 0
    }

    /// Row j: one base element a column; an extension column is five adjacent base columns.
    pub fn row(&self, j: usize) -> &[F] {
        &self.rows_from(j)[..self.width]
    }

    /// Row j and those that follow, as many as lie one after the other.
    pub fn rows_from(&self, j: usize) -> &[F] {
        let (i, t) = (j >> self.log_cosets, j & ((1 << self.log_cosets) - 1));
        let i = if self.is_reversed() { reverse_bits_len(i, self.log_reversed) } else { i };
        let (block, coset) = (t >> self.log_side, t & ((1 << self.log_side) - 1));
        let (start, end) =
            (((i << self.log_side) + coset) * self.width, ((i + 1) << self.log_side) * self.width);
        &self.blocks[block][start..end]
    }
}
