//! Lanes of 32 bits. Each adds two products of 16 bits at once: four times what floats of 64 bits do.

/// A pair of 16-bit integers in one word; the first one is in the lower half.
#[inline(always)]
pub fn pair(first: i16, second: i16) -> i32 {
    (i32::from(first) & 0xffff) | (i32::from(second) << 16)
}

pub use arch::{LANES, Lanes, ROWS};

#[cfg(all(target_arch = "x86_64", target_feature = "avx512bw"))]
mod arch {
    use core::arch::x86_64::*;

    pub const LANES: usize = 16;
    /// With two vectors of sums for each row, these and what they read fill the registers.
    pub const ROWS: usize = 12;

    #[derive(Clone, Copy)]
    pub struct Lanes(__m512i);

    impl Lanes {
        #[inline(always)]
        pub fn splat(pair: i32) -> Self {
            // SAFETY: the build has the feature.
            Self(unsafe { _mm512_set1_epi32(pair) })
        }

        #[inline(always)]
        pub fn load(pairs: &[i32; LANES]) -> Self {
            // SAFETY: the array has as many bytes as the vector; the load asks for no alignment.
            Self(unsafe { _mm512_loadu_si512(pairs.as_ptr().cast()) })
        }

        #[inline(always)]
        pub fn store(self, sums: &mut [i32; LANES]) {
            // SAFETY: the array has as many bytes as the vector; the store asks for no alignment.
            unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), self.0) }
        }

        /// Times 2^16, modulo 2^32.
        #[inline(always)]
        pub fn times_high(self) -> Self {
            // SAFETY: the build has the feature.
            Self(unsafe { _mm512_slli_epi32::<16>(self.0) })
        }

        /// The sum with both products of each pair, modulo 2^32.
        #[inline(always)]
        pub fn add_products(self, left: Self, right: Self) -> Self {
            #[cfg(target_feature = "avx512vnni")]
            // SAFETY: the build has the feature.
            return Self(unsafe { _mm512_dpwssd_epi32(self.0, left.0, right.0) });
            #[cfg(not(target_feature = "avx512vnni"))]
            // SAFETY: the build has the feature.
            return Self(unsafe { _mm512_add_epi32(self.0, _mm512_madd_epi16(left.0, right.0)) });
        }
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "avx2", not(target_feature = "avx512bw")))]
mod arch {
    use core::arch::x86_64::*;

    pub const LANES: usize = 8;
    /// With two vectors of sums for each row, these and what they read fill the registers.
    pub const ROWS: usize = 6;

    #[derive(Clone, Copy)]
    pub struct Lanes(__m256i);

    impl Lanes {
        #[inline(always)]
        pub fn splat(pair: i32) -> Self {
            // SAFETY: the build has the feature.
            Self(unsafe { _mm256_set1_epi32(pair) })
        }

        #[inline(always)]
        pub fn load(pairs: &[i32; LANES]) -> Self {
            // SAFETY: the array has as many bytes as the vector; the load asks for no alignment.
            Self(unsafe { _mm256_loadu_si256(pairs.as_ptr().cast()) })
        }

        #[inline(always)]
        pub fn store(self, sums: &mut [i32; LANES]) {
            // SAFETY: the array has as many bytes as the vector; the store asks for no alignment.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().cast(), self.0) }
        }

        /// Times 2^16, modulo 2^32.
        #[inline(always)]
        pub fn times_high(self) -> Self {
            // SAFETY: the build has the feature.
            Self(unsafe { _mm256_slli_epi32::<16>(self.0) })
        }

        /// The sum with both products of each pair, modulo 2^32.
        #[inline(always)]
        pub fn add_products(self, left: Self, right: Self) -> Self {
            // SAFETY: the build has the feature.
            Self(unsafe { _mm256_add_epi32(self.0, _mm256_madd_epi16(left.0, right.0)) })
        }
    }
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2")))]
mod arch {
    pub const LANES: usize = 4;
    pub const ROWS: usize = 4;

    #[derive(Clone, Copy)]
    pub struct Lanes([i32; LANES]);

    impl Lanes {
        #[inline(always)]
        pub fn splat(pair: i32) -> Self {
            Self([pair; LANES])
        }

        #[inline(always)]
        pub fn load(pairs: &[i32; LANES]) -> Self {
            Self(*pairs)
        }

        #[inline(always)]
        pub fn store(self, sums: &mut [i32; LANES]) {
            *sums = self.0;
        }

        /// Times 2^16, modulo 2^32.
        #[inline(always)]
        pub fn times_high(self) -> Self {
            Self(self.0.map(|sum| sum << 16))
        }

        /// The sum with both products of each pair, modulo 2^32.
        #[inline(always)]
        pub fn add_products(self, left: Self, right: Self) -> Self {
            Self(std::array::from_fn(|lane| {
                let ((a, b), (c, d)) = (halves(left.0[lane]), halves(right.0[lane]));
                self.0[lane].wrapping_add((a * c).wrapping_add(b * d))
            }))
        }
    }

    fn halves(pair: i32) -> (i32, i32) {
        (i32::from(pair as i16), pair >> 16)
    }
}
