use super::products::optional;
use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::stock::batch_norm::{Statistics, batch_norm};
use dino_kernels::stock::resize::{Corners, Resizing, bilinear, bilinear_gradient, nearest};
use dino_kernels::stock::transform::{Beyond, Projection, transform};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Normalises channels, the last axis, by statistics that are given; an empty array is none.
#[napi]
pub fn stock_batch_norm(
    x: Float32ArraySlice,
    mean: Float32ArraySlice,
    variance: Float32ArraySlice,
    scale: Float32ArraySlice,
    offset: Float32ArraySlice,
    mut to: Float32ArraySlice,
    epsilon: f64,
) -> Result<()> {
    let to = writable(&mut to);
    let channels = mean.len();
    if channels == 0 || !x.len().is_multiple_of(channels) {
        return Err(invalid(format!(
            "x: expected {channels} channels, got {} elements",
            x.len()
        )));
    }
    length("variance", &variance, channels)?;
    if !scale.is_empty() {
        length("scale", &scale, channels)?;
    }
    if !offset.is_empty() {
        length("offset", &offset, channels)?;
    }
    length("to", to, x.len())?;
    let inputs = [
        place(&x),
        place(&mean),
        place(&variance),
        place(&scale),
        place(&offset),
    ];
    apart(&[place(to)], &inputs)?;
    let statistics = Statistics {
        mean: &mean,
        variance: &variance,
        scale: optional(&scale),
        offset: optional(&offset),
        epsilon,
    };
    guarded(|machine| batch_norm(machine, &x, &statistics, to))
}

/// How a picture gets another size.
#[napi]
pub enum Interpolation {
    Bilinear,
    BilinearGradient,
    Nearest,
}

/// Pictures in another size: `sizes` are images, height and width before and after, and channels.
/// The gradient goes the other way.
#[napi]
pub fn stock_resize(
    interpolation: Interpolation,
    x: Float32ArraySlice,
    mut to: Float32ArraySlice,
    sizes: Uint32ArraySlice,
    aligned: bool,
    half_pixels: bool,
) -> Result<()> {
    let to = writable(&mut to);
    length("sizes", &sizes, 6)?;
    let at = |i: usize| sizes[i] as usize;
    let corners = Corners {
        aligned,
        half_pixels,
    };
    let (from, into) = ([at(1), at(2)], [at(3), at(4)]);
    let resizing = Resizing {
        images: at(0),
        from,
        to: into,
        channels: at(5),
        corners,
    };
    let size = |[height, width]: [usize; 2]| {
        let sizes = [height, width, resizing.channels];
        sizes
            .iter()
            .fold(resizing.images, |n, &size| n.saturating_mul(size))
    };
    let is_gradient = matches!(interpolation, Interpolation::BilinearGradient);
    length("x", &x, size(if is_gradient { into } else { from }))?;
    length("to", to, size(if is_gradient { from } else { into }))?;
    if x.is_empty() || to.is_empty() {
        return Err(invalid("sizes: expected none of 0"));
    }
    apart(&[place(to)], &[place(&x)])?;
    guarded(|machine| match interpolation {
        Interpolation::Bilinear => bilinear(machine, &resizing, &x, to),
        Interpolation::BilinearGradient => bilinear_gradient(machine, &resizing, &x, to),
        Interpolation::Nearest => nearest(machine, &resizing, &x, to),
    })
}

/// What lies outside of a picture, by tfjs's names.
#[napi]
#[allow(non_camel_case_types)]
pub enum FillMode {
    constant,
    reflect,
    wrap,
    nearest,
}

/// Pictures through a projection: `sizes` as for `stock_resize`, `matrices` eight numbers each.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn stock_transform(
    x: Float32ArraySlice,
    matrices: Float32ArraySlice,
    mut to: Float32ArraySlice,
    sizes: Uint32ArraySlice,
    bilinear: bool,
    mode: FillMode,
    fill: f64,
) -> Result<()> {
    let to = writable(&mut to);
    length("sizes", &sizes, 6)?;
    let at = |i: usize| sizes[i] as usize;
    let projection = Projection {
        images: at(0),
        from: [at(1), at(2)],
        to: [at(3), at(4)],
        channels: at(5),
        matrices: &matrices,
        bilinear,
        beyond: match mode {
            FillMode::constant => Beyond::Constant,
            FillMode::reflect => Beyond::Reflect,
            FillMode::wrap => Beyond::Wrap,
            FillMode::nearest => Beyond::Nearest,
        },
        fill: fill as f32,
    };
    let size = |[height, width]: [usize; 2]| {
        let sizes = [height, width, projection.channels];
        sizes
            .iter()
            .fold(projection.images, |n, &size| n.saturating_mul(size))
    };
    length("x", &x, size(projection.from))?;
    length("to", to, size(projection.to))?;
    if x.is_empty() || to.is_empty() {
        return Err(invalid("sizes: expected none of 0"));
    }
    if matrices.len() != 8 {
        length("matrices", &matrices, projection.images.saturating_mul(8))?;
    }
    apart(&[place(to)], &[place(&x), place(&matrices)])?;
    guarded(|machine| transform(machine, &projection, &x, to))
}
