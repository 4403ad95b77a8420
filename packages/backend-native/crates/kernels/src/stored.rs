//! The two forms in which activations lie in memory.

use crate::simd::Simd;

/// A number in memory: float32, or bfloat16 in half the space.
pub trait Stored: Copy + Default + Send + Sync + 'static {
    const IS_BF16: bool;

    /// The first `lanes` numbers as float32.
    ///
    /// # Safety
    /// Inside of a job of `simd`; `from` is valid for them.
    unsafe fn load<S: Simd>(simd: S, from: *const Self, lanes: usize) -> S::V;

    /// # Safety
    /// Inside of a job of `simd`; `to` is valid for `lanes` numbers.
    unsafe fn store<S: Simd>(simd: S, to: *mut Self, x: S::V, lanes: usize);
}

impl Stored for f32 {
    const IS_BF16: bool = false;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const f32, lanes: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            if lanes >= S::LANES {
                simd.load(from)
            } else {
                simd.load_some(from, lanes)
            }
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, to: *mut f32, x: S::V, lanes: usize) {
        // SAFETY: the caller's promise.
        unsafe {
            if lanes >= S::LANES {
                simd.store(to, x)
            } else {
                simd.store_some(to, x, lanes)
            }
        }
    }
}

/// The bits of a bfloat16.
impl Stored for u16 {
    const IS_BF16: bool = true;

    #[inline(always)]
    unsafe fn load<S: Simd>(simd: S, from: *const u16, lanes: usize) -> S::V {
        // SAFETY: the caller's promise; the copy has room for all lanes.
        unsafe {
            if lanes >= S::LANES {
                return simd.load_bf16(from);
            }
            let mut some = [0_u16; 16];
            std::ptr::copy_nonoverlapping(from, some.as_mut_ptr(), lanes);
            simd.load_bf16(some.as_ptr())
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(simd: S, to: *mut u16, x: S::V, lanes: usize) {
        // SAFETY: the caller's promise; the copy has room for all lanes.
        unsafe {
            if lanes >= S::LANES {
                return simd.store_bf16(to, x);
            }
            let mut some = [0_u16; 16];
            simd.store_bf16(some.as_mut_ptr(), x);
            std::ptr::copy_nonoverlapping(some.as_ptr(), to, lanes);
        }
    }
}
