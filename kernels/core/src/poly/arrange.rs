//! Tensors in the order of addresses: what is committed.

use crate::error::{Error, Result};
use crate::field::F;
use crate::parts::residue::Residue;
use deepprove_verifier::blocks::{DyadicBlock, Interval};

/// Writes a part's values of a row-major tensor to the addresses of its blocks in `matrix`. The matrix
/// holds that part of the addresses from `first` on, a multiple of the number of parts.
///
/// # Errors
/// [`Error::Shape`] where the tensor is not of that shape, or a block leaves the tensor or the matrix.
pub fn arrange(
    tensor: &[F],
    shape: &[usize],
    blocks: &[DyadicBlock],
    first: usize,
    part: Residue,
    matrix: &mut [F],
) -> Result<()> {
    let size = shape.iter().try_fold(1_usize, |size, &axis| size.checked_mul(axis));
    if size != Some(tensor.len()) {
        return Err(Error::Shape("a tensor has more or fewer values than its shape"));
    }
    let parts = 1 << part.log_parts;
    for b in blocks {
        let inside = |(interval, &axis): (&Interval, &usize)| interval.start + (1 << interval.log) <= axis;
        if b.intervals.len() != shape.len() || !b.intervals.iter().zip(shape).all(inside) {
            return Err(Error::Shape("a block leaves its tensor"));
        }
        let start = b.address.checked_sub(first);
        let start = start.filter(|start| start + (1 << b.log_size()) <= matrix.len() << part.log_parts);
        let mut address = start.ok_or(Error::Shape("a block leaves its matrix"))?;
        for_each_row(tensor, shape, &b.intervals, &mut |row: &[F]| {
            if parts == 1 {
                matrix[address..address + row.len()].copy_from_slice(row);
                address += row.len();
                return;
            }
            let skip = part.index.wrapping_sub(address) & (parts - 1);
            let values = row.iter().skip(skip).step_by(parts);
            let targets = matrix.iter_mut().skip((address + skip) >> part.log_parts);
            targets.zip(values).for_each(|(target, &value)| *target = value);
            address += row.len();
        });
    }
    Ok(())
}

/// The rows of a block's part of a tensor, in row-major order.
fn for_each_row<T>(tensor: &[T], shape: &[usize], intervals: &[Interval], visit: &mut impl FnMut(&[T])) {
    match intervals {
        [] => visit(tensor),
        [interval] => visit(&tensor[interval.start..interval.start + (1 << interval.log)]),
        [interval, inner @ ..] => {
            let row = tensor.len() / shape[0];
            let rows = tensor[interval.start * row..].chunks_exact(row).take(1 << interval.log);
            rows.for_each(|tensor| for_each_row(tensor, &shape[1..], inner, visit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(count: u32) -> Vec<F> {
        (1..=count).map(F::new).collect()
    }

    fn dyadic_block(address: usize, intervals: &[(usize, usize)]) -> DyadicBlock {
        let intervals = intervals.iter().map(|&(start, log)| Interval { start, log }).collect();
        DyadicBlock { address, intervals }
    }

    #[test]
    fn every_value_stands_at_its_address() {
        let blocks = [
            dyadic_block(12, &[(0, 1), (0, 1)]),
            dyadic_block(8, &[(2, 0), (0, 1)]),
            dyadic_block(10, &[(0, 1), (2, 0)]),
            dyadic_block(16, &[(2, 0), (2, 0)]),
        ];
        let mut matrix = vec![F::new(0); 9];
        arrange(&values(9), &[3, 3], &blocks, 8, Residue::WHOLE, &mut matrix).unwrap();
        assert_eq!(matrix, [7, 8, 3, 6, 1, 2, 4, 5, 9].map(F::new));
        let whole = [&matrix[..], &[F::new(0); 7]].concat();
        for log_parts in 0..4 {
            for index in 0..1 << log_parts {
                let part = Residue::new(log_parts, index).unwrap();
                let mut partial = vec![F::new(0); 16 >> log_parts];
                arrange(&values(9), &[3, 3], &blocks, 8, part, &mut partial).unwrap();
                assert_eq!(partial, part.take(&whole));
            }
        }
        let mut one = [F::new(0)];
        arrange(&values(1), &[], &[dyadic_block(0, &[])], 0, Residue::WHOLE, &mut one).unwrap();
        assert_eq!(one, [F::new(1)]);
    }

    #[test]
    fn blocks_that_do_not_fit_are_refused() {
        let mut matrix = vec![F::new(0); 4];
        let mut refused = |shape: &[usize], b: DyadicBlock, first| {
            arrange(&values(4), shape, &[b], first, Residue::WHOLE, &mut matrix).is_err()
        };
        assert!(refused(&[3], dyadic_block(0, &[(0, 1)]), 0));
        assert!(refused(&[4], dyadic_block(0, &[(4, 1)]), 0));
        assert!(refused(&[4], dyadic_block(0, &[(0, 1), (0, 0)]), 0));
        assert!(refused(&[4], dyadic_block(4, &[(0, 1)]), 0));
        assert!(refused(&[4], dyadic_block(0, &[(0, 1)]), 1));
        assert!(!refused(&[4], dyadic_block(4, &[(2, 1)]), 4));
    }
}
