use crate::check::{apart, length, place, writable};
use crate::machine::guarded;
use dino_kernels::weight_norm::{self, WeightNorm, WeightNormBack};
use napi::bindgen_prelude::*;
use napi_derive::napi;

#[napi]
pub fn weight_norm_linear(
    x: Float32ArraySlice,
    gain: Float32ArraySlice,
    direction: Float32ArraySlice,
    mut y: Float32ArraySlice,
    rows: u32,
    inputs: u32,
) -> Result<()> {
    let (rows, inputs, outputs) = (rows as usize, inputs as usize, gain.len());
    length("x", &x, rows * inputs)?;
    length("direction", &direction, outputs * inputs)?;
    length("y", &y, rows * outputs)?;
    apart(&[place(&y)], &[place(&x), place(&gain), place(&direction)])?;
    let (x, gain, direction, y) = (&*x, &*gain, &*direction, writable(&mut y));
    guarded(|machine| {
        weight_norm::weight_norm(
            machine,
            WeightNorm {
                x,
                gain,
                direction,
                rows,
                inputs,
                y,
            },
        );
    })
}

#[napi]
#[allow(clippy::too_many_arguments)]
pub fn weight_norm_linear_back(
    x: Float32ArraySlice,
    gain: Float32ArraySlice,
    direction: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut dx: Float32ArraySlice,
    mut d_gain: Float32ArraySlice,
    mut d_direction: Float32ArraySlice,
    rows: u32,
    inputs: u32,
) -> Result<()> {
    let (rows, inputs, outputs) = (rows as usize, inputs as usize, gain.len());
    length("x", &x, rows * inputs)?;
    length("direction", &direction, outputs * inputs)?;
    length("dy", &dy, rows * outputs)?;
    length("dx", &dx, x.len())?;
    length("dGain", &d_gain, outputs)?;
    length("dDirection", &d_direction, direction.len())?;
    let read = [&x, &gain, &direction, &dy].map(|array| place(array));
    apart(&[place(&dx), place(&d_gain), place(&d_direction)], &read)?;
    let args = WeightNormBack {
        x: &x,
        gain: &gain,
        direction: &direction,
        dy: &dy,
        rows,
        inputs,
        dx: writable(&mut dx),
        d_gain: writable(&mut d_gain),
        d_direction: writable(&mut d_direction),
    };
    guarded(|machine| weight_norm::weight_norm_back(machine, args))
}
