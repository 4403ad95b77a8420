//! A linear layer whose weight's rows are `gain * direction / |direction|` (Salimans and Kingma
//! 2016). DINO's last layer is by far the largest matrix and met by few rows, so both ways read
//! the direction once, block of rows by block of rows, and never write the weight out.

mod back;
mod forward;

pub use back::{WeightNormBack, weight_norm_back};
pub use forward::{WeightNorm, weight_norm};

/// Rows of the direction that are worked on at once: a multiple of all tiles and lanes.
const BLOCK: usize = 48;
