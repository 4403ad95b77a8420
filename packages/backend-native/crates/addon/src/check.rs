//! What is asked of arguments before a kernel gets them.

use napi::bindgen_prelude::*;

/// An array that a kernel writes to.
pub fn writable<'a>(array: &'a mut Float32ArraySlice<'_>) -> &'a mut [f32] {
    // SAFETY: calls are synchronous, so JavaScript does not touch the array meanwhile; that it
    // shares no memory with another argument is checked by `apart`.
    unsafe { array.as_mut() }
}

/// The same for bfloat16.
pub fn writable_bf16<'a>(array: &'a mut Uint16ArraySlice<'_>) -> &'a mut [u16] {
    // SAFETY: as for `writable`.
    unsafe { array.as_mut() }
}

/// An error unless the slice has `expected` elements.
pub fn length<T>(name: &str, slice: &[T], expected: usize) -> Result<()> {
    count(name, slice.len(), expected)
}

/// An error unless as many elements were found as expected.
pub fn count(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(invalid(format!(
        "{name}: expected {expected} elements, got {found}"
    )))
}

/// An error unless the results lie apart from each other and from what is read.
pub fn apart(results: &[(*const u8, usize)], inputs: &[(*const u8, usize)]) -> Result<()> {
    for (i, result) in results.iter().enumerate() {
        if results[i + 1..]
            .iter()
            .chain(inputs)
            .any(|other| overlap(*result, *other))
        {
            return Err(invalid(
                "results: expected memory of their own, got some of another array",
            ));
        }
    }
    Ok(())
}

/// Where a slice lies.
pub fn place<T>(slice: &[T]) -> (*const u8, usize) {
    (slice.as_ptr().cast(), size_of_val(slice))
}

pub fn invalid(message: impl Into<String>) -> Error {
    Error::new(Status::InvalidArg, message.into())
}

fn overlap(a: (*const u8, usize), b: (*const u8, usize)) -> bool {
    let (a_start, b_start) = (a.0 as usize, b.0 as usize);
    a.1 > 0 && b.1 > 0 && a_start < b_start + b.1 && b_start < a_start + a.1
}
