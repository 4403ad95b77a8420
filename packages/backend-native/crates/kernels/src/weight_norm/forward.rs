use super::BLOCK;
use crate::attention::head::pack_columns;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::tile;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;
use crate::unit_rows::length;

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
