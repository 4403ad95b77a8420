use super::head::{Slab, pack_columns, pack_rows, soften};
use super::{Layout, Place};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::tile;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;

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
            ROWS * long,
            ROWS * wide,
        ]);
        // SAFETY: inside of a job; sizes are those of the pieces.
        unsafe {
            part(0).copy(simd, 1.0 / (width as f32).sqrt(), wide, q);
            part(1).copy(simd, 1.0, wide, rows);
            pack_columns::<S>(tokens, width, wide, rows, keys);
            part(2).copy(simd, 1.0, wide, rows);
            pack_rows(simd, tokens, wide, rows, values);
            for first in (0..tokens).step_by(ROWS) {
                let count = ROWS.min(tokens - first);
                let left = starts::<ROWS>(q, wide, first, count);
                multiply::<S, ROWS, VECTORS>(simd, width, left, keys, long, scores);
                let mut sums = [0.0; ROWS];
                for i in 0..count {
                    sums[i] = soften(simd, &mut scores[i * long..(i + 1) * long], tokens, long);
                }
                if self.weights {
                    self.store_weights(simd, index, first, &sums[..count], scores, long, tokens);
                    continue;
                }
                let left = starts::<ROWS>(scores, long, 0, count);
                multiply::<S, ROWS, VECTORS>(simd, tokens, left, values, wide, gathered);
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

/// Where rows begin; rows behind the last are the last again.
#[inline(always)]
pub fn starts<const ROWS: usize>(
    rows: &[f32],
    stride: usize,
    first: usize,
    count: usize,
) -> [*const f32; ROWS] {
    let mut starts = [rows.as_ptr(); ROWS];
    for (i, start) in starts.iter_mut().enumerate() {
        *start = rows[(first + i.min(count - 1)) * stride..].as_ptr();
    }
    starts
}

/// Rows times panels of `columns` columns, `words` words deep, to rows `columns` apart.
///
/// # Safety
/// Inside of a job of `simd`; `columns` is a multiple of its lanes; all is as long as it must be.
#[inline(always)]
pub unsafe fn multiply<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    words: usize,
    left: [*const f32; ROWS],
    panels: &[f32],
    columns: usize,
    to: &mut [f32],
) {
    // SAFETY: the caller's promise.
    unsafe {
        multiply_to::<S, ROWS, VECTORS>(simd, words, left, panels, columns, columns, to);
    }
}

/// The same, to rows `stride` apart.
///
/// # Safety
/// As for `multiply`.
#[inline(always)]
pub unsafe fn multiply_to<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    words: usize,
    left: [*const f32; ROWS],
    panels: &[f32],
    columns: usize,
    stride: usize,
    to: &mut [f32],
) {
    let (count, size) = (columns / S::LANES, words * S::LANES);
    assert!(panels.len() >= count * size && to.len() >= (ROWS - 1) * stride + columns);
    for panel in (0..count).step_by(VECTORS) {
        // SAFETY: within the panels and the rows, as was just seen.
        unsafe {
            let right = panels.as_ptr().add(panel * size);
            let to = to.as_mut_ptr().add(panel * S::LANES);
            match count - panel {
                1 => store_tile::<S, ROWS, 1>(simd, words, left, right, to, stride),
                2 if VECTORS > 2 => {
                    store_tile::<S, ROWS, 2>(simd, words, left, right, to, stride);
                }
                _ => store_tile::<S, ROWS, VECTORS>(simd, words, left, right, to, stride),
            }
        }
    }
}

#[inline(always)]
unsafe fn store_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    words: usize,
    left: [*const f32; ROWS],
    right: *const f32,
    to: *mut f32,
    stride: usize,
) {
    // SAFETY: the caller's: inside of a job; the panels and the rows are there.
    unsafe {
        let sums = tile::<S, ROWS, VECTORS, false>(simd, words, left, right, words * S::LANES);
        for (i, vectors) in sums.iter().enumerate() {
            for (j, &vector) in vectors.iter().enumerate() {
                simd.store(to.add(i * stride + j * S::LANES), vector);
            }
        }
    }
}
