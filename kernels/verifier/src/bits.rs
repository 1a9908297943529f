//! Bytes as bits, from the lowest of each byte to its highest: written, and read again.

/// At most so many are written or read at once: more than any zigzag of an integer of 32 bits has.
pub const MAX_BITS: u32 = 40;

/// Bits that become bytes.
pub struct Writer {
    bytes: Vec<u8>,
    buffer: u64,
    filled: u32,
}

impl Writer {
    /// After a whole byte.
    pub fn starting_with(byte: u8) -> Self {
        Self { bytes: vec![byte], buffer: 0, filled: 0 }
    }

    /// The `count` lowest bits of a number that has no others, at most `MAX_BITS` of them.
    pub fn push(&mut self, number: u64, count: u32) {
        self.buffer |= number << self.filled;
        self.filled += count;
        while self.filled >= 8 {
            let [byte, ..] = self.buffer.to_le_bytes();
            self.bytes.push(byte);
            self.buffer >>= 8;
            self.filled -= 8;
        }
    }

    /// So many ones, and a zero.
    pub fn push_ones(&mut self, mut count: u64) {
        while count >= u64::from(MAX_BITS) {
            self.push((1 << MAX_BITS) - 1, MAX_BITS);
            count -= u64::from(MAX_BITS);
        }
        self.push((1 << count) - 1, 1 + count as u32);
    }

    /// All bytes, the last one filled with zeros.
    pub fn finish(mut self) -> Vec<u8> {
        self.push(0, (8 - self.filled) % 8);
        self.bytes
    }
}

/// Bytes as bits.
pub struct Reader<'a> {
    bytes: &'a [u8],
    buffer: u64,
    /// Bits in the buffer; those above are 0.
    filled: u32,
}

impl<'a> Reader<'a> {
    /// From the first bit on.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, buffer: 0, filled: 0 }
    }

    /// More than `MAX_BITS` bits in the buffer, or all that there are.
    fn fill(&mut self) {
        if let Some(word) = self.bytes.first_chunk() {
            let count = (u64::BITS - 1 - self.filled) / 8;
            self.buffer |= u64::from_le_bytes(*word) << self.filled;
            self.filled += 8 * count;
            self.buffer &= !(u64::MAX << self.filled);
            self.bytes = self.bytes.get(count as usize..).unwrap_or_default();
            return;
        }
        while self.filled <= 56
            && let Some((&byte, rest)) = self.bytes.split_first()
        {
            self.buffer |= u64::from(byte) << self.filled;
            self.filled += 8;
            self.bytes = rest;
        }
    }

    fn drop_bits(&mut self, count: u32) {
        self.buffer = self.buffer.checked_shr(count).unwrap_or(0);
        self.filled -= count;
    }

    /// The next `count` bits, at most `MAX_BITS`; None where there are fewer.
    pub fn take(&mut self, count: u32) -> Option<u64> {
        if self.filled < count {
            self.fill();
        }
        if self.filled < count {
            return None;
        }
        let number = self.buffer & ((1 << count) - 1);
        self.drop_bits(count);
        Some(number)
    }

    /// How many ones come before the next zero, which is read too; None where there is no zero.
    pub fn ones(&mut self) -> Option<u64> {
        let mut ones = 0;
        loop {
            let run = self.buffer.trailing_ones();
            if run < self.filled {
                self.drop_bits(run + 1);
                return Some(ones + u64::from(run));
            }
            ones += u64::from(self.filled);
            self.drop_bits(self.filled);
            self.fill();
            if self.filled == 0 {
                return None;
            }
        }
    }

    /// Whether nothing is left but zeros that fill a byte.
    pub fn is_filled_with_zeros(&mut self) -> bool {
        self.fill();
        self.filled < 8 && self.buffer == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut bits = Writer::starting_with(7);
        for count in 0..=MAX_BITS {
            bits.push(0x5a_5a5a_5a5a & ((1 << count) - 1), count);
            bits.push_ones(3 * u64::from(count));
        }
        let bytes = bits.finish();
        assert_eq!(bytes[0], 7);
        let mut bits = Reader::new(&bytes[1..]);
        for count in 0..=MAX_BITS {
            assert_eq!(bits.take(count), Some(0x5a_5a5a_5a5a & ((1 << count) - 1)));
            assert_eq!(bits.ones(), Some(3 * u64::from(count)));
        }
        assert!(bits.is_filled_with_zeros());
    }

    #[test]
    fn there_are_no_more_bits_than_in_the_bytes() {
        assert_eq!(Reader::new(&[0xff, 1]).take(17), None);
        assert_eq!(Reader::new(&[0xff, 1]).ones(), Some(9));
        assert_eq!(Reader::new(&[0xff, 0xff]).ones(), None);
        assert!(!Reader::new(&[0]).is_filled_with_zeros());
        assert!(Reader::new(&[]).is_filled_with_zeros());
    }
}
