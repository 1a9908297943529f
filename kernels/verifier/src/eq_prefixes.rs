//! eq of a point's first coordinates and numbers of as many bits, for many numbers of any lengths.

use p3_field::PrimeCharacteristicRing;

use crate::blocks::power;
use crate::field::EF;
use crate::terms::shifted;

/// Coordinates of which one table holds eq of all numbers.
const TABLE_BITS: usize = 8;

/// Tables of eq of a point's coordinates: some in a row, from each multiple of [`TABLE_BITS`] on.
pub(crate) struct EqPrefixes {
    /// Coordinates of the point.
    bits: usize,
    /// For each chunk of coordinates eq of its first ones and all numbers: of none of them, of one, and so on.
    chunks: Vec<Vec<Vec<EF>>>,
}

impl EqPrefixes {
    pub(crate) fn new(point: &[EF]) -> Self {
        Self { bits: point.len(), chunks: point.chunks(TABLE_BITS).map(prefix_tables).collect() }
    }

    /// eq of the point's coordinates but the last `log`, and start / 2^log; none where that has more bits.
    pub(crate) fn block(&self, start: usize, log: usize) -> Option<EF> {
        let mut remaining = self.bits.checked_sub(log)?;
        let number = shifted(start, log);
        if number >= power(remaining) {
            return None;
        }
        let mut product = EF::ONE;
        for chunk in &self.chunks {
            let count = remaining.min(TABLE_BITS);
            remaining = remaining.checked_sub(count)?;
            product *= *chunk.get(count)?.get(shifted(number, remaining) & power(count).saturating_sub(1))?;
            if remaining == 0 {
                break;
            }
        }
        Some(product)
    }
}

/// eq of the first coordinates and all numbers: of none of them, of one, and so on.
fn prefix_tables(coordinates: &[EF]) -> Vec<Vec<EF>> {
    let mut tables = vec![vec![EF::ONE]];
    tables.extend(coordinates.iter().scan(vec![EF::ONE], |table, &u| {
        *table = table
            .iter()
            .flat_map(|&value| {
                let high = value * u;
                [value - high, high]
            })
            .collect();
        Some(table.clone())
    }));
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eq::eq_index;
    use crate::testing::*;

    #[test]
    fn blocks_have_eq_of_the_first_coordinates() {
        for bits in 0..20 {
            let point = elements(bits, bits as usize);
            let prefixes = EqPrefixes::new(&point);
            for log in 0..=bits as usize {
                let count = 1_usize << (bits as usize - log);
                for number in (0..count).step_by(1 + count / 50) {
                    let expected = eq_index(&point[..bits as usize - log], number);
                    assert_eq!(prefixes.block(number << log, log), Some(expected));
                }
                assert_eq!(prefixes.block(count << log, log), None);
            }
            for (start, log) in [(0, bits as usize + 1), (usize::MAX, 0), (1 << 40, 0), (0, usize::MAX)] {
                assert_eq!(prefixes.block(start, log), None);
            }
        }
    }
}
