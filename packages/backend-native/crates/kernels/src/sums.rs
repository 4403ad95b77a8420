//! Sums over whole arrays and over rows. Always of the same parts in the same order, so that they
//! do not depend on the number of threads.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

/// Elements of a part.
const PART: usize = 1 << 15;

/// The sum of the squares.
pub fn squared_norm(machine: &Machine, x: &[f32]) -> f32 {
    let parts = x.len().div_ceil(PART);
    let mut shared = machine.shared();
    let [sums] = shared.pieces([parts]);
    machine.each(
        parts,
        &Squares {
            x,
            sums: Output::new(sums),
        },
    );
    sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() as f32
}

struct Squares<'a> {
    x: &'a [f32],
    sums: Output<'a>,
}

impl Task for Squares<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let part = &self.x[index * PART..((index + 1) * PART).min(self.x.len())];
        // SAFETY: inside of a job; loads stay within the part, the sum is this task's own.
        unsafe {
            let mut sums = [simd.splat(0.0); 4];
            let mut whole = part.chunks_exact(4 * S::LANES);
            for chunk in whole.by_ref() {
                for (i, sum) in sums.iter_mut().enumerate() {
                    let x = simd.load(chunk.as_ptr().add(i * S::LANES));
                    *sum = simd.fma(x, x, *sum);
                }
            }
            for chunk in whole.remainder().chunks(S::LANES) {
                let x = f32::load(simd, chunk.as_ptr(), chunk.len());
                sums[0] = simd.fma(x, x, sums[0]);
            }
            let total = simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3]));
            self.sums.part(index..index + 1)[0] = simd.sum(total);
        }
    }
}

/// The sum of the rows of `[rows, to.len()]`.
pub fn sum_rows(machine: &Machine, x: &[f32], to: &mut [f32]) {
    let width = to.len();
    assert!(width > 0 && x.len().is_multiple_of(width));
    const COLUMNS: usize = 512;
    let task = Columns {
        x,
        rows: x.len() / width,
        width,
        columns: COLUMNS,
        to: Output::new(to),
    };
    machine.each(width.div_ceil(COLUMNS), &task);
}

struct Columns<'a> {
    x: &'a [f32],
    rows: usize,
    width: usize,
    columns: usize,
    to: Output<'a>,
}

impl Task for Columns<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let first = index * self.columns;
        let last = (first + self.columns).min(self.width);
        // SAFETY: inside of a job; the columns are this task's own.
        unsafe {
            let to = self.to.part(first..last);
            to.fill(0.0);
            for row in 0..self.rows {
                let from = self.x[row * self.width + first..row * self.width + last].as_ptr();
                for at in (0..to.len()).step_by(S::LANES) {
                    let lanes = S::LANES.min(to.len() - at);
                    let place = to.as_mut_ptr().add(at);
                    let sum = simd.add(
                        f32::load(simd, place, lanes),
                        f32::load(simd, from.add(at), lanes),
                    );
                    f32::store(simd, place, sum, lanes);
                }
            }
        }
    }
}
