//! Functions on the offsets 0, 1, ..., `size` - 1 as linear pieces, and as the bytes that stand for them.
//!
//! A piece is a line over some offsets in a row. Three numbers say it, given the line of the piece before it, which
//! is 0 before the first one:
//!
//! - length: its offsets,
//! - bend: its first value, less what the line before it would have there,
//! - turn: its slope, less the slope before it.
//!
//! Each piece is as long as it can be. So no bend is 0 after the first piece. Two values make a line, so a piece of
//! one value is the last one, and its slope is 0. A function has one such list of pieces.
//!
//! Bytes have the numbers in this order. Each one is in groups of seven bits, lowest first, with bit 7 set in all
//! but its last byte, and no more groups than it needs. Signed numbers are counted 0, -1, 1, -2, 2, ... So equal
//! functions have equal bytes. A rounded curve takes three of them a piece, whatever its values.

use p3_field::PrimeField32;

use crate::field::{F, TWO_ADICITY};

/// No table has more values: its multiplicities are a column.
pub const MAX_SIZE: usize = 1 << TWO_ADICITY;
/// Values are the field's elements, as integers of both signs, as small as possible.
pub const LARGEST: i64 = (F::ORDER_U32 / 2) as i64;

const GROUP: u32 = 7;
const LAST_GROUP: u32 = 4 * GROUP;

/// A line from offset `start` up to the next piece: `value + slope * (offset - start)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Piece {
    /// First offset.
    pub start: usize,
    /// Value there.
    pub value: i32,
    /// Step from one offset to the next.
    pub slope: i32,
}

/// Why bytes or values are no function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// There is no piece.
    #[error("a table has a piece at least")]
    NoPiece,
    /// The bytes end within a piece.
    #[error("a table's pieces end within a piece")]
    Truncated,
    /// A number has more than five groups.
    #[error("a number of a table's pieces has more than five bytes")]
    LongNumber,
    /// A number's last group is 0.
    #[error("a number of a table's pieces has more bytes than it needs")]
    LongerNumber,
    /// A piece has no offset.
    #[error("a piece of a table has a value at least")]
    EmptyPiece,
    /// More values than [`MAX_SIZE`].
    #[error("a table has at most 2^24 values")]
    Size,
    /// A value beyond [`LARGEST`].
    #[error("a table's values lie within the field")]
    Value,
    /// A piece goes on with the line before it.
    #[error("a table's pieces are not as long as they can be")]
    NoBend,
    /// A piece of one value has another one after it.
    #[error("a piece of a single value is not a table's last one")]
    SingleValue,
    /// A single value has a slope.
    #[error("a table's last piece has a slope but a single value")]
    SingleSlope,
}

/// A function: its canonical pieces, the number of its values, and the least and the largest one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LinearPieces {
    pieces: Vec<Piece>,
    size: usize,
    lowest: i32,
    highest: i32,
}

impl LinearPieces {
    /// The function that these bytes stand for.
    ///
    /// # Errors
    /// [`Malformed`] for any that [`Self::to_bytes`] does not give.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut numbers = Numbers(bytes);
        let mut list = List::with_capacity(bytes.len() / 3);
        while !numbers.0.is_empty() {
            let length = numbers.unsigned()?;
            list.push(length, numbers.signed()?, numbers.signed()?)?;
        }
        list.finish()
    }

    /// The function with these values.
    ///
    /// # Errors
    /// [`Malformed`] for none, too many of them, and one beyond the field.
    pub fn from_values(values: &[i64]) -> Result<Self, Malformed> {
        if values.len() > MAX_SIZE {
            return Err(Malformed::Size);
        }
        if values.iter().any(|value| value.unsigned_abs() > LARGEST.unsigned_abs()) {
            return Err(Malformed::Value);
        }
        let mut list = List::with_capacity(0);
        let mut left = values;
        while let [value, others @ ..] = left {
            let slope = others.first().map_or(0, |next| next - value);
            let steps = left.windows(2).take_while(|pair| matches!(pair, [a, b] if b - a == slope)).count();
            list.push(1 + steps as u64, value - list.value, slope - list.slope)?;
            left = left.get(1 + steps..).unwrap_or_default();
        }
        list.finish()
    }

    /// q on the arguments q from `first` on.
    ///
    /// # Errors
    /// As [`Self::from_values`].
    pub fn identity(first: i32, size: usize) -> Result<Self, Malformed> {
        let mut list = List::with_capacity(1);
        list.push(size as u64, first.into(), i64::from(size > 1))?;
        list.finish()
    }

    /// The bytes that stand for it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(3 * self.pieces.len());
        let ends = self.pieces.iter().skip(1).map(|piece| piece.start).chain([self.size]);
        let (mut line, mut slope) = (0, 0);
        for (piece, end) in self.pieces.iter().zip(ends) {
            let (length, step) = (end.saturating_sub(piece.start) as i64, i64::from(piece.slope));
            write(length as u64, &mut bytes);
            write(zigzag(i64::from(piece.value) - line), &mut bytes);
            write(zigzag(step - slope), &mut bytes);
            (line, slope) = (i64::from(piece.value) + step * length, step);
        }
        bytes
    }

    /// All values, in their order.
    pub fn values(&self) -> Vec<i64> {
        let ends = self.pieces.iter().skip(1).map(|piece| piece.start).chain([self.size]);
        let mut values = Vec::with_capacity(self.size);
        for (piece, end) in self.pieces.iter().zip(ends) {
            let (value, slope) = (i64::from(piece.value), i64::from(piece.slope));
            values.extend((0..end.saturating_sub(piece.start) as i64).map(|step| value + slope * step));
        }
        values
    }

    /// The pieces, in the order of their offsets.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The number of its values.
    pub const fn size(&self) -> usize {
        self.size
    }

    /// Its least and its largest value.
    pub const fn interval(&self) -> (i32, i32) {
        (self.lowest, self.highest)
    }
}

/// Pieces so far, and the line of the last one after its end.
struct List {
    pieces: Vec<Piece>,
    size: usize,
    /// Of the last piece.
    length: u64,
    /// What the last piece's line has at offset `size`.
    value: i64,
    slope: i64,
    lowest: i64,
    highest: i64,
}

impl List {
    fn with_capacity(count: usize) -> Self {
        let (lowest, highest) = (LARGEST, -LARGEST);
        Self { pieces: Vec::with_capacity(count), size: 0, length: 0, value: 0, slope: 0, lowest, highest }
    }

    /// Numbers have at most 35 bits, so that nothing overflows: a slope 2^36, and an end 2^60.
    fn push(&mut self, length: u64, bend: i64, turn: i64) -> Result<(), Malformed> {
        if length == 0 {
            return Err(Malformed::EmptyPiece);
        }
        if length > (MAX_SIZE - self.size) as u64 {
            return Err(Malformed::Size);
        }
        if self.length == 1 {
            return Err(Malformed::SingleValue);
        }
        if bend == 0 && self.size > 0 {
            return Err(Malformed::NoBend);
        }
        let (value, slope) = (self.value + bend, self.slope + turn);
        if length == 1 && slope != 0 {
            return Err(Malformed::SingleSlope);
        }
        let last = value + slope * (length as i64 - 1);
        let (low, high) = (value.min(last), value.max(last));
        if low < -LARGEST || high > LARGEST {
            return Err(Malformed::Value);
        }
        // Both ends are within the field: a step between two of its values is below 2^31.
        self.pieces.push(Piece { start: self.size, value: value as i32, slope: slope as i32 });
        (self.lowest, self.highest) = (self.lowest.min(low), self.highest.max(high));
        self.size += length as usize;
        (self.length, self.value, self.slope) = (length, last + slope, slope);
        Ok(())
    }

    fn finish(self) -> Result<LinearPieces, Malformed> {
        if self.pieces.is_empty() {
            return Err(Malformed::NoPiece);
        }
        let (lowest, highest) = (self.lowest as i32, self.highest as i32);
        Ok(LinearPieces { pieces: self.pieces, size: self.size, lowest, highest })
    }
}

/// Numbers that are left to be read.
struct Numbers<'a>(&'a [u8]);

impl Numbers<'_> {
    fn unsigned(&mut self) -> Result<u64, Malformed> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (&byte, tail) = self.0.split_first().ok_or(Malformed::Truncated)?;
            self.0 = tail;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return if byte == 0 && shift > 0 { Err(Malformed::LongerNumber) } else { Ok(number) };
            }
            if shift == LAST_GROUP {
                return Err(Malformed::LongNumber);
            }
            shift += GROUP;
        }
    }

    fn signed(&mut self) -> Result<i64, Malformed> {
        let number = self.unsigned()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }
}

const fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

fn write(mut number: u64, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= GROUP;
    }
    bytes.push(number as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The bytes of pieces (length, bend, turn), of any numbers.
    fn packed(pieces: &[(u64, i64, i64)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for &(length, bend, turn) in pieces {
            for number in [length, zigzag(bend), zigzag(turn)] {
                write(number, &mut bytes);
            }
        }
        bytes
    }

    fn read(pieces: &[(u64, i64, i64)]) -> Result<Vec<i64>, Malformed> {
        LinearPieces::from_bytes(&packed(pieces)).map(|function| function.values())
    }

    #[test]
    fn each_condition_of_canonical_pieces_is_required() {
        assert_eq!(read(&[(2, -1, 3), (1, 1, -3)]), Ok(vec![-1, 2, 6]));
        let widest = (2, LARGEST, -2 * LARGEST);
        assert_eq!(read(&[widest]), Ok(vec![LARGEST, -LARGEST]));
        assert_eq!(read(&[(MAX_SIZE as u64, 7, 0)]).map(|values| values.len()), Ok(MAX_SIZE));
        for (pieces, error) in [
            (&[][..], Malformed::NoPiece),
            (&[(0, 1, 0)], Malformed::EmptyPiece),
            (&[(2, 1, 0), (0, 1, 0)], Malformed::EmptyPiece),
            (&[(MAX_SIZE as u64 + 1, 1, 0)], Malformed::Size),
            (&[(MAX_SIZE as u64, 1, 0), (1, 1, 0)], Malformed::Size),
            (&[(1, LARGEST + 1, 0)], Malformed::Value),
            (&[(1, -LARGEST - 1, 0)], Malformed::Value),
            (&[(2, LARGEST, 1)], Malformed::Value),
            (&[(2, -LARGEST, -1)], Malformed::Value),
            (&[(MAX_SIZE as u64, 0, (1 << 34) - 1)], Malformed::Value),
            (&[(2, LARGEST, 0), (2, 1, 0)], Malformed::Value),
            (&[(2, 1, 0), (2, 0, 1)], Malformed::NoBend),
            (&[(2, 1, 0), (2, 0, 0)], Malformed::NoBend),
            (&[(1, 1, 0), (2, 1, 0)], Malformed::SingleValue),
            (&[(1, 1, 1)], Malformed::SingleSlope),
            (&[(2, 1, 1), (1, 1, 0)], Malformed::SingleSlope),
        ] {
            assert_eq!(read(pieces), Err(error), "{pieces:?}");
        }
    }

    #[test]
    fn numbers_have_one_form() {
        for (bytes, error) in [
            (&[2, 2][..], Malformed::Truncated),
            (&[2, 2, 0x80], Malformed::Truncated),
            (&[0x82, 0, 2, 0], Malformed::LongerNumber),
            (&[2, 0x80, 0x80, 0x80, 0x80, 0, 0], Malformed::LongerNumber),
            (&[2, 0x80, 0x80, 0x80, 0x80, 0x80, 1, 0], Malformed::LongNumber),
        ] {
            assert_eq!(LinearPieces::from_bytes(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn a_square_takes_three_bytes_a_piece() {
        let squares: Vec<i64> = (-20_000..20_000).map(|q| q * q).collect();
        let function = LinearPieces::from_values(&squares).unwrap();
        assert_eq!(function.pieces().len(), 20_000);
        // The first value and slope have nine bytes together.
        assert_eq!(function.to_bytes().len(), 60_000 + 6);
        assert_eq!(function.interval(), (0, 400_000_000));
    }

    #[test]
    fn values_are_checked() {
        for (values, error) in [
            (&[][..], Malformed::NoPiece),
            (&[LARGEST + 1], Malformed::Value),
            (&[i64::MAX, i64::MIN], Malformed::Value),
        ] {
            assert_eq!(LinearPieces::from_values(values), Err(error));
        }
        assert_eq!(LinearPieces::from_values(&vec![0; MAX_SIZE + 1]), Err(Malformed::Size));
    }

    #[test]
    fn the_identity_has_its_arguments() {
        for (first, size) in [(-3, 7), (5, 1), (5, 2)] {
            let values: Vec<i64> = (0..size as i64).map(|offset| i64::from(first) + offset).collect();
            assert_eq!(LinearPieces::identity(first, size), LinearPieces::from_values(&values));
        }
        assert_eq!(LinearPieces::identity(0, 0), Err(Malformed::EmptyPiece));
        assert_eq!(LinearPieces::identity(LARGEST as i32, 2), Err(Malformed::Value));
        assert_eq!(LinearPieces::identity(i32::MIN, 2), Err(Malformed::Value));
        assert_eq!(LinearPieces::identity(0, usize::MAX), Err(Malformed::Size));
    }

    fn functions() -> impl Strategy<Value = Vec<i64>> {
        let any = prop::collection::vec(-LARGEST..=LARGEST, 1..40);
        prop_oneof![any, prop::collection::vec(-2_i64..3, 1..60)]
    }

    proptest! {
        #[test]
        fn a_function_is_the_one_it_was_made_from(values in functions()) {
            let function = LinearPieces::from_values(&values).unwrap();
            prop_assert_eq!(function.values(), &values[..]);
            prop_assert_eq!(function.size(), values.len());
            let ends = (*values.iter().min().unwrap() as i32, *values.iter().max().unwrap() as i32);
            prop_assert_eq!(function.interval(), ends);
            prop_assert_eq!(LinearPieces::from_bytes(&function.to_bytes()), Ok(function));
        }

        #[test]
        fn bytes_that_are_read_are_what_is_written(bytes in prop::collection::vec(0_u8..6, 1..40)) {
            if let Ok(function) = LinearPieces::from_bytes(&bytes) {
                prop_assert_eq!(function.to_bytes(), bytes);
                prop_assert_eq!(LinearPieces::from_values(&function.values()), Ok(function));
            }
        }
    }
}
