//! The prover's weight vector: all terms over the addresses of the committed matrix, chunk by chunk.
//!
//! A box of a term becomes a job, an outer product of slices scaled by a coefficient. Addresses are
//! cut into chunks; a job inside a chunk, or a chunk inside a job, is again an outer product, because
//! boxes and chunks are aligned dyadic intervals. The whole vector takes five times the memory of the
//! matrix, so it is never made: whoever needs a chunk makes it, in the nearest caches.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use p3_field::{PackedFieldExtension, PrimeCharacteristicRing};

use crate::eq::eq_scalars;
use crate::error::{Error, Result};
use crate::field::{EF, LOG_WIDTH, PackedEF, PackedF, WIDTH};
use crate::residue::Residue;
use crate::terms::{Interval, TensorBox, Term, Weights};
use crate::vector::{dot_base, pack};

/// Logarithm of the addresses in a chunk: its packs stay in the nearest caches.
const LOG_CHUNK: usize = 11;
/// Logarithm of the longest product of innermost slices that is kept.
const LOG_MERGED: usize = 14;
/// Coordinates of a leaf point whose eq table all boxes share.
const LOG_SHARED: usize = 8;

/// Values along an axis, also in packs that start at multiples of [`WIDTH`].
struct Dense {
    scalars: Vec<EF>,
    packs: Vec<PackedEF>,
}

impl Dense {
    fn new(mut scalars: Vec<EF>) -> Arc<Self> {
        let len = scalars.len();
        scalars.resize(len.next_multiple_of(WIDTH), EF::ZERO);
        let packs = pack(&scalars);
        scalars.truncate(len);
        Arc::new(Self { scalars, packs })
    }

    fn scalars(&self, interval: Interval) -> &[EF] {
        &self.scalars[interval.start..interval.start + (1 << interval.log)]
    }
}

/// An interval of a vector; several in a row span a box in row-major order.
struct Slice {
    values: Arc<Dense>,
    interval: Interval,
}

/// A part of a slice.
type Cut<'a> = (&'a Dense, Interval);

/// coefficient * (slice_1 x slice_2 x ...) at an address.
struct Job {
    address: usize,
    log: usize,
    coefficient: EF,
    slices: Vec<Slice>,
}

/// Products of the innermost slices of a term's boxes, by their first places and logs.
type Merged = HashMap<Vec<(usize, usize)>, Arc<Dense>>;

/// The same outer product with innermost slices that fill whole packs, if they are not too long: the taps of a
/// convolution are two places or one, and would be multiplied with their channels again in every chunk.
fn merge_short(mut slices: Vec<Slice>, merged: &mut Merged) -> Vec<Slice> {
    let (mut first, mut log) = (slices.len(), 0);
    while first > 0 && log < LOG_WIDTH {
        first -= 1;
        log += slices[first].interval.log;
    }
    if slices.len() - first < 2 || log > LOG_MERGED {
        return slices;
    }
    let short = slices.split_off(first);
    let key = short.iter().map(|s| (s.interval.start, s.interval.log)).collect();
    let product = || {
        let parts: Vec<Cut<'_>> = short.iter().map(|s| (&*s.values, s.interval)).collect();
        Dense::new(outer_product(&parts, EF::ONE))
    };
    let values = merged.entry(key).or_insert_with(product).clone();
    slices.push(Slice { values, interval: Interval { start: 0, log } });
    slices
}

/// The jobs of a term.
fn jobs(term: &Term) -> Result<Vec<Job>> {
    let job = |address, coefficient, slices: Vec<Slice>| {
        let log = slices.iter().map(|s| s.interval.log).sum();
        Job { address, log, coefficient, slices }
    };
    Ok(match &term.weights {
        Weights::Product(vectors) => {
            let axis = |k: usize| {
                let ends = term.boxes.iter().map(|b| b.intervals[k].start + (1 << b.intervals[k].log));
                vectors[k].dense(ends.max().unwrap_or(0)).map(Dense::new)
            };
            let dense: Vec<Arc<Dense>> = (0..vectors.len()).map(axis).collect::<Result<_>>()?;
            let mut merged = Merged::new();
            let mut slices = |intervals: &[Interval]| {
                let pairs = intervals.iter().zip(&dense);
                merge_short(
                    pairs.map(|(&interval, v)| Slice { values: v.clone(), interval }).collect(),
                    &mut merged,
                )
            };
            term.boxes.iter().map(|b| job(b.address, term.coefficient, slices(&b.intervals))).collect()
        }
        Weights::Boxwise { factors, point } => {
            let largest = term.boxes.iter().map(|b| b.log_size()).max().unwrap_or(0);
            // Tables of eq over the last b coordinates, split as (b - shared) x shared.
            let table = |end: usize, log: usize| {
                Dense::new(eq_scalars(&point[point.len() - end - log..point.len() - end], EF::ONE))
            };
            let tables: Vec<Vec<Arc<Dense>>> = (0..=largest)
                .map(|log| match log.checked_sub(LOG_SHARED) {
                    None => vec![table(0, log)],
                    Some(high) => vec![table(LOG_SHARED, high), table(0, LOG_SHARED)],
                })
                .collect();
            let slices = |log: usize| {
                let whole = |v: &Arc<Dense>| Interval { start: 0, log: v.scalars.len().ilog2() as usize };
                tables[log].iter().map(|v| Slice { values: v.clone(), interval: whole(v) }).collect()
            };
            let boxes = term.boxes.iter().zip(factors);
            boxes.map(|(b, &f)| job(b.address, term.coefficient * f, slices(b.log_size()))).collect()
        }
        Weights::Powers(z) => {
            let largest = term.boxes.iter().map(TensorBox::log_size).max().unwrap_or(0);
            let low = LOG_SHARED.min(largest);
            let table = |step: EF, log: usize| Dense::new(step.powers().take(1 << log).collect());
            let tables = [table(z.exp_power_of_2(low), largest - low), table(*z, low)];
            let slices = |log: usize| {
                let logs = [log - log.min(low), log.min(low)];
                let pairs = logs.into_iter().zip(&tables);
                pairs
                    .map(|(log, v)| Slice { values: v.clone(), interval: Interval { start: 0, log } })
                    .collect()
            };
            let first = term.boxes.first().map_or(0, |b| b.address);
            let scale = |b: &TensorBox| term.coefficient * z.exp_u64((b.address - first) as u64);
            term.boxes.iter().map(|b| job(b.address, scale(b), slices(b.log_size()))).collect()
        }
    })
}

/// Values that were taken of some vector before, by the vector, the log of the step and the first place.
type Taken = HashMap<(*const Dense, usize, usize), Arc<Dense>>;

impl Job {
    /// The job's places with the low address bits of a part, as a job over what is left of the addresses.
    fn of_part(mut self, part: Residue, taken: &mut Taken) -> Option<Self> {
        let (mut bits, mut index) = (part.log_parts, part.index);
        if self.log < bits {
            let low = self.address & ((1 << bits) - 1);
            let coefficient = self.part(index & ((1 << self.log) - 1), 0).0;
            let owned = low >> self.log == index >> self.log;
            return owned.then(|| Self {
                address: self.address >> bits,
                log: 0,
                coefficient,
                slices: Vec::new(),
            });
        }
        self.address >>= bits;
        self.log -= bits;
        while bits > 0 {
            let Some(Slice { values, interval: Interval { start, log } }) = self.slices.pop() else {
                break;
            };
            let bound = bits.min(log);
            let first = index & ((1 << bound) - 1);
            if bound == log {
                self.coefficient *= values.scalars[start + first];
            } else {
                let take =
                    || Dense::new(values.scalars.iter().copied().skip(first).step_by(1 << bound).collect());
                let key = (Arc::as_ptr(&values), bound, first);
                let values = taken.entry(key).or_insert_with(take).clone();
                let interval = Interval { start: start >> bound, log: log - bound };
                self.slices.push(Slice { values, interval });
            }
            (bits, index) = (bits - bound, index >> bound);
        }
        Some(self)
    }

    /// The part of the job on the 2^log places from `offset`, a multiple of 2^log.
    fn part(&self, offset: usize, log: usize) -> (EF, Vec<Cut<'_>>) {
        let (mut coefficient, mut slices, mut below) = (self.coefficient, Vec::new(), self.log);
        for slice in &self.slices {
            below -= slice.interval.log;
            let index = (offset >> below) & ((1 << slice.interval.log) - 1);
            let start = slice.interval.start + index;
            if below >= log {
                coefficient *= slice.values.scalars[start];
            } else {
                let inside = slice.interval.log.min(log - below);
                slices.push((&*slice.values, Interval { start, log: inside }));
            }
        }
        (coefficient, slices)
    }

    /// The job's places in [start, start + 2^log_chunk), the chunk's first pack being 0.
    fn rows(&self, start: usize, log_chunk: usize) -> Rows<'_> {
        let (target, offset) = (self.address.saturating_sub(start), start.saturating_sub(self.address));
        let log = self.log.min(log_chunk);
        let (coefficient, slices) = self.part(offset, log);
        let first = target / WIDTH;
        if log < LOG_WIDTH {
            let mut pack = PackedEF::ZERO;
            for (i, value) in outer_product(&slices, coefficient).into_iter().enumerate() {
                pack.add_assign_lane(target % WIDTH + i, value);
            }
            return Rows { first, row: Cow::Owned(vec![pack]), scales: vec![EF::ONE] };
        }
        // The innermost slices, together, fill whole packs; a single long one is packed already.
        let mut split = slices.len();
        let mut inner_log = 0;
        while inner_log < LOG_WIDTH {
            split -= 1;
            inner_log += slices[split].1.log;
        }
        let (outer, inner) = slices.split_at(split);
        let row = if let [(values, interval)] = inner {
            let first = interval.start / WIDTH;
            Cow::Borrowed(&values.packs[first..first + (1 << (inner_log - LOG_WIDTH))])
        } else {
            Cow::Owned(pack(&outer_product(inner, EF::ONE)))
        };
        Rows { first, row, scales: outer_product(outer, coefficient) }
    }
}

/// Places of a chunk from pack `first` on: one row of weights after the other, each with its scale.
struct Rows<'a> {
    first: usize,
    row: Cow<'a, [PackedEF]>,
    scales: Vec<EF>,
}

impl Rows<'_> {
    fn packs(&self) -> Range<usize> {
        self.first..self.first + self.row.len() * self.scales.len()
    }
}

/// scale * (slice_1 x slice_2 x ...), row-major.
fn outer_product(slices: &[Cut<'_>], scale: EF) -> Vec<EF> {
    slices.iter().fold(vec![scale], |product, (values, interval)| {
        product.iter().flat_map(|&p| values.scalars(*interval).iter().map(move |&v| p * v)).collect()
    })
}

/// The weight vector of some terms.
pub struct WeightVector {
    jobs: Vec<Job>,
    /// The jobs that meet each chunk.
    by_chunk: Vec<Vec<usize>>,
    log_chunk: usize,
}

impl WeightVector {
    /// The weights of `terms` over the places of one part among `len` addresses, a multiple of 2^`log_rows`.
    ///
    /// # Errors
    /// [`Error::Shape`] where a box leaves the addresses, or a part of a column is smaller than a pack.
    pub fn new(terms: &[Term], len: usize, log_rows: usize, part: Residue) -> Result<Self> {
        if log_rows < LOG_WIDTH + part.log_parts || !len.is_multiple_of(1 << log_rows) {
            return Err(Error::Shape("a committed column must hold whole packs"));
        }
        let (len, log_rows) = (len >> part.log_parts, log_rows - part.log_parts);
        let log_chunk = log_rows.min(LOG_CHUNK);
        let mut own = Vec::new();
        for term in terms {
            // Of one term: an address names a vector only while the vector lives.
            let (all, mut taken) = (jobs(term)?, Taken::new());
            own.extend(all.into_iter().filter_map(|job| job.of_part(part, &mut taken)));
        }
        let jobs: Vec<Job> = own;
        let mut by_chunk = vec![Vec::new(); len >> log_chunk];
        for (index, job) in jobs.iter().enumerate() {
            let last = job.address + (1 << job.log) - 1;
            if last >= len {
                return Err(Error::Shape("a box lies outside the committed addresses"));
            }
            by_chunk[job.address >> log_chunk..=last >> log_chunk].iter_mut().for_each(|c| c.push(index));
        }
        Ok(Self { jobs, by_chunk, log_chunk })
    }

    /// Addresses in a chunk: 2^log_chunk, not more than a column has.
    pub fn log_chunk(&self) -> usize {
        self.log_chunk
    }

    /// The jobs that meet a chunk, cut to it.
    fn chunk(&self, index: usize) -> impl Iterator<Item = Rows<'_>> {
        let jobs = self.by_chunk[index].iter().map(|&job| &self.jobs[job]);
        jobs.map(move |job| job.rows(index << self.log_chunk, self.log_chunk))
    }

    /// Adds `scale` times the weights of a chunk to `sums`.
    pub fn add_chunk(&self, index: usize, scale: EF, sums: &mut [PackedEF]) {
        for rows in self.chunk(index) {
            for (sums, &own) in sums[rows.packs()].chunks_exact_mut(rows.row.len()).zip(&rows.scales) {
                let scale = PackedEF::from(scale * own);
                sums.iter_mut().zip(&*rows.row).for_each(|(sum, &value)| *sum += scale * value);
            }
        }
    }

    /// Adds the inner products of a chunk's weights with `vectors`, lane by lane, to `sums`: a weight that
    /// is the product of a scale and a place of its row needs no product of its own.
    pub fn dot_chunk<'v>(
        &self,
        index: usize,
        vectors: impl Iterator<Item = &'v [PackedF]> + Clone,
        sums: &mut [PackedEF],
    ) {
        for rows in self.chunk(index) {
            for (sum, vector) in sums.iter_mut().zip(vectors.clone()) {
                let values = vector[rows.packs()].chunks_exact(rows.row.len());
                let products =
                    values.zip(&rows.scales).map(|(values, &scale)| dot_base(&rows.row, values) * scale);
                *sum += products.sum::<PackedEF>();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::terms::{AxisVector, evaluate};
    use crate::vector::testing::*;
    use crate::vector::{Element, ExtVector};

    /// A 6 x 5 x 40 tensor cut into dyadic boxes, placed largest first from `address` on.
    fn boxes(mut address: usize) -> Arc<Vec<TensorBox>> {
        let cut = |intervals: &[(usize, usize)]| {
            intervals.iter().map(|&(start, log)| Interval { start, log }).collect::<Vec<_>>()
        };
        let axes = [cut(&[(0, 2), (4, 1)]), cut(&[(0, 2), (4, 0)]), cut(&[(0, 5), (32, 3)])];
        let mut all = Vec::new();
        for &a in &axes[0] {
            for &b in &axes[1] {
                for &c in &axes[2] {
                    all.push(TensorBox { address: 0, intervals: vec![a, b, c] });
                }
            }
        }
        all.sort_by_key(|b| std::cmp::Reverse(b.log_size()));
        for b in &mut all {
            b.address = address;
            address += 1 << b.log_size();
        }
        Arc::new(all)
    }

    #[test]
    fn expansion_and_evaluation_agree() {
        let first = boxes(0);
        let second = boxes(2048);
        let tiny = Arc::new(vec![TensorBox {
            address: 1999,
            intervals: vec![Interval { start: 1, log: 0 }, Interval { start: 0, log: 0 }],
        }]);
        let vectors =
            vec![AxisVector::Eq(elements(1, 3)), AxisVector::Explicit(elements(2, 5)), AxisVector::Ones];
        let hot = vec![AxisVector::Ones, AxisVector::OneHot(4), AxisVector::Eq(elements(3, 6))];
        let one = vec![AxisVector::OneHot(1), AxisVector::Ones];
        let boxwise =
            Weights::Boxwise { factors: elements(4, first.len()), point: Arc::new(elements(5, 14)) };
        let terms = [
            Term::new(element(1), first.clone(), Weights::Product(vectors)).unwrap(),
            Term::new(element(2), second, Weights::Product(hot)).unwrap(),
            Term::new(element(3), first, boxwise).unwrap(),
            Term::new(element(4), tiny, Weights::Product(one)).unwrap(),
            Term::new(element(6), boxes(0), Weights::Powers(element(7))).unwrap(),
        ];
        for log_rows in [7, 10, 12] {
            let weights = WeightVector::new(&terms, 4096, log_rows, Residue::WHOLE).unwrap();
            let mut expanded = vec![PackedEF::ZERO; 4096 / WIDTH];
            let chunks = expanded.chunks_exact_mut((1 << weights.log_chunk()) / WIDTH);
            chunks.enumerate().for_each(|(index, chunk)| weights.add_chunk(index, element(8), chunk));
            let ones = vec![PackedF::ONE; (1 << weights.log_chunk()) / WIDTH];
            let mut sum = [PackedEF::ZERO];
            for index in 0..4096 >> weights.log_chunk() {
                weights.dot_chunk(index, std::iter::once(&ones[..]), &mut sum);
            }
            let values = ExtVector::Packed(expanded).to_scalars();
            assert_eq!(values.iter().copied().sum::<EF>(), sum[0].lane_sum() * element(8));
            let point = elements(9, 12);
            assert_eq!(evaluate(&terms, &point).unwrap() * element(8), multilinear(&values, &point));
        }
        assert!(WeightVector::new(&terms, 2048, 7, Residue::WHOLE).is_err());
        assert!(evaluate(&terms, &elements(9, 11)).is_err());
    }

    #[test]
    fn weights_that_do_not_fit_are_refused() {
        let short = vec![AxisVector::Eq(elements(1, 2)), AxisVector::Ones, AxisVector::Ones];
        assert!(Term::new(EF::ONE, boxes(0), Weights::Product(short)).is_err());
        assert!(Term::new(EF::ONE, boxes(0), Weights::Product(vec![AxisVector::Ones])).is_err());
        let explicit = vec![AxisVector::Ones, AxisVector::Explicit(elements(1, 4)), AxisVector::Ones];
        assert!(Term::new(EF::ONE, boxes(0), Weights::Product(explicit)).is_err());
        let point = Arc::new(elements(1, 3));
        let boxwise = Weights::Boxwise { factors: elements(1, 8), point };
        assert!(Term::new(EF::ONE, boxes(0), boxwise).is_err());
    }
}
