//! Affine expressions under a product of one weight vector an axis, as terms of a claim.
//!
//! The weighted sum of all values of an expression is a sum of inner products with tensors, plus a number. A term
//! that lacks an axis takes that axis's sum of weights. An index map pulls the weights of what it follows back to
//! the tensor's axis. A constant counts for the positions that it covers, and so does a term that covers further
//! axes.

use crate::axis_weights::{AxisMap, AxisWeights};
use crate::error::{Error, Result};
use crate::field::{EF, F};
use crate::terms::{AxisVector, TensorTerm, TensorWeights};

const OTHER_AXES: Error = Error::Shape("an expression has other axes than its weights or its tensors");

/// What an axis of a tensor follows.
#[derive(Clone, Debug)]
pub enum Followed {
    /// One axis of the expression, index by index.
    Axis(usize),
    /// Some of them by a map.
    Map(AxisMap),
}

impl Followed {
    fn axes(&self) -> &[usize] {
        match self {
            Self::Axis(axis) => std::slice::from_ref(axis),
            Self::Map(map) => &map.axes,
        }
    }
}

/// coefficient * tensor; where there are more axes than the tensor has, maps that cover positions of these.
#[derive(Clone, Debug)]
pub struct ExpressionTerm {
    /// The coefficient.
    pub coefficient: F,
    /// The tensor's index.
    pub tensor: usize,
    /// What each of its axes follows, then covers.
    pub axes: Vec<Followed>,
}

/// A value at the positions that all maps cover: everywhere, if there are none.
#[derive(Clone, Debug)]
pub struct ExpressionConstant {
    /// The value.
    pub value: F,
    /// The maps.
    pub within: Vec<AxisMap>,
}

/// Terms plus constants over an index space.
#[derive(Clone, Debug)]
pub struct Expression {
    /// The size of each axis.
    space: Vec<usize>,
    /// Each with the axes of the space that it lacks.
    terms: Vec<(ExpressionTerm, Vec<usize>)>,
    /// The same of constants.
    constants: Vec<(ExpressionConstant, Vec<usize>)>,
}

impl Expression {
    /// An expression over the axes of these sizes.
    pub fn new(space: Vec<usize>, terms: Vec<ExpressionTerm>, constants: Vec<ExpressionConstant>) -> Self {
        let without = |followed: &[usize]| (0..space.len()).filter(|axis| !followed.contains(axis)).collect();
        let terms = terms.into_iter().map(|term| {
            let followed: Vec<usize> = term.axes.iter().flat_map(Followed::axes).copied().collect();
            (term, without(&followed))
        });
        let constants = constants.into_iter().map(|constant| {
            let followed: Vec<usize> = constant.within.iter().flat_map(|map| &map.axes).copied().collect();
            (constant, without(&followed))
        });
        let (terms, constants) = (terms.collect(), constants.collect());
        Self { space, terms, constants }
    }

    /// `scale` times the weighted expression: terms over tensors, whose shapes are `shapes`, and the known part.
    ///
    /// # Errors
    /// [`Error::Shape`] where weights or tensors do not fit.
    pub fn claim(
        &self,
        weights: &[&AxisWeights],
        scale: EF,
        shapes: &[Vec<usize>],
    ) -> Result<(Vec<TensorTerm>, EF)> {
        if !self.space.iter().copied().eq(weights.iter().map(|axis| axis.size())) {
            return Err(OTHER_AXES);
        }
        let lacked = |axes: &[usize]| -> EF {
            axes.iter().filter_map(|&axis| weights.get(axis)).map(|axis| axis.total()).product()
        };
        let term = |(term, lacking): &(ExpressionTerm, Vec<usize>)| {
            let shape = shapes.get(term.tensor).ok_or(OTHER_AXES)?;
            let (axes, covers) = term.axes.split_at_checked(shape.len()).ok_or(OTHER_AXES)?;
            let covered = covers.iter().map(|cover| cover.covered(weights)).product::<Result<EF>>()?;
            let vectors = axes.iter().zip(shape).map(|(axis, &size)| axis.pull_back(weights, size));
            let weights = TensorWeights::Product(vectors.collect::<Result<_>>()?);
            let coefficient = scale * term.coefficient * lacked(lacking) * covered;
            Ok(TensorTerm { coefficient, tensor: term.tensor, weights })
        };
        let constant = |(constant, lacking): &(ExpressionConstant, Vec<usize>)| {
            let covered =
                constant.within.iter().map(|cover| cover.covered(weights)).product::<Result<EF>>()?;
            Ok(scale * constant.value * lacked(lacking) * covered)
        };
        let terms = self.terms.iter().map(term).collect::<Result<_>>()?;
        let known = self.constants.iter().map(constant).sum::<Result<EF>>()?;
        Ok((terms, known))
    }
}

impl Followed {
    /// The weights of a tensor's axis of `size` indices, from those of the expression's axes.
    fn pull_back(&self, weights: &[&AxisWeights], size: usize) -> Result<AxisVector> {
        match self {
            Self::Axis(axis) => {
                let weights = weights.get(*axis).filter(|axis| axis.size() == size).ok_or(OTHER_AXES)?;
                Ok(weights.vector())
            }
            Self::Map(map) => map.pull_back(weights, size),
        }
    }

    /// What a cover beside the tensor's axes counts for.
    fn covered(&self, weights: &[&AxisWeights]) -> Result<EF> {
        match self {
            Self::Axis(_) => Err(OTHER_AXES),
            Self::Map(map) => map.covered(weights),
        }
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;

    use super::*;
    use crate::axis_weights::Indices;
    use crate::testing::*;

    fn cover(axis: usize, first: usize, end: usize) -> AxisMap {
        let indices = Indices::Steps { offset: 0, stride: 0, taps: 1, dilation: 1 };
        AxisMap { axes: vec![axis], first, end, indices, scale: Vec::new() }
    }

    fn weights(sizes: &[usize]) -> Vec<AxisWeights> {
        (0..).zip(sizes).map(|(seed, &size)| AxisWeights::explicit(elements(seed, size))).collect()
    }

    #[test]
    fn terms_and_constants_have_the_weights_of_what_they_cover() {
        let axes = weights(&[2, 3, 4]);
        let all: Vec<&AxisWeights> = axes.iter().collect();
        // 7 x[c, a], within 1 <= b < 3; then 5 everywhere, and 9 where 0 <= b < 2.
        let followed = vec![Followed::Axis(2), Followed::Axis(0), Followed::Map(cover(1, 1, 3))];
        let term = ExpressionTerm { coefficient: F::from_usize(7), tensor: 1, axes: followed };
        let constant = |value, within| ExpressionConstant { value: F::from_usize(value), within };
        let constants = vec![constant(5, Vec::new()), constant(9, vec![cover(1, 0, 2)])];
        let expression = Expression::new(vec![2, 3, 4], vec![term], constants);
        let scale = element(9);
        let (terms, known) = expression.claim(&all, scale, &[vec![8], vec![4, 2]]).unwrap();
        let [a, b, c] = [&axes[0], &axes[1], &axes[2]];
        let vectors = TensorWeights::Product(vec![c.vector(), a.vector()]);
        let coefficient = scale * F::from_usize(7) * b.sum(1, 3);
        assert_eq!(terms, [TensorTerm { coefficient, tensor: 1, weights: vectors }]);
        let others = a.total() * c.total();
        assert_eq!(known, scale * others * (b.total() * F::from_usize(5) + b.sum(0, 2) * F::from_usize(9)));
    }

    #[test]
    fn an_axis_that_is_lacked_is_summed() {
        let axes = weights(&[2, 3]);
        let all: Vec<&AxisWeights> = axes.iter().collect();
        let term = ExpressionTerm { coefficient: F::ONE, tensor: 0, axes: vec![Followed::Axis(1)] };
        let expression = Expression::new(vec![2, 3], vec![term], Vec::new());
        let (terms, known) = expression.claim(&all, EF::ONE, &[vec![3]]).unwrap();
        assert_eq!((terms[0].coefficient, known), (axes[0].total(), EF::ZERO));
        for shapes in [&[][..], &[vec![]], &[vec![2]], &[vec![3, 3]]] {
            assert_eq!(expression.claim(&all, EF::ONE, shapes).unwrap_err(), OTHER_AXES);
        }
        assert_eq!(expression.claim(&all[..1], EF::ONE, &[vec![3]]).unwrap_err(), OTHER_AXES);
    }
}
