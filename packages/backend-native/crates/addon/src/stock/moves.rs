use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::stock::gather::{gather, segment_sum};
use dino_kernels::stock::nest::Nest;
use dino_kernels::stock::rearrange::rearrange;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Copies numbers of `from` to places of `to`: for each axis, `axes` has its size and the steps of
/// `to` and of `from`, which begin at `to_start` and `from_start`.
#[napi]
pub fn stock_rearrange(
    from: Float32ArraySlice,
    mut to: Float32ArraySlice,
    axes: Int32ArraySlice,
    to_start: u32,
    from_start: u32,
) -> Result<()> {
    let to = writable(&mut to);
    apart(&[place(to)], &[place(&from)])?;
    let Some(nest) = Nest::<2>::new(&axes) else {
        return Err(invalid(
            "axes: expected a size and two steps for each of up to 8",
        ));
    };
    let starts = [to_start as usize, from_start as usize];
    if !nest.is_within(0, starts[0], to.len()) || !nest.is_within(1, starts[1], from.len()) {
        return Err(invalid("axes: expected those of the arrays, got others"));
    }
    if !nest.is_apart(0) {
        return Err(invalid(
            "axes: expected each place of the result once, got one twice",
        ));
    }
    guarded(|machine| rearrange(machine, &nest, to, &from, starts))
}

/// Rows of `x` `[batch, outer, dim, width]` by their numbers, `indices` `[batch, count]`.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn stock_gather(
    x: Float32ArraySlice,
    indices: Int32ArraySlice,
    mut to: Float32ArraySlice,
    batch: u32,
    outer: u32,
    dim: u32,
    width: u32,
) -> Result<()> {
    let shape = [batch, outer, dim, width].map(|size| size as usize);
    let to = writable(&mut to);
    let size = |sizes: &[usize]| {
        sizes
            .iter()
            .fold(1_usize, |n, &size| n.saturating_mul(size))
    };
    if shape[0] == 0 || !indices.len().is_multiple_of(shape[0]) {
        return Err(invalid(
            "indices: expected as many for each of the batch, got others",
        ));
    }
    length("x", &x, size(&shape))?;
    length("to", to, size(&[shape[1], indices.len(), shape[3]]))?;
    if let Some(index) = indices
        .iter()
        .find(|&&index| index < 0 || index as usize >= shape[2])
    {
        return Err(invalid(format!(
            "indices: expected from 0 to {}, got {index}",
            dim - 1
        )));
    }
    apart(&[place(to)], &[place(&x), place(&indices)])?;
    guarded(|machine| gather(machine, &x, shape, &indices, to))
}

/// Sums of the rows of `x`, `width` numbers each, that have the same id.
#[napi]
pub fn stock_segment_sum(
    x: Float32ArraySlice,
    ids: Int32ArraySlice,
    mut to: Float32ArraySlice,
    width: u32,
) -> Result<()> {
    let width = width as usize;
    let to = writable(&mut to);
    if width == 0 || !to.len().is_multiple_of(width) {
        return Err(invalid(format!(
            "to: expected rows of {width}, got {} elements",
            to.len()
        )));
    }
    length("x", &x, ids.len().saturating_mul(width))?;
    apart(&[place(to)], &[place(&x), place(&ids)])?;
    guarded(|machine| segment_sum(machine, &x, width, &ids, to))
}
