use super::head::{Slab, pack_columns, pack_rows, soften};
use super::multiply::{Strided, add_across, multiply};
use super::{Layout, Place};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;

/// Queries that are worked on at once: their weights and gradients stay in the cache.
const QUERIES: usize = 48;

/// The way back; the weights are computed again.
pub struct AttentionBack<'a, T> {
    pub layout: Layout<'a>,
    /// `[rows, 3 * width]`
    pub qkv: &'a [T],
    /// `[rows, width]`
    pub dy: &'a [f32],
    /// `[rows, 3 * width]`
    pub d_qkv: &'a mut [f32],
}

pub fn attention_back<T: Stored>(machine: &Machine, args: AttentionBack<'_, T>) {
    let AttentionBack {
        layout,
        qkv,
        dy,
        d_qkv,
    } = args;
    let rows = layout.rows();
    assert_eq!(qkv.len(), rows * 3 * layout.width);
    assert_eq!(dy.len(), rows * layout.width);
    assert_eq!(d_qkv.len(), rows * 3 * layout.width);
    let task = Back {
        layout,
        qkv,
        dy,
        to: Output::new(d_qkv),
    };
    machine.each(layout.sequences() * layout.heads, &task);
}

struct Back<'a, T> {
    layout: Layout<'a>,
    qkv: &'a [T],
    dy: &'a [f32],
    to: Output<'a>,
}

impl<T: Stored> Task for Back<'_, T> {
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
    task: &'a Back<'a, T>,
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

impl<T: Stored> Back<'_, T> {
    #[inline(always)]
    unsafe fn head<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let all = self.layout.width;
        let Place {
            row, tokens, head, ..
        } = self.layout.place(index);
        let width = self.layout.head_width();
        let scale = 1.0 / (width as f32).sqrt();
        let wide = width.next_multiple_of(S::LANES);
        let long = tokens.next_multiple_of(S::LANES);
        // Tiles read neighbours past a row's end.
        let stride = long + S::LANES;
        let block = QUERIES.min(tokens).next_multiple_of(ROWS);
        let part = |which: usize| Slab {
            values: self.qkv,
            stride: 3 * all,
            row,
            column: which * all + head * width,
            rows: tokens,
            width,
        };
        let dy = Slab {
            values: self.dy,
            stride: all,
            row,
            column: head * width,
            rows: tokens,
            width,
        };
        let [
            q,
            d_out,
            rows,
            keys_across,
            values_across,
            keys,
            some,
            p,
            ds,
            dk,
            dv,
            dq,
        ] = scratch.pieces([
            tokens * wide,
            tokens * wide,
            tokens * wide,
            long * width,
            long * width,
            tokens * wide,
            block * wide,
            block * stride,
            block * stride,
            (long + ROWS) * wide,
            (long + ROWS) * wide,
            block * wide,
        ]);
        // SAFETY: inside of a job; sizes are those of the pieces.
        unsafe {
            part(0).copy(simd, scale, wide, q);
            dy.copy(simd, 1.0, wide, d_out);
            part(2).copy(simd, 1.0, wide, rows);
            pack_columns::<S>(tokens, width, wide, rows, values_across);
            part(1).copy(simd, 1.0, wide, rows);
            pack_columns::<S>(tokens, width, wide, rows, keys_across);
            pack_rows(simd, tokens, wide, rows, keys);
            dk.fill(0.0);
            dv.fill(0.0);
            for first in (0..tokens).step_by(block) {
                let queries = block.min(tokens - first);
                let rows = |values, stride| Strided {
                    values,
                    stride,
                    count: queries,
                };
                let q = rows(&q[first * wide..], wide);
                multiply::<S, ROWS, VECTORS>(simd, q, width, keys_across, long, p, stride);
                let d_out = rows(&d_out[first * wide..], wide);
                multiply::<S, ROWS, VECTORS>(simd, d_out, width, values_across, long, ds, stride);
                let both = p.chunks_exact_mut(stride).zip(ds.chunks_exact_mut(stride));
                for (p, ds) in both.take(queries) {
                    let sum = soften(simd, p, tokens, long);
                    slopes(simd, p, ds, 1.0 / sum, long);
                }
                // dQ = dS K, scaled as the queries are.
                let (p, ds) = (rows(&*p, stride), rows(&*ds, stride));
                multiply::<S, ROWS, VECTORS>(simd, ds, tokens, keys, wide, dq, wide);
                for (i, dq) in dq.chunks_exact(wide).enumerate().take(queries) {
                    self.store(simd, row + first + i, head * width, dq, width, scale);
                }
                // dV += Pt dO and dK += dSt Q, over the queries of this block.
                pack_rows(simd, queries, wide, d_out.values, some);
                add_across::<S, ROWS, VECTORS>(simd, p, tokens, some, wide, dv);
                pack_rows(simd, queries, wide, q.values, some);
                add_across::<S, ROWS, VECTORS>(simd, ds, tokens, some, wide, dk);
            }
            for token in 0..tokens {
                let column = head * width;
                // The queries' scale is in them already.
                self.store(
                    simd,
                    row + token,
                    all + column,
                    &dk[token * wide..],
                    width,
                    1.0,
                );
                self.store(
                    simd,
                    row + token,
                    2 * all + column,
                    &dv[token * wide..],
                    width,
                    1.0,
                );
            }
        }
    }

    #[inline(always)]
    unsafe fn store<S: Simd>(
        &self,
        simd: S,
        row: usize,
        column: usize,
        from: &[f32],
        width: usize,
        factor: f32,
    ) {
        let start = row * 3 * self.layout.width + column;
        // SAFETY: inside of a job; these columns of the row are this task's own.
        unsafe {
            let to = self.to.part(start..start + width);
            for at in (0..width).step_by(S::LANES) {
                let value = simd.mul(simd.load(from.as_ptr().add(at)), simd.splat(factor));
                f32::store(
                    simd,
                    to.as_mut_ptr().add(at),
                    value,
                    S::LANES.min(width - at),
                );
            }
        }
    }
}

/// From weights that are not yet divided by their sum, and the gradients of the weights, to both
/// weights and the scores' gradients.
#[inline(always)]
unsafe fn slopes<S: Simd>(simd: S, p: &mut [f32], ds: &mut [f32], share: f32, long: usize) {
    let (p, ds) = (p.as_mut_ptr(), ds.as_mut_ptr());
    // SAFETY: both rows hold `long` numbers, a multiple of the lanes.
    unsafe {
        let share = simd.splat(share);
        let mut along = simd.splat(0.0);
        for at in (0..long).step_by(S::LANES) {
            let weight = simd.mul(simd.load(p.add(at)), share);
            simd.store(p.add(at), weight);
            along = simd.fma(weight, simd.load(ds.add(at)), along);
        }
        let along = simd.splat(simd.sum(along));
        for at in (0..long).step_by(S::LANES) {
            let slope = simd.sub(simd.load(ds.add(at)), along);
            simd.store(ds.add(at), simd.mul(simd.load(p.add(at)), slope));
        }
    }
}
