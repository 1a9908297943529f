//! What tests of these kernels share: reproducible values, and definitions that are slow and plain.

use std::sync::Arc;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use crate::blocks::{DyadicBlock, Interval, TensorBlocks};
use crate::eq::eq_index;
use crate::field::{EF, F};
use crate::terms::{AxisVector, Term, Weights};

/// A reproducible extension element, different for every `seed`.
pub fn element(seed: u64) -> EF {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678);
    EF::from_basis_coefficients_fn(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        F::from_u64(state >> 16)
    })
}

/// `count` reproducible elements.
pub fn elements(seed: u64, count: usize) -> Vec<EF> {
    (0..count as u64).map(|i| element(seed * 1_000_003 + i)).collect()
}

/// The multilinear extension of `values` at `point`, by the definition.
pub fn multilinear(values: &[EF], point: &[EF]) -> EF {
    values.iter().enumerate().map(|(i, &value)| value * eq_index(point, i)).sum()
}

/// The dyadic blocks of a tensor, largest first, from `address` on.
pub fn dyadic_blocks(shape: &[usize], mut address: usize) -> Arc<TensorBlocks> {
    let mut all: Vec<Vec<Interval>> = vec![Vec::new()];
    for &size in shape {
        let logs = (0..usize::BITS as usize).rev().filter(|log| size >> log & 1 == 1);
        let cut: Vec<_> = logs.map(|log| Interval { start: size >> (log + 1) << (log + 1), log }).collect();
        all = all.iter().flat_map(|b| cut.iter().map(|&i| [&b[..], &[i]].concat())).collect();
    }
    let mut all: Vec<_> = all.into_iter().map(|intervals| DyadicBlock { address: 0, intervals }).collect();
    all.sort_by_key(|b| std::cmp::Reverse(b.log_size()));
    for b in &mut all {
        b.address = address;
        address += 1 << b.log_size();
    }
    stored(all)
}

/// Blocks as those of a tensor.
pub fn stored(blocks: Vec<DyadicBlock>) -> Arc<TensorBlocks> {
    Arc::new(TensorBlocks::new(blocks).expect("blocks of as many axes"))
}

/// The exponents of an out-of-domain sample that counts the addresses from the first block on.
pub fn address_exponents(blocks: &[DyadicBlock]) -> Vec<usize> {
    blocks.iter().map(|b| b.address - blocks[0].address).collect()
}

/// The weights at all addresses below `len`, by the definition.
pub fn expanded(terms: &[Term], len: usize) -> Vec<EF> {
    let mut weights = vec![EF::ZERO; len];
    for term in terms {
        for (index, b) in term.blocks.iter().enumerate() {
            for position in 0..1 << b.log_size() {
                weights[b.address + position] += term.coefficient * weight(term, index, position);
            }
        }
    }
    weights
}

/// The weight of a position of a block of a term, by the definition.
fn weight(term: &Term, index: usize, position: usize) -> EF {
    let b = &term.blocks[index];
    match &term.weights {
        Weights::Product(vectors) => {
            let mut remaining = position;
            let axes = vectors.iter().zip(&b.intervals).rev();
            axes.map(|(vector, interval)| {
                let i = interval.start + remaining % (1 << interval.log);
                remaining >>= interval.log;
                match vector {
                    AxisVector::Eq(point) => eq_index(point, i),
                    AxisVector::Ones => EF::ONE,
                    AxisVector::OneHot(hot) => EF::from_bool(i == *hot),
                    AxisVector::Explicit(values) => values[i],
                }
            })
            .product()
        }
        Weights::BlockDiagonal { factors, point } => {
            factors[index] * eq_index(&point[point.len() - b.log_size()..], position)
        }
        Weights::Powers { z, exponents } => z.exp_u64((exponents[index] + position) as u64),
    }
}
