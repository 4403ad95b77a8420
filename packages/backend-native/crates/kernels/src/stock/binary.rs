//! Functions of two arrays, number by number, one of them repeated along some axes.

use super::functions;
use super::nest::Nest;
use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// A function of two numbers. `apply` must be `#[inline(always)]`.
pub trait Binary: Sync {
    type Result: Copy + Send + Sync;

    fn apply(a: f32, b: f32) -> Self::Result;
}

macro_rules! functions {
    ($($(#[$about:meta])* $name:ident($a:ident, $b:ident) -> $result:ty = $value:expr;)*) => {
        $($(#[$about])* pub struct $name;

        impl Binary for $name {
            type Result = $result;

            #[inline(always)]
            fn apply($a: f32, $b: f32) -> $result {
                $value
            }
        })*
    };
}

functions! {
    Add(a, b) -> f32 = a + b;
    Sub(a, b) -> f32 = a - b;
    Multiply(a, b) -> f32 = a * b;
    RealDiv(a, b) -> f32 = a / b;
    Maximum(a, b) -> f32 = functions::maximum(a, b);
    Minimum(a, b) -> f32 = functions::minimum(a, b);
    SquaredDifference(a, b) -> f32 = (a - b) * (a - b);
    Pow(a, b) -> f32 = functions::pow(a, b);
    Prelu(a, b) -> f32 = if a < 0.0 { b * a } else { a };
    /// The gradient behind an ELU, of the gradient before it and of its value.
    EluGrad(a, b) -> f32 = if b >= 0.0 { a } else { a * (b + 1.0) };
    Equal(a, b) -> u8 = (a == b) as u8;
    NotEqual(a, b) -> u8 = (a != b) as u8;
    Greater(a, b) -> u8 = (a > b) as u8;
    GreaterEqual(a, b) -> u8 = (a >= b) as u8;
    Less(a, b) -> u8 = (a < b) as u8;
    LessEqual(a, b) -> u8 = (a <= b) as u8;
}

/// `to = function(a, b)`, `to` without gaps; along the innermost axis each of `a` and `b` moves by
/// a number or stays.
pub fn binary<F: Binary>(
    machine: &Machine,
    _: &F,
    nest: &Nest<2>,
    a: &[f32],
    b: &[f32],
    to: &mut [F::Result],
) {
    assert_eq!(nest.size(), to.len());
    assert!(nest.is_within(0, 0, a.len()) && nest.is_within(1, 0, b.len()));
    let (length, steps) = nest
        .axes
        .last()
        .map_or((1, [0, 0]), |axis| (axis.size, axis.steps));
    assert!(steps.iter().all(|step| (0..=1).contains(step)));
    let parts = Parts::new(to.len() / length.max(1), length);
    let task = Rows::<F> {
        nest,
        parts,
        length,
        steps,
        a,
        b,
        to: Output::new(to),
    };
    machine.each(parts.tasks(), &task);
}

struct Rows<'a, F: Binary> {
    nest: &'a Nest<2>,
    parts: Parts,
    length: usize,
    steps: [isize; 2],
    a: &'a [f32],
    b: &'a [f32],
    to: Output<'a, F::Result>,
}

impl<F: Binary> Task for Rows<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (rows, within) = self.parts.task(index);
        let outer = &self.nest.axes[..self.nest.axes.len().saturating_sub(1)];
        let mut walk = Nest::walk(outer, rows.start);
        for row in rows {
            let at = row * self.length;
            // SAFETY: each task has rows or pieces of its own.
            let to = unsafe { self.to.part(at + within.start..at + within.end) };
            let [a, b] = walk.at.map(|at| at as usize);
            match self.steps {
                [1, 1] => {
                    let a = &self.a[a + within.start..a + within.end];
                    let b = &self.b[b + within.start..b + within.end];
                    for ((to, &a), &b) in to.iter_mut().zip(a).zip(b) {
                        *to = F::apply(a, b);
                    }
                }
                [1, _] => {
                    let b = self.b[b];
                    for (to, &a) in to.iter_mut().zip(&self.a[a + within.start..a + within.end]) {
                        *to = F::apply(a, b);
                    }
                }
                [_, 1] => {
                    let a = self.a[a];
                    for (to, &b) in to.iter_mut().zip(&self.b[b + within.start..b + within.end]) {
                        *to = F::apply(a, b);
                    }
                }
                _ => to.fill(F::apply(self.a[a], self.b[b])),
            }
            walk.step();
        }
    }
}

/// `to[i]` is `then[i]` where `condition[i]` is 1, else `otherwise[i]`.
pub fn select(
    machine: &Machine,
    condition: &[u8],
    then: &[f32],
    otherwise: &[f32],
    to: &mut [f32],
) {
    assert!(
        [condition.len(), then.len(), otherwise.len()]
            .iter()
            .all(|&length| length == to.len())
    );
    let parts = Parts::new(1, to.len());
    let task = Choice {
        parts,
        condition,
        then,
        otherwise,
        to: Output::new(to),
    };
    machine.each(parts.tasks(), &task);
}

struct Choice<'a> {
    parts: Parts,
    condition: &'a [u8],
    then: &'a [f32],
    otherwise: &'a [f32],
    to: Output<'a>,
}

impl Task for Choice<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (_, within) = self.parts.task(index);
        // SAFETY: each task has a part of its own.
        let to = unsafe { self.to.part(within.clone()) };
        let (then, otherwise) = (&self.then[within.clone()], &self.otherwise[within.clone()]);
        let values = then.iter().zip(otherwise);
        for ((to, (&then, &otherwise)), &condition) in
            to.iter_mut().zip(values).zip(&self.condition[within])
        {
            *to = if condition == 1 { then } else { otherwise };
        }
    }
}

/// `to[i] += x[i]`.
pub fn accumulate(machine: &Machine, x: &[f32], to: &mut [f32]) {
    assert_eq!(x.len(), to.len());
    let parts = Parts::new(1, x.len());
    machine.each(
        parts.tasks(),
        &Sum {
            parts,
            x,
            to: Output::new(to),
        },
    );
}

struct Sum<'a> {
    parts: Parts,
    x: &'a [f32],
    to: Output<'a>,
}

impl Task for Sum<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (_, within) = self.parts.task(index);
        // SAFETY: each task has a part of its own.
        let to = unsafe { self.to.part(within.clone()) };
        for (to, &x) in to.iter_mut().zip(&self.x[within]) {
            *to += x;
        }
    }
}
