//! The softmax of rows.

use super::functions::exp_below;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

const LANES: usize = 32;

/// Each row of `x`, `length` numbers, to shares that add up to 1. A row that has a NaN, or no
/// finite largest number, is NaN.
pub fn softmax(machine: &Machine, x: &[f32], length: usize, to: &mut [f32]) {
    assert_eq!(x.len(), to.len());
    assert!(length > 0 && x.len().is_multiple_of(length));
    // A row is one task's, however long.
    let rows = x.len() / length;
    let per_task = (8192 / length).max(1);
    let task = Rows {
        x,
        rows,
        length,
        per_task,
        to: Output::new(to),
    };
    machine.each(rows.div_ceil(per_task), &task);
}

struct Rows<'a> {
    x: &'a [f32],
    rows: usize,
    length: usize,
    per_task: usize,
    to: Output<'a>,
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let first = index * self.per_task;
        for row in first..(first + self.per_task).min(self.rows) {
            let within = row * self.length..(row + 1) * self.length;
            // SAFETY: the task's own row.
            let to = unsafe { self.to.part(within.clone()) };
            one(&self.x[within], to);
        }
    }
}

#[inline(always)]
fn one(x: &[f32], to: &mut [f32]) {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for i in 0..LANES {
            lanes[i] = if x[i] > lanes[i] { x[i] } else { lanes[i] };
        }
    }
    let largest = lanes
        .iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, |a, &x| if x > a { x } else { a });
    if !largest.is_finite() {
        return to.fill(f32::NAN);
    }
    for (to, &x) in to.iter_mut().zip(x) {
        *to = exp_below(x - largest);
    }
    let mut sums = [0.0_f64; LANES];
    let (whole, rest) = to.as_chunks::<LANES>();
    for to in whole {
        for i in 0..LANES {
            sums[i] += to[i] as f64;
        }
    }
    let sum = sums.iter().sum::<f64>() + rest.iter().map(|&x| x as f64).sum::<f64>();
    // A NaN that the comparisons above passed over is in the sum.
    let factor = (1.0 / sum) as f32;
    for to in to {
        *to *= factor;
    }
}
