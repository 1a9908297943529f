//! Fractions of consecutive leaves as linear forms in columns of base elements.
//!
//! A lookup's leaf is 1 / (constant + sum_t c_t v_t), so numerator and denominator are combinations of the columns
//! u_0 = 1, u_1, ... What a tree's nodes and sums need of two leaves is then bilinear in base elements:
//! ```text
//! p_0 q_1 + q_0 p_1 + lambda q_0 q_1 = sum_ij K_ij u_i v_j.
//! ```
//! A product in the extension is 25 of the base field. A monomial u_i v_j is one, its coefficient five.

use std::borrow::Cow;
use std::ops::{Add, Mul, Sub};

use p3_field::{Algebra, BasedVectorSpace, PrimeCharacteristicRing};

use crate::field::vector::{Element, dot_base};
use crate::field::{EF, EXTENSION_DEGREE, F, PackedEF, PackedF};

/// A numerator and a denominator, or the coefficients that a column has in both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Fraction {
    pub numerator: EF,
    pub denominator: EF,
}

impl Fraction {
    /// 0/1, which adds nothing.
    pub const NOTHING: Self = Self { numerator: EF::ZERO, denominator: EF::ONE };
    const ZERO: Self = Self { numerator: EF::ZERO, denominator: EF::ZERO };
}

impl Add for Fraction {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let denominator = self.denominator + other.denominator;
        Self { numerator: self.numerator + other.numerator, denominator }
    }
}

impl Sub for Fraction {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        let denominator = self.denominator - other.denominator;
        Self { numerator: self.numerator - other.numerator, denominator }
    }
}

impl Mul<EF> for Fraction {
    type Output = Self;
    fn mul(self, factor: EF) -> Self {
        Self { numerator: self.numerator * factor, denominator: self.denominator * factor }
    }
}

/// Base elements of consecutive leaves.
type Column<'a> = Cow<'a, [PackedF]>;

/// The fractions of some packs of leaves.
#[derive(Clone, Debug)]
pub(crate) struct Forms<'a> {
    packs: usize,
    constant: Fraction,
    columns: Vec<(Fraction, Column<'a>)>,
}

impl<'a> Forms<'a> {
    /// The constant and the sum of all columns, of `packs` packs each, times their coefficients.
    pub fn new(packs: usize, constant: Fraction, columns: Vec<(Fraction, Column<'a>)>) -> Self {
        debug_assert!(columns.iter().all(|(_, column)| column.len() == packs));
        Self { packs, constant, columns }
    }

    /// Any fractions: the coordinates of both over the base field are the columns.
    pub fn of_values(numerators: &[PackedEF], denominators: &[PackedEF]) -> Self {
        let mut columns: Vec<(Fraction, Column<'a>)> = Vec::with_capacity(2 * EXTENSION_DEGREE);
        for (k, unit) in units().into_iter().enumerate() {
            let coordinate = |values: &[PackedEF]| -> Vec<PackedF> {
                values.iter().map(|value| value.as_basis_coefficients_slice()[k]).collect()
            };
            let of_numerator = Fraction { numerator: unit, ..Fraction::ZERO };
            let of_denominator = Fraction { denominator: unit, ..Fraction::ZERO };
            for (coefficient, values) in [(of_numerator, numerators), (of_denominator, denominators)] {
                columns.push((coefficient, Cow::Owned(coordinate(values))));
            }
        }
        // Numerators are of the base field.
        columns.retain(|(_, column)| column.iter().any(|&pack| pack != PackedF::ZERO));
        Self { packs: numerators.len(), constant: Fraction::ZERO, columns }
    }

    /// How many packs there are.
    pub fn packs(&self) -> usize {
        self.packs
    }

    /// The first packs.
    pub fn first(mut self, packs: usize) -> Self {
        for (_, column) in &mut self.columns {
            match column {
                Cow::Borrowed(values) => *values = &values[..packs],
                Cow::Owned(values) => values.truncate(packs),
            }
        }
        self.packs = packs;
        self
    }

    /// The fractions less those of `other`, of as many packs. Columns with the same coefficients become one.
    pub fn minus<'b>(&'b self, other: &'b Self) -> Forms<'b> {
        let alike = self.columns.len() == other.columns.len()
            && self.columns.iter().zip(&other.columns).all(|((a, _), (b, _))| a == b);
        let columns = if alike {
            let pairs = self.columns.iter().zip(&other.columns);
            let difference = |(u, v): (&PackedF, &PackedF)| *u - *v;
            pairs.map(|((c, u), (_, v))| (*c, u.iter().zip(v.iter()).map(difference).collect())).collect()
        } else {
            self.times(EF::ONE).chain(other.times(-EF::ONE)).collect()
        };
        Forms { packs: self.packs, constant: self.constant - other.constant, columns }
    }

    /// The sum of some fractions, as many packs each, times their weights.
    pub fn combination<'b>(forms: &'b [Self], weights: &[EF]) -> Forms<'b> {
        let weighted = || forms.iter().zip(weights);
        Forms {
            packs: forms.first().map_or(0, |form| form.packs),
            constant: weighted().fold(Fraction::ZERO, |sum, (form, &weight)| sum + form.constant * weight),
            columns: weighted().flat_map(|(form, &weight)| form.times(weight)).collect(),
        }
    }

    fn times(&self, factor: EF) -> impl Iterator<Item = (Fraction, Column<'_>)> {
        self.columns.iter().map(move |(c, column)| (*c * factor, Cow::Borrowed(&**column)))
    }

    /// What `value` makes of the fractions, which is linear in them.
    pub fn linear(&self, value: impl Fn(Fraction) -> EF) -> Terms<'_> {
        let terms = self.columns.iter().map(|(c, column)| (value(*c), Cow::Borrowed(&**column)));
        Terms::new(value(self.constant), terms)
    }
}

/// What values make of the fractions of two children, bilinear in them: one combination of monomials for each value.
pub(crate) fn bilinear<'a, const N: usize>(
    first: &'a Forms<'_>,
    second: &'a Forms<'_>,
    values: [&dyn Fn(Fraction, Fraction) -> EF; N],
) -> [Terms<'a>; N] {
    let constants = values.map(|value| value(first.constant, second.constant));
    let mut terms = constants.map(|constant| Terms { constant, terms: Vec::new() });
    let mut add = |a: Fraction, b: Fraction, column: &dyn Fn() -> Column<'a>| {
        for (terms, value) in terms.iter_mut().zip(values) {
            let coefficient = value(a, b);
            if coefficient != EF::ZERO {
                terms.terms.push((coefficient, column()));
            }
        }
    };
    for (a, u) in &first.columns {
        add(*a, second.constant, &|| Cow::Borrowed(&**u));
    }
    for (b, v) in &second.columns {
        add(first.constant, *b, &|| Cow::Borrowed(&**v));
    }
    for (a, u) in &first.columns {
        for (b, v) in &second.columns {
            add(*a, *b, &|| u.iter().zip(v.iter()).map(|(&u, &v)| u * v).collect());
        }
    }
    terms
}

/// A constant and base elements with their coefficients.
pub(crate) struct Terms<'a> {
    constant: EF,
    terms: Vec<(EF, Column<'a>)>,
}

impl<'a> Terms<'a> {
    fn new(constant: EF, terms: impl Iterator<Item = (EF, Column<'a>)>) -> Self {
        Self { constant, terms: terms.filter(|(c, _)| *c != EF::ZERO).collect() }
    }

    /// Writes the values.
    pub fn write(&self, target: &mut [PackedEF]) {
        target.fill(self.constant.into());
        let (pairs, last) = self.terms.as_chunks::<2>();
        for [(a, u), (b, v)] in pairs {
            let coefficients = |k: usize| [a, b].map(|c| c.as_basis_coefficients_slice()[k]);
            let coefficients: [[F; 2]; EXTENSION_DEGREE] = std::array::from_fn(coefficients);
            for ((value, &u), &v) in target.iter_mut().zip(&**u).zip(&**v) {
                *value += PackedEF::from_basis_coefficients_fn(|k| {
                    PackedF::mixed_dot_product(&[u, v], &coefficients[k])
                });
            }
        }
        for (a, u) in last {
            let a = PackedEF::from(*a);
            target.iter_mut().zip(&**u).for_each(|(value, &u)| *value += a * u);
        }
    }

    /// The sum of the values, each times its weight.
    pub fn sum(&self, weights: &[PackedEF]) -> EF {
        let mut sum = weights.iter().copied().sum::<PackedEF>() * self.constant;
        for (c, column) in &self.terms {
            sum += dot_base(weights, column) * *c;
        }
        sum.lane_sum()
    }
}

/// The basis of the extension.
fn units() -> [EF; EXTENSION_DEGREE] {
    std::array::from_fn(|k| EF::from_basis_coefficients_fn(|i| F::from_bool(i == k)))
}
