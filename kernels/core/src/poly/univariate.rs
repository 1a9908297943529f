//! Values of univariate polynomials given by their coefficients, at a point of the extension.

use p3_field::{PackedFieldExtension, PackedValue, PrimeCharacteristicRing};
use rayon::prelude::*;

use crate::field::{EF, F, PackedEF, PackedF, WIDTH};
use crate::pool::{PARALLEL_THRESHOLD, Pool};

/// Coefficients that one task sums.
const TASK: usize = 1 << 14;
/// Packed powers of the point in a table: with one register a coefficient they fill half of the first
/// cache, and a block's extension product is spread over many coefficients.
const TABLE: usize = 64;
/// Independent Horner chains: one alone would wait for the latency of a product.
const CHAINS: usize = 4;

/// sum_a values[a] z^a for base coefficients.
pub fn evaluate_base(values: &[F], z: EF, pool: &Pool) -> EF {
    let table: Vec<PackedEF> = packed_powers(z).take(TABLE).collect();
    let block_power = PackedEF::from(z.exp_u64((TABLE * WIDTH) as u64));
    in_tasks(values, z, pool, |part| {
        let (whole, tail) = part.split_at(part.len() / WIDTH * WIDTH);
        let blocks = PackedF::pack_slice(whole).chunks(TABLE);
        let sum = blocks.rev().fold(PackedEF::ZERO, |sum, block| {
            let product: PackedEF = table.iter().zip(block).map(|(&power, &value)| power * value).sum();
            sum * block_power + product
        });
        sum_lanes(sum) + horner(tail, z) * z.exp_u64(whole.len() as u64)
    })
}

/// sum_a values[a] z^a for extension coefficients.
pub fn evaluate_extension(values: &[EF], z: EF, pool: &Pool) -> EF {
    let step = PackedEF::from(z.exp_u64((CHAINS * WIDTH) as u64));
    let starts: Vec<PackedEF> = packed_powers(z).take(CHAINS).collect();
    in_tasks(values, z, pool, |part| {
        let (whole, tail) = part.split_at(part.len() / (CHAINS * WIDTH) * (CHAINS * WIDTH));
        let mut chains = [PackedEF::ZERO; CHAINS];
        for group in whole.chunks_exact(CHAINS * WIDTH).rev() {
            for (chain, values) in chains.iter_mut().zip(group.chunks_exact(WIDTH)) {
                *chain = *chain * step + PackedEF::from_ext_slice(values);
            }
        }
        let sum = chains.into_iter().zip(&starts).map(|(chain, &start)| chain * start).sum();
        sum_lanes(sum) + horner(tail, z) * z.exp_u64(whole.len() as u64)
    })
}

/// Adds up the values of consecutive parts, each computed as a separate polynomial.
fn in_tasks<V: Sync>(values: &[V], z: EF, pool: &Pool, evaluate: impl Fn(&[V]) -> EF + Sync) -> EF {
    let value = |(i, part): (usize, &[V])| evaluate(part) * z.exp_u64((i * TASK) as u64);
    if values.len() < PARALLEL_THRESHOLD {
        values.chunks(TASK).enumerate().map(value).sum()
    } else {
        pool.install(|| values.par_chunks(TASK).enumerate().map(value).sum())
    }
}

/// (1, z, .., z^(WIDTH - 1)), then the WIDTH powers after them, and so on.
fn packed_powers(z: EF) -> impl Iterator<Item = PackedEF> {
    let first: Vec<EF> = z.powers().take(WIDTH).collect();
    let step = PackedEF::from(z.exp_u64(WIDTH as u64));
    std::iter::successors(Some(PackedEF::from_ext_slice(&first)), move |&power| Some(power * step))
}

fn sum_lanes(packed: PackedEF) -> EF {
    <PackedEF as PackedFieldExtension<F, EF>>::to_ext_iter([packed]).sum()
}

fn horner<V: Copy>(values: &[V], z: EF) -> EF
where
    EF: From<V>,
{
    values.iter().rev().fold(EF::ZERO, |sum, &value| sum * z + EF::from(value))
}

#[cfg(test)]
mod tests {
    use p3_field::BasedVectorSpace;
    use proptest::prelude::*;

    use super::*;

    fn elements(count: usize, seed: u32) -> Vec<EF> {
        let raw = |i: usize| F::new((i as u32 ^ seed).wrapping_mul(2_654_435_761) >> 2);
        (0..count).map(|i| EF::from_basis_coefficients_fn(|k| raw(5 * i + k))).collect()
    }

    proptest! {
        #[test]
        fn values_are_those_of_horners_scheme(count in 0_usize..20_000, seed: u32, threads in 1_usize..3) {
            let pool = Pool::new(threads).unwrap();
            let values = elements(count, seed);
            let z = elements(1, !seed)[0];
            prop_assert_eq!(evaluate_extension(&values, z, &pool), horner(&values, z));
            let base: Vec<F> = EF::flatten_to_base(values).into_iter().step_by(5).collect();
            prop_assert_eq!(evaluate_base(&base, z, &pool), horner(&base, z));
        }
    }
}
