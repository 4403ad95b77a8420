//! Functions of one number without branches, of which compilers make functions of vectors. Those
//! that need more than arithmetic are computed in float64 and rounded once, as JavaScript does.

/// `e^x`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    exp64(x as f64) as f32
}

/// `e^x` for any number that float32 may be: beyond -160 and 160 it is that of those.
#[inline(always)]
pub fn exp64(x: f64) -> f64 {
    // Added to a number this moves its whole part into the lowest bits.
    const SHIFT: f64 = 6_755_399_441_055_744.0;
    let x = if x > 160.0 { 160.0 } else { x };
    let x = if x < -160.0 { -160.0 } else { x };
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    let r = x - n * std::f64::consts::LN_2;
    let mut p = 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    let exponent = shifted
        .to_bits()
        .wrapping_sub(SHIFT.to_bits())
        .wrapping_add(1023)
        << 52;
    p * f64::from_bits(exponent)
}

/// `e^x` in float32 alone, to within two units in the last place, for `x <= 0`.
#[inline(always)]
pub fn exp_below(x: f32) -> f32 {
    const SHIFT: f32 = 12_582_912.0;
    let x = if x < -104.0 { -104.0 } else { x };
    let shifted = x * std::f32::consts::LOG2_E + SHIFT;
    let n = shifted - SHIFT;
    // The ln 2 in two parts, so that r is exact.
    let r = (x - n * (355.0 / 512.0)) + n * 2.121_944_4e-4;
    let mut p = 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // In two steps: the smallest results are below what an exponent can say.
    let exponent = shifted.to_bits().wrapping_sub(SHIFT.to_bits()) as i32;
    let half = exponent >> 1;
    let power = |n: i32| f32::from_bits((n.wrapping_add(127) << 23) as u32);
    p * power(half) * power(exponent.wrapping_sub(half))
}

/// The natural logarithm.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let logarithm = log64(x as f64) as f32;
    let logarithm = if x == f32::INFINITY { x } else { logarithm };
    let logarithm = if x == 0.0 {
        f32::NEG_INFINITY
    } else {
        logarithm
    };
    // NaN fails this comparison too.
    if x >= 0.0 { logarithm } else { f32::NAN }
}

/// The natural logarithm of positive normal numbers.
#[inline(always)]
fn log64(x: f64) -> f64 {
    // x = 2^e m with m from sqrt(1/2) to sqrt(2): the offset makes the exponent change there.
    const OFFSET: u64 = 0x3ff0_0000_0000_0000 - 0x3fe6_a09e_0000_0000;
    let shifted = x.to_bits().wrapping_add(OFFSET);
    let mantissa = (shifted & 0x000f_ffff_ffff_ffff).wrapping_add(0x3fe6_a09e_0000_0000);
    // The exponent as float64, by way of the bits of 2^52 + exponent.
    let e = f64::from_bits((shifted >> 52) | 0x4330_0000_0000_0000) - 4_503_599_627_371_519.0;
    let m = f64::from_bits(mantissa);
    let s = (m - 1.0) / (m + 1.0);
    let z = s * s;
    let mut p = 2.0 / 13.0;
    p = p * z + 2.0 / 11.0;
    p = p * z + 2.0 / 9.0;
    p = p * z + 2.0 / 7.0;
    p = p * z + 2.0 / 5.0;
    p = p * z + 2.0 / 3.0;
    p = p * z + 2.0;
    e * std::f64::consts::LN_2 + p * s
}

#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    (1.0 / (1.0 + exp64(-(x as f64)))) as f32
}

#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let e = exp64(2.0 * x as f64);
    // Both parts would be far from 0, and their difference of no use.
    let near = if x < 0.0 { -x } else { x } < 1e-4;
    if near {
        x
    } else {
        ((e - 1.0) / (e + 1.0)) as f32
    }
}

/// `log(1 + e^x)`.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    let e = exp64(x as f64);
    // Where either of them makes no difference to float32.
    let result = if x < -17.0 { e } else { log64(1.0 + e) };
    // NaN fails this comparison, and has no logarithm here.
    if x <= 20.0 { result as f32 } else { x }
}

#[inline(always)]
pub fn elu(x: f32) -> f32 {
    let below = (exp64(x as f64) - 1.0) as f32;
    if x >= 0.0 { x } else { below }
}

/// The error function, to within 1.5e-7.
///
/// Near 0 its series; else formula 7.1.26 of Abramowitz and Stegun's Handbook.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    let v = x.abs() as f64;
    let z = v * v;
    let mut series = -1.0 / 1_320.0;
    series = series * z + 1.0 / 216.0;
    series = series * z - 1.0 / 42.0;
    series = series * z + 1.0 / 10.0;
    series = series * z - 1.0 / 3.0;
    series = series * z + 1.0;
    let series = series * v * std::f64::consts::FRAC_2_SQRT_PI;
    let t = 1.0 / (1.0 + 0.327_591_1 * v);
    let mut p = 1.061_405_429;
    p = p * t - 1.453_152_027;
    p = p * t + 1.421_413_741;
    p = p * t - 0.284_496_736;
    p = p * t + 0.254_829_592;
    let far = 1.0 - p * t * exp64(-z);
    let result = if v < 0.5 { series } else { far } as f32;
    if x < 0.0 { -result } else { result }
}

/// JavaScript's `Math.max`: NaN where either is, and 0 above -0.
#[inline(always)]
pub fn maximum(a: f32, b: f32) -> f32 {
    let same = f32::from_bits(a.to_bits() & b.to_bits());
    let other = if a == b { same } else { a + b };
    let other = if b > a { b } else { other };
    if a > b { a } else { other }
}

/// JavaScript's `Math.min`.
#[inline(always)]
pub fn minimum(a: f32, b: f32) -> f32 {
    let same = f32::from_bits(a.to_bits() | b.to_bits());
    let other = if a == b { same } else { a + b };
    let other = if b < a { b } else { other };
    if a < b { a } else { other }
}

/// JavaScript's `Math.pow`.
#[inline(always)]
pub fn pow(base: f32, exponent: f32) -> f32 {
    if exponent == 2.0 {
        return base * base;
    }
    let is_undecided = exponent.is_infinite() && base.abs() == 1.0;
    if exponent.is_nan() || is_undecided {
        f32::NAN
    } else {
        base.powf(exponent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worst difference, in units in the last place, over numbers of all sizes.
    fn worst(ours: impl Fn(f32) -> f32, theirs: impl Fn(f64) -> f64) -> f64 {
        let mut worst = 0.0_f64;
        for i in 0..400_000_u32 {
            let x = f32::from_bits(i.wrapping_mul(10_737));
            for x in [x, -x, x % 16.0, -(x % 16.0)] {
                let expected = theirs(x as f64);
                let got = ours(x);
                let rounded = expected as f32;
                if got == rounded || (got.is_nan() && rounded.is_nan()) {
                    continue;
                }
                assert!(got.is_finite(), "{x}: expected {rounded}, got {got}");
                let unit = (rounded.abs().to_bits() + 1).max(2);
                let unit = f32::from_bits(unit) as f64 - rounded.abs() as f64;
                worst = worst.max((got as f64 - expected).abs() / unit);
            }
        }
        worst
    }

    #[test]
    fn agree_with_the_library() {
        assert!(worst(exp, f64::exp) < 0.51);
        assert!(worst(log, f64::ln) < 0.51);
        assert!(worst(sigmoid, |x| 1.0 / (1.0 + (-x).exp())) < 0.51);
        assert!(worst(tanh, f64::tanh) < 0.6);
        assert!(worst(softplus, |x| if x > 30.0 { x } else { x.exp().ln_1p() }) < 1.0);
        let below = |x: f32| exp_below(-x.abs());
        assert!(worst(below, |x| (-x.abs()).exp()) < 2.5);
    }

    #[test]
    fn erf_is_close_everywhere() {
        for (x, expected) in [
            (0.0, 0.0),
            (1e-6, 1.128_379_2e-6),
            (0.3, 0.328_626_76),
            (0.5, 0.520_499_9),
            (1.0, 0.842_700_8),
            (2.0, 0.995_322_3),
            (40.0, 1.0),
            (f32::INFINITY, 1.0),
        ] {
            assert!((erf(x) - expected).abs() < 2e-7, "{x}: {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        assert!(erf(f32::NAN).is_nan());
    }

    #[test]
    fn extremes_are_javascripts() {
        assert!(maximum(f32::NAN, 1.0).is_nan() && maximum(1.0, f32::NAN).is_nan());
        assert!(minimum(f32::NAN, 1.0).is_nan() && minimum(1.0, f32::NAN).is_nan());
        assert!(maximum(-0.0, 0.0).is_sign_positive() && minimum(0.0, -0.0).is_sign_negative());
        assert_eq!(maximum(-3.0, -3.0), -3.0);
        assert!(pow(1.0, f32::NAN).is_nan() && pow(-1.0, f32::INFINITY).is_nan());
        assert_eq!(pow(f32::NAN, 0.0), 1.0);
    }
}
