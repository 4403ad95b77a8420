use crate::check::{place, writable, writable_bf16};
use dino_kernels::product::{Results, Source};
use napi::bindgen_prelude::*;

/// Activations: float32, or the bits of bfloat16.
pub type Activations<'a> = Either<Float32ArraySlice<'a>, Uint16ArraySlice<'a>>;

/// Where activations lie.
pub fn activations_place(array: &Activations<'_>) -> (*const u8, usize) {
    match array {
        Either::A(array) => place(array),
        Either::B(array) => place(array),
    }
}

pub fn activations_length(array: &Activations<'_>) -> usize {
    match array {
        Either::A(array) => array.len(),
        Either::B(array) => array.len(),
    }
}

/// Activations as a slice of their own kind, in an expression that is written once.
macro_rules! with_activations {
    ($array:expr => $slice:ident, $body:expr) => {
        match &$array {
            napi::bindgen_prelude::Either::A(array) => {
                let $slice: &[f32] = array;
                $body
            }
            napi::bindgen_prelude::Either::B(array) => {
                let $slice: &[u16] = array;
                $body
            }
        }
    };
}

/// Activations as the rows of a matrix.
pub fn dense<'a>(array: &'a Activations<'_>, width: usize) -> Source<'a> {
    match array {
        Either::A(array) => Source::dense(array, width),
        Either::B(array) => Source::dense_bf16(array, width),
    }
}

/// Activations that a kernel writes.
pub fn results_of<'a>(array: &'a mut Activations<'_>) -> Results<'a> {
    match array {
        Either::A(array) => Results::from(writable(array)),
        Either::B(array) => Results::from(writable_bf16(array)),
    }
}

pub(crate) use with_activations;
