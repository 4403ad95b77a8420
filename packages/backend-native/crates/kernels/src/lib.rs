//! The kernels of DINO's operations on a processor: matrix products with what goes before and
//! after them, attention, normalisation, the loss and the optimizers. Plain slices in, plain
//! slices out; nothing here knows of JavaScript.

pub mod activation;
pub mod attention;
pub mod cross_entropy;
pub mod machine;
pub mod math;
pub mod norm;
pub mod output;
pub mod pages;
pub mod patches;
pub mod peak;
pub mod pool;
pub mod product;
pub mod scratch;
pub mod simd;
pub mod stock;
pub mod stored;
pub mod sums;
pub mod unit_rows;
pub mod updates;
pub mod weight_norm;
