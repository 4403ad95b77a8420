use super::{ByTile, Simd};

/// Plain arithmetic on 8 lanes, for any processor; compilers make vectors of it where they can.
#[derive(Clone, Copy)]
pub struct Portable;

type V = [f32; 8];

macro_rules! each {
    ($i:ident => $value:expr) => {{
        let mut out = [0.0; 8];
        for $i in 0..8 {
            out[$i] = $value;
        }
        out
    }};
}

// SAFETY: needs no instructions of its own; pointers are valid by the trait's promise.
#[allow(clippy::undocumented_unsafe_blocks)]
impl Simd for Portable {
    type V = V;
    const LANES: usize = 8;
    const ROWS: usize = 4;
    const IS_PORTABLE: bool = true;

    #[inline(always)]
    unsafe fn by_tile<B: ByTile<Self>>(self, work: B) -> B::Output {
        unsafe { work.run::<4, 2>(self) }
    }

    #[inline(always)]
    fn prefetch(self, _: *const f32) {}
    #[inline(always)]
    unsafe fn splat(self, x: f32) -> V {
        [x; 8]
    }
    #[inline(always)]
    unsafe fn load(self, from: *const f32) -> V {
        unsafe { from.cast::<V>().read_unaligned() }
    }
    #[inline(always)]
    unsafe fn store(self, to: *mut f32, x: V) {
        unsafe { to.cast::<V>().write_unaligned(x) }
    }
    #[inline(always)]
    unsafe fn load_some(self, from: *const f32, lanes: usize) -> V {
        let mut out = [0.0; 8];
        for (i, value) in out.iter_mut().enumerate().take(lanes) {
            *value = unsafe { from.add(i).read() };
        }
        out
    }
    #[inline(always)]
    unsafe fn store_some(self, to: *mut f32, x: V, lanes: usize) {
        for (i, value) in x.iter().enumerate().take(lanes) {
            unsafe { to.add(i).write(*value) };
        }
    }
    #[inline(always)]
    unsafe fn keep(self, x: V, lanes: usize) -> V {
        each!(i => if i < lanes { x[i] } else { 0.0 })
    }
    #[inline(always)]
    unsafe fn add(self, a: V, b: V) -> V {
        each!(i => a[i] + b[i])
    }
    #[inline(always)]
    unsafe fn sub(self, a: V, b: V) -> V {
        each!(i => a[i] - b[i])
    }
    #[inline(always)]
    unsafe fn mul(self, a: V, b: V) -> V {
        each!(i => a[i] * b[i])
    }
    #[inline(always)]
    unsafe fn div(self, a: V, b: V) -> V {
        each!(i => a[i] / b[i])
    }
    #[inline(always)]
    unsafe fn fma(self, a: V, b: V, c: V) -> V {
        // Rounded twice: a fused multiplication in software is a hundred times as slow.
        each!(i => a[i] * b[i] + c[i])
    }
    #[inline(always)]
    unsafe fn min(self, a: V, b: V) -> V {
        each!(i => if a[i] < b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn max(self, a: V, b: V) -> V {
        each!(i => if a[i] > b[i] { a[i] } else { b[i] })
    }
    #[inline(always)]
    unsafe fn sqrt(self, x: V) -> V {
        each!(i => x[i].sqrt())
    }
    #[inline(always)]
    unsafe fn abs(self, x: V) -> V {
        each!(i => x[i].abs())
    }
    #[inline(always)]
    unsafe fn round(self, x: V) -> V {
        each!(i => x[i].round_ties_even())
    }
    #[inline(always)]
    unsafe fn exp2(self, n: V) -> V {
        each!(i => f32::from_bits((((n[i] as i32) + 127) << 23) as u32))
    }
    #[inline(always)]
    unsafe fn if_negative(self, x: V, then: V, otherwise: V) -> V {
        each!(i => if x[i] < 0.0 { then[i] } else { otherwise[i] })
    }
    #[inline(always)]
    unsafe fn sum(self, x: V) -> f32 {
        let four: [f32; 4] = std::array::from_fn(|i| x[i] + x[i + 4]);
        (four[0] + four[2]) + (four[1] + four[3])
    }
    #[inline(always)]
    unsafe fn largest(self, x: V) -> f32 {
        x.iter()
            .fold(f32::NEG_INFINITY, |a, &b| if b > a { b } else { a })
    }
    #[inline(always)]
    unsafe fn dot2(self, a: V, b: V, c: V) -> V {
        let low = |x: f32| f32::from_bits(x.to_bits() << 16);
        let high = |x: f32| f32::from_bits(x.to_bits() & 0xffff_0000);
        each!(i => high(a[i]) * high(b[i]) + (low(a[i]) * low(b[i]) + c[i]))
    }
    #[inline(always)]
    unsafe fn store_bf16(self, to: *mut u16, x: V) {
        for (i, value) in x.iter().enumerate() {
            unsafe { to.add(i).write(bf16(*value)) };
        }
    }
    #[inline(always)]
    unsafe fn pair(self, low: V, high: V) -> V {
        each!(i => f32::from_bits(u32::from(bf16(low[i])) | (u32::from(bf16(high[i])) << 16)))
    }
    #[inline(always)]
    unsafe fn load_bf16(self, from: *const u16) -> V {
        each!(i => f32::from_bits(u32::from(unsafe { from.add(i).read_unaligned() }) << 16))
    }
}

/// Rounded to bfloat16, to nearest even.
pub fn bf16(x: f32) -> u16 {
    if x.is_nan() {
        return 0x7fc0;
    }
    let bits = x.to_bits();
    ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16) as u16
}
