//! Layer normalisation (Ba et al. 2016) of rows, forward and back.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::{Norming, Rows};
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

/// Rows of a task. Fixed, since sums over rows are made of these blocks' sums.
const ROWS: usize = 64;

/// Writes the normalised rows, and the statistics that `source` keeps.
pub fn norm(machine: &Machine, source: &Norming<'_>, to: &mut [f32]) {
    let rows = source.mean.len();
    fill(machine, source, rows, source.weight.len(), to);
}

/// Writes what a source is made of: the rows normalised again, say.
pub fn fill<M: Rows>(machine: &Machine, source: &M, rows: usize, width: usize, to: &mut [f32]) {
    assert!(to.len() == rows * width && source.holds(rows, width));
    machine.each(
        rows.div_ceil(ROWS),
        &Fill {
            source,
            rows,
            width,
            to: Output::new(to),
        },
    );
}

struct Fill<'a, M> {
    source: &'a M,
    rows: usize,
    width: usize,
    to: Output<'a>,
}

impl<M: Rows> Task for Fill<'_, M> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let rows = index * ROWS..((index + 1) * ROWS).min(self.rows);
        // SAFETY: inside of a job; the rows are this task's own.
        unsafe {
            self.source.prepare(simd, rows.clone());
            for row in rows {
                let to = self.to.part(row * self.width..(row + 1) * self.width);
                for column in (0..self.width).step_by(S::LANES) {
                    let lanes = S::LANES.min(self.width - column);
                    let value = self.source.vector(simd, row, column, lanes);
                    f32::store(simd, to.as_mut_ptr().add(column), value, lanes);
                }
            }
        }
    }
}

/// The way back through a layer norm.
pub struct NormBack<'a> {
    pub dy: &'a [f32],
    pub x: &'a [f32],
    pub weight: &'a [f32],
    pub mean: &'a [f32],
    pub inverse_std: &'a [f32],
    /// What is added to `dx`: the gradient that went around.
    pub around: Option<&'a [f32]>,
    pub dx: &'a mut [f32],
    pub d_weight: &'a mut [f32],
    pub d_bias: &'a mut [f32],
}

pub fn norm_back(machine: &Machine, args: NormBack<'_>) {
    let width = args.weight.len();
    let rows = args.dx.len() / width.max(1);
    assert!(args.dy.len() == args.dx.len() && args.x.len() == args.dx.len());
    assert!(
        args.around
            .is_none_or(|around| around.len() == args.dx.len())
    );
    assert!(args.mean.len() == rows && args.inverse_std.len() == rows);
    assert!(args.d_weight.len() == width && args.d_bias.len() == width);
    let blocks = rows.div_ceil(ROWS);
    let mut shared = machine.shared();
    let [sums] = shared.pieces([blocks * 2 * width]);
    let task = Back {
        dy: args.dy,
        x: args.x,
        weight: args.weight,
        mean: args.mean,
        inverse_std: args.inverse_std,
        around: args.around,
        rows,
        dx: Output::new(args.dx),
        sums: Output::new(sums),
    };
    machine.each(blocks, &task);
    args.d_weight.fill(0.0);
    args.d_bias.fill(0.0);
    for block in sums.chunks_exact(2 * width.max(1)) {
        for (to, from) in args.d_weight.iter_mut().zip(&block[..width]) {
            *to += from;
        }
        for (to, from) in args.d_bias.iter_mut().zip(&block[width..]) {
            *to += from;
        }
    }
}

struct Back<'a> {
    dy: &'a [f32],
    x: &'a [f32],
    weight: &'a [f32],
    mean: &'a [f32],
    inverse_std: &'a [f32],
    around: Option<&'a [f32]>,
    rows: usize,
    dx: Output<'a>,
    sums: Output<'a>,
}

impl Task for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let width = self.weight.len();
        // SAFETY: inside of a job; rows and sums are this task's own, vectors within the rows.
        unsafe {
            let sums = self.sums.part(index * 2 * width..(index + 1) * 2 * width);
            sums.fill(0.0);
            let (d_weight, d_bias) = sums.split_at_mut(width);
            for row in index * ROWS..((index + 1) * ROWS).min(self.rows) {
                let start = row * width;
                let (dy, x) = (self.dy.as_ptr().add(start), self.x.as_ptr().add(start));
                let mean = simd.splat(self.mean[row]);
                let inverse = simd.splat(self.inverse_std[row]);
                let (mut total, mut along) = (simd.splat(0.0), simd.splat(0.0));
                for column in (0..width).step_by(S::LANES) {
                    let lanes = S::LANES.min(width - column);
                    let load = |from: *const f32| f32::load(simd, from.add(column), lanes);
                    let gradient = load(dy);
                    // Lanes behind the row's end have a gradient of zero.
                    let normal = simd.mul(simd.sub(load(x), mean), inverse);
                    let weighted = simd.mul(gradient, load(self.weight.as_ptr()));
                    total = simd.add(total, weighted);
                    along = simd.fma(weighted, normal, along);
                    let (dw, db) = (d_weight.as_mut_ptr(), d_bias.as_mut_ptr());
                    let sum = simd.fma(gradient, normal, load(dw));
                    f32::store(simd, dw.add(column), sum, lanes);
                    f32::store(simd, db.add(column), simd.add(gradient, load(db)), lanes);
                }
                let share = 1.0 / width as f32;
                let total = simd.splat(simd.sum(total) * share);
                let along = simd.splat(simd.sum(along) * share);
                let dx = self.dx.part(start..start + width).as_mut_ptr();
                for column in (0..width).step_by(S::LANES) {
                    let lanes = S::LANES.min(width - column);
                    let load = |from: *const f32| f32::load(simd, from.add(column), lanes);
                    let normal = simd.mul(simd.sub(load(x), mean), inverse);
                    let weighted = simd.mul(load(dy), load(self.weight.as_ptr()));
                    let through = simd.sub(simd.sub(weighted, total), simd.mul(normal, along));
                    let value = match self.around {
                        None => simd.mul(through, inverse),
                        Some(around) => {
                            simd.fma(through, inverse, load(around.as_ptr().add(start)))
                        }
                    };
                    f32::store(simd, dx.add(column), value, lanes);
                }
            }
        }
    }
}
