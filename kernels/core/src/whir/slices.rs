//! Weights along the axes of a tensor, and what steps of an axis give.
//!
//! Except for explicit values, all weights are products over the bits of an index: eq(u, i), powers of z,
//! ones, and one-hot vectors, which are eq at a Boolean point. So the values at 2^l indices of an aligned
//! interval, even with a step, are the same for all such intervals but for a factor.

use p3_field::PrimeCharacteristicRing;

use crate::error::Result;
use crate::field::vector::pack;
use crate::field::{EF, LOG_WIDTH, PackedEF};
use deepprove_verifier::terms::AxisVector;

/// The factor of one index bit: `high` where the bit is set, elsewhere 1 - `high` (eq) or 1.
#[derive(Clone, Copy)]
pub struct Bit {
    high: EF,
    eq: bool,
}

impl Bit {
    /// The values where the bit is clear and where it is set, times `scale`.
    fn split(self, scale: EF) -> [EF; 2] {
        let high = scale * self.high;
        [if self.eq { scale - high } else { scale }, high]
    }
}

/// The weights along an axis.
pub enum Axis {
    /// A product over the bits of the index, top bit first.
    Bits(Vec<Bit>),
    /// Any values.
    Explicit(Vec<EF>),
}

/// The 2^log indices first + (i << step) of an axis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Slice {
    /// The number of the axis.
    pub axis: usize,
    /// The index for i = 0.
    pub first: usize,
    /// Logarithm of the step.
    pub step: usize,
    /// Logarithm of the number of indices.
    pub log: usize,
}

impl Axis {
    /// eq(point, i).
    pub fn eq(point: &[EF]) -> Self {
        Self::Bits(point.iter().map(|&high| Bit { high, eq: true }).collect())
    }

    /// z^i for i below 2^`log`.
    pub fn powers(z: EF, log: usize) -> Self {
        let mut bits: Vec<Bit> = Vec::with_capacity(log);
        let mut high = z;
        for _ in 0..log {
            bits.push(Bit { high, eq: false });
            high = high.square();
        }
        bits.reverse();
        Self::Bits(bits)
    }

    /// The weights of `vector` at indices below `end`.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] where the vector is shorter.
    pub fn new(vector: &AxisVector, end: usize) -> Result<Self> {
        let log = end.next_power_of_two().ilog2() as usize;
        Ok(match vector {
            AxisVector::Eq(point) if end <= 1 << point.len() => Self::eq(point),
            AxisVector::Ones => Self::powers(EF::ONE, log),
            AxisVector::OneHot(index) if index >> log == 0 => {
                let bits = (0..log).rev().map(|j| EF::from_bool(index >> j & 1 == 1));
                Self::eq(&bits.collect::<Vec<_>>())
            }
            other => Self::Explicit(other.dense(end)?),
        })
    }

    /// Takes out of a slice the factor that all its indices share, of the last `count` index bits: intervals of
    /// one length become equal.
    pub fn normalise(&self, slice: &mut Slice, count: usize) -> EF {
        match self {
            Self::Bits(bits) => {
                let inside = slice.step..slice.step + slice.log;
                let positions = bits.iter().rev().enumerate().take(count);
                let outside = positions.filter(|(position, _)| !inside.contains(position));
                let factor = outside.fold(EF::ONE, |product, (position, bit)| {
                    bit.split(product)[slice.first >> position & 1]
                });
                slice.first = 0;
                factor
            }
            Self::Explicit(values) if slice.log == 0 => values[slice.first],
            Self::Explicit(_) => EF::ONE,
        }
    }

    /// The values at a slice's indices, each multiplied into each of `values`.
    fn extend(&self, slice: &Slice, values: &[EF]) -> Vec<EF> {
        match self {
            Self::Bits(bits) => {
                let end = bits.len() - slice.step;
                let inside = &bits[end - slice.log..end];
                inside.iter().fold(values.to_vec(), |values, bit| {
                    values.into_iter().flat_map(|value| bit.split(value)).collect()
                })
            }
            Self::Explicit(weights) => {
                let sliced = || (0..1usize << slice.log).map(|i| weights[slice.first + (i << slice.step)]);
                values.iter().flat_map(|&value| sliced().map(move |weight| value * weight)).collect()
            }
        }
    }
}

/// Slices in a row, which span a block in row-major order, cut at an index bit.
pub struct Halves {
    /// What lies above the bit.
    pub outer: Vec<Slice>,
    /// A slice of explicit values that the bit cuts, and the bits of it that lie below.
    pub across: Option<(Slice, usize)>,
    /// What lies below.
    pub inner: Vec<Slice>,
}

/// Cuts slices of at least 2^`log` indices above their last `log` bits.
pub fn cut(axes: &[Axis], slices: &[Slice], log: usize) -> Halves {
    let (mut outer, mut below) = (slices.to_vec(), log);
    let mut halves = Halves { outer: Vec::new(), across: None, inner: Vec::new() };
    while below > 0
        && let Some(slice) = outer.pop()
    {
        let inside = below.min(slice.log);
        below -= inside;
        if inside == slice.log {
            halves.inner.insert(0, slice);
        } else if matches!(axes[slice.axis], Axis::Explicit(_)) {
            halves.across = Some((slice, inside));
        } else {
            halves.inner.insert(0, Slice { log: inside, ..slice });
            outer.push(Slice { step: slice.step + inside, log: slice.log - inside, ..slice });
        }
    }
    Halves { outer, ..halves }
}

/// slice_1 x slice_2 x ..., row-major.
pub fn outer_product(axes: &[Axis], slices: &[Slice]) -> Vec<EF> {
    slices.iter().fold(vec![EF::ONE], |values, slice| axes[slice.axis].extend(slice, &values))
}

/// The same in packs, of which there is at least one.
pub fn packed_product(axes: &[Axis], slices: &[Slice]) -> Vec<PackedEF> {
    let Halves { outer, across, mut inner } = cut(axes, slices, LOG_WIDTH);
    inner.splice(0..0, across.map(|(slice, _)| slice));
    let inner = pack(&outer_product(axes, &inner));
    outer_product(axes, &outer).into_iter().flat_map(|scale| inner.iter().map(move |&p| p * scale)).collect()
}
