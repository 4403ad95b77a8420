use super::BLOCK;
use crate::attention::head::pack_rows;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::{tile, transposed_tile};
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;
use crate::unit_rows::length;

/// The way back.
pub struct WeightNormBack<'a> {
    pub x: &'a [f32],
    pub gain: &'a [f32],
    pub direction: &'a [f32],
    pub dy: &'a [f32],
    pub rows: usize,
    pub inputs: usize,
    pub dx: &'a mut [f32],
    pub d_gain: &'a mut [f32],
    pub d_direction: &'a mut [f32],
}

pub fn weight_norm_back(machine: &Machine, args: WeightNormBack<'_>) {
    let WeightNormBack {
        x,
        gain,
        direction,
        dy,
        rows,
        inputs,
        dx,
        d_gain,
        d_direction,
    } = args;
    let outputs = gain.len();
    assert!(x.len() == rows * inputs && dx.len() == x.len() && dy.len() == rows * outputs);
    assert!(direction.len() == outputs * inputs && d_direction.len() == direction.len());
    assert_eq!(d_gain.len(), outputs);
    if rows == 0 || inputs == 0 {
        d_gain.fill(0.0);
        return d_direction.fill(0.0);
    }
    // A task for a sixteenth of the outputs, unless that is little or much.
    let blocks = outputs.div_ceil(BLOCK);
    let per_task = blocks.div_ceil(16).clamp(1, 16);
    let tasks = blocks.div_ceil(per_task);
    let lanes = machine.isa.lanes();
    let wide = inputs.next_multiple_of(lanes);
    let mut shared = machine.shared();
    let [padded, panels, partial] = shared.pieces([rows * wide, rows * wide, tasks * rows * wide]);
    for (to, from) in padded.chunks_exact_mut(wide).zip(x.chunks_exact(inputs)) {
        to[..inputs].copy_from_slice(from);
        to[inputs..].fill(0.0);
    }
    machine.each(
        1,
        &PackX {
            rows,
            wide,
            padded,
            panels: Output::new(panels),
        },
    );
    let task = Back {
        gain,
        direction,
        dy,
        panels,
        rows,
        inputs,
        wide,
        blocks,
        per_task,
        partial: Output::new(partial),
        d_gain: Output::new(d_gain),
        d_direction: Output::new(d_direction),
    };
    machine.each(tasks, &task);
    dx.fill(0.0);
    for partial in partial.chunks_exact(rows * wide) {
        for (to, from) in dx.chunks_exact_mut(inputs).zip(partial.chunks_exact(wide)) {
            for (to, from) in to.iter_mut().zip(from) {
                *to += from;
            }
        }
    }
}

struct PackX<'a> {
    rows: usize,
    wide: usize,
    padded: &'a [f32],
    panels: Output<'a>,
}

impl Task for PackX<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, _: usize, _: &mut Scratch) {
        // SAFETY: inside of a job; there is one task.
        unsafe {
            let to = self.panels.part(0..self.panels.len());
            pack_rows(simd, self.rows, self.wide, self.padded, to);
        }
    }
}

struct Back<'a> {
    gain: &'a [f32],
    direction: &'a [f32],
    dy: &'a [f32],
    /// `x`, packed as a right-hand matrix.
    panels: &'a [f32],
    rows: usize,
    inputs: usize,
    wide: usize,
    blocks: usize,
    per_task: usize,
    partial: Output<'a>,
    d_gain: Output<'a>,
    d_direction: Output<'a>,
}

impl Task for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        let size = self.rows * self.wide;
        // SAFETY: inside of a job; the blocks and the partial sums are this task's own.
        unsafe {
            let dx = self.partial.part(index * size..(index + 1) * size);
            dx.fill(0.0);
            let first = index * self.per_task;
            for block in first..(first + self.per_task).min(self.blocks) {
                simd.by_tile(BackBlock {
                    task: self,
                    block,
                    dx: &mut *dx,
                    scratch: &mut *scratch,
                });
            }
        }
    }
}

/// A block on the way back, for a tile of some size.
struct BackBlock<'a> {
    task: &'a Back<'a>,
    block: usize,
    dx: &'a mut [f32],
    scratch: &'a mut Scratch,
}

impl<S: Simd> ByTile<S> for BackBlock<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        // SAFETY: as in `run` of the task.
        unsafe {
            self.task
                .block::<S, ROWS, VECTORS>(simd, self.block, self.dx, self.scratch)
        }
    }
}

impl Back<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        block: usize,
        dx: &mut [f32],
        scratch: &mut Scratch,
    ) {
        let Back {
            rows, inputs, wide, ..
        } = *self;
        let outputs = self.gain.len();
        let first = block * BLOCK;
        let count = BLOCK.min(outputs - first);
        let [dy, dw, own, packed, norms] = scratch.pieces([
            rows * BLOCK + BLOCK,
            BLOCK * wide,
            BLOCK * wide,
            BLOCK * wide,
            BLOCK,
        ]);
        // SAFETY: inside of a job; sizes are those of the pieces, `BLOCK` a multiple of `ROWS`.
        unsafe {
            for (row, to) in dy.chunks_exact_mut(BLOCK).enumerate().take(rows) {
                let from = row * outputs + first;
                to[..count].copy_from_slice(&self.dy[from..from + count]);
                to[count..].fill(0.0);
            }
            own.fill(0.0);
            for j in 0..count {
                let at = (first + j) * inputs;
                let row = &self.direction[at..at + inputs];
                own[j * wide..j * wide + inputs].copy_from_slice(row);
                norms[j] = length(simd, row);
            }
            // The weight's gradient: dyT x.
            for j in (0..count).step_by(ROWS) {
                let mut panel = 0;
                while panel < wide / S::LANES {
                    let left = dy.as_ptr().add(j);
                    let right = self.panels.as_ptr().add(panel * rows * S::LANES);
                    let to = dw.as_mut_ptr().add(j * wide + panel * S::LANES);
                    let size = rows * S::LANES;
                    if panel + VECTORS <= wide / S::LANES {
                        let sums = transposed_tile::<S, ROWS, VECTORS, false>(
                            simd, rows, left, BLOCK, right, size,
                        );
                        for (i, vectors) in sums.iter().enumerate() {
                            for (v, &sum) in vectors.iter().enumerate() {
                                simd.store(to.add(i * wide + v * S::LANES), sum);
                            }
                        }
                        panel += VECTORS;
                    } else {
                        let sums = transposed_tile::<S, ROWS, 1, false>(
                            simd, rows, left, BLOCK, right, size,
                        );
                        for (i, vectors) in sums.iter().enumerate() {
                            simd.store(to.add(i * wide), vectors[0]);
                        }
                        panel += 1;
                    }
                }
            }
            let d_gain = self.d_gain.part(first..first + count);
            for j in 0..count {
                let (norm, gain) = (norms[j], self.gain[first + j]);
                let (dw, own) = (&dw[j * wide..], &own[j * wide..]);
                let along = dot(simd, dw, own, wide) / norm;
                d_gain[j] = along;
                let (share, factor) = (simd.splat(along / norm), simd.splat(gain / norm));
                let at = (first + j) * inputs;
                let to = self.d_direction.part(at..at + inputs).as_mut_ptr();
                for column in (0..inputs).step_by(S::LANES) {
                    let dw = simd.load(dw.as_ptr().add(column));
                    let own = simd.load(own.as_ptr().add(column));
                    let value = simd.mul(simd.sub(dw, simd.mul(own, share)), factor);
                    f32::store(simd, to.add(column), value, S::LANES.min(inputs - column));
                }
            }
            // dx += dy (gain / norm) direction.
            for row in dy.chunks_exact_mut(BLOCK).take(rows) {
                for j in 0..count {
                    row[j] *= self.gain[first + j] / norms[j];
                }
            }
            pack_rows(simd, BLOCK, wide, own, packed);
            add::<S, ROWS, VECTORS>(simd, rows, dy, packed, wide, dx);
        }
    }
}

/// `to += left right`: `left` `[rows, BLOCK]`, `right` packed.
#[inline(always)]
unsafe fn add<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    rows: usize,
    left: &[f32],
    right: &[f32],
    wide: usize,
    to: &mut [f32],
) {
    assert!(left.len() >= rows * BLOCK && right.len() >= BLOCK * wide && to.len() >= rows * wide);
    let size = BLOCK * S::LANES;
    // SAFETY: within all three, as was just seen.
    unsafe {
        for row in (0..rows).step_by(ROWS) {
            let valid = ROWS.min(rows - row);
            let mut starts = [left.as_ptr(); ROWS];
            for (i, start) in starts.iter_mut().enumerate() {
                *start = left.as_ptr().add((row + i.min(valid - 1)) * BLOCK);
            }
            let mut panel = 0;
            while panel < wide / S::LANES {
                let words = right.as_ptr().add(panel * size);
                let at = to.as_mut_ptr().add(row * wide + panel * S::LANES);
                if panel + VECTORS <= wide / S::LANES {
                    let sums = tile::<S, ROWS, VECTORS, false>(simd, BLOCK, starts, words, size);
                    for (i, vectors) in sums.iter().enumerate().take(valid) {
                        for (j, &sum) in vectors.iter().enumerate() {
                            let at = at.add(i * wide + j * S::LANES);
                            simd.store(at, simd.add(sum, simd.load(at)));
                        }
                    }
                    panel += VECTORS;
                } else {
                    let sums = tile::<S, ROWS, 1, false>(simd, BLOCK, starts, words, size);
                    for (i, vectors) in sums.iter().enumerate().take(valid) {
                        let at = at.add(i * wide);
                        simd.store(at, simd.add(vectors[0], simd.load(at)));
                    }
                    panel += 1;
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32], wide: usize) -> f32 {
    assert!(a.len() >= wide && b.len() >= wide);
    // SAFETY: inside of a job; loads stay within both, `wide` is a multiple of the lanes.
    unsafe {
        let mut sum = simd.splat(0.0);
        for at in (0..wide).step_by(S::LANES) {
            sum = simd.fma(
                simd.load(a.as_ptr().add(at)),
                simd.load(b.as_ptr().add(at)),
                sum,
            );
        }
        simd.sum(sum)
    }
}
