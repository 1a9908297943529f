//! The opening's sumcheck: sum over addresses of f(a) w(a) = v, from the top variable down.
//!
//! f is the matrix of all columns, address = column * 2^m + row. The k0 column rounds, the first of them in
//! `gram.rs`, leave f'[i] = sum_c eq(r, c) M[i][c] and w' alike.

use std::sync::Arc;

use p3_field::PackedValue;

use crate::error::{Error, Result};
use crate::field::vector::{ExtVector, unpack};
use crate::field::{EF, F, PackedEF, PackedF, WIDTH};
use crate::parts::residue::Residue;
use crate::sumcheck::pair::run_rounds;
use crate::whir::block_count::log_blocks;
use crate::whir::column_sumcheck::{ColumnSumcheck, PowerClaim};
use crate::whir::columns::Columns;
use crate::whir::gram::Gram;
use crate::whir::random_rows::RandomRows;
use crate::whir::weights::WeightVector;
use deepprove_verifier::sumcheck::send_round;
use deepprove_verifier::terms::Term;
use deepprove_verifier::transcript::Transcript;

/// Round polynomials that were sent, and their challenges.
#[derive(Clone, Debug, Default)]
pub struct Rounds {
    /// c_0 and c_2 of each round.
    pub sent: Vec<EF>,
    /// The challenges.
    pub point: Vec<EF>,
}

/// The prover's state between rounds: f and w over what is not bound yet. Round polynomials are sent without
/// the coefficient that the running claim gives, so a prover needs no claim.
pub struct InnerProduct {
    pub(crate) f: ExtVector,
    pub(crate) w: ExtVector,
}

/// What the column rounds leave.
pub struct Opened {
    /// f and w over the rows.
    pub state: InnerProduct,
    /// What was sent, and the challenges.
    pub rounds: Rounds,
    /// f and w over the random rows.
    pub random: [Vec<EF>; 2],
}

/// The columns of all matrices, column-major, 2^`log_rows` rows each, at their addresses: `order` says for each
/// address which column stands there, of all matrices' one after the other. Others take no part.
///
/// # Errors
/// [`Error::Shape`] where there is none, or one of them does not hold whole columns of whole packs, and where
/// `order` is no list of different columns.
pub(crate) fn columns<'a>(
    matrices: &'a [Arc<Vec<F>>],
    order: &[usize],
    log_rows: usize,
) -> Result<Vec<&'a [PackedF]>> {
    let rows = 1usize << log_rows;
    if rows < WIDTH || matrices.iter().any(|m| !m.len().is_multiple_of(rows)) {
        return Err(Error::Shape("a committed matrix does not hold whole columns of whole packs"));
    }
    let mut all: Vec<Option<&[PackedF]>> =
        matrices.iter().flat_map(|m| m.chunks_exact(rows).map(PackedF::pack_slice)).map(Some).collect();
    if order.is_empty() {
        return Err(Error::Shape("no column is committed"));
    }
    let ordered = order.iter().map(|&column| all.get_mut(column).and_then(Option::take));
    let ordered: Option<Vec<_>> = ordered.collect();
    ordered.ok_or(Error::Shape("the addresses of columns are no order of them"))
}

/// What the column rounds leave, in no more memory than it needs: they began with far more.
pub(crate) fn wrap(mut packs: Vec<PackedEF>) -> ExtVector {
    packs.shrink_to_fit();
    if packs.len() < 2 { ExtVector::Scalar(unpack(&packs)) } else { ExtVector::Packed(packs) }
}

impl InnerProduct {
    /// Runs the column rounds over `matrices` (column-major, 2^`log_rows` rows each), the column at each address
    /// of `terms` given by `order`, and leaves the state over the rows.
    ///
    /// # Errors
    /// [`Error::Shape`] where matrices, order, terms, claims and random rows do not fit together.
    pub fn open_columns(
        (matrices, order): (&[Arc<Vec<F>>], &[usize]),
        log_rows: usize,
        terms: &[Term],
        powers: &[PowerClaim],
        random: &RandomRows,
        claim: EF,
        transcript: &mut Transcript,
    ) -> Result<Opened> {
        let f = columns(matrices, order, log_rows)?;
        let w = WeightVector::new(terms, f.len() << log_rows, log_rows, Residue::WHOLE)?;
        let mut rounds = ColumnSumcheck::new(f.len(), log_rows, powers, random, claim)?;
        let log_blocks = log_blocks(&w, f.len(), 0);
        let columns = Columns::new(f, &w, log_blocks)?;
        let blocks = rounds.gram(Gram::from_values(columns.gram(), log_blocks)?, transcript);
        let [mut f, mut w] = columns.bind(&blocks)?;
        run_rounds(&mut f, &mut w, rounds.remaining(), |sums| rounds.send(sums, transcript));
        let mut state = Self { f: wrap(f), w: wrap(w) };
        let (points, weights) = rounds.power_weights();
        state.add_claims(&points, &weights)?;
        Ok(Opened { state, random: rounds.random_rows()?, rounds: rounds.rounds().clone() })
    }

    /// Runs `count` more rounds.
    ///
    /// # Errors
    /// [`Error::Shape`] where fewer variables remain.
    pub fn rounds(&mut self, count: usize, transcript: &mut Transcript) -> Result<Rounds> {
        if count > self.f.variables() {
            return Err(Error::Shape("more rounds than variables"));
        }
        let mut rounds = Rounds::default();
        let Self { f, w } = self;
        let mut send = |sums| rounds.send(sums, transcript);
        let mut remaining = count;
        if let (ExtVector::Packed(f), ExtVector::Packed(w)) = (&mut *f, &mut *w) {
            // The last pack is bound one by one.
            let packed = remaining.min(f.len().ilog2() as usize);
            run_rounds(f, w, packed, &mut send);
            remaining -= packed;
        }
        f.normalise();
        w.normalise();
        if let (ExtVector::Scalar(f), ExtVector::Scalar(w)) = (&mut *f, &mut *w) {
            run_rounds(f, w, remaining, &mut send);
        }
        Ok(rounds)
    }

    /// Values over the variables that remain.
    #[expect(clippy::len_without_is_empty, reason = "at least one value remains")]
    pub fn len(&self) -> usize {
        self.f.len()
    }

    /// f over the variables that remain.
    pub fn values(&self) -> Vec<EF> {
        self.f.to_scalars()
    }
}

impl Rounds {
    /// Sends one round.
    pub fn send(&mut self, sums: [EF; 2], transcript: &mut Transcript) -> EF {
        let r = send_round(&sums, transcript);
        self.sent.extend(sums);
        self.point.push(r);
        r
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::poly::eq::eq_scalars;
    use deepprove_verifier::blocks::{DyadicBlock, Interval};
    use deepprove_verifier::terms::{AxisVector, Weights, evaluate, powers_at};
    use deepprove_verifier::testing::*;
    use deepprove_verifier::whir::verify_rounds;
    use p3_field::PrimeCharacteristicRing;

    const LOG_ROWS: usize = 6;

    fn run(counts: [usize; 2]) {
        let rows = 1 << LOG_ROWS;
        let matrix = |seed: usize, columns: usize| {
            Arc::new((0..rows * columns).map(|i| F::from_usize(i * i * seed + 7)).collect::<Vec<F>>())
        };
        let matrices = [matrix(3, counts[0]), matrix(5, counts[1])];
        let all: Vec<EF> = matrices.iter().flat_map(|m| m.iter().map(|&x| EF::from(x))).collect();
        let total = counts[0] + counts[1];
        let b = DyadicBlock {
            address: rows * (total - 1),
            intervals: vec![Interval { start: 0, log: LOG_ROWS }],
        };
        let weights = Weights::Product(vec![AxisVector::eq(elements(1, LOG_ROWS))]);
        let term = Term::new(element(2), stored(vec![b]), weights).unwrap();
        let z = element(3);
        let second = &all[counts[0] * rows..];
        let column_values =
            all.chunks_exact(rows).map(|c| c.iter().zip(z.powers()).map(|(&x, p)| x * p).sum()).collect();
        let addresses = (counts[0]..total).collect();
        let power = PowerClaim { z, coefficient: element(4), addresses, column_values };
        let eq = eq_scalars(&elements(1, LOG_ROWS), element(2));
        let claim = all[rows * (total - 1)..].iter().zip(eq).map(|(&x, e)| x * e).sum::<EF>()
            + element(4) * second.iter().zip(z.powers()).map(|(&x, p)| x * p).sum::<EF>();
        let new = || Transcript::new(b"t");
        let (mut prover, mut verifier) = (new(), new());
        let terms = [term];
        let order: Vec<usize> = (0..total).collect();
        let (columns, random) = ((&matrices[..], &order[..]), RandomRows::default());
        let opened =
            InnerProduct::open_columns(columns, LOG_ROWS, &terms, &[power], &random, claim, &mut prover);
        let Opened { mut state, rounds: columns, random } = opened.unwrap();
        assert_eq!(random, [Vec::new(), Vec::new()]);
        let k0 = total.next_power_of_two().ilog2() as usize;
        let (mut point, mut reduced) = verify_rounds(k0, &columns.sent, claim, &mut verifier).unwrap();
        assert_eq!(point, columns.point);
        // f' is the combination of the columns, and takes further claims.
        let eq = eq_scalars(&point, EF::ONE);
        let expected: Vec<EF> =
            (0..rows).map(|i| (0..total).map(|c| eq[c] * all[c * rows + i]).sum()).collect();
        assert_eq!(state.values(), expected);
        let at = |x: EF| expected.iter().zip(x.powers()).map(|(&f, p)| f * p).sum::<EF>();
        let bases = [F::new(11), F::new(1234)];
        let (ys, ss) = ([at(element(6))], bases.map(|x| at(x.into())));
        state.add_claims(&[element(6)], &[element(7)]).unwrap();
        state.add_base_claims(&bases, &[element(8), element(9)]).unwrap();
        reduced += element(7) * ys[0] + element(8) * ss[0] + element(9) * ss[1];
        let finish = state.rounds(LOG_ROWS, &mut prover).unwrap();
        let (tail, reduced) = verify_rounds(LOG_ROWS, &finish.sent, reduced, &mut verifier).unwrap();
        point.extend(&tail);
        let column_weight: EF =
            (0..counts[1]).map(|c| eq[counts[0] + c] * z.exp_u64((c * rows) as u64)).sum();
        let w = evaluate(&terms, &point).unwrap()
            + element(4) * column_weight * powers_at(z, &tail)
            + element(7) * powers_at(element(6), &tail)
            + element(8) * powers_at(bases[0], &tail)
            + element(9) * powers_at(bases[1], &tail);
        assert_eq!(state.values()[0] * w, reduced, "{counts:?}");
    }

    #[test]
    fn an_opening_ends_in_the_product_of_f_and_w() {
        for counts in [[1, 1], [5, 2], [8, 8], [3, 1], [0, 1], [0, 2], [6, 1]] {
            run(counts);
        }
    }

    /// Columns by address, and what a hiding proof claims about them.
    struct Hidden {
        matrices: [Arc<Vec<F>>; 2],
        order: Vec<usize>,
        terms: Vec<Term>,
        powers: Vec<PowerClaim>,
        random: RandomRows,
        /// f and w over 2^m + k rows of all 2^k0 columns, column by column.
        whole: [Vec<EF>; 2],
        rows: usize,
    }

    /// Of 16 columns the last five are masks; the others are permuted, and five have `k` random rows.
    fn hidden(k: usize) -> Hidden {
        const ADDRESSES: [usize; 5] = [0, 1, 2, 8, 5];
        let data = 1 << LOG_ROWS;
        let matrix = |seed: usize, columns: usize| {
            Arc::new((0..data * columns).map(|i| F::from_usize(i * i * seed + 7)).collect::<Vec<F>>())
        };
        let matrices = [matrix(3, 4), matrix(5, 12)];
        let order = vec![4, 5, 6, 0, 7, 1, 10, 2, 8, 3, 9];
        let at = |column: usize| -> Vec<EF> {
            let (m, c) = if column < 4 { (0, column) } else { (1, column - 4) };
            matrices[m][c * data..(c + 1) * data].iter().map(|&x| x.into()).collect()
        };
        let columns: Vec<Vec<EF>> = order.iter().map(|&column| at(column)).collect();
        let b =
            |address: usize, log: usize| DyadicBlock { address, intervals: vec![Interval { start: 0, log }] };
        let blocks = stored(vec![b(3 * data, LOG_ROWS), b(8 * data + 32, 5), b(0, 3)]);
        let eq = Weights::Product(vec![AxisVector::eq(elements(1, LOG_ROWS))]);
        let sample = Weights::Powers { z: element(5), exponents: vec![77, 3, 1000] };
        let terms = vec![
            Term::new(element(2), blocks.clone(), eq).unwrap(),
            Term::new(element(3), blocks, sample).unwrap(),
        ];
        let z = element(8);
        let column_values =
            columns.iter().map(|c| c.iter().zip(z.powers()).map(|(&x, p)| x * p).sum()).collect();
        let power = PowerClaim { z, coefficient: element(9), addresses: vec![7, 3, 10, 4], column_values };
        let random = RandomRows {
            addresses: ADDRESSES.to_vec(),
            values: (0..5 * k).map(|i| F::from_usize(i * i * 91 + 17)).collect(),
            weights: elements(10, 5 * k),
        };
        let rows = data + k;
        let mut whole = [(); 2].map(|()| EF::zero_vec(16 * rows));
        let weights = expanded(&terms, 16 * data);
        for (a, column) in columns.iter().enumerate() {
            whole[0][a * rows..][..data].copy_from_slice(column);
            whole[1][a * rows..][..data].copy_from_slice(&weights[a * data..][..data]);
        }
        for (c, &a) in power.addresses.iter().enumerate() {
            let powers = z.powers().skip(c * data);
            whole[1][a * rows..][..data].iter_mut().zip(powers).for_each(|(w, p)| *w += element(9) * p);
        }
        for (c, &a) in ADDRESSES.iter().enumerate() {
            for i in 0..k {
                whole[0][a * rows + data + i] = random.values[c * k + i].into();
                whole[1][a * rows + data + i] = random.weights[c * k + i];
            }
        }
        Hidden { matrices, order, terms, powers: vec![power], random, whole, rows }
    }

    fn product([f, w]: &[Vec<EF>; 2]) -> EF {
        f.iter().zip(w).map(|(&f, &w)| f * w).sum()
    }

    #[test]
    fn data_and_random_rows_are_one_inner_product() {
        for k in [0, 1, 23, 200] {
            let Hidden { matrices, order, terms, powers, random, mut whole, rows } = hidden(k);
            let claim = product(&whole);
            let (columns, transcript) = ((&matrices[..], &order[..]), &mut Transcript::new(b"t"));
            let opened =
                InnerProduct::open_columns(columns, LOG_ROWS, &terms, &powers, &random, claim, transcript);
            let Opened { state, rounds, random } = opened.unwrap();
            for (sent, &r) in rounds.sent.chunks_exact(2).zip(&rounds.point) {
                let half = whole[0].len() / 2;
                let [f, w] = &whole;
                let constant: EF = (0..half).map(|i| f[i] * w[i]).sum();
                let square: EF = (0..half).map(|i| (f[i + half] - f[i]) * (w[i + half] - w[i])).sum();
                assert_eq!(sent, [constant, square]);
                whole = whole.map(|v| (0..half).map(|i| v[i] + r * (v[i + half] - v[i])).collect());
            }
            let verified = verify_rounds(4, &rounds.sent, claim, &mut Transcript::new(b"t")).unwrap();
            assert_eq!(verified, (rounds.point, product(&whole)));
            let data = 1 << LOG_ROWS;
            assert_eq!(whole[0].len(), rows);
            assert_eq!(state.values(), whole[0][..data]);
            assert_eq!(state.w.to_scalars(), whole[1][..data]);
            assert_eq!(random, [0, 1].map(|v| whole[v][data..].to_vec()));
        }
    }

    #[test]
    fn an_order_of_columns_is_a_permuted_matrix() {
        let Hidden { matrices, order, terms, powers, random, whole, .. } = hidden(5);
        let open = |matrices: &[Arc<Vec<F>>], order: &[usize]| {
            let (claim, transcript) = (product(&whole), &mut Transcript::new(b"t"));
            let columns = (matrices, order);
            InnerProduct::open_columns(columns, LOG_ROWS, &terms, &powers, &random, claim, transcript)
        };
        let columns: Vec<&[F]> = matrices.iter().flat_map(|m| m.chunks_exact(1 << LOG_ROWS)).collect();
        let permuted = order.iter().flat_map(|&column| columns[column]).copied().collect();
        let identity: Vec<usize> = (0..order.len()).collect();
        let [first, second] =
            [open(&matrices, &order), open(&[Arc::new(permuted)], &identity)].map(|opened| opened.unwrap());
        assert_eq!(first.rounds.sent, second.rounds.sent);
        assert_eq!(first.state.values(), second.state.values());
        assert_eq!(first.random, second.random);
        // A column twice, one that is not there, and fewer or more addresses than claims have.
        let changed = |change: &dyn Fn(&mut Vec<usize>)| {
            let mut order = order.clone();
            change(&mut order);
            open(&matrices, &order).is_err()
        };
        assert!(changed(&|order| order[3] = order[4]));
        assert!(changed(&|order| order[3] = 16));
        assert!(changed(&|order| _ = order.pop()));
        assert!(changed(&|order| order.push(11)));
        assert!(changed(&Vec::clear));
    }

    #[test]
    fn more_rounds_than_variables_are_refused() {
        let mut state = InnerProduct {
            f: ExtVector::from_scalars(&elements(1, 4)),
            w: ExtVector::from_scalars(&elements(2, 4)),
        };
        assert!(state.rounds(3, &mut Transcript::new(b"t")).is_err());
    }
}
