use crate::check::{apart, length, place, writable};
use crate::machine::guarded;
use dino_kernels::sums;
use dino_kernels::updates::{self, AdamW, AdamWSettings, Descent};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// The settings of one update of AdamW.
#[napi(object)]
pub struct AdamWInfo {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub step: f64,
    pub clip: Option<f64>,
    pub momentum: Option<f64>,
}

/// One update of AdamW, in place.
#[napi]
pub fn adam_w(
    mut parameter: Float32ArraySlice,
    gradient: Float32ArraySlice,
    mut moment1: Float32ArraySlice,
    mut moment2: Float32ArraySlice,
    mut average: Option<Float32ArraySlice>,
    info: AdamWInfo,
) -> Result<()> {
    let count = parameter.len();
    length("gradient", &gradient, count)?;
    length("moment1", &moment1, count)?;
    length("moment2", &moment2, count)?;
    let mut written = vec![place(&parameter), place(&moment1), place(&moment2)];
    if let Some(average) = &average {
        length("average", average, count)?;
        written.push(place(average));
    }
    apart(&written, &[place(&gradient)])?;
    let settings = AdamWSettings {
        learning_rate: info.learning_rate,
        weight_decay: info.weight_decay,
        beta1: info.beta1,
        beta2: info.beta2,
        epsilon: info.epsilon,
        step: info.step,
        clip: info.clip,
        momentum: info.momentum.unwrap_or(0.0),
    };
    let args = AdamW {
        parameter: writable(&mut parameter),
        gradient: &gradient,
        moment1: writable(&mut moment1),
        moment2: writable(&mut moment2),
        average: average.as_mut().map(writable),
        settings,
    };
    guarded(|machine| updates::adam_w(machine, args))
}

/// The settings of one step of descent.
#[napi(object)]
pub struct DescentInfo {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub momentum: f64,
    /// Whether the buffer holds nothing yet.
    pub is_first: bool,
    /// LARS's, where the parameter is adapted.
    pub trust: Option<f64>,
}

/// One step of gradient descent with momentum, or of LARS, in place.
#[napi]
pub fn descend(
    mut parameter: Float32ArraySlice,
    gradient: Float32ArraySlice,
    mut buffer: Float32ArraySlice,
    info: DescentInfo,
) -> Result<()> {
    length("gradient", &gradient, parameter.len())?;
    length("buffer", &buffer, parameter.len())?;
    apart(&[place(&parameter), place(&buffer)], &[place(&gradient)])?;
    let args = Descent {
        parameter: writable(&mut parameter),
        gradient: &gradient,
        buffer: writable(&mut buffer),
        is_first: info.is_first,
        learning_rate: info.learning_rate as f32,
        weight_decay: info.weight_decay as f32,
        momentum: info.momentum as f32,
        trust: info.trust.map(|trust| trust as f32),
    };
    guarded(|machine| updates::descend(machine, args))
}

/// A moving average after one more value, in place.
#[napi]
pub fn moving_average(
    mut average: Float32ArraySlice,
    value: Float32ArraySlice,
    momentum: f64,
) -> Result<()> {
    length("value", &value, average.len())?;
    apart(&[place(&average)], &[place(&value)])?;
    let average = writable(&mut average);
    guarded(|machine| updates::ema(machine, average, &value, momentum))
}

/// Shortens a gradient that is longer than `maximum`, in place.
#[napi]
pub fn clip_by_norm(mut gradient: Float32ArraySlice, maximum: f64) -> Result<()> {
    let gradient = writable(&mut gradient);
    guarded(|machine| {
        updates::clip(machine, gradient, maximum);
    })
}

/// The sum of all squares.
#[napi]
pub fn squared_norm(x: Float32ArraySlice) -> Result<f64> {
    guarded(|machine| f64::from(sums::squared_norm(machine, &x)))
}
