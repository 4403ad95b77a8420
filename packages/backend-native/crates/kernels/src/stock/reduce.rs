//! Sums and extremes along axes. Partial results are those of fixed parts, so that a result does
//! not depend on the number of threads.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// A way to make one number of many. All but `end` must be `#[inline(always)]`.
pub trait Fold: Sync {
    /// What is kept on the way.
    type State: Copy + Send + Sync;

    fn start() -> Self::State;
    fn add(state: Self::State, x: f32) -> Self::State;
    fn join(a: Self::State, b: Self::State) -> Self::State;
    fn end(state: Self::State, count: usize) -> f32;
}

macro_rules! folds {
    ($($name:ident: $state:ty = $start:expr,
        |$a:ident, $x:ident| $add:expr, |$b:ident, $c:ident| $join:expr,
        |$end:ident, $count:ident| $value:expr;)*) => {
        $(pub struct $name;

        impl Fold for $name {
            type State = $state;

            #[inline(always)]
            fn start() -> $state {
                $start
            }
            #[inline(always)]
            fn add($a: $state, $x: f32) -> $state {
                $add
            }
            #[inline(always)]
            fn join($b: $state, $c: $state) -> $state {
                $join
            }
            fn end($end: $state, $count: usize) -> f32 {
                $value
            }
        })*
    };
}

folds! {
    Sum: f64 = 0.0, |a, x| a + x as f64, |a, b| a + b, |a, _count| a as f32;
    Mean: f64 = 0.0, |a, x| a + x as f64, |a, b| a + b, |a, count| (a / count as f64) as f32;
    Prod: f64 = 1.0, |a, x| a * x as f64, |a, b| a * b, |a, _count| a as f32;
    Max: f32 = f32::NEG_INFINITY, |a, x| larger(a, x), |a, b| larger(a, b), |a, _count| a;
    Min: f32 = f32::INFINITY, |a, x| smaller(a, x), |a, b| smaller(a, b), |a, _count| a;
}

/// The larger one, NaN if either is.
#[inline(always)]
fn larger(a: f32, x: f32) -> f32 {
    let kept = if a.is_nan() { a } else { x };
    if a >= x { a } else { kept }
}

/// The smaller one, NaN if either is.
#[inline(always)]
fn smaller(a: f32, x: f32) -> f32 {
    let kept = if a.is_nan() { a } else { x };
    if a <= x { a } else { kept }
}

/// Numbers along the reduced axis that one partial result takes in.
const PIECE: usize = 32 * 1024;
/// Columns that are added up side by side.
const BLOCK: usize = 256;
/// Numbers of a row that are taken in side by side.
const LANES: usize = 32;

/// `x` `[outer, count, inner]` to `to` `[outer, inner]`.
pub fn reduce<F: Fold>(
    machine: &Machine,
    fold: &F,
    x: &[f32],
    [outer, count, inner]: [usize; 3],
    to: &mut [f32],
) {
    assert_eq!(
        Some(x.len()),
        outer.checked_mul(count).and_then(|n| n.checked_mul(inner))
    );
    assert_eq!(to.len(), outer * inner);
    if to.is_empty() {
        return;
    }
    let width = inner.min(BLOCK);
    let piece = (PIECE / width).max(1);
    let pieces = count.div_ceil(piece).max(1);
    let blocks = inner.div_ceil(BLOCK);
    let mut states = vec![F::start(); pieces * outer * inner];
    // What is small goes to the same task.
    let per_task = (PIECE / (piece.min(count) * width).max(1)).max(1);
    let all = outer * blocks * pieces;
    let task = Pieces {
        fold,
        x,
        outer,
        count,
        inner,
        piece,
        pieces,
        blocks,
        per_task,
        all,
        states: Output::new(&mut states),
    };
    machine.each(all.div_ceil(per_task), &task);
    for (i, to) in to.iter_mut().enumerate() {
        let mut state = states[i];
        for piece in 1..pieces {
            state = F::join(state, states[piece * outer * inner + i]);
        }
        *to = F::end(state, count);
    }
}

struct Pieces<'a, F: Fold> {
    fold: &'a F,
    x: &'a [f32],
    outer: usize,
    count: usize,
    inner: usize,
    piece: usize,
    pieces: usize,
    blocks: usize,
    per_task: usize,
    all: usize,
    /// `[pieces, outer, inner]`
    states: Output<'a, F::State>,
}

impl<F: Fold> Task for Pieces<'_, F> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let _ = self.fold;
        let first = index * self.per_task;
        for i in first..(first + self.per_task).min(self.all) {
            let (outer, rest) = (
                i / (self.blocks * self.pieces),
                i % (self.blocks * self.pieces),
            );
            let (block, piece) = (rest / self.pieces, rest % self.pieces);
            let column = block * BLOCK;
            let width = BLOCK.min(self.inner - column);
            let from = piece * self.piece;
            let until = (from + self.piece).min(self.count);
            let at = (piece * self.outer + outer) * self.inner + column;
            // SAFETY: each task has columns and pieces of its own.
            let states = unsafe { self.states.part(at..at + width) };
            let start = (outer * self.count + from) * self.inner;
            let end = (outer * self.count + until) * self.inner;
            if self.inner == 1 {
                states[0] = row::<F>(&self.x[start..end]);
            } else if width == self.inner {
                columns::<F>(&self.x[start..end], states);
            } else {
                for row in from..until {
                    let at = (outer * self.count + row) * self.inner + column;
                    for (state, &x) in states.iter_mut().zip(&self.x[at..at + width]) {
                        *state = F::add(*state, x);
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn row<F: Fold>(x: &[f32]) -> F::State {
    let mut lanes = [F::start(); LANES];
    let (whole, rest) = x.as_chunks::<LANES>();
    for x in whole {
        for i in 0..LANES {
            lanes[i] = F::add(lanes[i], x[i]);
        }
    }
    let mut state = F::start();
    for lane in lanes {
        state = F::join(state, lane);
    }
    for &x in rest {
        state = F::add(state, x);
    }
    state
}

/// Narrow rows: as many side by side as make a block.
#[inline(always)]
fn columns<F: Fold>(x: &[f32], states: &mut [F::State]) {
    let inner = states.len();
    let width = BLOCK / inner * inner;
    let mut lanes = [F::start(); BLOCK];
    for x in x.chunks(width) {
        for (lane, &x) in lanes.iter_mut().zip(x) {
            *lane = F::add(*lane, x);
        }
    }
    for lanes in lanes[..width].chunks_exact(inner) {
        for (state, &lane) in states.iter_mut().zip(lanes) {
            *state = F::join(*state, lane);
        }
    }
}

/// Where each row's largest number is, the first of them; 0 if the row begins with NaN.
pub fn arg_max(machine: &Machine, x: &[f32], rows: usize, to: &mut [i32]) {
    arg_extreme::<false>(machine, x, rows, to);
}

/// Where each row's smallest number is, the first of them; 0 if the row begins with NaN.
pub fn arg_min(machine: &Machine, x: &[f32], rows: usize, to: &mut [i32]) {
    arg_extreme::<true>(machine, x, rows, to);
}

fn arg_extreme<const SMALLEST: bool>(machine: &Machine, x: &[f32], rows: usize, to: &mut [i32]) {
    assert_eq!(to.len(), rows);
    assert!(rows == 0 || (!x.is_empty() && x.len().is_multiple_of(rows)));
    let length = x.len() / rows.max(1);
    let per_task = (PIECE / length.max(1)).max(1);
    let task = Places::<SMALLEST> {
        x,
        rows,
        length,
        per_task,
        to: Output::new(to),
    };
    machine.each(rows.div_ceil(per_task), &task);
}

struct Places<'a, const SMALLEST: bool> {
    x: &'a [f32],
    rows: usize,
    length: usize,
    per_task: usize,
    to: Output<'a, i32>,
}

impl<const SMALLEST: bool> Task for Places<'_, SMALLEST> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let first = index * self.per_task;
        let until = (first + self.per_task).min(self.rows);
        // SAFETY: the task's own rows.
        let to = unsafe { self.to.part(first..until) };
        for (row, to) in (first..until).zip(to) {
            let x = &self.x[row * self.length..(row + 1) * self.length];
            // Comparisons with NaN are false: a NaN at first stays, others are passed over.
            let mut lanes = [x[0]; LANES];
            let (whole, rest) = x.as_chunks::<LANES>();
            for x in whole {
                for i in 0..LANES {
                    lanes[i] = further::<SMALLEST>(lanes[i], x[i]);
                }
            }
            let extreme = lanes
                .iter()
                .chain(rest)
                .fold(x[0], |a, &x| further::<SMALLEST>(a, x));
            *to = x.iter().position(|&x| x == extreme).unwrap_or(0) as i32;
        }
    }
}

#[inline(always)]
fn further<const SMALLEST: bool>(a: f32, x: f32) -> f32 {
    let is_further = if SMALLEST { x < a } else { x > a };
    if is_further { x } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Isa;

    fn numbers(count: usize) -> Vec<f32> {
        (0..count as u32)
            .map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7 - 0.8)
            .collect()
    }

    #[test]
    fn agrees_with_a_loop_on_any_number_of_threads() {
        for shape in [
            [1, 100_003, 1],
            [3, 70_001, 1],
            [5, 7, 1],
            [1, 5000, 3],
            [2, 300, 256],
            [2, 99, 700],
        ] {
            let [outer, count, inner] = shape;
            let x = numbers(outer * count * inner);
            let results: Vec<Vec<f32>> = [1, 2, 3]
                .iter()
                .map(|&threads| {
                    let machine = Machine::new(Isa::detect(), threads);
                    let mut to = vec![0.0; 2 * outer * inner];
                    let (sum, max) = to.split_at_mut(outer * inner);
                    reduce(&machine, &Sum, &x, shape, sum);
                    reduce(&machine, &Max, &x, shape, max);
                    to
                })
                .collect();
            assert!(results[0] == results[1] && results[0] == results[2]);
            for i in 0..outer * inner {
                let column = (0..count)
                    .map(|row| x[(i / inner * count + row) * inner + i % inner])
                    .collect::<Vec<_>>();
                let sum: f64 = column.iter().map(|&x| x as f64).sum();
                let most = column.iter().copied().fold(f32::NEG_INFINITY, f32::max);
                assert!((results[0][i] as f64 - sum).abs() <= 1e-6 * sum.abs() + 1e-6);
                assert_eq!(results[0][outer * inner + i], most);
            }
        }
    }

    #[test]
    fn a_nan_is_the_extreme() {
        let machine = Machine::new(Isa::detect(), 2);
        for at in [0, 40, 99] {
            let mut x = numbers(100);
            x[at] = f32::NAN;
            let mut to = [0.0; 2];
            let (max, min) = to.split_at_mut(1);
            reduce(&machine, &Max, &x, [1, 100, 1], max);
            reduce(&machine, &Min, &x, [1, 100, 1], min);
            assert!(to.iter().all(|x| x.is_nan()));
        }
    }
}
