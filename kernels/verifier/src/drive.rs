//! Every entry point of this crate on bytes that anyone may choose: what a fuzzer and a test of mutated bytes call.
//!
//! The first byte chooses the entry point; the others become its arguments. Nothing is asserted but what holds
//! of all bytes: no panic, and whatever is decoded has no other encoding.

use std::sync::Arc;

use p3_field::PrimeCharacteristicRing;

use crate::axis_weights::{AxisMap, AxisWeights, Indices};
use crate::blocks::{DyadicBlock, Interval, TensorBlocks};
use crate::code::{CodeShape, Columns, combine_rows, domain_points, verify_opening};
use crate::expression::{Expression, ExpressionConstant, ExpressionTerm, Followed};
use crate::field::{EF, F, decode_base, decode_extension, extension_to_bytes};
use crate::hashing::Digest;
use crate::index_list::IndexList;
use crate::index_map::IndexMap;
use crate::item_count::count_items;
use crate::leaves::LeafBlocks;
use crate::linear_pieces::{LinearPieces, Piece};
use crate::sumcheck::InstanceShape;
use crate::terms::{AxisVector, Term, Weights, base_powers_at};
use crate::transcript::Transcript;
use crate::{integer_code, logup, merkle, sumcheck, table, whir};

/// The number of entry points.
pub const ENTRIES: u8 = 12;
/// Sizes that no argument should have; none of them may be allocated.
const EXTREMES: [usize; 6] = [usize::MAX, usize::MAX - 1, (1 << 31) + 1, 65, 64, 40];
/// Sizes below this are drawn besides.
const SMALL: u8 = 24;
/// Values of a fraction tree that are drawn at most.
const MOST: usize = 600;

/// Bytes that become arguments; where they end, all is zero.
struct Bytes<'a>(&'a [u8]);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        let Some((&first, tail)) = self.0.split_first() else { return 0 };
        self.0 = tail;
        first
    }

    /// A small number.
    fn small(&mut self) -> usize {
        usize::from(self.byte() % SMALL)
    }

    /// A number that is small, mostly.
    fn size(&mut self) -> usize {
        match self.byte() {
            byte if byte < 240 => usize::from(byte % SMALL),
            byte => EXTREMES.get(usize::from(byte) % EXTREMES.len()).copied().unwrap_or_default(),
        }
    }

    fn sizes(&mut self) -> Vec<usize> {
        (0..self.small()).map(|_| self.size()).collect()
    }

    fn integer(&mut self) -> i32 {
        i32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    fn base(&mut self) -> F {
        F::from_i32(self.integer())
    }

    fn bases(&mut self) -> Vec<F> {
        (0..self.small()).map(|_| self.base()).collect()
    }

    fn element(&mut self) -> EF {
        EF::from(self.base()) * EF::TWO.exp_u64(u64::from(self.byte()))
    }

    fn elements(&mut self) -> Vec<EF> {
        (0..self.small()).map(|_| self.element()).collect()
    }

    fn digests(&mut self) -> Vec<Digest> {
        (0..self.small()).map(|_| [self.byte(); 32]).collect()
    }
}

/// Calls the entry point that the first byte chooses, of [`ENTRIES`].
pub fn drive(data: &[u8]) {
    let mut bytes = Bytes(data);
    let transcript = &mut Transcript::new(b"drive");
    match bytes.byte() % ENTRIES {
        0 => decode(bytes.0),
        1 => {
            let (height, indices, digests) = (bytes.size(), bytes.sizes(), bytes.digests());
            _ = merkle::needed_nodes(height.min(64), &indices);
            _ = merkle::verify(&[0; 32], height, &indices, digests, &bytes.digests());
        }
        2 => open(&mut bytes),
        3 => {
            let shape =
                |bytes: &mut Bytes<'_>| InstanceShape { variables: bytes.size(), degree: bytes.size() };
            let shapes: Vec<InstanceShape> = (0..bytes.small()).map(|_| shape(&mut bytes)).collect();
            let claims = bytes.elements();
            _ = sumcheck::verify(&claims, &shapes, bytes.element(), &bytes.elements(), transcript);
        }
        4 => {
            let levels = bytes.size();
            // Mostly as many values as such a tree has.
            let count =
                if bytes.byte() % 4 == 0 { bytes.small() } else { logup::proof_length(levels).min(MOST) };
            let values: Vec<EF> = (0..count).map(|_| bytes.element()).collect();
            _ = logup::verify(levels, &values, transcript);
        }
        5 => _ = whir::verify_rounds(bytes.size(), &bytes.elements(), bytes.element(), transcript),
        6 => weigh(&mut bytes),
        7 => {
            let piece = |bytes: &mut Bytes<'_>| Piece {
                start: bytes.size(),
                value: bytes.integer(),
                slope: bytes.integer(),
            };
            let pieces: Vec<Piece> = (0..bytes.small()).map(|_| piece(&mut bytes)).collect();
            _ = table::evaluate(&pieces, bytes.size(), &bytes.elements());
        }
        8 => express(&mut bytes),
        9 => integers(&mut bytes),
        10 => {
            let row =
                |bytes: &mut Bytes<'_>| (0..bytes.small()).map(|_| (bytes.size(), bytes.size())).collect();
            let blocks = LeafBlocks((0..bytes.small()).map(|_| row(&mut bytes)).collect());
            let Ok(weights) = blocks.at(bytes.elements()) else { return };
            _ = weights.totals();
            let tensors: Vec<Option<usize>> =
                bytes.sizes().into_iter().map(|index| index.checked_sub(1)).collect();
            _ = weights.terms(bytes.element(), bytes.size(), &tensors);
            let Ok(pieces) = LinearPieces::identity(bytes.integer(), bytes.small()) else { return };
            _ = weights.table(bytes.small(), &pieces, &bytes.sizes());
        }
        _ => {
            let offset = bytes.size() as i64 - bytes.size() as i64 % 7;
            let [size, taps, stride, dilation] = [(); 4].map(|()| bytes.size());
            let map = IndexMap { size, taps, stride, dilation, offset };
            _ = map.pull(&bytes.elements());
            _ = map.spread(&bytes.elements(), &bytes.elements());
            let indices = bytes.sizes().into_iter().map(|index| index as i64 - 1).collect();
            _ = IndexList { size, indices }.pull(&bytes.elements());
            _ = transcript.indices("drive", bytes.small(), bytes.size());
        }
    }
}

/// What is decoded is encoded by these bytes alone.
fn decode(bytes: &[u8]) {
    if let Ok(elements) = decode_extension(bytes) {
        assert!(elements.iter().flat_map(extension_to_bytes).eq(bytes.iter().copied()));
    }
    _ = decode_base(bytes);
    _ = count_items(bytes, 1 << 20);
    if let Ok(function) = LinearPieces::from_bytes(bytes) {
        assert_eq!(function.to_bytes(), bytes);
    }
}

/// Public integers.
fn integers(bytes: &mut Bytes<'_>) {
    let mut end = || i64::from(bytes.integer()) << (bytes.byte() % 33);
    let range = end()..=end();
    let count = bytes.size();
    _ = integer_code::most_bytes(count, &range);
    if let Ok(values) = integer_code::decode(bytes.0, count, &range) {
        assert_eq!(integer_code::encode(&values, &range).ok().as_deref(), Some(bytes.0));
    }
}

/// Openings of a code.
fn open(bytes: &mut Bytes<'_>) {
    let Ok(shape) = CodeShape::new(bytes.size(), bytes.size(), bytes.size(), bytes.size()) else { return };
    let (positions, slots, rows) = (bytes.sizes(), bytes.sizes(), bytes.bases());
    let indices = shape.leaf_indices(&positions).unwrap_or(positions.clone());
    _ = verify_opening(&[0; 32], &shape, &indices, &rows, &bytes.digests());
    for columns in [Columns::Base, Columns::Extension] {
        _ = combine_rows(&rows, &shape, &positions, &slots, &bytes.elements(), columns);
    }
    _ = domain_points(bytes.size(), &positions.iter().map(|&position| position as u64).collect::<Vec<_>>());
}

/// Expressions, and the weights of their axes.
fn express(bytes: &mut Bytes<'_>) {
    let axis = |bytes: &mut Bytes<'_>| match bytes.byte() % 2 {
        0 => AxisWeights::eq(bytes.size(), bytes.elements()).ok(),
        _ => Some(AxisWeights::explicit(bytes.elements())),
    };
    let axes: Vec<AxisWeights> = match AxisWeights::split(&bytes.elements(), &bytes.sizes()) {
        Ok(axes) if !axes.is_empty() => axes,
        _ => (0..bytes.small() % 4).filter_map(|_| axis(bytes)).collect(),
    };
    let map = |bytes: &mut Bytes<'_>| AxisMap {
        axes: (0..bytes.small() % 3).map(|_| bytes.small() % 4).collect(),
        first: bytes.size(),
        end: bytes.size(),
        indices: match bytes.byte() % 2 {
            0 => Indices::Steps {
                offset: i64::from(bytes.integer()),
                stride: bytes.size(),
                taps: bytes.size(),
                dilation: bytes.size(),
            },
            _ => Indices::List(bytes.sizes().into_iter().map(|index| index as i64 - 1).collect()),
        },
        scale: bytes.bases(),
    };
    let followed = |bytes: &mut Bytes<'_>| match bytes.byte() % 2 {
        0 => Followed::Axis(bytes.small() % 4),
        _ => Followed::Map(map(bytes)),
    };
    let term = |bytes: &mut Bytes<'_>| ExpressionTerm {
        coefficient: bytes.base(),
        tensor: bytes.small() % 3,
        axes: (0..bytes.small() % 4).map(|_| followed(bytes)).collect(),
    };
    let constant = |bytes: &mut Bytes<'_>| ExpressionConstant {
        value: bytes.base(),
        within: (0..bytes.small() % 3).map(|_| map(bytes)).collect(),
    };
    let terms = (0..bytes.small() % 3).map(|_| term(bytes)).collect();
    let constants = (0..bytes.small() % 3).map(|_| constant(bytes)).collect();
    let space = axes.iter().map(AxisWeights::size).collect();
    let shapes = [bytes.sizes(), vec![bytes.small(); 2]];
    let weights: Vec<&AxisWeights> = axes.iter().collect();
    _ = Expression::new(space, terms, constants).claim(&weights, bytes.element(), &shapes);
}

/// Terms of claims.
fn weigh(bytes: &mut Bytes<'_>) {
    let interval = |bytes: &mut Bytes<'_>| Interval { start: bytes.size(), log: bytes.size() };
    let block = |bytes: &mut Bytes<'_>| {
        let intervals = (0..bytes.small() % 4).map(|_| interval(bytes)).collect();
        DyadicBlock::new(bytes.size(), intervals)
    };
    let Ok(blocks) = (0..bytes.small() % 4).map(|_| block(bytes)).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let vector = |bytes: &mut Bytes<'_>| match bytes.byte() % 4 {
        0 => AxisVector::eq(bytes.elements()),
        1 => AxisVector::Ones,
        2 => AxisVector::OneHot(bytes.size()),
        _ => AxisVector::explicit(bytes.elements()),
    };
    let weights = match bytes.byte() % 3 {
        0 => Weights::Product((0..bytes.small() % 4).map(|_| vector(bytes)).collect()),
        1 => {
            Weights::BlockDiagonal { factors: Arc::new(bytes.elements()), point: Arc::new(bytes.elements()) }
        }
        _ => Weights::Powers { z: bytes.element(), exponents: bytes.sizes() },
    };
    if let Weights::Product(vectors) = &weights {
        for vector in vectors {
            _ = vector.dense(bytes.small());
            _ = vector.sum(bytes.size());
        }
    }
    let Ok(blocks) = TensorBlocks::new(blocks) else { return };
    if let Ok(term) = Term::new(bytes.element(), Arc::new(blocks), weights) {
        _ = term.evaluate(&bytes.elements());
    }
    _ = base_powers_at(&bytes.bases(), &bytes.elements(), &bytes.elements());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn no_bytes_make_a_verifier_panic(entry in 0..ENTRIES, tail in prop::collection::vec(any::<u8>(), 0..400)) {
            drive(&[&[entry], &tail[..]].concat());
        }

        #[test]
        fn nor_do_few_different_ones(entry in 0..ENTRIES, tail in prop::collection::vec(0_u8..4, 0..400)) {
            drive(&[&[entry], &tail[..]].concat());
        }
    }
}
