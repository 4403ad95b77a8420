use super::head::{Slab, pack_columns, pack_rows, soften};
use super::multiply::{Strided, multiply};
use super::{Layout, Place};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;

/// Queries that are worked on at once: a few keys or values are fetched once for all of them, and
/// their scores stay in the first-level cache.
const QUERIES: usize = 16;

/// Queries, keys and values of each row, all heads of each, to what the heads have gathered.
pub struct Attention<'a, T> {
    pub layout: Layout<'a>,
    /// `[rows, 3 * width]`
    pub qkv: &'a [T],
    /// `[rows, width]`
    pub mixed: &'a mut [T],
}

pub fn attention<T: Stored>(machine: &Machine, args: Attention<'_, T>) {
    let Attention { layout, qkv, mixed } = args;
    let rows = layout.rows();
    assert_eq!(qkv.len(), rows * 3 * layout.width);
    assert_eq!(mixed.len(), rows * layout.width);
    let task = Gather {
        layout,
        qkv,
        to: Output::new(mixed),
        weights: false,
    };
    machine.each(layout.sequences() * layout.heads, &task);
}

/// What each token attends to: `[sequences, heads, tokens, tokens]` of one segment.
pub fn attention_weights(machine: &Machine, layout: Layout<'_>, qkv: &[f32], weights: &mut [f32]) {
    assert_eq!(layout.segments.len(), 1);
    assert_eq!(qkv.len(), layout.rows() * 3 * layout.width);
    assert_eq!(
        weights.len(),
        layout.rows() * layout.heads * layout.longest()
    );
    let task = Gather {
        layout,
        qkv,
        to: Output::new(weights),
        weights: true,
    };
    machine.each(layout.sequences() * layout.heads, &task);
}

struct Gather<'a, T> {
    layout: Layout<'a>,
    qkv: &'a [T],
    to: Output<'a, T>,
    /// Whether the weights themselves are wanted.
    weights: bool,
}

impl<T: Stored> Task for Gather<'_, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        // SAFETY: inside of a job; a head's part of the result is this task's own.
        unsafe {
            simd.by_tile(Head {
                task: self,
                index,
                scratch,
            })
        }
    }
}

/// A head, for a tile of some size.
struct Head<'a, T> {
    task: &'a Gather<'a, T>,
    index: usize,
    scratch: &'a mut Scratch,
}

impl<S: Simd, T: Stored> ByTile<S> for Head<'_, T> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        // SAFETY: as in `run` of the task.
        unsafe {
            self.task
                .head::<S, ROWS, VECTORS>(simd, self.index, self.scratch)
        }
    }
}

impl<T: Stored> Gather<'_, T> {
    #[inline(always)]
    unsafe fn head<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let Layout { width: all, .. } = self.layout;
        let Place {
            row, tokens, head, ..
        } = self.layout.place(index);
        let width = self.layout.head_width();
        let (wide, long) = (
            width.next_multiple_of(S::LANES),
            tokens.next_multiple_of(S::LANES),
        );
        let block = QUERIES.min(tokens).next_multiple_of(ROWS);
        let part = |which: usize| Slab {
            values: self.qkv,
            stride: 3 * all,
            row,
            column: which * all + head * width,
            rows: tokens,
            width,
        };
        let [q, rows, keys, values, scores, gathered] = scratch.pieces([
            tokens * wide,
            tokens * wide,
            long * width,
            tokens * wide,
            block * long,
            block * wide,
        ]);
        let mut sums = [0.0; QUERIES];
        // SAFETY: inside of a job; sizes are those of the pieces.
        unsafe {
            part(0).copy(simd, 1.0 / (width as f32).sqrt(), wide, q);
            part(1).copy(simd, 1.0, wide, rows);
            pack_columns::<S>(tokens, width, wide, rows, keys);
            part(2).copy(simd, 1.0, wide, rows);
            pack_rows(simd, tokens, wide, rows, values);
            for first in (0..tokens).step_by(block) {
                let count = block.min(tokens - first);
                let queries = Strided {
                    values: &q[first * wide..],
                    stride: wide,
                    count,
                };
                multiply::<S, ROWS, VECTORS>(simd, queries, width, keys, long, scores, long);
                for (row, sum) in scores.chunks_exact_mut(long).zip(&mut sums[..count]) {
                    *sum = soften(simd, row, tokens, long);
                }
                if self.weights {
                    self.store_weights(simd, index, first, &sums[..count], scores, long, tokens);
                    continue;
                }
                let weights = Strided {
                    values: &*scores,
                    stride: long,
                    count,
                };
                multiply::<S, ROWS, VECTORS>(simd, weights, tokens, values, wide, gathered, wide);
                for (i, sum) in sums[..count].iter().enumerate() {
                    let at = (row + first + i) * all + head * width;
                    let to = self.to.part(at..at + width).as_mut_ptr();
                    let share = simd.splat(1.0 / sum);
                    for column in (0..width).step_by(S::LANES) {
                        let value = simd.load(gathered.as_ptr().add(i * wide + column));
                        let lanes = S::LANES.min(width - column);
                        T::store(simd, to.add(column), simd.mul(value, share), lanes);
                    }
                }
            }
        }
    }

    #[inline(always)]
    #[allow(clippy::too_many_arguments)]
    unsafe fn store_weights<S: Simd>(
        &self,
        simd: S,
        index: usize,
        first: usize,
        sums: &[f32],
        scores: &[f32],
        long: usize,
        tokens: usize,
    ) {
        for (i, sum) in sums.iter().enumerate() {
            // SAFETY: inside of a job; the row is this task's own.
            unsafe {
                let at = (index * tokens + first + i) * tokens;
                let to = self.to.part(at..at + tokens);
                for column in (0..tokens).step_by(S::LANES) {
                    let lanes = S::LANES.min(tokens - column);
                    let value = simd.load(scores.as_ptr().add(i * long + column));
                    let share = simd.mul(value, simd.splat(1.0 / sum));
                    T::store(simd, to.as_mut_ptr().add(column), share, lanes);
                }
            }
        }
    }
}
