//! Numbers of one type as those of another, as JavaScript converts them.

use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// A number that becomes another. `cast` must be `#[inline(always)]`.
pub trait Cast<T>: Copy + Sync {
    fn cast(self) -> T;
}

impl Cast<i32> for f32 {
    /// Rounded towards 0 and taken modulo 2^32; 0 for what is not finite.
    #[inline(always)]
    fn cast(self) -> i32 {
        if self.abs() < 2_147_483_648.0 {
            self as i32
        } else {
            wrapped(self)
        }
    }
}

#[inline(always)]
fn wrapped(x: f32) -> i32 {
    // A remainder of float64 is exact; NaN and the infinities have none, and are 0 as integers.
    (x as f64 % 4_294_967_296.0) as i64 as i32
}

impl Cast<u8> for f32 {
    /// Whether it is anything but 0.
    #[inline(always)]
    fn cast(self) -> u8 {
        (self != 0.0) as u8
    }
}

impl Cast<f32> for i32 {
    #[inline(always)]
    fn cast(self) -> f32 {
        self as f32
    }
}

impl Cast<f32> for u8 {
    #[inline(always)]
    fn cast(self) -> f32 {
        self as f32
    }
}

/// `to[i]` is `x[i]`.
pub fn cast<F: Cast<T>, T: Copy + Send + Sync>(machine: &Machine, x: &[F], to: &mut [T]) {
    assert_eq!(x.len(), to.len());
    let parts = Parts::new(1, x.len());
    machine.each(
        parts.tasks(),
        &Each {
            parts,
            x,
            to: Output::new(to),
        },
    );
}

struct Each<'a, F, T> {
    parts: Parts,
    x: &'a [F],
    to: Output<'a, T>,
}

impl<F: Cast<T>, T: Copy + Send + Sync> Task for Each<'_, F, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (_, within) = self.parts.task(index);
        // SAFETY: each task has a part of its own.
        let to = unsafe { self.to.part(within.clone()) };
        for (to, &x) in to.iter_mut().zip(&self.x[within]) {
            *to = x.cast();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Cast;

    #[test]
    fn integers_are_javascripts() {
        for (x, expected) in [
            (1.9, 1),
            (-1.9, -1),
            (2_147_483_648.0, i32::MIN),
            (4_294_967_296.0 + 512.0, 512),
            (-3e10, 64_770_048),
            (f32::NAN, 0),
            (f32::INFINITY, 0),
        ] {
            assert_eq!(Cast::<i32>::cast(x), expected, "{x}");
        }
    }
}
