//! Products of matrices, with what comes before and after them done on the way.
//!
//! The right-hand matrix is packed once a product, into panels as wide as a vector; the left-hand
//! one is read where it lies, or made row by row in a block that stays in the second-level cache.
//! A lane of what is multiplied is a *word*: one float32, or two bfloat16 that follow each other.

mod batched;
mod columns;
mod finish;
mod outer;
mod panels;
mod rows;
mod source;
mod tile;

pub use batched::{Batch, batched};
pub use finish::{Finish, Results};
pub use outer::{Outer, outer};
pub use panels::{Panels, Right};
pub use rows::{Product, product};
pub use source::{Active, Dense, Normed, Norming, Rows, Source, Weighted, statistics};
pub use tile::{tile, transposed_tile};

/// How many words of the common dimension a pass takes: its panels stay in the first-level cache.
const DEPTH: usize = 384;

/// The precision of products. What is added up is float32 in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Fp32,
    Bf16,
}

impl Precision {
    /// The words that `k` numbers take.
    pub fn words(self, k: usize) -> usize {
        match self {
            Precision::Fp32 => k,
            Precision::Bf16 => k.div_ceil(2),
        }
    }
}
