use super::tile::tile;
use super::{DEPTH, Finish, Outer, Panels, Precision, Product, Right, Source, outer, product};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};

/// Many products of the same sizes, each of matrices without gaps.
pub struct Batch<'a> {
    pub m: usize,
    pub k: usize,
    pub n: usize,
    pub left: &'a [f32],
    pub right: &'a [f32],
    /// Whether the matrices lie there as `[k, m]` and `[n, k]`.
    pub left_transposed: bool,
    pub right_transposed: bool,
    /// For each product, which of the left and of the right matrices it is of.
    pub pairs: &'a [[usize; 2]],
    /// `[pairs, m, n]`
    pub to: &'a mut [f32],
}

/// Multiplications above which a product is worth all threads.
const LARGE: usize = 1 << 22;

/// Large products one after the other, small ones side by side.
pub fn batched(machine: &Machine, batch: Batch<'_>) {
    let Batch {
        m,
        k,
        n,
        left,
        right,
        pairs,
        ..
    } = batch;
    assert_eq!(batch.to.len(), pairs.len() * m * n);
    assert!(
        pairs
            .iter()
            .all(|&[i, j]| (i + 1) * m * k <= left.len() && (j + 1) * k * n <= right.len())
    );
    if m == 0 || n == 0 || pairs.is_empty() {
        return;
    }
    // Not a matter of threads, though all ways add up in the same order.
    let sizes = batch.sizes();
    if m * k * n >= LARGE && (pairs.len() < 8 || k * n > 1 << 17) {
        let to = batch.to.chunks_exact_mut(m * n);
        for (&[i, j], to) in pairs.iter().zip(to) {
            let (left, right) = (&left[i * m * k..][..m * k], &right[j * k * n..][..k * n]);
            large(machine, &sizes, left, right, to);
        }
        return;
    }
    let blocks = (4 * machine.pool.threads()).div_ceil(pairs.len());
    let rows = m.div_ceil(blocks).next_multiple_of(24).min(m).min(ROWS);
    let task = Products {
        sizes,
        left,
        right,
        pairs,
        rows,
        blocks: m.div_ceil(rows),
        to: Output::new(batch.to),
    };
    machine.each(pairs.len() * task.blocks, &task);
}

/// The most rows of a task.
const ROWS: usize = 240;

#[derive(Clone, Copy)]
struct Sizes {
    m: usize,
    k: usize,
    n: usize,
    left_transposed: bool,
    right_transposed: bool,
}

impl Batch<'_> {
    fn sizes(&self) -> Sizes {
        let Batch {
            m,
            k,
            n,
            left_transposed,
            right_transposed,
            ..
        } = *self;
        Sizes {
            m,
            k,
            n,
            left_transposed,
            right_transposed,
        }
    }
}

fn large(machine: &Machine, sizes: &Sizes, left: &[f32], right: &[f32], to: &mut [f32]) {
    let Sizes {
        m,
        k,
        n,
        left_transposed,
        right_transposed,
    } = *sizes;
    let precision = Precision::Fp32;
    if left_transposed && !right_transposed {
        let (left, right) = (&Source::dense(left, m), &Source::dense(right, n));
        return outer(
            machine,
            Outer {
                rows: k,
                m,
                n,
                precision,
                left,
                right,
                to,
                sums: None,
            },
        );
    }
    let mut shared = machine.shared();
    let [buffer, turned] = shared.pieces([
        Panels::size(machine, precision, k, n),
        if left_transposed { m * k } else { 0 },
    ]);
    let stride = if right_transposed { k } else { n };
    let right = Right {
        values: right,
        stride,
        transposed: right_transposed,
    };
    let right = Panels::pack(machine, right, precision, k, n, buffer);
    let values = if left_transposed {
        let per_task = (16_384 / k.max(1)).max(16);
        let task = Turn {
            from: left,
            m,
            k,
            per_task,
            to: Output::new(turned),
        };
        machine.each(m.div_ceil(per_task), &task);
        &*turned
    } else {
        left
    };
    let left = &Source::dense(values, k);
    product(
        machine,
        Product {
            m,
            k,
            left,
            right,
            finish: Finish::Plain,
            to: to.into(),
        },
    );
}

struct Turn<'a> {
    from: &'a [f32],
    m: usize,
    k: usize,
    per_task: usize,
    to: Output<'a>,
}

impl Task for Turn<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let first = index * self.per_task;
        let count = self.per_task.min(self.m - first);
        // SAFETY: the task's own rows.
        let to = unsafe { self.to.part(first * self.k..(first + count) * self.k) };
        turn(self.from, self.m, self.k, first, count, to);
    }
}

/// Columns `first..first + count` of `from` `[k, m]` as rows of `to` `[count, k]`.
#[inline(always)]
fn turn(from: &[f32], m: usize, k: usize, first: usize, count: usize, to: &mut [f32]) {
    const LINE: usize = 16;
    for word in (0..k).step_by(LINE) {
        let words = LINE.min(k - word);
        for i in (0..count).step_by(LINE) {
            for row in i..(i + LINE).min(count) {
                let to = &mut to[row * k + word..row * k + word + words];
                for (to, word) in to.iter_mut().zip(word..) {
                    *to = from[word * m + first + row];
                }
            }
        }
    }
}

struct Products<'a> {
    sizes: Sizes,
    left: &'a [f32],
    right: &'a [f32],
    pairs: &'a [[usize; 2]],
    /// Rows of a task, and tasks of a product.
    rows: usize,
    blocks: usize,
    to: Output<'a>,
}

impl Task for Products<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        // SAFETY: the task's own rows of a product, inside of a job.
        unsafe {
            simd.by_tile(One {
                products: self,
                index,
                scratch,
            });
        }
    }
}

struct One<'a> {
    products: &'a Products<'a>,
    index: usize,
    scratch: &'a mut Scratch,
}

impl<S: Simd> ByTile<S> for One<'_> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const TALL: usize, const WIDE: usize>(self, simd: S) {
        // SAFETY: as in `run` of the task.
        unsafe {
            self.products
                .block::<S, TALL, WIDE>(simd, self.index, self.scratch)
        }
    }
}

impl Products<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const TALL: usize, const WIDE: usize>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let Sizes {
            m,
            k,
            n,
            left_transposed,
            right_transposed,
        } = self.sizes;
        let (pair, block) = (index / self.blocks, index % self.blocks);
        let [i, j] = self.pairs[pair];
        let (left, right) = (
            &self.left[i * m * k..][..m * k],
            &self.right[j * k * n..][..k * n],
        );
        let first = block * self.rows;
        let count = self.rows.min(m - first);
        let panels = n.div_ceil(S::LANES);
        let size = k * S::LANES;
        let [packed, turned] =
            scratch.pieces([panels * size, if left_transposed { count * k } else { 0 }]);
        // SAFETY: inside of a job; panels, rows and columns are within the matrices.
        unsafe {
            for (panel, to) in packed.chunks_exact_mut(size.max(1)).enumerate() {
                let column = panel * S::LANES;
                let lanes = S::LANES.min(n - column);
                if right_transposed {
                    turn_panel::<S>(right, k, column, lanes, to);
                } else {
                    for (row, to) in right.chunks_exact(n).zip(to.chunks_exact_mut(S::LANES)) {
                        let from = row.as_ptr().add(column);
                        let whole = lanes == S::LANES;
                        let value = if whole {
                            simd.load(from)
                        } else {
                            simd.load_some(from, lanes)
                        };
                        simd.store(to.as_mut_ptr(), value);
                    }
                }
            }
            let left = if left_transposed {
                turn(left, m, k, first, count, turned);
                turned.as_ptr()
            } else {
                left.as_ptr().add(first * k)
            };
            let at = (pair * m + first) * n;
            let to = self.to.part(at..at + count * n);
            for from in (0..k.max(1)).step_by(DEPTH) {
                let pass = Pass {
                    k,
                    from,
                    words: DEPTH.min(k - from),
                    count,
                    n,
                };
                let mut panel = 0;
                while panel < panels {
                    match panels - panel {
                        1 => strip::<S, TALL, 1>(simd, pass, left, packed, panel, to),
                        2 if WIDE > 2 => strip::<S, TALL, 2>(simd, pass, left, packed, panel, to),
                        _ => strip::<S, TALL, WIDE>(simd, pass, left, packed, panel, to),
                    }
                    panel += WIDE;
                }
            }
        }
    }
}

/// The words of the common dimension that are multiplied now.
#[derive(Clone, Copy)]
struct Pass {
    k: usize,
    from: usize,
    words: usize,
    count: usize,
    n: usize,
}

/// All rows of a block times a few panels.
///
/// # Safety
/// Inside of a job of `simd`; `left` is valid for `count` rows of `k` numbers.
#[inline(always)]
unsafe fn strip<S: Simd, const TALL: usize, const WIDE: usize>(
    simd: S,
    pass: Pass,
    left: *const f32,
    packed: &[f32],
    panel: usize,
    to: &mut [f32],
) {
    let Pass {
        k,
        from,
        words,
        count,
        n,
    } = pass;
    let size = k * S::LANES;
    for row in (0..count).step_by(TALL) {
        let valid = TALL.min(count - row);
        // SAFETY: rows behind the last one are the last one again, and are not stored; the panels
        // are within what is packed, and the columns within the result.
        unsafe {
            let mut starts = [left; TALL];
            for (i, start) in starts.iter_mut().enumerate() {
                *start = left.add((row + i.min(valid - 1)) * k + from);
            }
            let right = packed.as_ptr().add(panel * size + from * S::LANES);
            let sums = tile::<S, TALL, WIDE, false>(simd, words, starts, right, size);
            for (i, vectors) in sums.iter().enumerate().take(valid) {
                for (j, &sum) in vectors.iter().enumerate() {
                    let column = (panel + j) * S::LANES;
                    let lanes = S::LANES.min(n - column);
                    let at = (row + i) * n + column;
                    let to = to[at..at + lanes].as_mut_ptr();
                    let whole = lanes == S::LANES;
                    let value = match (from == 0, whole) {
                        (true, _) => sum,
                        (false, true) => simd.add(sum, simd.load(to)),
                        (false, false) => simd.add(sum, simd.load_some(to, lanes)),
                    };
                    if whole {
                        simd.store(to, value)
                    } else {
                        simd.store_some(to, value, lanes)
                    }
                }
            }
        }
    }
}

/// Rows `column..column + lanes` of `from` `[n, k]` side by side, a cache line of each at a time.
#[inline(always)]
fn turn_panel<S: Simd>(from: &[f32], k: usize, column: usize, lanes: usize, to: &mut [f32]) {
    const LINE: usize = 16;
    for first in (0..k).step_by(LINE) {
        let words = first..(first + LINE).min(k);
        for lane in 0..S::LANES {
            if lane < lanes {
                let row = &from[(column + lane) * k..(column + lane + 1) * k];
                for word in words.clone() {
                    to[word * S::LANES + lane] = row[word];
                }
            } else {
                for word in words.clone() {
                    to[word * S::LANES + lane] = 0.0;
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
    fn agrees_with_a_loop_whatever_lies_how() {
        for isa in Isa::present() {
            for threads in [1, 3] {
                let machine = Machine::new(isa, threads);
                for (m, k, n) in [
                    (1, 1, 1),
                    (5, 7, 3),
                    (17, 20, 33),
                    (30, 400, 18),
                    (2, 0, 3),
                    (170, 160, 161),
                ] {
                    check(&machine, m, k, n);
                }
            }
        }
    }

    fn check(machine: &Machine, m: usize, k: usize, n: usize) {
        let numbers = |count: usize, factor: u32| -> Vec<f32> {
            (0..count as u32)
                .map(|i| (i.wrapping_mul(factor) % 17) as f32 - 8.0)
                .collect()
        };
        let (left, right) = (numbers(2 * m * k, 7), numbers(3 * k * n, 5));
        let pairs = [[0, 0], [1, 1], [0, 2], [1, 0]];
        for (left_transposed, right_transposed) in
            [(false, false), (false, true), (true, false), (true, true)]
        {
            let mut to = vec![f32::NAN; 4 * m * n];
            batched(
                machine,
                Batch {
                    m,
                    k,
                    n,
                    left: &left,
                    right: &right,
                    left_transposed,
                    right_transposed,
                    pairs: &pairs,
                    to: &mut to,
                },
            );
            for (i, &value) in to.iter().enumerate() {
                let [a, b] = pairs[i / (m * n)];
                let (row, column) = (i / n % m, i % n);
                let sum: f32 = (0..k)
                    .map(|p| {
                        let x = if left_transposed {
                            p * m + row
                        } else {
                            row * k + p
                        };
                        let y = if right_transposed {
                            column * k + p
                        } else {
                            p * n + column
                        };
                        left[a * m * k + x] * right[b * k * n + y]
                    })
                    .sum();
                assert_eq!(
                    value, sum,
                    "{m} x {k} x {n}, {left_transposed} {right_transposed}"
                );
            }
        }
    }
}
