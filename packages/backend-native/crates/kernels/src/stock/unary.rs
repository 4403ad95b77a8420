//! Functions of each number of an array.

use super::functions;
use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// A function of one number. `apply` must be `#[inline(always)]`.
pub trait Unary: Sync {
    fn apply(&self, x: f32) -> f32;
}

macro_rules! functions {
    ($($(#[$about:meta])* $name:ident($x:ident) = $value:expr;)*) => {
        $($(#[$about])* pub struct $name;

        impl Unary for $name {
            #[inline(always)]
            fn apply(&self, $x: f32) -> f32 {
                $value
            }
        })*
    };
}

functions! {
    Abs(x) = x.abs();
    Ceil(x) = x.ceil();
    Elu(x) = functions::elu(x);
    Erf(x) = functions::erf(x);
    Exp(x) = functions::exp(x);
    Floor(x) = x.floor();
    Log(x) = functions::log(x);
    Neg(x) = -x;
    Reciprocal(x) = 1.0 / x;
    /// NaN stays NaN.
    Relu(x) = if x <= 0.0 { 0.0 } else { x };
    Relu6(x) = Clip { least: 0.0, most: 6.0 }.apply(x);
    /// Halves to the even neighbour.
    Round(x) = x.round_ties_even();
    Rsqrt(x) = (1.0 / (x as f64).sqrt()) as f32;
    Sigmoid(x) = functions::sigmoid(x);
    /// 0 where it is neither above nor below 0.
    Sign(x) = if x > 0.0 { 1.0 } else if x < 0.0 { -1.0 } else { 0.0 };
    Softplus(x) = functions::softplus(x);
    Sqrt(x) = x.sqrt();
    Square(x) = x * x;
    Tanh(x) = functions::tanh(x);
}

/// 1 above 0, else `alpha`; NaN stays NaN.
pub struct Step {
    pub alpha: f32,
}

impl Unary for Step {
    #[inline(always)]
    fn apply(&self, x: f32) -> f32 {
        let step = if x > 0.0 { 1.0 } else { self.alpha };
        if x.is_nan() { x } else { step }
    }
}

/// The number, `alpha` times that below 0.
pub struct LeakyRelu {
    pub alpha: f32,
}

impl Unary for LeakyRelu {
    #[inline(always)]
    fn apply(&self, x: f32) -> f32 {
        if x < 0.0 { self.alpha * x } else { x }
    }
}

/// The nearest number between two; NaN stays NaN.
pub struct Clip {
    pub least: f32,
    pub most: f32,
}

impl Unary for Clip {
    #[inline(always)]
    fn apply(&self, x: f32) -> f32 {
        let raised = if x < self.least { self.least } else { x };
        if x > self.most { self.most } else { raised }
    }
}

/// `to[i] = function(x[i])`.
pub fn unary<F: Unary>(machine: &Machine, function: &F, x: &[f32], to: &mut [f32]) {
    assert_eq!(x.len(), to.len());
    let parts = Parts::new(1, x.len());
    machine.each(
        parts.tasks(),
        &Each {
            parts,
            function,
            x,
            to: Output::new(to),
        },
    );
}

struct Each<'a, F> {
    parts: Parts,
    function: &'a F,
    x: &'a [f32],
    to: Output<'a>,
}

impl<F: Unary> Task for Each<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (_, within) = self.parts.task(index);
        // SAFETY: each task has a part of its own.
        let to = unsafe { self.to.part(within.clone()) };
        for (to, &x) in to.iter_mut().zip(&self.x[within]) {
            *to = self.function.apply(x);
        }
    }
}

/// Keeps all numbers between two, where they lie; NaN stays NaN.
pub fn clamp(machine: &Machine, values: &mut [f32], least: f32, most: f32) {
    let parts = Parts::new(1, values.len());
    machine.each(
        parts.tasks(),
        &Clamp {
            parts,
            clip: Clip { least, most },
            to: Output::new(values),
        },
    );
}

struct Clamp<'a> {
    parts: Parts,
    clip: Clip,
    to: Output<'a>,
}

impl Task for Clamp<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (_, within) = self.parts.task(index);
        // SAFETY: each task has a part of its own.
        for x in unsafe { self.to.part(within) } {
            *x = self.clip.apply(*x);
        }
    }
}
