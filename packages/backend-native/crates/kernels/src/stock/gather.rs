//! Rows by their numbers, and back.

use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// Rows of `x` `[batch, outer, dim, width]` to `to` `[batch, outer, count, width]`, for `indices`
/// `[batch, count]`, all of which are below `dim`.
pub fn gather(
    machine: &Machine,
    x: &[f32],
    [batch, outer, dim, width]: [usize; 4],
    indices: &[i32],
    to: &mut [f32],
) {
    let count = indices.len().checked_div(batch).unwrap_or(0);
    let size = |sizes: [usize; 4]| {
        sizes
            .iter()
            .try_fold(1_usize, |n, &size| n.checked_mul(size))
    };
    assert_eq!(Some(x.len()), size([batch, outer, dim, width]));
    assert_eq!(indices.len(), batch * count);
    assert_eq!(Some(to.len()), size([batch, outer, count, width]));
    assert!(
        indices
            .iter()
            .all(|&index| index >= 0 && (index as usize) < dim),
        "indices below {dim}"
    );
    let parts = Parts::new(batch * outer * count, width);
    let task = Rows {
        parts,
        x,
        outer,
        dim,
        width,
        count,
        indices,
        to: Output::new(to),
    };
    machine.each(parts.tasks(), &task);
}

struct Rows<'a> {
    parts: Parts,
    x: &'a [f32],
    outer: usize,
    dim: usize,
    width: usize,
    count: usize,
    indices: &'a [i32],
    to: Output<'a>,
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (rows, within) = self.parts.task(index);
        for row in rows {
            let (outer, i) = (row / self.count, row % self.count);
            let picked = self.indices[outer / self.outer * self.count + i] as usize;
            let from = (outer * self.dim + picked) * self.width;
            let at = row * self.width;
            // SAFETY: the task's own row, or piece of one.
            let to = unsafe { self.to.part(at + within.start..at + within.end) };
            to.copy_from_slice(&self.x[from + within.start..from + within.end]);
        }
    }
}

/// The sums of those rows of `x` `[ids.len(), width]` that have the same id, `to` `[segments,
/// width]`. Ids that are no segment's are left out.
pub fn segment_sum(machine: &Machine, x: &[f32], width: usize, ids: &[i32], to: &mut [f32]) {
    assert_eq!(Some(x.len()), ids.len().checked_mul(width));
    assert!(width > 0 && to.len().is_multiple_of(width));
    // Columns are the tasks', so that rows are added in their order.
    let columns = width.div_ceil((width * 16_384 / x.len().max(1)).clamp(16, 4096));
    let column = width.div_ceil(columns);
    let task = Columns {
        x,
        width,
        column,
        ids,
        segments: to.len() / width,
        to: Output::new(to),
    };
    machine.each(width.div_ceil(column), &task);
}

struct Columns<'a> {
    x: &'a [f32],
    width: usize,
    column: usize,
    ids: &'a [i32],
    segments: usize,
    to: Output<'a>,
}

impl Task for Columns<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let from = index * self.column;
        let until = (from + self.column).min(self.width);
        let place = |row: usize| row * self.width + from..row * self.width + until;
        for segment in 0..self.segments {
            // SAFETY: the task's own columns, here and below.
            unsafe { self.to.part(place(segment)) }.fill(0.0);
        }
        for (row, &id) in self.ids.iter().enumerate() {
            if id < 0 || id as usize >= self.segments {
                continue;
            }
            // SAFETY: as above.
            let to = unsafe { self.to.part(place(id as usize)) };
            for (to, &x) in to.iter_mut().zip(&self.x[place(row)]) {
                *to += x;
            }
        }
    }
}
