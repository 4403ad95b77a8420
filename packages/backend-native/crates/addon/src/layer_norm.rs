use crate::check::{apart, length, place, writable};
use crate::machine::guarded;
use dino_kernels::norm::{self, NormBack};
use dino_kernels::output::Output;
use dino_kernels::product::{Normed, Norming};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Layer norm of rows; the statistics are written too.
#[napi]
pub fn layer_norm(
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    epsilon: f64,
    mut y: Float32ArraySlice,
    mut mean: Float32ArraySlice,
    mut inverse_std: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("x", &x, rows * width)?;
    length("bias", &bias, width)?;
    length("y", &y, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    let read = [place(&x), place(&weight), place(&bias)];
    apart(&[place(&y), place(&mean), place(&inverse_std)], &read)?;
    let source = Norming {
        x: &x,
        weight: &weight,
        bias: &bias,
        epsilon: epsilon as f32,
        mean: Output::new(writable(&mut mean)),
        inverse_std: Output::new(writable(&mut inverse_std)),
    };
    let y = writable(&mut y);
    guarded(|machine| norm::norm(machine, &source, y))
}

/// The rows normalised again, from the statistics of the first time.
#[napi]
pub fn layer_norm_again(
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    mean: Float32ArraySlice,
    inverse_std: Float32ArraySlice,
    mut y: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("x", &x, rows * width)?;
    length("bias", &bias, width)?;
    length("y", &y, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    let read = [&x, &weight, &bias, &mean, &inverse_std].map(|array| place(array));
    apart(&[place(&y)], &read)?;
    let source = Normed {
        x: &x,
        mean: &mean,
        inverse_std: &inverse_std,
        weight: &weight,
        bias: &bias,
    };
    let y = writable(&mut y);
    guarded(|machine| norm::fill(machine, &source, rows, width, y))
}

/// The way back through a layer norm; `around` is added to `dx` where it is given.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn layer_norm_back(
    dy: Float32ArraySlice,
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    mean: Float32ArraySlice,
    inverse_std: Float32ArraySlice,
    around: Option<Float32ArraySlice>,
    mut dx: Float32ArraySlice,
    mut d_weight: Float32ArraySlice,
    mut d_bias: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("dy", &dy, rows * width)?;
    length("x", &x, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    length("dx", &dx, rows * width)?;
    length("dWeight", &d_weight, width)?;
    length("dBias", &d_bias, width)?;
    if let Some(around) = &around {
        length("around", around, rows * width)?;
    }
    let mut read: Vec<_> = [&dy, &x, &weight, &mean, &inverse_std]
        .map(|a| place(a))
        .into();
    read.extend(around.iter().map(|around| place(around)));
    apart(&[place(&dx), place(&d_weight), place(&d_bias)], &read)?;
    let args = NormBack {
        dy: &dy,
        x: &x,
        weight: &weight,
        mean: &mean,
        inverse_std: &inverse_std,
        around: around.as_deref(),
        dx: writable(&mut dx),
        d_weight: writable(&mut d_weight),
        d_bias: writable(&mut d_bias),
    };
    guarded(|machine| norm::norm_back(machine, args))
}
