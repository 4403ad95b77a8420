//! Copies of boxes of numbers from one place and order to another: slices, concatenations,
//! paddings, repetitions, reversals and transpositions are all of this kind.

use super::nest::{Axis, Nest};
use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// Rows and columns of the squares in which a transposition goes: a cache line of either side.
const SIDE: usize = 16;

/// Copies `from` to `to`, which array 0 and array 1 of the nest step over from their places in
/// `starts` on.
pub fn rearrange(
    machine: &Machine,
    nest: &Nest<2>,
    to: &mut [f32],
    from: &[f32],
    starts: [usize; 2],
) {
    assert!(
        nest.is_within(0, starts[0], to.len()),
        "places within the result"
    );
    assert!(
        nest.is_within(1, starts[1], from.len()),
        "places within the array"
    );
    assert!(nest.is_apart(0), "no place of the result twice");
    if nest.size() == 0 {
        return;
    }
    // A result with gaps between its numbers is one of rows of one number.
    let mut axes = nest.axes.clone();
    if axes.last().is_none_or(|axis| axis.steps[0] != 1) {
        axes.push(Axis {
            size: 1,
            steps: [1, 1],
        });
    }
    let Some((&last, outer)) = axes.split_last() else {
        return;
    };
    let to = Output::new(to);
    let across = outer
        .iter()
        .position(|axis| axis.steps[1] == 1 && axis.size >= SIDE);
    match across {
        Some(across) if last.size >= SIDE && last.steps[1] > 1 => {
            let mut outer = outer.to_vec();
            let across = outer.remove(across);
            let turns: usize = outer.iter().map(|axis| axis.size).product();
            // A few ten thousand numbers, in whole squares: one square at least.
            let height = (32_768 / last.size)
                .max(1)
                .next_multiple_of(SIDE)
                .min(across.size);
            let strips = across.size.div_ceil(height);
            let task = Squares {
                outer: &outer,
                across,
                last,
                height,
                strips,
                to,
                from,
                starts,
            };
            machine.each(turns * strips, &task);
        }
        _ => {
            let turns: usize = outer.iter().map(|axis| axis.size).product();
            let parts = Parts::new(turns, last.size);
            machine.each(
                parts.tasks(),
                &Rows {
                    parts,
                    outer,
                    last,
                    to,
                    from,
                    starts,
                },
            );
        }
    }
}

struct Rows<'a> {
    parts: Parts,
    outer: &'a [Axis<2>],
    last: Axis<2>,
    to: Output<'a>,
    from: &'a [f32],
    starts: [usize; 2],
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (rows, within) = self.parts.task(index);
        let mut walk = Nest::walk(self.outer, rows.start);
        let step = self.last.steps[1];
        for _ in rows {
            let [to, from] = [0, 1].map(|i| self.starts[i].wrapping_add_signed(walk.at[i]));
            // SAFETY: the nest meets each place of the result once, and each task has its own.
            let to = unsafe { self.to.part(to + within.start..to + within.end) };
            match step {
                1 => to.copy_from_slice(&self.from[from + within.start..from + within.end]),
                0 => to.fill(self.from[from]),
                _ => {
                    for (to, i) in to.iter_mut().zip(within.clone()) {
                        *to = self.from[from.wrapping_add_signed(i as isize * step)];
                    }
                }
            }
            walk.step();
        }
    }
}

struct Squares<'a> {
    /// All axes but two.
    outer: &'a [Axis<2>],
    /// The axis along which `from` has no gaps, and that along which `to` has none.
    across: Axis<2>,
    last: Axis<2>,
    /// How much of `across` is a task's.
    height: usize,
    strips: usize,
    to: Output<'a>,
    from: &'a [f32],
    starts: [usize; 2],
}

impl Task for Squares<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let walk = Nest::walk(self.outer, index / self.strips);
        let [to, from] = [0, 1].map(|i| self.starts[i].wrapping_add_signed(walk.at[i]));
        let first = index % self.strips * self.height;
        let until = (first + self.height).min(self.across.size);
        let (to_step, from_step) = (self.across.steps[0] as usize, self.last.steps[1] as usize);
        for column in (0..self.last.size).step_by(SIDE) {
            let columns = SIDE.min(self.last.size - column);
            for row in (first..until).step_by(SIDE) {
                let rows = SIDE.min(until - row);
                let mut square = [[0.0_f32; SIDE]; SIDE];
                for (i, line) in square.iter_mut().enumerate().take(columns) {
                    let at = from + (column + i) * from_step + row;
                    let source = &self.from[at..at + rows];
                    match <&[f32; SIDE]>::try_from(source) {
                        Ok(whole) => *line = *whole,
                        Err(_) => line[..rows].copy_from_slice(source),
                    }
                }
                // `i` is a column of the square.
                #[allow(clippy::needless_range_loop)]
                for i in 0..rows {
                    let at = to + (row + i) * to_step + column;
                    // SAFETY: as for rows; the strip is this task's own.
                    let target = unsafe { self.to.part(at..at + columns) };
                    match <&mut [f32; SIDE]>::try_from(&mut *target) {
                        Ok(whole) => *whole = std::array::from_fn(|j| square[j][i]),
                        Err(_) => {
                            for (j, target) in target.iter_mut().enumerate() {
                                *target = square[j][i];
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Isa;

    #[test]
    fn transposes_and_turns_round() {
        let machine = Machine::new(Isa::detect(), 3);
        for (rows, columns) in [(1, 1), (3, 5), (16, 16), (33, 47), (100, 700), (40_000, 17)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![0.0; rows * columns];
            let axes = [columns, rows, 1, rows, 1, columns].map(|n| n as i32);
            rearrange(&machine, &Nest::new(&axes).unwrap(), &mut to, &from, [0, 0]);
            for (i, &x) in to.iter().enumerate() {
                assert_eq!(x as usize, i % rows * columns + i / rows);
            }
            let n = (rows * columns) as i32;
            let nest = Nest::new(&[n, 1, -1]).unwrap();
            rearrange(&machine, &nest, &mut to, &from, [0, n as usize - 1]);
            assert!(to.iter().rev().eq(&from));
        }
    }

    #[test]
    fn leaves_gaps() {
        let machine = Machine::new(Isa::detect(), 2);
        let mut to = [0.0; 6];
        let nest = Nest::new(&[3, 2, 1]).unwrap();
        rearrange(&machine, &nest, &mut to, &[1.0, 2.0, 3.0], [1, 0]);
        assert_eq!(to, [0.0, 1.0, 0.0, 2.0, 0.0, 3.0]);
    }

    #[test]
    #[should_panic(expected = "no place of the result twice")]
    fn refuses_to_write_twice() {
        let machine = Machine::new(Isa::detect(), 1);
        let nest = Nest::new(&[2, 1, 2, 2, 1, 1]).unwrap();
        rearrange(&machine, &nest, &mut [0.0; 4], &[0.0; 4], [0, 0]);
    }
}
