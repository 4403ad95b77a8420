//! Functions of whole vectors, to within a few units in the last place of float32.

use crate::simd::Simd;

/// `e^x`; 0 far below, the largest there is far above.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn exp<S: Simd>(simd: S, x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let x = simd.min(simd.max(x, simd.splat(-87.33)), simd.splat(88.37));
        // x = n ln 2 + r, the ln 2 in two parts so that r is exact; then e^r as a polynomial.
        let n = simd.round(simd.mul(x, simd.splat(std::f32::consts::LOG2_E)));
        let r = simd.fma(n, simd.splat(-0.693_359_4), x);
        let r = simd.fma(n, simd.splat(2.121_944_4e-4), r);
        let mut p = simd.splat(1.987_569_1e-4);
        for c in [
            1.398_199_9e-3,
            8.333_452e-3,
            4.166_579_6e-2,
            1.666_666_5e-1,
            0.5,
        ] {
            p = simd.fma(p, r, simd.splat(c));
        }
        let p = simd.add(simd.fma(p, simd.mul(r, r), r), simd.splat(1.0));
        simd.mul(p, simd.exp2(n))
    }
}

/// The normal distribution function and its density times `sqrt(2 pi)`.
///
/// Below 0 the former is the latter times a polynomial of `t = 1 / (1 + z / 4)`, which was fitted
/// to it on 0 <= z <= 14: the absolute error is below 5e-9 before rounding.
#[inline(always)]
unsafe fn normal<S: Simd>(simd: S, x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller's promise.
    unsafe {
        let z = simd.abs(x);
        let density = exp(simd, simd.mul(simd.mul(z, z), simd.splat(-0.5)));
        let t = simd.div(
            simd.splat(1.0),
            simd.fma(z, simd.splat(0.25), simd.splat(1.0)),
        );
        let mut p = simd.splat(-0.091_441_42);
        for c in [
            0.340_216_47,
            -0.262_839_15,
            0.275_175_5,
            0.029_370_945,
            0.110_422_13,
            0.099_095_43,
        ] {
            p = simd.fma(p, t, simd.splat(c));
        }
        let tail = simd.mul(simd.mul(p, t), density);
        (
            simd.if_negative(x, tail, simd.sub(simd.splat(1.0), tail)),
            density,
        )
    }
}

/// The exact GELU.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn gelu<S: Simd>(simd: S, x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { simd.mul(x, normal(simd, x).0) }
}

/// The derivative of the exact GELU.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn gelu_slope<S: Simd>(simd: S, x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { gelu_parts(simd, x).1 }
}

/// The exact GELU and its derivative.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn gelu_parts<S: Simd>(simd: S, x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller's promise.
    unsafe {
        let (cdf, density) = normal(simd, x);
        let pdf = simd.mul(density, simd.splat(0.398_942_3));
        (simd.mul(x, cdf), simd.fma(x, pdf, cdf))
    }
}
