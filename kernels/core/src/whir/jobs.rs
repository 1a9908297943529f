//! Blocks of terms as jobs: scales, one a chunk of addresses, of rows that many blocks share.
//!
//! A block is a product of slices of axes. Cut at the bit where chunks begin, it is an outer product of the
//! scales of its chunks and one row, the class of the block. All columns of a large tensor have one class.

use std::collections::HashMap;

use p3_field::PrimeCharacteristicRing;

use crate::error::Result;
use crate::field::{EF, LOG_WIDTH, PackedEF};
use crate::parts::residue::Residue;
use crate::whir::slices::{Axis, Halves, Slice, cut, outer_product, packed_product};
use deepprove_verifier::blocks::DyadicBlock;
use deepprove_verifier::terms::{Term, Weights};

/// The weights of a class of blocks, or of chunks of blocks, but for their scales.
pub enum Row {
    /// Whole packs.
    Packs(Vec<PackedEF>),
    /// Less than a pack.
    Scalars(Vec<EF>),
}

/// The part of a block that one part of the addresses has.
pub struct Job {
    /// The first of its addresses.
    pub address: usize,
    /// The rows of its chunks, in turn.
    pub classes: Vec<usize>,
    /// The scales of its chunks; a small block lies in one.
    pub scales: Vec<EF>,
}

/// A block of a term: a scaled product of slices at an address.
struct Product {
    address: usize,
    /// Index bits of an axis that count: no more than the block's for a block that is weighed apart from others.
    bits: usize,
    scale: EF,
    slices: Vec<Slice>,
}

impl Product {
    fn log(&self) -> usize {
        self.slices.iter().map(|s| s.log).sum()
    }

    /// The indices that a part has, over the high bits of the addresses: of each of the innermost slices it has
    /// every 2^b-th index.
    fn of_part(mut self, part: Residue) -> Option<Self> {
        let mut bits = part.log_parts.min(self.log());
        let mut index = part.index & ((1 << bits) - 1);
        let low = self.address & ((1 << part.log_parts) - 1);
        if low >> bits != part.index >> bits {
            return None;
        }
        for slice in self.slices.iter_mut().rev() {
            let bound = bits.min(slice.log);
            slice.first += index & ((1 << bound) - 1);
            slice.step = bound;
            slice.log -= bound;
            (bits, index) = (bits - bound, index >> bound);
        }
        self.address >>= part.log_parts;
        Some(self)
    }
}

/// The rows of all classes, and those of one term by the slices that they are products of.
#[derive(Default)]
pub struct Jobs {
    /// The jobs of all terms.
    pub jobs: Vec<Job>,
    /// The row of each class.
    pub rows: Vec<Row>,
}

impl Jobs {
    /// A part of the blocks of a term, in chunks of 2^`log_chunk` of the part's addresses.
    ///
    /// # Errors
    /// [`crate::error::Error::Shape`] where a vector is shorter than its axis.
    pub fn of_term(term: &Term, part: Residue, log_chunk: usize) -> Result<Self> {
        let (axes, products) = products(term)?;
        let (mut result, mut classes) = (Self::default(), HashMap::new());
        for mut product in products.into_iter().filter_map(|p| p.of_part(part)) {
            for slice in &mut product.slices {
                product.scale *= axes[slice.axis].normalise(slice, product.bits);
            }
            product.slices.retain(|slice| slice.log > 0);
            if product.scale != EF::ZERO {
                let job = result.job(&axes, product, log_chunk, &mut classes);
                result.jobs.push(job);
            }
        }
        Ok(result)
    }

    /// Adds the jobs of another term.
    pub fn append(&mut self, other: Self) {
        let classes = self.rows.len();
        self.rows.extend(other.rows);
        self.jobs.extend(other.jobs.into_iter().map(|mut job| {
            job.classes.iter_mut().for_each(|class| *class += classes);
            job
        }));
    }

    fn job(
        &mut self,
        axes: &[Axis],
        product: Product,
        log_chunk: usize,
        classes: &mut HashMap<Vec<Slice>, usize>,
    ) -> Job {
        let log = product.log();
        let Halves { outer, across, inner } = cut(axes, &product.slices, log_chunk.min(log));
        let rows: Vec<Vec<Slice>> = match across {
            None => vec![inner],
            Some((slice, inside)) => (0..1 << (slice.log - inside))
                .map(|i| {
                    let first = slice.first + (i << (slice.step + inside));
                    [&[Slice { first, log: inside, ..slice }], &inner[..]].concat()
                })
                .collect(),
        };
        let scales = outer_product(axes, &outer).into_iter();
        let scales =
            scales.flat_map(|scale| std::iter::repeat_n(scale * product.scale, rows.len())).collect();
        let mut class = |slices: Vec<Slice>| {
            *classes.entry(slices).or_insert_with_key(|slices| {
                self.rows.push(if log < LOG_WIDTH {
                    Row::Scalars(outer_product(axes, slices))
                } else {
                    Row::Packs(packed_product(axes, slices))
                });
                self.rows.len() - 1
            })
        };
        let classes = rows.into_iter().map(&mut class).collect();
        Job { address: product.address, classes, scales }
    }
}

/// The axes of a term, and its blocks as products of their slices.
fn products(term: &Term) -> Result<(Vec<Axis>, Vec<Product>)> {
    let alone = |b: &DyadicBlock, factor: EF| {
        let (address, bits) = (b.address, b.log_size());
        let slices = vec![Slice { axis: 0, first: 0, step: 0, log: bits }];
        Product { address, bits, scale: term.coefficient * factor, slices }
    };
    Ok(match &term.weights {
        Weights::Product(vectors) => {
            let axis = |k: usize| {
                let ends = term.blocks.iter().map(|b| b.intervals[k].start + (1 << b.intervals[k].log));
                Axis::new(&vectors[k], ends.max().unwrap_or(0))
            };
            let product = |b: &DyadicBlock| {
                let intervals = b.intervals.iter().enumerate();
                let slices = intervals.map(|(axis, i)| Slice { axis, first: i.start, step: 0, log: i.log });
                let bits = usize::BITS as usize;
                Product { address: b.address, bits, scale: term.coefficient, slices: slices.collect() }
            };
            ((0..vectors.len()).map(axis).collect::<Result<_>>()?, term.blocks.iter().map(product).collect())
        }
        Weights::BlockDiagonal { factors, point } => {
            let products = term.blocks.iter().zip(factors.iter()).map(|(b, &factor)| alone(b, factor));
            (vec![Axis::eq(point)], products.collect())
        }
        Weights::Powers { z, exponents } => {
            let largest = term.blocks.iter().map(DyadicBlock::log_size).max().unwrap_or(0);
            let blocks = term.blocks.iter().zip(exponents);
            let products = blocks.map(|(b, &exponent)| alone(b, z.exp_u64(exponent as u64)));
            (vec![Axis::powers(*z, largest)], products.collect())
        }
    })
}
