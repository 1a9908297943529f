//! Random rows of some columns in the column rounds: values and weights of a few rows that are no data.
//!
//! The data's columns have 2^m rows; below them a hiding proof has k further rows, which hold values and weights
//! in some columns alone. A column round is the sum of those of both. Columns that are zero take no part.

use p3_field::{Algebra, PackedValue, PrimeCharacteristicRing};

use crate::error::{Error, Result};
use crate::field::vector::{Element, pack, unpack};
use crate::field::{EF, F, PackedEF, PackedF, WIDTH};

/// The columns of one vector by their addresses; none where all rows are zero.
type Columns<V> = Vec<Option<Vec<V>>>;

/// k values and k weights in some columns.
#[derive(Clone, Debug, Default)]
pub struct RandomRows {
    /// The columns' addresses, different ones.
    pub addresses: Vec<usize>,
    /// The values, column by column.
    pub values: Vec<F>,
    /// Their weights.
    pub weights: Vec<EF>,
}

impl RandomRows {
    /// k.
    ///
    /// # Errors
    /// [`Error::Shape`] where values, weights and addresses do not fit together or an address is not below `columns`.
    fn rows(&self, columns: usize) -> Result<usize> {
        const UNFIT: Error = Error::Shape("random rows do not fit their columns");
        let (values, count) = (self.values.len(), self.addresses.len());
        let fits =
            values == self.weights.len() && values.checked_rem(count).map_or(values == 0, |over| over == 0);
        if !fits {
            return Err(UNFIT);
        }
        let mut used = vec![false; columns];
        for &address in &self.addresses {
            match used.get_mut(address) {
                Some(used @ false) => *used = true,
                _ => return Err(UNFIT),
            }
        }
        Ok(values.checked_div(count).unwrap_or(0))
    }
}

/// Values: base elements before the first round, extension elements after it.
enum Values {
    Base(Columns<PackedF>),
    Extension(Columns<PackedEF>),
}

/// The rows' part of the sum, bound with the column bits.
pub(crate) struct RandomSums {
    rows: usize,
    values: Values,
    weights: Columns<PackedEF>,
}

impl RandomSums {
    /// The sums over the rows of 2^`variables` columns.
    ///
    /// # Errors
    /// [`Error::Shape`] where the rows do not fit `columns` columns.
    pub fn new(random: &RandomRows, columns: usize, variables: usize) -> Result<Self> {
        let rows = random.rows(columns)?;
        let (mut values, mut weights) = (vec![None; 1 << variables], vec![None; 1 << variables]);
        if rows > 0 {
            let padded = rows.next_multiple_of(WIDTH);
            let columns = random.values.chunks_exact(rows).zip(random.weights.chunks_exact(rows));
            for (&address, (column, weighed)) in random.addresses.iter().zip(columns) {
                if column.iter().any(|&value| value != F::ZERO) {
                    let column = [column, &vec![F::ZERO; padded - rows]].concat();
                    values[address] = Some(PackedF::pack_slice(&column).to_vec());
                }
                if weighed.iter().any(|&weight| weight != EF::ZERO) {
                    weights[address] = Some(pack(&[weighed, &vec![EF::ZERO; padded - rows]].concat()));
                }
            }
        }
        Ok(Self { rows, values: Values::Base(values), weights })
    }

    /// The inner product of values and weights.
    pub fn total(&self) -> EF {
        match &self.values {
            Values::Base(values) => total(values, &self.weights),
            Values::Extension(values) => total(values, &self.weights),
        }
    }

    /// c_0 and c_2 of the next round.
    pub fn round(&self) -> [EF; 2] {
        match &self.values {
            Values::Base(values) => round(values, &self.weights),
            Values::Extension(values) => round(values, &self.weights),
        }
    }

    /// Binds the top column bit.
    pub fn bind(&mut self, r: EF) {
        let scales = [EF::ONE - r, r].map(PackedEF::from);
        self.values = Values::Extension(match &mut self.values {
            Values::Base(values) => bind(values, scales),
            Values::Extension(values) => bind(values, scales),
        });
        self.weights = bind(&mut self.weights, scales);
    }

    /// Values and weights of the rows when all column bits are bound.
    pub fn remaining(&self) -> [Vec<EF>; 2] {
        let values = match &self.values {
            Values::Base(values) => values[0].as_ref().map(|v| v.iter().map(|&x| x.into()).collect()),
            Values::Extension(values) => values[0].clone(),
        };
        [values, self.weights[0].clone()].map(|column: Option<Vec<PackedEF>>| {
            let mut rows = column.map_or_else(|| EF::zero_vec(self.rows), |column| unpack(&column));
            rows.truncate(self.rows);
            rows
        })
    }
}

/// The sum of the products.
fn total<V: Copy>(values: &[Option<Vec<V>>], weights: &[Option<Vec<PackedEF>>]) -> EF
where
    PackedEF: Algebra<V>,
{
    let pairs = values.iter().zip(weights).filter_map(|(v, w)| v.as_ref().zip(w.as_ref()));
    pairs.map(|(v, w)| dot(v, w)).sum::<PackedEF>().lane_sum()
}

fn dot<V: Copy>(values: &[V], weights: &[PackedEF]) -> PackedEF
where
    PackedEF: Algebra<V>,
{
    values.iter().zip(weights).map(|(&v, &w)| w * v).sum()
}

/// c_0 and c_2 of two vectors of columns, of which one or both may be zero.
fn round<V>(values: &[Option<Vec<V>>], weights: &[Option<Vec<PackedEF>>]) -> [EF; 2]
where
    V: PrimeCharacteristicRing + Copy,
    PackedEF: Algebra<V>,
{
    let half = values.len() / 2;
    let [mut constant, mut square] = [PackedEF::ZERO; 2];
    for i in 0..half {
        let [v0, v1] = [&values[i], &values[i + half]].map(Option::as_deref);
        let [w0, w1] = [&weights[i], &weights[i + half]].map(Option::as_deref);
        match (v0, v1, w0, w1) {
            (Some(v0), Some(v1), Some(w0), Some(w1)) => {
                for (((&v0, &v1), &w0), &w1) in v0.iter().zip(v1).zip(w0).zip(w1) {
                    constant += w0 * v0;
                    square += (w1 - w0) * (v1 - v0);
                }
            }
            _ => {
                let product = |v: Option<&[V]>, w: Option<&[PackedEF]>| {
                    v.zip(w).map_or(PackedEF::ZERO, |(v, w)| dot(v, w))
                };
                let low = product(v0, w0);
                constant += low;
                square += low + product(v1, w1) - product(v0, w1) - product(v1, w0);
            }
        }
    }
    [constant, square].map(Element::lane_sum)
}

/// Binds the top bit of the columns to r, given as 1 - r and r.
fn bind<V>(columns: &mut Columns<V>, [complement, r]: [PackedEF; 2]) -> Columns<PackedEF>
where
    V: PrimeCharacteristicRing + Copy,
    PackedEF: Algebra<V>,
{
    let high = columns.split_off(columns.len() / 2);
    let scaled = |column: Vec<V>, scale: PackedEF| column.into_iter().map(|value| scale * value).collect();
    let pair = |(low, high): (Option<Vec<V>>, Option<Vec<V>>)| match (low, high) {
        (None, None) => None,
        (Some(low), None) => Some(scaled(low, complement)),
        (None, Some(high)) => Some(scaled(high, r)),
        (Some(low), Some(high)) => {
            Some(low.into_iter().zip(high).map(|(low, high)| r * (high - low) + low).collect())
        }
    };
    columns.drain(..).zip(high).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use deepprove_verifier::testing::*;

    const VARIABLES: usize = 3;

    /// Rows of some columns, and both vectors over all columns: row i of column c at c k + i.
    fn rows(addresses: &[usize], k: usize) -> (RandomRows, [Vec<EF>; 2]) {
        let k = if addresses.is_empty() { 0 } else { k };
        let values: Vec<F> = (0..addresses.len() * k).map(|i| F::from_usize(i * i * 31 + 5)).collect();
        let mut weights = elements(4, values.len());
        // Some columns have no weights, and some no values.
        weights[..k].fill(EF::ZERO);
        let mut all = [(); 2].map(|()| EF::zero_vec(k << VARIABLES));
        for (j, &address) in addresses.iter().enumerate() {
            for i in 0..k {
                all[0][address * k + i] = values[j * k + i].into();
                all[1][address * k + i] = weights[j * k + i];
            }
        }
        (RandomRows { addresses: addresses.to_vec(), values, weights }, all)
    }

    #[test]
    fn rounds_are_those_of_the_whole_vectors() {
        for addresses in [&[][..], &[0], &[7], &[2, 6], &[6, 2], &[5, 1, 3, 0], &[0, 1, 2, 3, 4, 5, 6, 7]] {
            for k in [0, 1, 5, 16, 37] {
                let (random, [mut f, mut w]) = rows(addresses, k);
                let mut sums = RandomSums::new(&random, 8, VARIABLES).unwrap();
                let k = if addresses.is_empty() { 0 } else { k };
                assert_eq!(sums.total(), f.iter().zip(&w).map(|(&f, &w)| f * w).sum());
                for bit in (0..VARIABLES).rev() {
                    let half = k << bit;
                    let constant = (0..half).map(|i| f[i] * w[i]).sum();
                    let square = (0..half).map(|i| (f[i + half] - f[i]) * (w[i + half] - w[i])).sum();
                    assert_eq!(sums.round(), [constant, square]);
                    let r = element(bit as u64);
                    sums.bind(r);
                    for v in [&mut f, &mut w] {
                        *v = (0..half).map(|i| v[i] + r * (v[i + half] - v[i])).collect();
                    }
                    assert_eq!(sums.total(), f.iter().zip(&w).map(|(&f, &w)| f * w).sum());
                }
                assert_eq!(sums.remaining(), [f, w]);
            }
        }
    }

    #[test]
    fn one_column_needs_no_round() {
        let (random, [f, w]) = rows(&[0], 5);
        let sums = RandomSums::new(&random, 1, 0).unwrap();
        assert_eq!(sums.remaining(), [f[..5].to_vec(), w[..5].to_vec()]);
    }

    #[test]
    fn rows_that_do_not_fit_are_refused() {
        let new = |addresses: &[usize], values: usize, weights: usize| {
            let (values, weights) = (vec![F::ONE; values], elements(1, weights));
            RandomSums::new(&RandomRows { addresses: addresses.to_vec(), values, weights }, 6, 3).is_ok()
        };
        assert!(new(&[1, 5], 4, 4));
        assert!(!new(&[1, 6], 4, 4));
        assert!(!new(&[1, 1], 4, 4));
        assert!(!new(&[1, 5], 5, 5));
        assert!(!new(&[1, 5], 4, 2));
        assert!(!new(&[], 1, 1));
    }
}
