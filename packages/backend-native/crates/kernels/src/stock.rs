//! What tfjs calls its kernels, for the code of anybody: element by element, reductions, moves,
//! convolutions, pooling and resizing. Sizes are checked by assertions before anything is written.

pub mod batch_norm;
pub mod binary;
pub mod casts;
pub mod convolution;
pub mod functions;
pub mod gather;
pub mod nest;
pub mod parts;
pub mod pooling;
pub mod rearrange;
pub mod reduce;
pub mod resize;
pub mod softmax;
pub mod transform;
pub mod unary;
pub mod windows;
