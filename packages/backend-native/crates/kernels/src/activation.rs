//! Activations of whole arrays, by themselves.

use crate::machine::{Machine, Task};
use crate::math;
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

/// Elements of a task.
const PART: usize = 1 << 14;

/// The exact GELU, and its derivative where there is room for it.
pub fn gelu(machine: &Machine, x: &[f32], y: &mut [f32], slope: Option<&mut [f32]>) {
    assert_eq!(x.len(), y.len());
    assert!(slope.as_ref().is_none_or(|slope| slope.len() == x.len()));
    let task = Gelu {
        x,
        y: Output::new(y),
        slope: slope.map(Output::new),
    };
    machine.each(x.len().div_ceil(PART), &task);
}

struct Gelu<'a> {
    x: &'a [f32],
    y: Output<'a>,
    slope: Option<Output<'a>>,
}

impl Task for Gelu<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.x.len());
        // SAFETY: inside of a job; the part is this task's own.
        unsafe {
            let x = &self.x[range.clone()];
            let y = self.y.part(range.clone()).as_mut_ptr();
            let slope = self
                .slope
                .as_ref()
                .map(|slope| slope.part(range).as_mut_ptr());
            for at in (0..x.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(x.len() - at);
                let value = f32::load(simd, x.as_ptr().add(at), lanes);
                f32::store(simd, y.add(at), math::gelu(simd, value), lanes);
                if let Some(slope) = slope {
                    f32::store(simd, slope.add(at), math::gelu_slope(simd, value), lanes);
                }
            }
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Gelu,
    /// The larger of 0 and the input.
    Relu,
}

/// Gradients times the activation's derivative at what was before it.
pub fn back(machine: &Machine, kind: Kind, dy: &[f32], before: &[f32], dx: &mut [f32]) {
    assert!(dy.len() == dx.len() && before.len() == dx.len());
    let task = Back {
        kind,
        dy,
        before,
        dx: Output::new(dx),
    };
    machine.each(dy.len().div_ceil(PART), &task);
}

struct Back<'a> {
    kind: Kind,
    dy: &'a [f32],
    before: &'a [f32],
    dx: Output<'a>,
}

impl Task for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.dy.len());
        // SAFETY: inside of a job; the part is this task's own.
        unsafe {
            let (dy, before) = (&self.dy[range.clone()], &self.before[range.clone()]);
            let dx = self.dx.part(range).as_mut_ptr();
            for at in (0..dy.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(dy.len() - at);
                let gradient = f32::load(simd, dy.as_ptr().add(at), lanes);
                let x = f32::load(simd, before.as_ptr().add(at), lanes);
                let value = match self.kind {
                    Kind::Gelu => simd.mul(gradient, math::gelu_slope(simd, x)),
                    Kind::Relu => {
                        let minus = simd.sub(simd.splat(0.0), x);
                        simd.if_negative(minus, gradient, simd.splat(0.0))
                    }
                };
                f32::store(simd, dx.add(at), value, lanes);
            }
        }
    }
}
