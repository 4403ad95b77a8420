//! Vectors of float32 on whatever the processor has: one generic kernel, compiled for each of them.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_tile;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;

use crate::product::Precision;
pub use portable::{Portable, bf16};

/// The instructions of one kind of processor.
///
/// # Safety
/// Every method may be called only where the processor has the instructions: inside of a job
/// that [`Isa::run`] runs. Pointers must be valid for the lanes that are read or written.
#[allow(clippy::missing_safety_doc)]
pub trait Simd: Copy + Send + Sync + 'static {
    type V: Copy;
    const LANES: usize;
    /// Rows of the tile that a matrix product keeps in registers.
    const ROWS: usize;
    /// Whether this is no processor of ours: `Isa::Portable`.
    const IS_PORTABLE: bool = false;

    /// Runs what is compiled for the rows and vectors of such a tile.
    unsafe fn by_tile<B: ByTile<Self>>(self, work: B) -> B::Output;

    /// Rows of float32 times panels (see `product::tile`), where there is a loop by hand for such a
    /// tile.
    #[inline(always)]
    unsafe fn tile_by_hand<const ROWS: usize, const VECTORS: usize>(
        self,
        _words: usize,
        _left: Left<ROWS>,
        _right: *const f32,
        _panel: usize,
    ) -> Option<[[Self::V; VECTORS]; ROWS]> {
        None
    }

    /// Fetches the cache line of any address, in time or not at all.
    fn prefetch(self, from: *const f32);
    unsafe fn splat(self, x: f32) -> Self::V;
    unsafe fn load(self, from: *const f32) -> Self::V;
    unsafe fn store(self, to: *mut f32, x: Self::V);
    /// The first `lanes` lanes; zeros behind them.
    unsafe fn load_some(self, from: *const f32, lanes: usize) -> Self::V;
    unsafe fn store_some(self, to: *mut f32, x: Self::V, lanes: usize);

    /// The first `lanes` lanes; zeros behind them.
    unsafe fn keep(self, x: Self::V, lanes: usize) -> Self::V;

    unsafe fn add(self, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    unsafe fn fma(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    unsafe fn min(self, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn max(self, a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(self, x: Self::V) -> Self::V;
    unsafe fn abs(self, x: Self::V) -> Self::V;
    /// To the nearest integer, halves to even.
    unsafe fn round(self, x: Self::V) -> Self::V;
    /// `2^n` of whole numbers from -126 to 127.
    unsafe fn exp2(self, n: Self::V) -> Self::V;
    /// `then` where `x < 0`, else `otherwise`.
    unsafe fn if_negative(self, x: Self::V, then: Self::V, otherwise: Self::V) -> Self::V;
    unsafe fn sum(self, x: Self::V) -> f32;
    unsafe fn largest(self, x: Self::V) -> f32;

    /// `a * b + c` where a lane of `a` and `b` is a pair of bfloat16.
    unsafe fn dot2(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// `LANES` values rounded to bfloat16, to nearest even.
    unsafe fn store_bf16(self, to: *mut u16, x: Self::V);
    unsafe fn load_bf16(self, from: *const u16) -> Self::V;
    /// Pairs of bfloat16, those of `low` first: what `dot2` multiplies.
    unsafe fn pair(self, low: Self::V, high: Self::V) -> Self::V;
}

/// Where a tile's rows of the left-hand matrix lie.
#[derive(Clone, Copy)]
pub enum Left<const ROWS: usize> {
    Rows([*const f32; ROWS]),
    /// `ROWS` neighbours for each word, `stride` words after each other.
    Transposed {
        start: *const f32,
        stride: usize,
    },
}

/// Work that is compiled for a tile of some size. `run` must be `#[inline(always)]`.
#[allow(clippy::missing_safety_doc)]
pub trait ByTile<S: Simd> {
    type Output;
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) -> Self::Output;
}

/// Work that is compiled for each kind of processor. `run` must be `#[inline(always)]`, and so
/// must all that it calls with `S`, or else it is compiled without the instructions.
pub trait Job {
    type Output;
    fn run<S: Simd>(self, simd: S) -> Self::Output;
}

/// A kind of processor that was found to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isa {
    /// With products of bfloat16.
    Avx512Bf16,
    Avx512,
    Avx2,
    Portable,
}

impl Isa {
    /// All that this processor has, best first.
    pub fn present() -> Vec<Isa> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                if is_x86_feature_detected!("avx512bf16") {
                    found.push(Isa::Avx512Bf16);
                }
                found.push(Isa::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                found.push(Isa::Avx2);
            }
        }
        found.push(Isa::Portable);
        found
    }

    /// The best that this processor has.
    pub fn detect() -> Isa {
        Isa::present()[0]
    }

    /// Whether the processor multiplies pairs of bfloat16 itself.
    pub fn has_bf16(self) -> bool {
        self == Isa::Avx512Bf16
    }

    pub fn name(self) -> &'static str {
        match self {
            Isa::Avx512Bf16 | Isa::Avx512 => "AVX-512",
            Isa::Avx2 => "AVX2",
            Isa::Portable => "portable",
        }
    }

    pub fn lanes(self) -> usize {
        match self {
            Isa::Avx512Bf16 | Isa::Avx512 => 16,
            Isa::Avx2 | Isa::Portable => 8,
        }
    }

    /// Whether matrices are multiplied by the crate `matrixmultiply`, which has kernels for
    /// processors that this one has none for.
    pub fn multiplies_by_crate(self, precision: Precision) -> bool {
        self == Isa::Portable && precision == Precision::Fp32
    }

    /// Rows of a matrix product's tile.
    pub fn tile_rows(self) -> usize {
        match self {
            Isa::Avx512Bf16 | Isa::Avx512 => 8,
            Isa::Avx2 => 4,
            Isa::Portable => 4,
        }
    }

    /// Runs the job with this processor's instructions.
    #[inline]
    pub fn run<J: Job>(self, job: J) -> J::Output {
        match self {
            // SAFETY: as below.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512Bf16 => unsafe { avx512::enter_bf16(job) },
            // SAFETY: `present` has found the instructions, and nothing else makes these values.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => unsafe { avx512::enter(job) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => unsafe { avx2::enter(job) },
            _ => job.run(Portable),
        }
    }
}
