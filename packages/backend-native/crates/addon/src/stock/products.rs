use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::product::{Batch, Right, Source, batched};
use dino_kernels::stock::convolution::{Ending, multiply};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// An empty array is no bias.
pub fn optional(values: &[f32]) -> Option<&[f32]> {
    (!values.is_empty()).then_some(values)
}

/// Products `[pairs, m, n]` of the left and right matrices that `pairs` names two by two.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn stock_products(
    left: Float32ArraySlice,
    right: Float32ArraySlice,
    mut to: Float32ArraySlice,
    m: u32,
    k: u32,
    n: u32,
    left_transposed: bool,
    right_transposed: bool,
    pairs: Uint32ArraySlice,
) -> Result<()> {
    let (m, k, n) = (m as usize, k as usize, n as usize);
    let to = writable(&mut to);
    let whole = |values: &[f32], size: usize| size == 0 || values.len().is_multiple_of(size);
    if !whole(&left, m * k) || !whole(&right, k * n) || !pairs.len().is_multiple_of(2) {
        return Err(invalid(
            "matrices: expected a whole number of them, got a part of one",
        ));
    }
    let pairs: Vec<[usize; 2]> = pairs
        .chunks_exact(2)
        .map(|pair| [pair[0] as usize, pair[1] as usize])
        .collect();
    let is_within = |i: usize, size: usize, values: &[f32]| (i + 1) * size <= values.len();
    if !pairs
        .iter()
        .all(|&[i, j]| is_within(i, m * k, &left) && is_within(j, k * n, &right))
    {
        return Err(invalid(
            "pairs: expected matrices that are there, got one that is not",
        ));
    }
    length("to", to, pairs.len() * m * n)?;
    apart(&[place(to)], &[place(&left), place(&right)])?;
    guarded(|machine| {
        let batch = Batch {
            m,
            k,
            n,
            left: &left,
            right: &right,
            left_transposed,
            right_transposed,
            pairs: &pairs,
            to,
        };
        batched(machine, batch);
    })
}

/// One product `[m, n]` with a bias, if there is one, and kept between two numbers.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn stock_product(
    left: Float32ArraySlice,
    right: Float32ArraySlice,
    bias: Float32ArraySlice,
    mut to: Float32ArraySlice,
    m: u32,
    k: u32,
    n: u32,
    right_transposed: bool,
    least: f64,
    most: f64,
) -> Result<()> {
    let (m, k, n) = (m as usize, k as usize, n as usize);
    let to = writable(&mut to);
    length("left", &left, m * k)?;
    length("right", &right, k * n)?;
    if !bias.is_empty() {
        length("bias", &bias, n)?;
    }
    length("to", to, m * n)?;
    apart(&[place(to)], &[place(&left), place(&right), place(&bias)])?;
    let ending = Ending {
        bias: optional(&bias),
        least: least as f32,
        most: most as f32,
    };
    guarded(|machine| {
        let stride = if right_transposed { k } else { n };
        let right = Right {
            values: &right,
            stride,
            transposed: right_transposed,
        };
        let left = &Source::dense(&left, k);
        multiply(machine, left, right, [m, k, n], ending, to);
    })
}
