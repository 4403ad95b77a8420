//! Optimizers and moving averages, in place.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;
use crate::sums::squared_norm;

/// Elements of a task.
const PART: usize = 1 << 14;

/// One AdamW update with PyTorch's arithmetic, the gradient shortened before it and a moving
/// average of the new parameter taken after it, where they are asked for.
pub struct AdamW<'a> {
    pub parameter: &'a mut [f32],
    pub gradient: &'a [f32],
    pub moment1: &'a mut [f32],
    pub moment2: &'a mut [f32],
    pub average: Option<&'a mut [f32]>,
    pub settings: AdamWSettings,
}

#[derive(Clone, Copy)]
pub struct AdamWSettings {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    /// From 1.
    pub step: f64,
    /// The norm that the gradient may have.
    pub clip: Option<f64>,
    /// How much of the average stays.
    pub momentum: f64,
}

pub fn adam_w(machine: &Machine, args: AdamW<'_>) {
    let length = args.parameter.len();
    assert!(args.gradient.len() == length);
    assert!(args.moment1.len() == length && args.moment2.len() == length);
    assert!(
        args.average
            .as_ref()
            .is_none_or(|average| average.len() == length)
    );
    let AdamWSettings {
        learning_rate,
        weight_decay,
        beta1,
        beta2,
        epsilon,
        step,
        ..
    } = args.settings;
    let factor = args
        .settings
        .clip
        .and_then(|most| shortening(machine, args.gradient, most));
    let task = Adam {
        factor,
        gradient: args.gradient,
        parameter: Output::new(args.parameter),
        moment1: Output::new(args.moment1),
        moment2: Output::new(args.moment2),
        average: args.average.map(Output::new),
        keep: (1.0 - learning_rate * weight_decay) as f32,
        beta1: [beta1 as f32, (1.0 - beta1) as f32],
        beta2: [beta2 as f32, (1.0 - beta2) as f32],
        spread: (1.0 - beta2.powf(step)).sqrt() as f32,
        epsilon: epsilon as f32,
        rate: (learning_rate / (1.0 - beta1.powf(step))) as f32,
        momentum: [
            args.settings.momentum as f32,
            (1.0 - args.settings.momentum) as f32,
        ],
    };
    machine.each(length.div_ceil(PART), &task);
}

/// What a gradient is multiplied by so that its norm is at most `most`, if it is longer.
fn shortening(machine: &Machine, gradient: &[f32], most: f64) -> Option<f32> {
    let norm = squared_norm(machine, gradient).sqrt();
    let factor = most as f32 / (norm + 1e-6);
    // What is not a number stays what it is.
    if factor >= 1.0 { None } else { Some(factor) }
}

struct Adam<'a> {
    factor: Option<f32>,
    gradient: &'a [f32],
    parameter: Output<'a>,
    moment1: Output<'a>,
    moment2: Output<'a>,
    average: Option<Output<'a>>,
    keep: f32,
    beta1: [f32; 2],
    beta2: [f32; 2],
    spread: f32,
    epsilon: f32,
    rate: f32,
    momentum: [f32; 2],
}

impl Task for Adam<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.gradient.len());
        // SAFETY: inside of a job; the part of each array is this task's own.
        unsafe {
            let gradient = &self.gradient[range.clone()];
            let parameter = self.parameter.part(range.clone()).as_mut_ptr();
            let moment1 = self.moment1.part(range.clone()).as_mut_ptr();
            let moment2 = self.moment2.part(range.clone()).as_mut_ptr();
            let average = self
                .average
                .as_ref()
                .map(|all| all.part(range).as_mut_ptr());
            for at in (0..gradient.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(gradient.len() - at);
                let load = |from: *const f32| f32::load(simd, from.add(at), lanes);
                let scaled = |x: S::V, by: f32| simd.mul(x, simd.splat(by));
                let mut g = load(gradient.as_ptr());
                if let Some(factor) = self.factor {
                    g = scaled(g, factor);
                }
                let first = simd.add(
                    scaled(load(moment1), self.beta1[0]),
                    scaled(g, self.beta1[1]),
                );
                let square = scaled(simd.mul(g, g), self.beta2[1]);
                let second = simd.add(scaled(load(moment2), self.beta2[0]), square);
                let spread = simd.div(simd.sqrt(second), simd.splat(self.spread));
                let spread = simd.add(spread, simd.splat(self.epsilon));
                let change = simd.div(scaled(first, self.rate), spread);
                let new = simd.sub(scaled(load(parameter), self.keep), change);
                f32::store(simd, parameter.add(at), new, lanes);
                f32::store(simd, moment1.add(at), first, lanes);
                f32::store(simd, moment2.add(at), second, lanes);
                if let Some(average) = average {
                    let old = scaled(load(average), self.momentum[0]);
                    let value = simd.add(old, scaled(new, self.momentum[1]));
                    f32::store(simd, average.add(at), value, lanes);
                }
            }
        }
    }
}

/// One step of gradient descent with momentum and coupled decay. `buffer` is what stays of it,
/// and holds nothing yet when `is_first`.
pub struct Descent<'a> {
    pub parameter: &'a mut [f32],
    pub gradient: &'a [f32],
    pub buffer: &'a mut [f32],
    pub is_first: bool,
    pub learning_rate: f32,
    pub weight_decay: f32,
    pub momentum: f32,
    /// LARS: how far the update may go relative to the parameter's norm. None: plain descent.
    pub trust: Option<f32>,
}

pub fn descend(machine: &Machine, args: Descent<'_>) {
    let length = args.parameter.len();
    assert!(args.gradient.len() == length && args.buffer.len() == length);
    let mut ratio = 1.0;
    if let Some(trust) = args.trust {
        let size = squared_norm(machine, args.parameter).sqrt();
        let slope = decayed_norm(machine, args.parameter, args.gradient, args.weight_decay);
        if size > 0.0 && slope > 0.0 {
            ratio = size * trust / slope;
        }
    }
    let task = Descend {
        gradient: args.gradient,
        parameter: Output::new(args.parameter),
        buffer: Output::new(args.buffer),
        is_first: args.is_first,
        rate: args.learning_rate,
        decay: args.weight_decay,
        momentum: args.momentum,
        ratio,
    };
    machine.each(length.div_ceil(PART), &task);
}

/// The norm of gradient and decay together.
fn decayed_norm(machine: &Machine, parameter: &[f32], gradient: &[f32], decay: f32) -> f32 {
    let parts = gradient.len().div_ceil(PART);
    let mut shared = machine.shared();
    let [sums] = shared.pieces([parts]);
    machine.each(
        parts,
        &DecayedSquares {
            parameter,
            gradient,
            decay,
            sums: Output::new(sums),
        },
    );
    (sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() as f32).sqrt()
}

struct DecayedSquares<'a> {
    parameter: &'a [f32],
    gradient: &'a [f32],
    decay: f32,
    sums: Output<'a>,
}

impl Task for DecayedSquares<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.gradient.len());
        let (parameter, gradient) = (&self.parameter[range.clone()], &self.gradient[range]);
        // SAFETY: inside of a job; loads stay within the parts, the sum is this task's own.
        unsafe {
            let mut sum = simd.splat(0.0);
            for at in (0..gradient.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(gradient.len() - at);
                let p = f32::load(simd, parameter.as_ptr().add(at), lanes);
                let g = f32::load(simd, gradient.as_ptr().add(at), lanes);
                let direction = simd.add(g, simd.mul(p, simd.splat(self.decay)));
                sum = simd.fma(direction, direction, sum);
            }
            self.sums.part(index..index + 1)[0] = simd.sum(sum);
        }
    }
}

struct Descend<'a> {
    gradient: &'a [f32],
    parameter: Output<'a>,
    buffer: Output<'a>,
    is_first: bool,
    rate: f32,
    decay: f32,
    momentum: f32,
    ratio: f32,
}

impl Task for Descend<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.gradient.len());
        // SAFETY: inside of a job; the part of each array is this task's own.
        unsafe {
            let gradient = &self.gradient[range.clone()];
            let parameter = self.parameter.part(range.clone()).as_mut_ptr();
            let buffer = self.buffer.part(range).as_mut_ptr();
            for at in (0..gradient.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(gradient.len() - at);
                let p = f32::load(simd, parameter.add(at), lanes);
                let g = f32::load(simd, gradient.as_ptr().add(at), lanes);
                let direction = simd.add(g, simd.mul(p, simd.splat(self.decay)));
                let mut next = simd.mul(direction, simd.splat(self.ratio));
                if !self.is_first {
                    let old = f32::load(simd, buffer.add(at), lanes);
                    next = simd.add(simd.mul(old, simd.splat(self.momentum)), next);
                }
                let new = simd.sub(p, simd.mul(next, simd.splat(self.rate)));
                f32::store(simd, parameter.add(at), new, lanes);
                f32::store(simd, buffer.add(at), next, lanes);
            }
        }
    }
}

/// `average = momentum * average + (1 - momentum) * value`.
pub fn ema(machine: &Machine, average: &mut [f32], value: &[f32], momentum: f64) {
    assert_eq!(average.len(), value.len());
    let task = Ema {
        value,
        average: Output::new(average),
        momentum: [momentum as f32, (1.0 - momentum) as f32],
    };
    machine.each(value.len().div_ceil(PART), &task);
}

struct Ema<'a> {
    value: &'a [f32],
    average: Output<'a>,
    momentum: [f32; 2],
}

impl Task for Ema<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.value.len());
        // SAFETY: inside of a job; the part is this task's own.
        unsafe {
            let value = &self.value[range.clone()];
            let average = self.average.part(range).as_mut_ptr();
            for at in (0..value.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(value.len() - at);
                let old = f32::load(simd, average.add(at), lanes);
                let new = f32::load(simd, value.as_ptr().add(at), lanes);
                let kept = simd.mul(old, simd.splat(self.momentum[0]));
                let sum = simd.add(kept, simd.mul(new, simd.splat(self.momentum[1])));
                f32::store(simd, average.add(at), sum, lanes);
            }
        }
    }
}

/// Shortens a gradient whose norm is above `most`; says whether it was.
pub fn clip(machine: &Machine, gradient: &mut [f32], most: f64) -> bool {
    let Some(factor) = shortening(machine, gradient, most) else {
        return false;
    };
    let length = gradient.len();
    machine.each(
        length.div_ceil(PART),
        &Scale {
            factor,
            x: Output::new(gradient),
        },
    );
    true
}

struct Scale<'a> {
    factor: f32,
    x: Output<'a>,
}

impl Task for Scale<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * PART..((index + 1) * PART).min(self.x.len());
        // SAFETY: inside of a job; the part is this task's own.
        unsafe {
            let x = self.x.part(range);
            for at in (0..x.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(x.len() - at);
                let place = x.as_mut_ptr().add(at);
                let value = simd.mul(f32::load(simd, place, lanes), simd.splat(self.factor));
                f32::store(simd, place, value, lanes);
            }
        }
    }
}
