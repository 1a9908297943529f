//! How the domain of a code is cut into cosets for a matrix.
//!
//! The domain is the union of T cosets s_t <w^T>, 0 <= t < T, of k positions each, w being a root of unity
//! of order T k and s_t = s_0 w^t. On coset t a polynomial equals its residue modulo X^k - s_t^k, and
//! position T i + t of the domain is row i of the transform, of size k, of that residue with coefficient j
//! scaled by s_t^j.
//!
//! Where k exceeds the degree, a residue is the polynomial itself; so k is the least such power of two, or
//! all positions where they are fewer: T transforms without a zero in them. Cosets of a tall matrix are
//! transformed side by side, as one matrix with longer rows, and it is cut into more cosets than it has to be,
//! until these rows fill whole registers and a block of them fits the second cache.

use p3_field::{PrimeCharacteristicRing, TwoAdicField};
use p3_util::log2_ceil_usize;

use crate::field::{F, LOG_WIDTH};

/// From this many base columns on, rows fill registers without others beside them.
const SHORT: usize = 1 << 4;
/// The logarithm of the fewest values in a row of a tall matrix's block.
const LOG_ROW_VALUES: usize = 5;
/// The logarithm of the most values in a row of all of a tall matrix's blocks together, of which 16 rows
/// fit the second cache.
const LOG_ALL_VALUES: usize = 12;
/// Values of a tall matrix that are transformed at once: they fit the second cache.
const BLOCK_VALUES: usize = 1 << 18;

/// The cosets of a domain, for a matrix.
pub(crate) struct Cosets {
    /// Logarithm of the number of positions in a coset.
    pub(crate) log_size: usize,
    /// Logarithm of the number of cosets side by side in a block.
    pub(crate) log_side: usize,
    /// Coefficients from 2^log_degree on are zero.
    pub(crate) log_degree: usize,
    /// Base columns of the matrix.
    pub(crate) width: usize,
    /// The first point of each coset.
    pub(crate) shifts: Vec<F>,
}

impl Cosets {
    /// The positions are `first` times the subgroup of order 2^log_positions; the matrix has `width` base
    /// columns, polynomials of degree below `degree`.
    pub(crate) fn new(log_positions: usize, first: F, width: usize, degree: usize) -> Self {
        let mut log_degree = log2_ceil_usize(degree.max(1));
        let mut log_size = log_degree.min(log_positions);
        if width < SHORT {
            let whole_registers = LOG_WIDTH.saturating_sub(width.trailing_zeros() as usize);
            let long_rows = LOG_ROW_VALUES - width.ilog2() as usize;
            let log_least_side = whole_registers.max(long_rows).min(log_positions);
            let log_cached = (BLOCK_VALUES / width).ilog2() as usize - log_least_side;
            log_size = log_size.min(log_positions - log_least_side).min(log_cached);
            log_size = log_size.max((log_positions + log2_ceil_usize(width)).saturating_sub(LOG_ALL_VALUES));
            log_degree = log_degree.max(log_size);
        }
        let log_cosets = log_positions - log_size;
        let most_side = if width < SHORT { BLOCK_VALUES / (width << log_size) } else { 1 };
        let log_side = most_side.clamp(1, 1 << log_cosets).ilog2() as usize;
        let step = F::two_adic_generator(log_positions);
        let shifts = step.shifted_powers(first).take(1 << log_cosets).collect();
        Self { log_size, log_side, log_degree, width, shifts }
    }

    /// Whether the matrix has few columns.
    pub(crate) fn is_tall(&self) -> bool {
        self.width < SHORT
    }

    /// Logarithm of the number of cosets.
    pub(crate) fn log_count(&self) -> usize {
        self.shifts.len().ilog2() as usize
    }
}
