//! The column rounds as the transcript sees them, whoever computes their sums.
//!
//! The out-of-domain claim of the weights, at powers of a point z that the key fixes, has the weight
//! z^(c 2^m) z^i, a rank one matrix. In the column rounds it needs only the column values
//! sum_i M[i][c] z^i of all columns, those of the weights known since the key was loaded, and joins w'
//! after them: w over the weights is never filled for it.
//!
//! Random rows of a hiding proof join here as well: few, and on one machine.

use p3_field::PrimeCharacteristicRing;

use crate::error::{Error, Result, ShareCheck};
use crate::field::EF;
use crate::field::vector::{add_sums, fold_top};
use crate::sumcheck::pair::pair_round;
use crate::whir::gram::{Gram, column_variables};
use crate::whir::inner_product::Rounds;
use crate::whir::random_rows::{RandomRows, RandomSums};
use deepprove_verifier::transcript::Transcript;

/// A claim at powers of z on a range of columns, scaled by `coefficient`.
pub struct PowerClaim {
    /// The point.
    pub z: EF,
    /// Scale of the claim in the batch.
    pub coefficient: EF,
    /// The addresses of the claim's columns: z^0 stands at the first row of the first, and row 0 of column number c
    /// of the claim has the weight z^(c 2^m).
    pub addresses: Vec<usize>,
    /// sum_i M[i][a] z^i of the column at **every** address a: binding mixes all of them.
    pub column_values: Vec<EF>,
}

/// The claim, the rank one parts of the sum (values and weights by column), and that of random rows.
pub struct ColumnSumcheck {
    ranks: Vec<[Vec<EF>; 2]>,
    random: RandomSums,
    points: Vec<EF>,
    variables: usize,
    claim: EF,
    rounds: Rounds,
}

impl ColumnSumcheck {
    /// Rounds over `columns` columns of 2^`log_rows` rows, and the random rows of some of them, with a claim.
    ///
    /// # Errors
    /// [`Error::Shape`] where a claim at powers, or random rows, do not fit the columns.
    pub fn new(
        columns: usize,
        log_rows: usize,
        powers: &[PowerClaim],
        random: &RandomRows,
        claim: EF,
    ) -> Result<Self> {
        if powers.iter().any(|p| !p.fits(columns)) {
            return Err(Error::Shape("a claim at powers of a point does not fit the committed columns"));
        }
        let variables = column_variables(columns);
        Ok(Self {
            ranks: powers.iter().map(|p| p.by_column(1 << log_rows, variables)).collect(),
            random: RandomSums::new(random, columns, variables)?,
            points: powers.iter().map(|p| p.z).collect(),
            variables,
            claim,
            rounds: Rounds::default(),
        })
    }

    /// Checks, before the first round, that a Gram matrix has the claim, with the other parts of the sum.
    ///
    /// # Errors
    /// [`Error::Share`] where it has not.
    pub fn check(&self, gram: &Gram) -> Result<()> {
        let parts = self.ranks.iter().flat_map(|[v, w]| v.iter().zip(w)).map(|(&v, &w)| v * w);
        if gram.trace() + parts.sum::<EF>() + self.random.total() != self.claim {
            return Err(Error::Share(ShareCheck::ColumnClaim));
        }
        Ok(())
    }

    /// The rounds that a Gram matrix gives; returns their challenges.
    pub fn gram(&mut self, gram: Gram, transcript: &mut Transcript) -> Vec<EF> {
        gram.run(|sums| self.send(sums, transcript))
    }

    /// Sends one round: the main sum and the other parts, which it binds.
    pub fn send(&mut self, sums: [EF; 2], transcript: &mut Transcript) -> EF {
        let ranks = self.ranks.iter().map(|[values, weights]| pair_round(values, weights));
        let sums = ranks.fold(add_sums(sums, self.random.round()), add_sums);
        let r = self.rounds.send(sums, transcript);
        self.ranks.iter_mut().flatten().for_each(|vector| fold_top(vector, r));
        self.random.bind(r);
        r
    }

    /// Rounds that remain.
    pub fn remaining(&self) -> usize {
        self.variables - self.rounds.point.len()
    }

    /// Points and scales of the claims at powers, as they join w over the rows.
    pub fn power_weights(&self) -> (Vec<EF>, Vec<EF>) {
        (self.points.clone(), self.ranks.iter().map(|[_, weights]| weights[0]).collect())
    }

    /// Values and weights of the random rows, their columns bound to the challenges.
    ///
    /// # Errors
    /// [`Error::Shape`] where rounds remain.
    pub fn random_rows(&self) -> Result<[Vec<EF>; 2]> {
        if self.remaining() > 0 {
            return Err(Error::Shape("column rounds remain"));
        }
        Ok(self.random.remaining())
    }

    /// What was sent, and the challenges.
    pub fn rounds(&self) -> &Rounds {
        &self.rounds
    }
}

impl PowerClaim {
    fn fits(&self, columns: usize) -> bool {
        self.column_values.len() == columns && self.addresses.iter().all(|&address| address < columns)
    }

    /// The claim's values and weights over all 2^variables columns.
    fn by_column(&self, rows: usize, variables: usize) -> [Vec<EF>; 2] {
        let mut values = self.column_values.clone();
        values.resize(1 << variables, EF::ZERO);
        let mut weights = vec![EF::ZERO; 1 << variables];
        let powers = self.z.exp_u64(rows as u64).shifted_powers(self.coefficient);
        self.addresses.iter().zip(powers).for_each(|(&address, power)| weights[address] += power);
        [values, weights]
    }
}
