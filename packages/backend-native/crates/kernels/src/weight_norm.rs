//! A linear layer whose weight's rows are `gain * direction / |direction|` (Salimans and Kingma
//! 2016). DINO's last layer is by far the largest matrix and met by few rows, so both ways read
//! the direction once, block of rows by block of rows, and never write the weight out.

use crate::attention::head::{pack_columns, pack_rows};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::{tile, transposed_tile};
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;

/// Rows of the direction that are worked on at once: a multiple of all tiles and lanes.
const BLOCK: usize = 48;

/// Rows `x` `[rows, inputs]` times the normalised weight `[outputs, inputs]`.
pub struct WeightNorm<'a> {
    pub x: &'a [f32],
    pub gain: &'a [f32],
    pub direction: &'a [f32],
    pub rows: usize,
    pub inputs: usize,
    /// `[rows, outputs]`
    pub y: &'a mut [f32],
}

pub fn weight_norm(machine: &Machine, args: WeightNorm<'_>) {
    let WeightNorm {
        x,
        gain,
        direction,
        rows,
        inputs,
        y,
    } = args;
    let outputs = gain.len();
    assert!(x.len() == rows * inputs && direction.len() == outputs * inputs);
    assert_eq!(y.len(), rows * outputs);
    if rows == 0 || inputs == 0 {
        return y.fill(0.0);
    }
    let task = Forward {
        x,
        gain,
        direction,
        rows,
        inputs,
        y: Output::new(y),
    };
    machine.each(outputs.div_ceil(BLOCK), &task);
}

struct Forward<'a> {
    x: &'a [f32],
    gain: &'a [f32],
    direction: &'a [f32],
    rows: usize,
    inputs: usize,
    y: Output<'a>,
}

impl Task for Forward<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        // SAFETY: inside of a job; the block's columns of the result are this task's own.
        unsafe {
            simd.by_tile(ForwardBlock {
                task: self,
                index,
                scratch,
            })
        }
    }
}

/// A block, for a tile of some size.
struct ForwardBlock<'a> {
    task: &'a Forward<'a>,
    index: usize,
    scratch: &'a mut Scratch,
}

impl<S: Simd> ByTile<S> for ForwardBlock<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        // SAFETY: as in `run` of the task.
        unsafe {
            self.task
                .block::<S, ROWS, VECTORS>(simd, self.index, self.scratch)
        }
    }
}

impl Forward<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let (first, inputs) = (index * BLOCK, self.inputs);
        let outputs = self.gain.len();
        let count = BLOCK.min(outputs - first);
        let [panels, factors] = scratch.pieces([BLOCK * inputs, BLOCK]);
        let direction = &self.direction[first * inputs..(first + count) * inputs];
        factors.fill(0.0);
        // SAFETY: inside of a job; `BLOCK` is a multiple of lanes and vectors.
        unsafe {
            for (j, row) in direction.chunks_exact(inputs).enumerate() {
                factors[j] = self.gain[first + j] / length(simd, row);
            }
            pack_columns::<S>(count, inputs, inputs, direction, panels);
            let size = inputs * S::LANES;
            for row in (0..self.rows).step_by(ROWS) {
                let valid = ROWS.min(self.rows - row);
                let mut left = [self.x.as_ptr(); ROWS];
                for (i, start) in left.iter_mut().enumerate() {
                    *start = self.x[(row + i.min(valid - 1)) * inputs..].as_ptr();
                }
                let mut panel = 0;
                while panel * S::LANES < count {
                    let right = panels.as_ptr().add(panel * size);
                    let sums = tile::<S, ROWS, VECTORS, false>(simd, inputs, left, right, size);
                    for (i, vectors) in sums.iter().enumerate().take(valid) {
                        for (j, &sum) in vectors.iter().enumerate() {
                            let column = (panel + j) * S::LANES;
                            if column >= count {
                                continue;
                            }
                            let lanes = S::LANES.min(count - column);
                            let at = (row + i) * outputs + first + column;
                            let to = self.y.part(at..at + lanes);
                            let factor = simd.load(factors.as_ptr().add(column));
                            f32::store(simd, to.as_mut_ptr(), simd.mul(sum, factor), lanes);
                        }
                    }
                    panel += VECTORS;
                }
            }
        }
    }
}

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

/// The length of a row.
#[inline(always)]
unsafe fn length<S: Simd>(simd: S, row: &[f32]) -> f32 {
    // SAFETY: inside of a job; loads stay within the row.
    unsafe {
        let mut sum = simd.splat(0.0);
        for at in (0..row.len()).step_by(S::LANES) {
            let x = f32::load(simd, row.as_ptr().add(at), S::LANES.min(row.len() - at));
            sum = simd.fma(x, x, sum);
        }
        simd.sum(sum).sqrt()
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

/// Rows of length 1, and their lengths, of at least `epsilon`.
pub fn unit_rows(machine: &Machine, x: &[f32], epsilon: f32, y: &mut [f32], norms: &mut [f32]) {
    assert!(x.len() == y.len() && (norms.is_empty() || x.len().is_multiple_of(norms.len())));
    let rows = norms.len();
    let width = x.len() / rows.max(1);
    let task = Unit {
        x,
        width,
        epsilon,
        y: Output::new(y),
        norms: Output::new(norms),
    };
    machine.each(rows, &task);
}

struct Unit<'a> {
    x: &'a [f32],
    width: usize,
    epsilon: f32,
    y: Output<'a>,
    norms: Output<'a>,
}

impl Task for Unit<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * self.width..(index + 1) * self.width;
        let x = &self.x[range.clone()];
        // SAFETY: inside of a job; the row is this task's own.
        unsafe {
            let norm = length(simd, x).max(self.epsilon);
            self.norms.part(index..index + 1)[0] = norm;
            let y = self.y.part(range).as_mut_ptr();
            for at in (0..x.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(x.len() - at);
                let value = f32::load(simd, x.as_ptr().add(at), lanes);
                f32::store(simd, y.add(at), simd.div(value, simd.splat(norm)), lanes);
            }
        }
    }
}

/// The way back through `unit_rows`.
pub fn unit_rows_back(
    machine: &Machine,
    dy: &[f32],
    x: &[f32],
    norms: &[f32],
    epsilon: f32,
    dx: &mut [f32],
) {
    assert!(dy.len() == x.len() && dx.len() == x.len());
    assert!(norms.is_empty() || x.len().is_multiple_of(norms.len()));
    let width = x.len() / norms.len().max(1);
    let task = UnitBack {
        dy,
        x,
        norms,
        epsilon,
        width,
        dx: Output::new(dx),
    };
    machine.each(norms.len(), &task);
}

struct UnitBack<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    norms: &'a [f32],
    epsilon: f32,
    width: usize,
    dx: Output<'a>,
}

impl Task for UnitBack<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let range = index * self.width..(index + 1) * self.width;
        let (dy, x) = (&self.dy[range.clone()], &self.x[range.clone()]);
        let norm = self.norms[index];
        // SAFETY: inside of a job; the row is this task's own.
        unsafe {
            let mut along = simd.splat(0.0);
            for at in (0..x.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(x.len() - at);
                let gradient = f32::load(simd, dy.as_ptr().add(at), lanes);
                along = simd.fma(gradient, f32::load(simd, x.as_ptr().add(at), lanes), along);
            }
            // Where the norm was below epsilon, it was a constant.
            let along = if norm > self.epsilon {
                simd.sum(along) / norm
            } else {
                0.0
            };
            let share = simd.splat(along / norm);
            let to = self.dx.part(range).as_mut_ptr();
            for at in (0..x.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(x.len() - at);
                let gradient = f32::load(simd, dy.as_ptr().add(at), lanes);
                let own = f32::load(simd, x.as_ptr().add(at), lanes);
                let value = simd.sub(gradient, simd.mul(own, share));
                f32::store(simd, to.add(at), simd.div(value, simd.splat(norm)), lanes);
            }
        }
    }
}
