use super::products::optional;
use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::stock::convolution::{
    Convolution, Ending, convolve, depthwise, filter_gradient, input_gradient,
};
use dino_kernels::stock::pooling;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Images, height and width of the input, channels, height and width of the output, filters,
/// height and width of the filter, strides, dilations, and zeros above and to the left.
const SIZES: usize = 15;

/// The sizes, and how many numbers input, filter and output have.
fn sizes(numbers: &[i32]) -> Result<(Convolution, [usize; 3])> {
    length("sizes", numbers, SIZES)?;
    let (padding, rest) = ([numbers[13], numbers[14]], &numbers[..13]);
    if rest.iter().any(|&size| size < 0) {
        return Err(invalid("sizes: expected none below 0"));
    }
    let at = |i: usize| numbers[i] as usize;
    let pair = |i: usize| [at(i), at(i + 1)];
    let convolution = Convolution {
        images: at(0),
        input: pair(1),
        channels: at(3),
        output: pair(4),
        filters: at(6),
        filter: pair(7),
        strides: pair(9),
        dilations: pair(11),
        padding,
    };
    match convolution.sizes() {
        Some(sizes) => Ok((convolution, sizes)),
        None => Err(invalid(
            "sizes: expected those of a convolution that fits into memory",
        )),
    }
}

/// The convolution with a bias for each filter, if there is one, kept between two numbers.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn stock_convolve(
    x: Float32ArraySlice,
    filter: Float32ArraySlice,
    bias: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
    least: f64,
    most: f64,
) -> Result<()> {
    let (sizes, lengths) = sizes(&numbers)?;
    let to = writable(&mut to);
    length("x", &x, lengths[0])?;
    length("filter", &filter, lengths[1])?;
    length("to", to, lengths[2])?;
    if !bias.is_empty() {
        length("bias", &bias, sizes.filters)?;
    }
    apart(&[place(to)], &[place(&x), place(&filter), place(&bias)])?;
    let ending = Ending {
        bias: optional(&bias),
        least: least as f32,
        most: most as f32,
    };
    guarded(|machine| convolve(machine, &sizes, &x, &filter, ending, to))
}

/// The gradient of the input.
#[napi]
pub fn stock_input_gradient(
    dy: Float32ArraySlice,
    filter: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = sizes(&numbers)?;
    let to = writable(&mut to);
    length("dy", &dy, lengths[2])?;
    length("filter", &filter, lengths[1])?;
    length("to", to, lengths[0])?;
    if sizes.dilations != [1, 1] {
        return Err(invalid("dilations: expected 1"));
    }
    apart(&[place(to)], &[place(&dy), place(&filter)])?;
    guarded(|machine| input_gradient(machine, &sizes, &dy, &filter, to))
}

/// The gradient of the filter.
#[napi]
pub fn stock_filter_gradient(
    x: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = sizes(&numbers)?;
    let to = writable(&mut to);
    length("x", &x, lengths[0])?;
    length("dy", &dy, lengths[2])?;
    length("to", to, lengths[1])?;
    apart(&[place(to)], &[place(&x), place(&dy)])?;
    guarded(|machine| filter_gradient(machine, &sizes, &x, &dy, to))
}

/// The convolution of each channel with `filters` filters of its own.
#[napi]
pub fn stock_depthwise(
    x: Float32ArraySlice,
    filter: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = sizes(&numbers)?;
    let to = writable(&mut to);
    length("x", &x, lengths[0])?;
    length("filter", &filter, lengths[1])?;
    length("to", to, lengths[2].saturating_mul(sizes.channels))?;
    apart(&[place(to)], &[place(&x), place(&filter)])?;
    guarded(|machine| depthwise(machine, &sizes, &x, &filter, to))
}

/// The largest numbers, or the means, of windows. There is one filter, of each channel.
#[napi]
pub fn stock_pool(
    max: bool,
    x: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = pooling_sizes(&numbers)?;
    let to = writable(&mut to);
    length("x", &x, lengths[0])?;
    length("to", to, lengths[1])?;
    apart(&[place(to)], &[place(&x)])?;
    guarded(|machine| match max {
        true => pooling::max_pool(machine, &sizes, &x, to),
        false => pooling::mean_pool(machine, &sizes, &x, to),
    })
}

/// The gradient of what the largest numbers of windows were taken from.
#[napi]
pub fn stock_max_pool_gradient(
    x: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = pooling_sizes(&numbers)?;
    let to = writable(&mut to);
    length("x", &x, lengths[0])?;
    length("dy", &dy, lengths[1])?;
    length("to", to, lengths[0])?;
    apart(&[place(to)], &[place(&x), place(&dy)])?;
    guarded(|machine| pooling::max_pool_gradient(machine, &sizes, &x, &dy, to))
}

/// The gradient of what the means of windows were taken from.
#[napi]
pub fn stock_mean_pool_gradient(
    dy: Float32ArraySlice,
    mut to: Float32ArraySlice,
    numbers: Int32ArraySlice,
) -> Result<()> {
    let (sizes, lengths) = pooling_sizes(&numbers)?;
    let to = writable(&mut to);
    length("dy", &dy, lengths[1])?;
    length("to", to, lengths[0])?;
    apart(&[place(to)], &[place(&dy)])?;
    guarded(|machine| pooling::mean_pool_gradient(machine, &sizes, &dy, to))
}

/// The sizes, and how many numbers input and output have.
fn pooling_sizes(numbers: &[i32]) -> Result<(Convolution, [usize; 2])> {
    let (sizes, [input, _, pixels]) = sizes(numbers)?;
    if sizes.filters != 1 || sizes.dilations != [1, 1] {
        return Err(invalid("sizes: expected one filter without dilation"));
    }
    Ok((sizes, [input, pixels.saturating_mul(sizes.channels)]))
}
