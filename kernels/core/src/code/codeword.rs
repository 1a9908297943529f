//! The codewords of a matrix's columns, kept as its encoder's blocks of cosets and read row by row.

use p3_util::reverse_bits_len;

use crate::code::cosets::Cosets;
use crate::field::F;

/// The codewords of a matrix's columns on a domain, seen as rows: row j holds the values of all columns at
/// position residue + 2^log_parts j of the code.
///
/// The rows of a coset are in the order of their numbers' reversed bits, which is that of a Merkle tree.
pub struct Codeword {
    /// Block b holds, row by row, the cosets from b 2^log_side on side by side.
    pub(super) blocks: Vec<Vec<F>>,
    /// Logarithm of the rows of a coset.
    log_size: usize,
    log_side: usize,
    log_cosets: usize,
    width: usize,
}

impl Codeword {
    pub(super) fn new(blocks: Vec<Vec<F>>, cosets: &Cosets) -> Self {
        let (log_size, log_side) = (cosets.log_size, cosets.log_side);
        Self { blocks, log_size, log_side, log_cosets: cosets.log_count(), width: cosets.width }
    }

    /// The count of rows, as many as the domain has positions.
    pub fn rows(&self) -> usize {
        1 << (self.log_size + self.log_cosets)
    }

    /// Base elements in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Row j: one base element a column; an extension column is five adjacent base columns.
    pub fn row(&self, j: usize) -> &[F] {
        &self.at_reversed(reverse_bits_len(j, self.log_size + self.log_cosets)).0[..self.width]
    }

    /// Copies rows in the order of their numbers' reversed bits, as many as there are positions, from number `first`
    /// of this order on: the next one to `positions[0]` of `target`, and so on.
    pub fn copy_reversed(&self, first: usize, positions: &[usize], target: &mut [F]) {
        let mut copied = 0;
        while copied < positions.len() {
            let (values, stride) = self.at_reversed(first + copied);
            copied += copy_rows(values.chunks(stride), self.width, &positions[copied..], target);
        }
    }

    /// The values from the row on whose number's reversed bits are `index`, and how far apart it and the next rows of
    /// this order begin, up to the end of a coset.
    fn at_reversed(&self, index: usize) -> (&[F], usize) {
        let coset = reverse_bits_len(index >> self.log_size, self.log_cosets);
        let (block, coset) = (coset >> self.log_side, coset & ((1 << self.log_side) - 1));
        let row = index & ((1 << self.log_size) - 1);
        (&self.blocks[block][((row << self.log_side) + coset) * self.width..], self.width << self.log_side)
    }
}

/// Copies the first `width` values of rows to these positions of `target`, as far as there are both; how many it
/// copied. Short rows are copied without a call for each, which would cost more than they do.
fn copy_rows<'a>(
    rows: impl ExactSizeIterator<Item = &'a [F]>,
    width: usize,
    positions: &[usize],
    target: &mut [F],
) -> usize {
    let (count, rows) = (rows.len().min(positions.len()), rows.zip(positions));
    macro_rules! by_width {
        ($($width:literal)*) => {
            match width {
                $($width => rows.for_each(|(row, &at)| target[at..][..$width].copy_from_slice(&row[..$width])),)*
                _ => rows.for_each(|(row, &at)| target[at..][..width].copy_from_slice(&row[..width])),
            }
        };
    }
    by_width!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15);
    count
}
