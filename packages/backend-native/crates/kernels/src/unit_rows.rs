use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

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

/// The length of a row.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn length<S: Simd>(simd: S, row: &[f32]) -> f32 {
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
