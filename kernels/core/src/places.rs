//! Tensors in the order of addresses: what is committed.

use crate::error::{Error, Result};
use crate::field::F;
use crate::terms::{Interval, TensorBox};

/// Writes the values of a row-major tensor to the places of its boxes in `matrix`, whose first place has the
/// address `first`.
///
/// # Errors
/// [`Error::Shape`] where the tensor is not of that shape, or a box leaves the tensor or the matrix.
pub fn arrange(
    tensor: &[F],
    shape: &[usize],
    boxes: &[TensorBox],
    first: usize,
    matrix: &mut [F],
) -> Result<()> {
    let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis));
    if size != Some(tensor.len()) {
        return Err(Error::Shape("a tensor has more or fewer values than its shape"));
    }
    for b in boxes {
        let inside = |(interval, &axis): (&Interval, &usize)| interval.start + (1 << interval.log) <= axis;
        if b.intervals.len() != shape.len() || !b.intervals.iter().zip(shape).all(inside) {
            return Err(Error::Shape("a box leaves its tensor"));
        }
        let start = b.address.checked_sub(first);
        let places = start.and_then(|start| matrix.get_mut(start..start + (1 << b.log_size())));
        copy(tensor, shape, &b.intervals, places.ok_or(Error::Shape("a box leaves its matrix"))?);
    }
    Ok(())
}

/// Copies a box's part of a tensor, row by row.
fn copy(tensor: &[F], shape: &[usize], intervals: &[Interval], places: &mut [F]) {
    match intervals {
        [] => places.copy_from_slice(tensor),
        [interval] => places.copy_from_slice(&tensor[interval.start..interval.start + places.len()]),
        [interval, rest @ ..] => {
            let row = tensor.len() / shape[0];
            let rows = tensor[interval.start * row..].chunks_exact(row);
            let parts = places.chunks_exact_mut(places.len() >> interval.log);
            parts.zip(rows).for_each(|(part, row)| copy(row, &shape[1..], rest, part));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: u32) -> Vec<F> {
        (1..=count).map(F::new).collect()
    }

    fn tensor_box(address: usize, intervals: &[(usize, usize)]) -> TensorBox {
        let intervals = intervals.iter().map(|&(start, log)| Interval { start, log }).collect();
        TensorBox { address, intervals }
    }

    #[test]
    fn every_value_stands_at_its_address() {
        let boxes = [
            tensor_box(12, &[(0, 1), (0, 1)]),
            tensor_box(8, &[(2, 0), (0, 1)]),
            tensor_box(10, &[(0, 1), (2, 0)]),
            tensor_box(16, &[(2, 0), (2, 0)]),
        ];
        let mut matrix = vec![F::new(0); 9];
        arrange(&values(9), &[3, 3], &boxes, 8, &mut matrix).unwrap();
        assert_eq!(matrix, [7, 8, 3, 6, 1, 2, 4, 5, 9].map(F::new));
        let mut one = [F::new(0)];
        arrange(&values(1), &[], &[tensor_box(0, &[])], 0, &mut one).unwrap();
        assert_eq!(one, [F::new(1)]);
    }

    #[test]
    fn boxes_that_do_not_fit_are_refused() {
        let mut matrix = vec![F::new(0); 4];
        let mut refused = |shape: &[usize], b: TensorBox, first| {
            arrange(&values(4), shape, &[b], first, &mut matrix).is_err()
        };
        assert!(refused(&[3], tensor_box(0, &[(0, 1)]), 0));
        assert!(refused(&[4], tensor_box(0, &[(4, 1)]), 0));
        assert!(refused(&[4], tensor_box(0, &[(0, 1), (0, 0)]), 0));
        assert!(refused(&[4], tensor_box(4, &[(0, 1)]), 0));
        assert!(refused(&[4], tensor_box(0, &[(0, 1)]), 1));
        assert!(!refused(&[4], tensor_box(4, &[(2, 1)]), 4));
    }
}
