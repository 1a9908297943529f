//! Reed-Solomon encoding of a matrix, column by column, on all of a subgroup or on a coset in it.
//!
//! Column c of a matrix M with 2^m rows is the polynomial sum_i M[i][c] X^i; its codeword is the values at
//! g^j for the generator g of the subgroup of order n = 2^m R, R being the inverse rate. Random rows R, k of
//! them, make it sum_i M[i][c] X^i + X^(2^m) sum_i R[i][c] X^i. A part of the codeword, the
//! positions j = f modulo P, is the coset g^f <g^P> of order n / P. It is cut into the cosets of
//! `cosets.rs`, which are transformed in blocks; the codeword keeps the blocks as they are, since
//! interleaving them, or putting a coset's rows in order, would only move memory.

use std::sync::{Arc, PoisonError, RwLock};

use p3_field::{ExtensionField, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::code::codeword::Codeword;
use crate::code::cosets::Cosets;
use crate::code::domain::Domain;
use crate::code::matrix_parts::MatrixParts;
use crate::code::transform::{Addend, Roots, TASK_VALUES, transform, transformed, units};
use crate::code::{short, tall};
use crate::error::{Error, Result};
use crate::field::F;
use crate::pool::Pool;

/// Encodes matrices; holds the roots of unity that it has needed so far.
#[derive(Default)]
pub struct Encoder {
    units: RwLock<Arc<Vec<F>>>,
}

impl Encoder {
    /// Encodes a column-major matrix, of as many rows as the domain's code has coefficients; V is the base
    /// field or the extension. Missing values at the end are zero.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no column or there are more values than the matrix has.
    pub fn encode<V: ExtensionField<F>>(
        &self,
        values: &[V],
        columns: usize,
        domain: &Domain,
        pool: &Pool,
    ) -> Result<Codeword> {
        self.encode_hiding(values, &[], columns, domain, pool)
    }

    /// Encodes a matrix with further rows, k in each of its columns, column-major: their values are a column's
    /// coefficients from 2^log_rows on. No random rows are as good as none of this.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`Encoder::encode`], or if columns have not equally many random rows, or all rows
    /// together are not fewer than the code's positions.
    pub fn encode_hiding<V: ExtensionField<F>>(
        &self,
        values: &[V],
        random_rows: &[V],
        columns: usize,
        domain: &Domain,
        pool: &Pool,
    ) -> Result<Codeword> {
        self.encode_parts(&[values], random_rows, columns, domain, pool)
    }

    /// Encodes a matrix as [`Encoder::encode_hiding`] does, given by parts that its vector is interleaved from: part
    /// f has the values whose index is f modulo the number of parts. Missing values at the end of each are zero.
    ///
    /// # Errors
    /// [`Error::Shape`] as for [`Encoder::encode_hiding`], or if the parts are no power of two, or more than rows.
    pub fn encode_parts<V: ExtensionField<F>>(
        &self,
        parts: &[&[V]],
        random_rows: &[V],
        columns: usize,
        domain: &Domain,
        pool: &Pool,
    ) -> Result<Codeword> {
        let matrix = MatrixParts::new(parts, 1 << domain.log_rows, columns)?;
        if !random_rows.len().is_multiple_of(columns) {
            return Err(Error::Shape("the columns of a matrix have not equally many random rows"));
        }
        let (rows, random) = (matrix.rows, random_rows.len() / columns);
        if random > 0 && rows + random >= 1 << domain.log_length {
            return Err(Error::Shape("a code has not more positions than rows"));
        }
        let (width, degree) = (columns * V::DIMENSION, matrix.degree().max(random));
        let cosets = Cosets::new(domain.log_positions(), domain.first(), width, degree);
        if random > 0 && rows < random.max(1 << cosets.log_size) {
            let (joined, log_rows) = matrix.with_rows(random_rows);
            return self.encode(&joined, columns, &domain.of_degree(log_rows), pool);
        }
        if cosets.is_tall() {
            let values = matrix.interleaved();
            let blocks = pool.install(|| tall::blocks(&values, random_rows, domain.log_rows, &cosets));
            return Ok(self.encode_tall(blocks, &cosets, pool));
        }
        let residues = if parts.len() <= 1 << cosets.log_size {
            short::residues(parts, columns, rows, &cosets, pool)
        } else {
            short::residues(&[&*matrix.interleaved()], columns, rows, &cosets, pool)
        };
        let random = short::random_residues(random_rows, columns, &cosets, pool);
        Ok(self.encode_short(&residues, &random, domain.log_rows, &cosets, pool))
    }

    /// Encodes a row-major matrix of base columns.
    ///
    /// # Errors
    /// [`Error::Shape`] if it has no column or not as many rows as the domain's code has coefficients.
    pub fn encode_rows(&self, matrix: &[F], domain: &Domain, pool: &Pool) -> Result<Codeword> {
        let (rows, width) = (1 << domain.log_rows, matrix.len() >> domain.log_rows);
        if width == 0 || matrix.len() != width * rows {
            return Err(Error::Shape("a matrix has no column or other rows than its code"));
        }
        let cosets = Cosets::new(domain.log_positions(), domain.first(), width, rows);
        if cosets.is_tall() {
            let column = |c: usize| matrix[c..].iter().step_by(width).copied();
            return self.encode(&(0..width).flat_map(column).collect::<Vec<F>>(), width, domain, pool);
        }
        let residues = short::row_residues(matrix, &cosets, pool);
        Ok(self.encode_short(&residues, &[], domain.log_rows, &cosets, pool))
    }

    /// The codeword of a tall matrix whose residues, scaled, these blocks hold.
    fn encode_tall(&self, mut blocks: Vec<Vec<F>>, cosets: &Cosets, pool: &Pool) -> Codeword {
        let log_size = cosets.log_size;
        let roots = Roots::new(&self.units(log_size), log_size, F::ONE);
        pool.install(|| blocks.iter_mut().for_each(|block| transform(block, log_size, &roots)));
        Codeword::new(blocks, cosets)
    }

    /// The codeword of a short matrix with these residues of 2^log_rows rows and these of the random rows after
    /// them, both row-major.
    fn encode_short(
        &self,
        residues: &[F],
        random: &[F],
        log_rows: usize,
        cosets: &Cosets,
        pool: &Pool,
    ) -> Codeword {
        let (log_size, units) = (cosets.log_size, self.units(cosets.log_size));
        let coset = |&first: &F| {
            let added = Addend { rows: random, scale: first.exp_power_of_2(log_rows) };
            transformed(residues, added, log_size, &Roots::new(&units, log_size, first))
        };
        // Large ones one after the other: they share the last cache.
        let small = residues.len() < TASK_VALUES;
        let blocks = || match cosets.shifts.as_slice() {
            shifts if small => shifts.par_iter().map(coset).collect(),
            shifts => shifts.iter().map(coset).collect(),
        };
        Codeword::new(pool.install(blocks), cosets)
    }

    /// The units of transforms of at least that size.
    fn units(&self, log_size: usize) -> Arc<Vec<F>> {
        let least = (1 << log_size) / 2;
        let known = self.units.read().unwrap_or_else(PoisonError::into_inner).clone();
        if known.len() >= least {
            return known;
        }
        let units = Arc::new(units(log_size));
        *self.units.write().unwrap_or_else(PoisonError::into_inner) = units.clone();
        units
    }
}

#[cfg(test)]
mod tests {
    use p3_field::{BasedVectorSpace, TwoAdicField};
    use proptest::prelude::*;

    use super::*;
    use crate::field::{EF, EXTENSION_DEGREE, coefficients};

    /// The values at the domain's positions of the polynomials with these coefficients.
    fn naive(column: &[EF], log_length: usize, positions: impl Iterator<Item = usize>) -> Vec<EF> {
        let g = F::two_adic_generator(log_length);
        let value = |x: F| column.iter().rev().fold(EF::ZERO, |sum, &value| sum * x + value);
        positions.map(|j| value(g.exp_u64(j as u64))).collect()
    }

    fn pseudo_random(count: usize, seed: u32) -> Vec<F> {
        (0..count as u32).map(|i| F::new((i ^ seed).wrapping_mul(2_654_435_761) >> 2)).collect()
    }

    proptest! {
        #[test]
        fn rows_are_values_of_the_columns_polynomials(
            log_rows in 0_usize..6,
            columns in 1_usize..20,
            log_inverse_rate in 0_usize..4,
            missing in 0_usize..40,
            degree in 0_usize..40,
            parts in 0_usize..9,
            seed: u32,
        ) {
            let (rows, log_length) = (1 << log_rows, log_rows + log_inverse_rate);
            let log_parts = parts.min(log_length);
            let residue = seed as usize & ((1 << log_parts) - 1);
            let mut values = pseudo_random((columns * rows).saturating_sub(missing), seed);
            values.chunks_mut(rows).filter_map(|column| column.get_mut(degree..)).for_each(|v| v.fill(F::ZERO));
            let pool = Pool::new(2).unwrap();
            let domain = Domain::new(log_rows, log_inverse_rate).unwrap().part(log_parts, residue).unwrap();
            let code = Encoder::default().encode(&values, columns, &domain, &pool).unwrap();
            prop_assert_eq!((code.rows(), code.width()), (1 << (log_length - log_parts), columns));
            values.resize(columns * rows, F::ZERO);
            let row_major: Vec<F> = (0..columns * rows).map(|i| values[i % columns * rows + i / columns]).collect();
            let by_rows = Encoder::default().encode_rows(&row_major, &domain, &pool).unwrap();
            prop_assert!((0..code.rows()).all(|j| by_rows.row(j) == code.row(j)));
            for log_count in 0..=log_rows.min(3) {
                let of_part = |index| values.iter().skip(index).step_by(1 << log_count).copied().collect();
                let mut parts: Vec<Vec<F>> = (0..1 << log_count).map(of_part).collect();
                // Zeros at the end may be missing, in some parts or in all.
                parts.iter_mut().for_each(|part| while part.pop_if(|v| *v == F::ZERO).is_some() {});
                let parts: Vec<&[F]> = parts.iter().map(Vec::as_slice).collect();
                let encoded = Encoder::default().encode_parts(&parts, &[], columns, &domain, &pool).unwrap();
                prop_assert!((0..code.rows()).all(|j| encoded.row(j) == code.row(j)));
            }
            let extension: Vec<EF> = values.iter().map(|&v| EF::from(v)).collect();
            for c in 0..columns {
                let positions = (residue..1 << log_length).step_by(1 << log_parts);
                let column = extension.chunks(rows).nth(c).unwrap_or_default();
                let values: Vec<EF> = (0..code.rows()).map(|j| EF::from(code.row(j)[c])).collect();
                prop_assert_eq!(values, naive(column, log_length, positions));
            }
        }

        #[test]
        fn random_rows_are_the_coefficients_after_the_columns(
            log_rows in 0_usize..6,
            columns in 1_usize..24,
            log_inverse_rate in 1_usize..5,
            random in 1_usize..600,
            missing in 0_usize..40,
            degree in 0_usize..70,
            parts in 0_usize..9,
            seed: u32,
        ) {
            let (rows, log_length) = (1 << log_rows, log_rows + log_inverse_rate);
            let random = 1 + random % ((1 << log_length) - rows);
            prop_assume!(rows + random < 1 << log_length);
            let log_parts = parts.min(log_length);
            let residue = seed as usize & ((1 << log_parts) - 1);
            let mut values = pseudo_random((columns * rows).saturating_sub(missing), seed);
            values.chunks_mut(rows).filter_map(|column| column.get_mut(degree..)).for_each(|v| v.fill(F::ZERO));
            let random_rows = pseudo_random(columns * random, !seed);
            let pool = Pool::new(2).unwrap();
            let domain = Domain::new(log_rows, log_inverse_rate).unwrap().part(log_parts, residue).unwrap();
            let encoder = Encoder::default();
            let code = encoder.encode_hiding(&values, &random_rows, columns, &domain, &pool).unwrap();
            prop_assert_eq!((code.rows(), code.width()), (1 << (log_length - log_parts), columns));
            for (c, column) in joined(&values, &random_rows, columns, rows).iter().enumerate() {
                let positions = (residue..1 << log_length).step_by(1 << log_parts);
                let values: Vec<EF> = (0..code.rows()).map(|j| EF::from(code.row(j)[c])).collect();
                prop_assert_eq!(values, naive(column, log_length, positions));
            }
        }

        #[test]
        fn extension_columns_have_random_rows_of_extension_elements(
            log_rows in 0_usize..5, columns in 1_usize..5, log_inverse_rate in 1_usize..4,
            random in 1_usize..100, parts in 0_usize..8, seed: u32,
        ) {
            let (rows, log_length) = (1 << log_rows, log_rows + log_inverse_rate);
            let random = 1 + random % ((1 << log_length) - rows);
            prop_assume!(rows + random < 1 << log_length);
            let log_parts = parts.min(log_length);
            let residue = seed as usize & ((1 << log_parts) - 1);
            let values = EF::reconstitute_from_base(pseudo_random(EXTENSION_DEGREE * rows * columns, seed));
            let added = EF::reconstitute_from_base(pseudo_random(EXTENSION_DEGREE * random * columns, !seed));
            let pool = Pool::new(1).unwrap();
            let domain = Domain::new(log_rows, log_inverse_rate).unwrap().part(log_parts, residue).unwrap();
            let code = Encoder::default().encode_hiding(&values, &added, columns, &domain, &pool).unwrap();
            for (c, (column, added)) in values.chunks(rows).zip(added.chunks(random)).enumerate() {
                let positions = (residue..1 << log_length).step_by(1 << log_parts);
                let expected = naive(&[column, added].concat(), log_length, positions);
                for (j, value) in expected.iter().enumerate() {
                    let first = c * EXTENSION_DEGREE;
                    prop_assert_eq!(&code.row(j)[first..first + EXTENSION_DEGREE], coefficients(value));
                }
            }
        }

        #[test]
        fn extension_columns_are_five_base_columns(
            log_rows in 0_usize..6, columns in 1_usize..9, log_inverse_rate in 0_usize..3,
            parts in 0_usize..8, seed: u32,
        ) {
            let (rows, log_length) = (1 << log_rows, log_rows + log_inverse_rate);
            let log_parts = parts.min(log_length);
            let residue = seed as usize & ((1 << log_parts) - 1);
            let values = EF::reconstitute_from_base(pseudo_random(EXTENSION_DEGREE * rows * columns, seed));
            let pool = Pool::new(1).unwrap();
            let domain = Domain::new(log_rows, log_inverse_rate).unwrap().part(log_parts, residue).unwrap();
            let code = Encoder::default().encode(&values, columns, &domain, &pool).unwrap();
            for (c, column) in values.chunks(rows).enumerate() {
                let positions = (residue..1 << log_length).step_by(1 << log_parts);
                let expected = naive(column, log_length, positions);
                for (j, value) in expected.iter().enumerate() {
                    let first = c * EXTENSION_DEGREE;
                    prop_assert_eq!(&code.row(j)[first..first + EXTENSION_DEGREE], coefficients(value));
                }
            }
        }
    }

    /// Columns of `rows` values, missing ones being zero, each followed by its random rows.
    fn joined(values: &[F], random_rows: &[F], columns: usize, rows: usize) -> Vec<Vec<EF>> {
        let random = random_rows.len() / columns;
        let value = |i: usize| EF::from(values.get(i).copied().unwrap_or_default());
        let column = |c: usize| {
            let added = random_rows[c * random..][..random].iter().map(|&v| EF::from(v));
            (c * rows..(c + 1) * rows).map(value).chain(added).collect()
        };
        (0..columns).map(column).collect()
    }

    /// Checks some rows of a code in every so many columns.
    fn assert_values(code: &Codeword, values: &[F], log_rows: usize, domain: &Domain, column_step: usize) {
        assert_hiding_values(code, values, &[], log_rows, domain, column_step);
    }

    fn assert_hiding_values(
        code: &Codeword,
        values: &[F],
        random_rows: &[F],
        log_rows: usize,
        domain: &Domain,
        column_step: usize,
    ) {
        let columns = joined(values, random_rows, code.width(), 1 << log_rows);
        for (c, column) in columns.into_iter().enumerate().step_by(column_step) {
            let rows = (0..code.rows()).step_by(code.rows() / 20 + 1);
            let positions = rows.clone().map(|j| domain.residue + (j << domain.log_parts));
            let values: Vec<EF> = rows.map(|j| EF::from(code.row(j)[c])).collect();
            assert_eq!(values, naive(&column, domain.log_length, positions));
        }
    }

    #[test]
    fn tall_codes_are_cut_into_small_cosets_whatever_the_thread_count() {
        let log_rows = 14;
        for (columns, degree) in
            [(1, 1 << log_rows), (1, 1500), (1, 3), (2, 0), (3, 1 << log_rows), (15, 700)]
        {
            let mut values = pseudo_random(columns << log_rows, 5);
            values.chunks_mut(1 << log_rows).for_each(|column| column[degree..].fill(F::ZERO));
            for (log_parts, residue) in [(0, 0), (4, 5), (11, 77), (16, 40_000), (17, 9)] {
                let domain = Domain::new(log_rows, 3).unwrap().part(log_parts, residue).unwrap();
                let encode = |threads| {
                    let pool = Pool::new(threads).unwrap();
                    Encoder::default().encode(&values, columns, &domain, &pool).unwrap()
                };
                let code = encode(2);
                assert!(code.blocks == encode(1).blocks);
                assert_eq!(code.rows(), 1 << (17 - log_parts));
                assert_values(&code, &values, log_rows, &domain, 7);
            }
        }
    }

    #[test]
    fn large_codes_are_the_same_whatever_the_thread_count() {
        // Large enough for sweeps by several threads, the second one in place.
        let (log_rows, columns) = (15, 40);
        let values = pseudo_random((columns << log_rows) - 3, 7);
        for (log_parts, residue, blocks) in [(0, 0, 8), (2, 3, 2), (5, 19, 1)] {
            let domain = Domain::new(log_rows, 3).unwrap().part(log_parts, residue).unwrap();
            let encode = |threads| {
                Encoder::default().encode(&values, columns, &domain, &Pool::new(threads).unwrap()).unwrap()
            };
            let code = encode(2);
            assert!(code.blocks == encode(1).blocks);
            assert_eq!(code.blocks.len(), blocks);
            assert_values(&code, &values, log_rows, &domain, 39);
        }
    }

    #[test]
    fn large_codes_have_random_rows_too() {
        // Tall and short ones, fewer and more random rows than a coset has positions, or than the matrix has rows.
        for (log_rows, columns, randoms) in [
            (14, 1, [1, 700, 9000, 20_000]),
            (14, 3, [5, 1025, 8192, 16_385]),
            (10, 11, [3, 300, 1024, 1300]),
            (13, 40, [2, 900, 8000, 9000]),
            (9, 57, [1, 333, 512, 800]),
        ] {
            for (random, (log_parts, residue)) in
                randoms.into_iter().flat_map(|k| [(0, 0), (3, 5), (6, 33), (9, 77)].map(|part| (k, part)))
            {
                let values = pseudo_random((columns << log_rows) - 3, 7);
                let random_rows = pseudo_random(columns * random, 11);
                let domain = Domain::new(log_rows, 3).unwrap().part(log_parts, residue).unwrap();
                let encode = |threads| {
                    let pool = Pool::new(threads).unwrap();
                    Encoder::default().encode_hiding(&values, &random_rows, columns, &domain, &pool).unwrap()
                };
                let code = encode(2);
                assert!(code.blocks == encode(1).blocks);
                assert_hiding_values(&code, &values, &random_rows, log_rows, &domain, 1.max(columns - 1));
            }
        }
    }

    #[test]
    fn random_rows_that_do_not_fit_are_refused() {
        let (domain, pool, encoder) = (Domain::new(2, 1).unwrap(), Pool::new(1).unwrap(), Encoder::default());
        let encode =
            |count| encoder.encode_hiding(&[F::ONE; 8], &vec![F::ONE; count], 2, &domain, &pool).map(drop);
        assert_eq!(encode(6), Ok(()));
        assert_eq!(encode(8), Err(Error::Shape("a code has not more positions than rows")));
        assert_eq!(encode(5), Err(Error::Shape("the columns of a matrix have not equally many random rows")));
        let part = domain.part(3, 1).unwrap();
        assert!(encoder.encode_hiding(&[F::ONE; 8], &[F::ONE; 8], 2, &part, &pool).is_err());
    }

    #[test]
    fn bad_shapes_are_refused() {
        assert!(Domain::new(24, 1).is_err());
        assert!(Domain::new(usize::MAX, 1).is_err());
        let domain = Domain::new(2, 1).unwrap();
        assert!(domain.part(4, 0).is_err());
        assert!(domain.part(2, 4).is_err());
        let pool = Pool::new(1).unwrap();
        for columns in [0, 1] {
            assert!(Encoder::default().encode(&[F::ONE; 5], columns, &domain, &pool).is_err());
        }
        for count in [0, 3, 5] {
            assert!(Encoder::default().encode_rows(&vec![F::ONE; count], &domain, &pool).is_err());
        }
    }
}
