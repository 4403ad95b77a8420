use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::unit_rows;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Rows of length 1, and their lengths.
#[napi]
pub fn unit_rows(
    x: Float32ArraySlice,
    epsilon: f64,
    mut y: Float32ArraySlice,
    mut norms: Float32ArraySlice,
) -> Result<()> {
    length("y", &y, x.len())?;
    if !x.len().is_multiple_of(norms.len().max(1)) {
        return Err(invalid("norms: expected one for each row"));
    }
    apart(&[place(&y), place(&norms)], &[place(&x)])?;
    let (y, norms) = (writable(&mut y), writable(&mut norms));
    guarded(|machine| unit_rows::unit_rows(machine, &x, epsilon as f32, y, norms))
}

#[napi]
pub fn unit_rows_back(
    dy: Float32ArraySlice,
    x: Float32ArraySlice,
    norms: Float32ArraySlice,
    epsilon: f64,
    mut dx: Float32ArraySlice,
) -> Result<()> {
    length("dy", &dy, x.len())?;
    length("dx", &dx, x.len())?;
    if !x.len().is_multiple_of(norms.len().max(1)) {
        return Err(invalid("norms: expected one for each row"));
    }
    apart(&[place(&dx)], &[place(&dy), place(&x), place(&norms)])?;
    let dx = writable(&mut dx);
    guarded(|machine| {
        unit_rows::unit_rows_back(machine, &dy, &x, &norms, epsilon as f32, dx);
    })
}
