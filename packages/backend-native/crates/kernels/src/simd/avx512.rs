use super::{ByTile, Job, Simd};

/// AVX-512 (F, BW, DQ, VL): 16 lanes; with or without products of bfloat16.
#[derive(Clone, Copy)]
pub struct Avx512<const BF16: bool>;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub unsafe fn enter<J: Job>(job: J) -> J::Output {
    job.run(Avx512::<false>)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx2,fma")]
pub unsafe fn enter_bf16<J: Job>(job: J) -> J::Output {
    job.run(Avx512::<true>)
}

mod x86 {
    use super::{Avx512, ByTile, Simd};
    use std::arch::x86_64::*;
    use std::mem::transmute;

    // SAFETY: the trait's promise: the processor has the instructions, pointers are valid.
    #[allow(clippy::undocumented_unsafe_blocks)]
    impl<const BF16: bool> Simd for Avx512<BF16> {
        type V = __m512;
        const LANES: usize = 16;
        const ROWS: usize = 8;

        #[inline(always)]
        unsafe fn by_tile<B: ByTile<Self>>(self, work: B) -> B::Output {
            unsafe { work.run::<8, 3>(self) }
        }

        #[inline(always)]
        fn prefetch(self, from: *const f32) {
            // SAFETY: every such processor has it, and it reads nothing.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(from.cast()) }
        }
        #[inline(always)]
        unsafe fn splat(self, x: f32) -> __m512 {
            unsafe { _mm512_set1_ps(x) }
        }
        #[inline(always)]
        unsafe fn load(self, from: *const f32) -> __m512 {
            unsafe { _mm512_loadu_ps(from) }
        }
        #[inline(always)]
        unsafe fn store(self, to: *mut f32, x: __m512) {
            unsafe { _mm512_storeu_ps(to, x) }
        }
        #[inline(always)]
        unsafe fn load_some(self, from: *const f32, lanes: usize) -> __m512 {
            unsafe { _mm512_maskz_loadu_ps(mask(lanes), from) }
        }
        #[inline(always)]
        unsafe fn store_some(self, to: *mut f32, x: __m512, lanes: usize) {
            unsafe { _mm512_mask_storeu_ps(to, mask(lanes), x) }
        }
        #[inline(always)]
        unsafe fn keep(self, x: __m512, lanes: usize) -> __m512 {
            unsafe { _mm512_maskz_mov_ps(mask(lanes), x) }
        }
        #[inline(always)]
        unsafe fn add(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_add_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sub(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_sub_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn mul(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_mul_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn div(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_div_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe { _mm512_fmadd_ps(a, b, c) }
        }
        #[inline(always)]
        unsafe fn min(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_min_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn max(self, a: __m512, b: __m512) -> __m512 {
            unsafe { _mm512_max_ps(a, b) }
        }
        #[inline(always)]
        unsafe fn sqrt(self, x: __m512) -> __m512 {
            unsafe { _mm512_sqrt_ps(x) }
        }
        #[inline(always)]
        unsafe fn abs(self, x: __m512) -> __m512 {
            unsafe { _mm512_abs_ps(x) }
        }
        #[inline(always)]
        unsafe fn round(self, x: __m512) -> __m512 {
            unsafe { _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(x) }
        }
        #[inline(always)]
        unsafe fn exp2(self, n: __m512) -> __m512 {
            unsafe {
                let exponent = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
                _mm512_castsi512_ps(_mm512_slli_epi32::<23>(exponent))
            }
        }
        #[inline(always)]
        unsafe fn if_negative(self, x: __m512, then: __m512, otherwise: __m512) -> __m512 {
            unsafe {
                let below = _mm512_cmp_ps_mask::<_CMP_LT_OQ>(x, _mm512_setzero_ps());
                _mm512_mask_blend_ps(below, otherwise, then)
            }
        }
        #[inline(always)]
        unsafe fn sum(self, x: __m512) -> f32 {
            unsafe { _mm512_reduce_add_ps(x) }
        }
        #[inline(always)]
        unsafe fn largest(self, x: __m512) -> f32 {
            unsafe { _mm512_reduce_max_ps(x) }
        }
        #[inline(always)]
        unsafe fn dot2(self, a: __m512, b: __m512, c: __m512) -> __m512 {
            unsafe {
                if BF16 {
                    let (a, b) = (
                        transmute::<__m512, __m512bh>(a),
                        transmute::<__m512, __m512bh>(b),
                    );
                    return _mm512_dpbf16_ps(c, a, b);
                }
                let high = _mm512_set1_epi32(-65536);
                let (a, b) = (_mm512_castps_si512(a), _mm512_castps_si512(b));
                let low = |x| _mm512_castsi512_ps(_mm512_slli_epi32::<16>(x));
                let top = |x| _mm512_castsi512_ps(_mm512_and_si512(x, high));
                _mm512_fmadd_ps(top(a), top(b), _mm512_fmadd_ps(low(a), low(b), c))
            }
        }
        #[inline(always)]
        unsafe fn store_bf16(self, to: *mut u16, x: __m512) {
            unsafe {
                if BF16 {
                    let halves = transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x));
                    return _mm256_storeu_si256(to.cast(), halves);
                }
                let kept = _mm512_srli_epi32::<16>(rounded(x));
                _mm256_storeu_si256(to.cast(), _mm512_cvtepi32_epi16(kept));
            }
        }
        #[inline(always)]
        unsafe fn pair(self, low: __m512, high: __m512) -> __m512 {
            unsafe {
                let low = _mm512_srli_epi32::<16>(rounded(low));
                let high = _mm512_and_si512(rounded(high), _mm512_set1_epi32(-65536));
                _mm512_castsi512_ps(_mm512_or_si512(low, high))
            }
        }
        #[inline(always)]
        unsafe fn load_bf16(self, from: *const u16) -> __m512 {
            unsafe {
                let wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from.cast()));
                _mm512_castsi512_ps(_mm512_slli_epi32::<16>(wide))
            }
        }
    }

    /// Float32 of which the upper half is the nearest bfloat16.
    #[inline(always)]
    unsafe fn rounded(x: __m512) -> __m512i {
        // SAFETY: inside of a job with these instructions.
        unsafe {
            let bits = _mm512_castps_si512(x);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let half = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
            // What is not a number would be rounded up to infinity.
            let nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
            let sum = _mm512_add_epi32(bits, half);
            _mm512_mask_blend_epi32(nan, sum, _mm512_set1_epi32(0x7fc0_0000))
        }
    }

    #[inline(always)]
    fn mask(lanes: usize) -> __mmask16 {
        ((1u32 << lanes.min(16)) - 1) as __mmask16
    }
}
