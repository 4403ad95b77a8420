use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::stock::reduce::{self, Fold, arg_max, arg_min, reduce};
use dino_kernels::stock::softmax::softmax;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// What becomes one number of many, by tfjs's names.
#[napi]
pub enum Reduction {
    Max,
    Mean,
    Min,
    Prod,
    Sum,
}

/// `x` `[outer, count, inner]` to `to` `[outer, inner]`.
#[napi]
pub fn stock_reduce(
    reduction: Reduction,
    x: Float32ArraySlice,
    mut to: Float32ArraySlice,
    outer: u32,
    count: u32,
    inner: u32,
) -> Result<()> {
    let shape = [outer, count, inner].map(|size| size as usize);
    let to = writable(&mut to);
    let size = shape[0]
        .checked_mul(shape[1])
        .and_then(|size| size.checked_mul(shape[2]));
    length("x", &x, size.unwrap_or(usize::MAX))?;
    length("to", to, shape[0] * shape[2])?;
    apart(&[place(to)], &[place(&x)])?;
    match reduction {
        Reduction::Max => apply(&reduce::Max, &x, shape, to),
        Reduction::Mean => apply(&reduce::Mean, &x, shape, to),
        Reduction::Min => apply(&reduce::Min, &x, shape, to),
        Reduction::Prod => apply(&reduce::Prod, &x, shape, to),
        Reduction::Sum => apply(&reduce::Sum, &x, shape, to),
    }
}

fn apply<F: Fold>(fold: &F, x: &[f32], shape: [usize; 3], to: &mut [f32]) -> Result<()> {
    guarded(|machine| reduce(machine, fold, x, shape, to))
}

/// Where the largest, or smallest, number of each row of `x` is.
#[napi]
pub fn stock_arg_extreme(
    smallest: bool,
    x: Float32ArraySlice,
    mut to: Int32ArraySlice,
) -> Result<()> {
    // SAFETY: as for `writable`.
    let to = unsafe { to.as_mut() };
    let rows = to.len();
    if rows == 0 || x.is_empty() || !x.len().is_multiple_of(rows) || x.len() > i32::MAX as usize {
        return Err(invalid(format!(
            "x: expected {rows} rows, got {} elements",
            x.len()
        )));
    }
    apart(&[place(to)], &[place(&x)])?;
    guarded(|machine| match smallest {
        true => arg_min(machine, &x, rows, to),
        false => arg_max(machine, &x, rows, to),
    })
}

/// The softmax of rows of `width` numbers.
#[napi]
pub fn stock_softmax(x: Float32ArraySlice, mut to: Float32ArraySlice, width: u32) -> Result<()> {
    let to = writable(&mut to);
    let width = width as usize;
    if width == 0 || !x.len().is_multiple_of(width) {
        return Err(invalid(format!(
            "x: expected rows of {width}, got {} elements",
            x.len()
        )));
    }
    length("to", to, x.len())?;
    apart(&[place(to)], &[place(&x)])?;
    guarded(|machine| softmax(machine, &x, width, to))
}
