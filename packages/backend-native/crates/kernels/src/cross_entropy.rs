//! The cross-entropy of DINO (Caron et al. 2021, equation 3): a task a row of logits, two passes
//! over it forward and three back. The sum over the pairs of views is never written out.

use crate::machine::{Machine, Task};
use crate::math;
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

/// Logits of the student and what they are to match.
#[derive(Clone, Copy)]
pub struct Views<'a> {
    /// `[crops, batch, prototypes]`, global crops first.
    pub student: &'a [f32],
    /// Probabilities, `[globals, batch, prototypes]`.
    pub targets: &'a [f32],
    pub crops: usize,
    pub globals: usize,
    pub batch: usize,
    pub prototypes: usize,
    pub temperature: f32,
}

impl Views<'_> {
    fn check(&self) {
        let row = self.batch * self.prototypes;
        assert!(self.student.len() == self.crops * row && self.targets.len() == self.globals * row);
    }

    /// The pairs of different views, times the batch.
    fn terms(&self) -> f32 {
        (self.globals * (self.crops - 1) * self.batch) as f32
    }

    /// What row `row` is to match from `at` on: the sum of the targets of all other views.
    #[inline(always)]
    unsafe fn wanted<S: Simd>(&self, simd: S, row: usize, at: usize, lanes: usize) -> S::V {
        let (crop, picture) = (row / self.batch, row % self.batch);
        // SAFETY: inside of a job; rows and lanes are within the targets.
        unsafe {
            let mut sum = simd.splat(0.0);
            for view in (0..self.globals).filter(|&view| view != crop) {
                let start = (view * self.batch + picture) * self.prototypes + at;
                sum = simd.add(
                    sum,
                    f32::load(simd, self.targets.as_ptr().add(start), lanes),
                );
            }
            sum
        }
    }

    /// The largest logit of a row, over the temperature.
    #[inline(always)]
    unsafe fn top<S: Simd>(&self, simd: S, row: &[f32]) -> f32 {
        // SAFETY: inside of a job; loads stay within the row.
        unsafe {
            let mut largest = simd.splat(f32::NEG_INFINITY);
            let mut whole = row.chunks_exact(S::LANES);
            for chunk in whole.by_ref() {
                largest = simd.max(simd.load(chunk.as_ptr()), largest);
            }
            let mut top = simd.largest(largest);
            for &value in whole.remainder() {
                top = top.max(value);
            }
            top / self.temperature
        }
    }
}

/// The loss.
pub fn cross_entropy(machine: &Machine, views: Views<'_>) -> f32 {
    views.check();
    let rows = views.crops * views.batch;
    let mut shared = machine.shared();
    let [sums] = shared.pieces([rows]);
    machine.each(
        rows,
        &Forward {
            views,
            sums: Output::new(sums),
        },
    );
    (sums.iter().map(|&sum| f64::from(sum)).sum::<f64>() / f64::from(views.terms())) as f32
}

struct Forward<'a> {
    views: Views<'a>,
    sums: Output<'a>,
}

impl Task for Forward<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let views = &self.views;
        let row = &views.student[index * views.prototypes..(index + 1) * views.prototypes];
        // SAFETY: inside of a job; loads stay within the rows, the sum is this task's own.
        unsafe {
            let top = views.top(simd, row);
            let inverse = simd.splat(1.0 / views.temperature);
            let minus_top = simd.splat(-top);
            let zero = simd.splat(0.0);
            let (mut total, mut mass, mut match_) = (zero, zero, zero);
            for at in (0..row.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(row.len() - at);
                let logit = f32::load(simd, row.as_ptr().add(at), lanes);
                let below = simd.fma(logit, inverse, minus_top);
                if lanes == S::LANES {
                    total = simd.add(total, math::exp(simd, below));
                } else {
                    let some = simd.keep(math::exp(simd, below), lanes);
                    total = simd.add(total, some);
                }
                let wanted = views.wanted(simd, index, at, lanes);
                mass = simd.add(mass, wanted);
                match_ = simd.fma(wanted, below, match_);
            }
            let log = simd.sum(total).ln();
            self.sums.part(index..index + 1)[0] = log * simd.sum(mass) - simd.sum(match_);
        }
    }
}

/// The gradient of the student's logits, times `dy`.
pub fn cross_entropy_back(machine: &Machine, views: Views<'_>, dy: f32, to: &mut [f32]) {
    views.check();
    assert_eq!(to.len(), views.student.len());
    let factor = dy / (views.temperature * views.terms());
    machine.each(
        views.crops * views.batch,
        &Back {
            views,
            factor,
            to: Output::new(to),
        },
    );
}

struct Back<'a> {
    views: Views<'a>,
    factor: f32,
    to: Output<'a>,
}

impl Task for Back<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let views = &self.views;
        let range = index * views.prototypes..(index + 1) * views.prototypes;
        let row = &views.student[range.clone()];
        // SAFETY: inside of a job; the row of the gradient is this task's own.
        unsafe {
            let to = self.to.part(range).as_mut_ptr();
            let top = views.top(simd, row);
            let inverse = simd.splat(1.0 / views.temperature);
            let minus_top = simd.splat(-top);
            let (mut total, mut mass) = (simd.splat(0.0), simd.splat(0.0));
            for at in (0..row.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(row.len() - at);
                let logit = f32::load(simd, row.as_ptr().add(at), lanes);
                let weight = math::exp(simd, simd.fma(logit, inverse, minus_top));
                f32::store(simd, to.add(at), weight, lanes);
                let weight = if lanes == S::LANES {
                    weight
                } else {
                    simd.keep(weight, lanes)
                };
                total = simd.add(total, weight);
                mass = simd.add(mass, views.wanted(simd, index, at, lanes));
            }
            let share = simd.splat(simd.sum(mass) / simd.sum(total));
            let factor = simd.splat(self.factor);
            for at in (0..row.len()).step_by(S::LANES) {
                let lanes = S::LANES.min(row.len() - at);
                let weight = f32::load(simd, to.add(at), lanes);
                let wanted = views.wanted(simd, index, at, lanes);
                let slope = simd.sub(simd.mul(weight, share), wanted);
                f32::store(simd, to.add(at), simd.mul(slope, factor), lanes);
            }
        }
    }
}
