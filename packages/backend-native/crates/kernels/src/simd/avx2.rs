use super::{ByTile, Job, Left, Simd, avx2_tile};

/// AVX2 with FMA: 8 lanes.
#[derive(Clone, Copy)]
pub struct Avx2;

#[target_feature(enable = "avx2,fma")]
pub unsafe fn enter<J: Job>(job: J) -> J::Output {
    job.run(Avx2)
}

mod x86 {
    use super::{Avx2, ByTile, Left, Simd, avx2_tile};
    use std::arch::x86_64::*;

    // SAFETY: the trait's promise: the processor has the instructions, pointers are valid.
    #[allow(clippy::undocumented_unsafe_blocks)]
    impl Simd for Avx2 {
        type V = __m256;
        const LANES: usize = 8;
        const ROWS: usize = avx2_tile::ROWS;

        #[inline(always)]
        unsafe fn by_tile<B: ByTile<Self>>(self, work: B) -> B::Output {
            unsafe { work.run::<{ avx2_tile::ROWS }, { avx2_tile::VECTORS }>(self) }
        }

        #[inline(always)]
        unsafe fn tile_by_hand<const ROWS: usize, const VECTORS: usize>(
            self,
            words: usize,
            left: Left<ROWS>,
            right: *const f32,
            panel: usize,
        ) -> Option<[[__m256; VECTORS]; ROWS]> {
            if (ROWS, VECTORS) != (avx2_tile::ROWS, avx2_tile::VECTORS) {
                return None;
            }
            let sums = unsafe {
                match left {
                    Left::Rows(left) => {
                        let left = std::array::from_fn(|i| left[i]);
                        avx2_tile::tile(words, left, right, panel)
                    }
                    Left::Transposed { start, stride } => {
                        avx2_tile::transposed_tile(words, start, stride, right, panel)
                    }
                }
            };
            Some(std::array::from_fn(|i| std::array::from_fn(|j| sums[i][j])))
        }

        #[inline(always)]
        fn prefetch(self, from: *const f32) {
            // SAFETY: every such processor has it, and it reads nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
        }
        #[inline(always)]
        unsafe fn splat(self, x: f32) -> __m256 {
            unsafe { _mm256_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(self, from: *const f32) -> __m256 {
            unsafe { _mm256_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32, x: __m256) {
            unsafe { _mm256_storeu_ps(to, x) }
        }
        #[inline(always)]
        unsafe fn load_some(self, from: *const f32, lanes: usize) -> __m256 {
            unsafe { _mm256_maskload_ps(from, mask(lanes)) }
        }
        #[inline(always)]
        unsafe fn store_some(self, to: *mut f32, x: __m256, lanes: usize) {
            unsafe { _mm256_maskstore_ps(to, mask(lanes), x) }
        }
        #[inline(always)]
        unsafe fn keep(self, x: __m256, lanes: usize) -> __m256 {
            unsafe { _mm256_and_ps(x, _mm256_castsi256_ps(mask(lanes))) }
        }
        #[inline(always)]
        unsafe fn add(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe { _mm256_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn min(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_min_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn max(self, a: __m256, b: __m256) -> __m256 {
            unsafe { _mm256_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sqrt(self, x: __m256) -> __m256 {
            unsafe { _mm256_sqrt_ps(x) }
        }
        #[inline(always)]
        unsafe fn abs(self, x: __m256) -> __m256 {
            unsafe { _mm256_andnot_ps(_mm256_set1_ps(-0.0), x) }
        }
        #[inline(always)]
        unsafe fn round(self, x: __m256) -> __m256 {
            unsafe { _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        }
        #[inline(always)]
        unsafe fn exp2(self, n: __m256) -> __m256 {
            unsafe {
                let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
                _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
            }
        }
        #[inline(always)]
        unsafe fn if_negative(self, x: __m256, then: __m256, otherwise: __m256) -> __m256 {
            unsafe {
                let below = _mm256_cmp_ps::<_CMP_LT_OQ>(x, _mm256_setzero_ps());
                _mm256_blendv_ps(otherwise, then, below)
            }
        }
        #[inline(always)]
        unsafe fn sum(self, x: __m256) -> f32 {
            unsafe {
                let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
                let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
        #[inline(always)]
        unsafe fn largest(self, x: __m256) -> f32 {
            unsafe {
                let four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
                let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
                _mm_cvtss_f32(_mm_max_ss(two, _mm_shuffle_ps::<1>(two, two)))
            }
        }
        #[inline(always)]
        unsafe fn dot2(self, a: __m256, b: __m256, c: __m256) -> __m256 {
            unsafe {
                let high = _mm256_castsi256_ps(_mm256_set1_epi32(-65536));
                let low = |x: __m256| {
                    _mm256_castsi256_ps(_mm256_slli_epi32::<16>(_mm256_castps_si256(x)))
                };
                let first = _mm256_fmadd_ps(low(a), low(b), c);
                _mm256_fmadd_ps(_mm256_and_ps(a, high), _mm256_and_ps(b, high), first)
            }
        }
        #[inline(always)]
        unsafe fn store_bf16(self, to: *mut u16, x: __m256) {
            unsafe {
                let kept = _mm256_srli_epi32::<16>(rounded(x));
                let packed = _mm256_permute4x64_epi64::<0b1000>(_mm256_packus_epi32(kept, kept));
                _mm_storeu_si128(to.cast(), _mm256_castsi256_si128(packed));
            }
        }
        #[inline(always)]
        unsafe fn pair(self, low: __m256, high: __m256) -> __m256 {
            unsafe {
                let low = _mm256_srli_epi32::<16>(rounded(low));
                let high = _mm256_and_si256(rounded(high), _mm256_set1_epi32(-65536));
                _mm256_castsi256_ps(_mm256_or_si256(low, high))
            }
        }
        #[inline(always)]
        unsafe fn load_bf16(self, from: *const u16) -> __m256 {
            unsafe {
                let wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(from.cast()));
                _mm256_castsi256_ps(_mm256_slli_epi32::<16>(wide))
            }
        }
    }

    /// Float32 of which the upper half is the nearest bfloat16.
    #[inline(always)]
    unsafe fn rounded(x: __m256) -> __m256i {
        // SAFETY: inside of a job with these instructions.
        unsafe {
            let bits = _mm256_castps_si256(x);
            let odd = _mm256_and_si256(_mm256_srli_epi32::<16>(bits), _mm256_set1_epi32(1));
            let half = _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff));
            // What is not a number would be rounded up to infinity.
            let nan = _mm256_castps_si256(_mm256_cmp_ps::<_CMP_UNORD_Q>(x, x));
            _mm256_blendv_epi8(
                _mm256_add_epi32(bits, half),
                _mm256_set1_epi32(0x7fc0_0000),
                nan,
            )
        }
    }

    #[inline(always)]
    unsafe fn mask(lanes: usize) -> __m256i {
        // SAFETY: inside of a job with these instructions.
        unsafe {
            _mm256_cmpgt_epi32(
                _mm256_set1_epi32(lanes as i32),
                _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
            )
        }
    }
}
