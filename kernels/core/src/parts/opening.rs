//! One part of the rows in the opening's sumcheck: the sums and folds that its indices give.
//!
//! Part q of P = 2^s holds the rows q mod P of all columns. A weight z^i, i = P i' + q, is z^q (z^P)^i', so
//! claims at powers stay claims at powers. The sums of all parts add up to those of the whole, and what all
//! parts have left, interleaved, is what the whole has left.

use std::sync::Arc;

use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};

use crate::code::short::transpose;
use crate::error::{Error, Result};
use crate::field::vector::ExtVector;
use crate::field::{EF, F};
use crate::parts::residue::{Residue, interleave};
use crate::poly::univariate::evaluate_extension;
use crate::pool::Pool;
use crate::whir::columns::Columns;
use crate::whir::inner_product::{InnerProduct, columns, wrap};
use crate::whir::weights::WeightVector;
use deepprove_verifier::terms::Term;

/// The rows of one part, with the weights of all claims.
pub struct PartialOpening {
    matrices: Vec<Arc<Vec<F>>>,
    order: Vec<usize>,
    weights: Option<WeightVector>,
    log_rows: usize,
    part: Residue,
    state: InnerProduct,
}

impl PartialOpening {
    /// The part's rows of all matrices (column-major, 2^`log_rows` / P rows each), the column at each address, and
    /// `terms` over all addresses: see [`InnerProduct::open_columns`].
    ///
    /// # Errors
    /// [`Error::Shape`] where matrices, order and terms do not fit together, or a part has less than a pack of rows.
    pub fn new(
        matrices: Vec<Arc<Vec<F>>>,
        order: Vec<usize>,
        log_rows: usize,
        terms: &[Term],
        part: Residue,
    ) -> Result<Self> {
        let local_rows =
            log_rows.checked_sub(part.log_parts).ok_or(Error::Shape("there are more parts than rows"))?;
        let count = columns(&matrices, &order, local_rows)?.len();
        let weights = Some(WeightVector::new(terms, count << log_rows, log_rows, part)?);
        let empty = || ExtVector::Scalar(Vec::new());
        let state = InnerProduct { f: empty(), w: empty() };
        Ok(Self { matrices, order, weights, log_rows: local_rows, part, state })
    }

    /// The columns in 2^`log_blocks` blocks, with their weights, until they are bound.
    fn columns(&self, log_blocks: usize) -> Result<Option<Columns<'_>>> {
        let Some(weights) = &self.weights else {
            return Ok(None);
        };
        Columns::new(columns(&self.matrices, &self.order, self.log_rows)?, weights, log_blocks).map(Some)
    }

    /// The part's share of the Gram matrix of 2^`log_blocks` blocks by the next variables, row by row.
    ///
    /// # Errors
    /// [`Error::Shape`] where fewer variables remain, at first where there are more blocks than columns.
    pub fn gram(&self, log_blocks: usize) -> Result<Vec<EF>> {
        match self.columns(log_blocks)? {
            Some(columns) => Ok(columns.gram()),
            None => self.state.gram(log_blocks),
        }
    }

    /// Binds the next variables to `point`, at first some column bits; then the rows themselves are let go.
    ///
    /// # Errors
    /// [`Error::Shape`] for a point of more variables than remain, at first of more than the columns' bits.
    pub fn bind(&mut self, point: &[EF]) -> Result<()> {
        let Some(columns) = self.columns(point.len())? else {
            return self.state.bind(point);
        };
        let [f, w] = columns.bind(point)?;
        self.weights = None;
        self.matrices.clear();
        self.state = InnerProduct { f: wrap(f), w: wrap(w) };
        Ok(())
    }

    /// sum_i f[i] z^i over the part's indices in the whole vector.
    pub fn evaluate(&self, z: EF, pool: &Pool) -> EF {
        let value = evaluate_extension(&self.state.values(), z.exp_power_of_2(self.part.log_parts), pool);
        value * z.exp_u64(self.part.index as u64)
    }

    /// Adds the part's share of claims "sum_i f[i] x_k^i", scaled by `coefficients`, to the weights.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lists differ in length.
    pub fn add_claims(&mut self, points: &[EF], coefficients: &[EF]) -> Result<()> {
        let scaled = coefficients.iter().zip(points).map(|(&c, x)| c * x.exp_u64(self.part.index as u64));
        let scaled: Vec<EF> = scaled.collect();
        let steps: Vec<EF> = points.iter().map(|x| x.exp_power_of_2(self.part.log_parts)).collect();
        self.state.add_claims(&steps, &scaled)
    }

    /// The same at base elements.
    ///
    /// # Errors
    /// As [`Self::add_claims`].
    pub fn add_base_claims(&mut self, points: &[F], coefficients: &[EF]) -> Result<()> {
        let scaled = coefficients.iter().zip(points).map(|(&c, x)| c * x.exp_u64(self.part.index as u64));
        let scaled: Vec<EF> = scaled.collect();
        let steps: Vec<F> = points.iter().map(|x| x.exp_power_of_2(self.part.log_parts)).collect();
        self.state.add_base_claims(&steps, &scaled)
    }

    /// The part's share of the inner product of the weights and a vector that is given by its coordinates' rows.
    ///
    /// # Errors
    /// As [`InnerProduct::weigh`].
    pub fn weigh(&self, columns: &[F]) -> Result<EF> {
        self.state.weigh(columns)
    }

    /// Adds `scale` times that vector to f.
    ///
    /// # Errors
    /// As [`InnerProduct::add`].
    pub fn add(&mut self, columns: &[F], scale: EF) -> Result<()> {
        self.state.add(columns, scale)
    }

    /// The variables that f has left over all parts.
    pub fn variables(&self) -> usize {
        self.state.f.variables() + self.part.log_parts
    }

    /// The part's values of f, as its rows of a matrix of `columns` extension columns, one after the other.
    ///
    /// # Errors
    /// [`Error::Shape`] where the values are no whole rows.
    pub fn rows(&self, columns: usize, pool: &Pool) -> Result<Vec<F>> {
        let values = self.state.f.to_scalars();
        if columns == 0 || !values.len().is_multiple_of(columns) {
            return Err(Error::Shape("what is left of a part is no whole rows"));
        }
        Ok(EF::flatten_to_base(transpose(&[&values], values.len() / columns, columns, pool)))
    }

    /// The part's values of f and of w.
    pub fn remaining(&self) -> [Vec<EF>; 2] {
        [self.state.f.to_scalars(), self.state.w.to_scalars()]
    }
}

impl InnerProduct {
    /// What all parts have left, in their order.
    ///
    /// # Errors
    /// [`Error::Shape`] where parts differ in size.
    pub fn join(f: &[Vec<EF>], w: &[Vec<EF>]) -> Result<Self> {
        let (f, w) = (interleave(f)?, interleave(w)?);
        if f.len() != w.len() || !f.len().is_power_of_two() {
            return Err(Error::Shape("the parts of an inner product differ in length"));
        }
        Ok(Self { f: ExtVector::from_scalars(&f), w: ExtVector::from_scalars(&w) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::whir::column_sumcheck::{ColumnSumcheck, PowerClaim};
    use crate::whir::gram::Gram;
    use crate::whir::inner_product::{Opened, Rounds};
    use crate::whir::random_rows::RandomRows;
    use deepprove_verifier::blocks::{DyadicBlock, Interval};
    use deepprove_verifier::terms::{AxisVector, Weights};
    use deepprove_verifier::testing::dyadic_blocks;
    use deepprove_verifier::testing::*;
    use deepprove_verifier::transcript::Transcript;

    const LOG_ROWS: usize = 9;

    fn terms() -> Vec<Term> {
        let (first, second) = (dyadic_blocks(&[6, 5, 40], 0), dyadic_blocks(&[6, 5, 40], 1536));
        let vectors =
            vec![AxisVector::eq(elements(1, 3)), AxisVector::explicit(elements(2, 5)), AxisVector::Ones];
        let factors = Arc::new(elements(4, second.len()));
        let point = Arc::new(elements(5, 14));
        // A block of two addresses, smaller than most parts.
        let tiny = DyadicBlock { address: 1534, intervals: vec![Interval { start: 2, log: 1 }] };
        let hot = Weights::Product(vec![AxisVector::OneHot(3)]);
        let exponents = (0..first.len()).map(|index| 97 * index).collect();
        let powers = Weights::Powers { z: element(7), exponents };
        vec![
            Term::new(element(1), first.clone(), Weights::Product(vectors)).unwrap(),
            Term::new(element(2), second, Weights::BlockDiagonal { factors, point }).unwrap(),
            Term::new(element(3), stored(vec![tiny]), hot).unwrap(),
            Term::new(element(6), first, powers).unwrap(),
        ]
    }

    fn sum(a: &[EF], b: &[EF]) -> EF {
        a.iter().zip(b).map(|(&a, &b)| a * b).sum()
    }

    #[test]
    fn parts_send_what_the_whole_sends() {
        let rows = 1 << LOG_ROWS;
        let matrix = |seed: u64, columns: usize| -> Vec<F> {
            (0..(rows * columns) as u64).map(|i| F::from_u64(i * i * seed + 7)).collect()
        };
        // The last column stands at no address.
        let (matrices, pool) = ([matrix(3, 9), matrix(5, 4)], Pool::new(1).unwrap());
        let order = vec![9, 10, 11, 4, 8, 0, 1, 2, 3, 5, 6, 7];
        let random = RandomRows {
            addresses: vec![0, 1, 2, 4],
            values: (0..4 * 21).map(|i| F::from_u64(i * i * 5 + 11)).collect(),
            weights: elements(70, 4 * 21),
        };
        let mask = matrix(11, 5);
        let (z, new) = (element(30), || Transcript::new(b"t"));
        let all: Vec<&[F]> = matrices.iter().flat_map(|m| m.chunks_exact(rows)).collect();
        let value = |c: &[F]| c.iter().zip(z.powers()).map(|(&x, p)| p * x).sum();
        let column_values: Vec<EF> = order.iter().map(|&column| value(all[column])).collect();
        let addresses = vec![5, 6, 7, 8, 3, 9, 10, 11, 4];
        let scales = z.exp_u64(rows as u64).shifted_powers(element(31));
        let weighed: Vec<EF> = addresses.iter().map(|&address| column_values[address]).collect();
        let rank = sum(&weighed, &scales.take(9).collect());
        let power = [PowerClaim { z, coefficient: element(31), addresses, column_values }];
        let values: Vec<EF> = random.values.iter().map(|&x| x.into()).collect();
        let random_part = sum(&values, &random.weights);
        let make = |part: Residue| {
            let partial = matrices.iter().map(|m| Arc::new(part.take(m))).collect();
            PartialOpening::new(partial, order.clone(), LOG_ROWS, &terms(), part).unwrap()
        };
        let gram = Gram::from_values(make(Residue::WHOLE).gram(3).unwrap(), 3).unwrap();
        let claim = gram.trace() + rank + random_part;
        let arcs = matrices.clone().map(Arc::new);
        let columns = (&arcs[..], &order[..]);
        let opened =
            InnerProduct::open_columns(columns, LOG_ROWS, &terms(), &power, &random, claim, &mut new());
        let Opened { state: mut whole, rounds: sent, random: random_left } = opened.unwrap();
        let sigma = whole.weigh(&mask).unwrap();
        whole.add(&mask, element(33)).unwrap();
        let bases = [F::new(5), F::new(77)];
        let points = [element(40), bases[0].into(), bases[1].into()];
        let values = points.map(|x| evaluate_extension(&whole.values(), x, &pool));
        let scales = elements(41, 3);
        whole.add_claims(&points[..1], &scales[..1]).unwrap();
        whole.add_base_claims(&bases, &scales[1..]).unwrap();
        let later = whole.rounds(3, &mut new()).unwrap();
        for log_parts in 0..6 {
            let mut parts: Vec<_> =
                (0..1 << log_parts).map(|q| make(Residue::new(log_parts, q).unwrap())).collect();
            let mut transcript = new();
            let new_rounds = |claim: EF| ColumnSumcheck::new(12, LOG_ROWS, &power, &random, claim).unwrap();
            let mut rounds = new_rounds(claim);
            let add = |parts: &[PartialOpening], log_blocks: usize| {
                let mut sum = vec![EF::ZERO; 1 << (2 * log_blocks)];
                for p in parts {
                    sum.iter_mut()
                        .zip(p.gram(log_blocks).unwrap())
                        .for_each(|(sum, partial)| *sum += partial);
                }
                Gram::from_values(sum, log_blocks).unwrap()
            };
            // As many blocks as there may be, and fewer.
            let log_blocks = 4 - log_parts.min(4);
            let first = add(&parts, log_blocks);
            let wrong = new_rounds(claim + EF::ONE);
            assert!(wrong.check(&first).is_err());
            rounds.check(&first).unwrap();
            assert!(rounds.random_rows().is_err());
            let bind = |parts: &mut [PartialOpening], point: &[EF]| {
                parts.iter_mut().for_each(|p| p.bind(point).unwrap());
            };
            bind(&mut parts, &rounds.gram(first, &mut transcript));
            while rounds.remaining() > 0 {
                let point = rounds.gram(add(&parts, 1), &mut transcript);
                bind(&mut parts, &point);
            }
            let (powers, weights) = rounds.power_weights();
            assert_eq!(rounds.rounds().sent, sent.sent);
            assert_eq!(rounds.random_rows().unwrap(), random_left);
            let mut masked = EF::ZERO;
            for (q, p) in parts.iter_mut().enumerate() {
                p.add_claims(&powers, &weights).unwrap();
                let mask = Residue::new(log_parts, q).unwrap().take(&mask);
                masked += p.weigh(&mask).unwrap();
                p.add(&mask, element(33)).unwrap();
                assert!(p.weigh(&mask[1..]).is_err() && p.add(&mask[1..], EF::ONE).is_err());
            }
            assert_eq!(masked, sigma);
            let shares = parts.iter().map(|p| p.evaluate(points[0], &pool));
            assert_eq!(shares.sum::<EF>(), values[0]);
            for p in &mut parts {
                p.add_claims(&points[..1], &scales[..1]).unwrap();
                p.add_base_claims(&bases, &scales[1..]).unwrap();
            }
            let (mut rows, mut transcript) = (Rounds::default(), new());
            let point = add(&parts, 3).run(|sums| rows.send(sums, &mut transcript));
            bind(&mut parts, &point);
            assert_eq!(rows.sent, later.sent);
            let by_row: Vec<F> = parts[0].rows(2, &pool).unwrap();
            let [first, rows] = [&parts[0].remaining()[0], &EF::reconstitute_from_base(by_row)];
            let height = first.len() / 2;
            assert_eq!(parts[0].variables(), LOG_ROWS - 3);
            assert!((0..first.len()).all(|i| first[i] == rows[i % height * 2 + i / height]));
            let [f, w] = [0, 1].map(|k| parts.iter().map(|p| p.remaining()[k].clone()).collect::<Vec<_>>());
            assert_eq!(InnerProduct::join(&f, &w).unwrap().values(), whole.values());
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let matrices = || vec![Arc::new(vec![F::ONE; 64])];
        let new = |matrices, order: &[usize], log_rows, part| {
            PartialOpening::new(matrices, order.to_vec(), log_rows, &[], part)
        };
        assert!(new(matrices(), &[0], 3, Residue::new(4, 0).unwrap()).is_err());
        assert!(new(Vec::new(), &[0], 6, Residue::WHOLE).is_err());
        assert!(new(matrices(), &[], 6, Residue::WHOLE).is_err());
        let mut partial = new(matrices(), &[0], 6, Residue::WHOLE).unwrap();
        assert!(partial.gram(1).is_err());
        assert!(partial.bind(&[EF::ONE]).is_err());
        assert!(partial.gram(0).is_ok());
        assert!(partial.bind(&[]).is_ok());
        assert!(partial.gram(7).is_err());
        assert!(partial.bind(&elements(1, 7)).is_err());
        assert!(partial.bind(&elements(1, 6)).is_ok());
        assert!(partial.gram(1).is_err());
        assert!(InnerProduct::join(&[elements(1, 2)], &[elements(1, 1)]).is_err());
    }
}
