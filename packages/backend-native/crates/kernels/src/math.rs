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

/// Half of what an odd function makes of `x`, plus a half: a quotient of polynomials of `x^2`,
/// lowest power last, that was fitted to it on `|x| <= end` and is held there beyond.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
unsafe fn step_of<S: Simd, const N: usize, const D: usize>(
    simd: S,
    x: S::V,
    end: f32,
    above: [f32; N],
    below: [f32; D],
) -> S::V {
    // SAFETY: the caller's promise.
    unsafe {
        let x = simd.min(simd.max(x, simd.splat(-end)), simd.splat(end));
        let square = simd.mul(x, x);
        let mut p = simd.splat(above[0]);
        for &c in &above[1..] {
            p = simd.fma(p, square, simd.splat(c));
        }
        let mut q = simd.splat(below[0]);
        for &c in &below[1..] {
            q = simd.fma(q, square, simd.splat(c));
        }
        simd.fma(x, simd.div(p, q), simd.splat(0.5))
    }
}

/// Where the normal distribution function is 0 or 1 to the last place.
const END: f32 = 5.2;

/// The normal distribution function, within 2e-7.
#[inline(always)]
unsafe fn normal<S: Simd>(simd: S, x: S::V) -> S::V {
    let above = [
        2.473_121e-8,
        6.407_859e-6,
        1.568_592_4e-4,
        4.608_630_7e-3,
        3.254_433_7e-2,
        3.989_422_6e-1,
    ];
    let below = [
        1.258_868_8e-6,
        7.049_527e-5,
        1.817_189_1e-3,
        2.792_656_2e-2,
        2.482_429e-1,
        1.0,
    ];
    // SAFETY: the caller's promise.
    unsafe { step_of(simd, x, END, above, below) }
}

/// The exact GELU, `x` times the normal distribution function: within a few units in the last
/// place of the larger of `x` and 1.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn gelu<S: Simd>(simd: S, x: S::V) -> S::V {
    // SAFETY: the caller's promise.
    unsafe { simd.mul(simd.max(x, simd.splat(-END)), normal(simd, x)) }
}

/// The derivative of the exact GELU, within 3e-7.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn gelu_slope<S: Simd>(simd: S, x: S::V) -> S::V {
    let above = [
        -2.807_981_5e-11,
        1.153_268_2e-8,
        8.916_378e-7,
        3.205_914_3e-5,
        1.973_841_6e-4,
        1.376_369_3e-2,
        -2.290_044_7e-2,
        7.978_845e-1,
    ];
    let below = [
        3.023_233_7e-7,
        9.681_793e-6,
        2.369_203_7e-4,
        3.901_905e-3,
        4.379_497e-2,
        3.046_316e-1,
        1.0,
    ];
    // SAFETY: the caller's promise.
    unsafe { step_of(simd, x, 5.8, above, below) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, Job};

    /// A function of every number of a slice.
    struct Each<'a>(&'a [f32], Which);

    #[derive(Clone, Copy)]
    enum Which {
        Exp,
        Gelu,
        Slope,
    }

    impl Job for Each<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut results = vec![0.0; self.0.len() + S::LANES];
            for (i, &x) in self.0.iter().enumerate() {
                // SAFETY: inside of a job; there is room for a vector behind each.
                unsafe {
                    let x = simd.splat(x);
                    let y = match self.1 {
                        Which::Exp => exp(simd, x),
                        Which::Gelu => gelu(simd, x),
                        Which::Slope => gelu_slope(simd, x),
                    };
                    simd.store(results.as_mut_ptr().add(i), y);
                }
            }
            results.truncate(self.0.len());
            results
        }
    }

    /// The normal distribution function in float64, by the series of its integral.
    fn cdf(x: f64) -> f64 {
        if x.abs() > 7.0 {
            return if x < 0.0 { 0.0 } else { 1.0 };
        }
        let (mut term, mut sum) = (x, x);
        for n in 1..200 {
            term *= x * x / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 + sum * density(x)
    }

    fn density(x: f64) -> f64 {
        (-0.5 * x * x).exp() / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn functions_agree_with_float64() {
        let xs: Vec<f32> = (-4000..=4000).map(|i| i as f32 / 400.0).collect();
        for isa in Isa::present() {
            let check = |which, truth: &dyn Fn(f64) -> f64, size: &dyn Fn(f64) -> f64| {
                for (&x, y) in xs.iter().zip(isa.run(Each(&xs, which))) {
                    let x = f64::from(x);
                    let off = (f64::from(y) - truth(x)).abs();
                    assert!(off <= size(x), "{}: {x}: off by {off}", isa.name());
                }
            };
            check(Which::Exp, &f64::exp, &|x| 3e-7 * x.exp());
            check(Which::Gelu, &|x| x * cdf(x), &|x| 3e-7 * x.abs().max(1.0));
            check(Which::Slope, &|x| cdf(x) + x * density(x), &|_| 4e-7);
        }
    }
}
