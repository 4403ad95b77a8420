use super::source::{Rows, with_source};
use super::tile::transposed_tile;
use super::{DEPTH, Precision, Source};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use std::ops::Range;

/// A sum of outer products: `left` `[rows, m]`, transposed, times `right` `[rows, n]`.
pub struct Outer<'a> {
    pub rows: usize,
    pub m: usize,
    pub n: usize,
    pub precision: Precision,
    pub left: &'a Source<'a>,
    pub right: &'a Source<'a>,
    /// `[m, n]`
    pub to: &'a mut [f32],
    /// The sums of the columns of `left`, `[m]`, if they are wanted.
    pub sums: Option<&'a mut [f32]>,
}

/// Adds up over the rows, in passes of a fixed number: the result does not depend on the threads.
pub fn outer(machine: &Machine, product: Outer<'_>) {
    let Outer {
        rows,
        m,
        n,
        precision,
        left,
        right,
        to,
        sums,
    } = product;
    assert_eq!(to.len(), m * n);
    assert!(
        with_source!(left => source, source.holds(rows, m)),
        "the left-hand matrix"
    );
    assert!(
        with_source!(right => source, source.holds(rows, n)),
        "the right-hand matrix"
    );
    if let Some(sums) = &sums {
        assert_eq!(sums.len(), m);
    }
    if rows == 0 {
        to.fill(0.0);
        if let Some(sums) = sums {
            sums.fill(0.0);
        }
        return;
    }
    let (lanes, tile) = (machine.isa.lanes(), machine.isa.tile_rows());
    let (left_panels, right_panels) = (m.div_ceil(tile), n.div_ceil(lanes));
    let per_pass = match precision {
        Precision::Fp32 => DEPTH,
        Precision::Bf16 => 2 * DEPTH,
    };
    let depth = precision.words(per_pass.min(rows));
    let mut shared = machine.shared();
    // A vector behind each left panel's last row is written, though not kept.
    let [left_words, right_words] = shared.pieces([
        left_panels * depth * tile + lanes,
        right_panels * depth * lanes,
    ]);
    let (to, sums) = (Output::new(to), sums.map(Output::new));

    for from in (0..rows).step_by(per_pass) {
        let count = per_pass.min(rows - from);
        let words = precision.words(count);
        let pass = Pass {
            from,
            count,
            words,
            is_first: from == 0,
            m,
            n,
            precision,
            tile,
            lanes,
        };
        let (per_left, per_right) = (per_task(words * tile), per_task(words * lanes));
        let left_tasks = left_panels.div_ceil(per_left);
        let packing = Packing {
            pass,
            left,
            right,
            left_words: Output::new(left_words),
            right_words: Output::new(right_words),
            sums: sums.as_ref(),
            left_tasks,
            per_left,
            per_right,
        };
        machine.each(left_tasks + right_panels.div_ceil(per_right), &packing);

        let threads = machine.pool.threads();
        // Panels of a task: few enough for the second-level cache and for all threads.
        let block = left_panels.div_ceil(2 * threads).clamp(1, 96 / tile);
        let blocks = left_panels.div_ceil(block);
        let strips = (2 * threads)
            .div_ceil(blocks)
            .clamp(1, right_panels.div_ceil(6));
        let strip = right_panels.div_ceil(strips).next_multiple_of(6);
        let strips = right_panels.div_ceil(strip);
        let adding = Adding {
            pass,
            left_words,
            right_words,
            to: &to,
            block,
            strip,
            strips,
        };
        machine.each(blocks * strips, &adding);
    }
}

/// Panels that make a task of some ten microseconds, side by side in few cache lines.
fn per_task(words: usize) -> usize {
    (16_384 / words.max(1)).clamp(1, 8)
}

#[derive(Clone, Copy)]
struct Pass {
    from: usize,
    count: usize,
    words: usize,
    is_first: bool,
    m: usize,
    n: usize,
    precision: Precision,
    tile: usize,
    lanes: usize,
}

struct Packing<'a> {
    pass: Pass,
    left: &'a Source<'a>,
    right: &'a Source<'a>,
    left_words: Output<'a>,
    right_words: Output<'a>,
    sums: Option<&'a Output<'a>>,
    left_tasks: usize,
    per_left: usize,
    per_right: usize,
}

impl Task for Packing<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let Pass {
            m, n, tile, lanes, ..
        } = self.pass;
        // SAFETY: inside of a job; each task packs panels of its own.
        unsafe {
            if index < self.left_tasks {
                let first = index * self.per_left;
                let last = (first + self.per_left).min(m.div_ceil(tile));
                with_source!(self.left => source, self.pack_left(simd, source, first..last));
            } else {
                let first = (index - self.left_tasks) * self.per_right;
                let last = (first + self.per_right).min(n.div_ceil(lanes));
                with_source!(self.right => source, self.pack_right(simd, source, first..last));
            }
        }
    }
}

impl Packing<'_> {
    /// Panels as wide as a tile has rows, row by row, and the sums of their columns.
    #[inline(always)]
    unsafe fn pack_left<S: Simd, M: Rows>(&self, simd: S, source: &M, panels: Range<usize>) {
        let Pass { m, tile, words, .. } = self.pass;
        let size = words * tile;
        // SAFETY: inside of a job; the panels are the task's own.
        unsafe {
            let to = self
                .left_words
                .part(panels.start * size..panels.end * size)
                .as_mut_ptr();
            for word in 0..words {
                for (i, panel) in panels.clone().enumerate() {
                    let column = panel * tile;
                    // Neighbours are read too where there are any: to leave them out costs more.
                    let lanes = S::LANES.min(m - column);
                    let value = self.word(simd, source, word, column, lanes);
                    let at = i * size + word * tile;
                    // What is written behind the tile's width is written over by the next word.
                    if (word + 1) * tile + S::LANES <= size {
                        simd.store(to.add(at), value);
                    } else {
                        simd.store_some(to.add(at), value, tile);
                    }
                }
            }
            if let Some(sums) = self.sums {
                self.add_sums(
                    simd,
                    source,
                    sums,
                    panels.start * tile..(panels.end * tile).min(m),
                );
            }
        }
    }

    /// Adds to the sums of some columns.
    #[inline(always)]
    unsafe fn add_sums<S: Simd, M: Rows>(
        &self,
        simd: S,
        source: &M,
        sums: &Output<'_>,
        columns: Range<usize>,
    ) {
        let Pass {
            from,
            count,
            is_first,
            ..
        } = self.pass;
        for column in columns.clone().step_by(S::LANES) {
            let lanes = S::LANES.min(columns.end - column);
            // SAFETY: inside of a job; the columns are the task's own.
            unsafe {
                let to = sums.part(column..column + lanes).as_mut_ptr();
                let mut sum = if is_first {
                    simd.splat(0.0)
                } else {
                    simd.load_some(to, lanes)
                };
                for row in from..from + count {
                    sum = simd.add(sum, source.vector(simd, row, column, lanes));
                }
                simd.store_some(to, sum, lanes);
            }
        }
    }

    /// Panels as wide as a vector, row by row.
    #[inline(always)]
    unsafe fn pack_right<S: Simd, M: Rows>(&self, simd: S, source: &M, panels: Range<usize>) {
        let Pass { n, words, .. } = self.pass;
        let size = words * S::LANES;
        // SAFETY: inside of a job; the panels are the task's own.
        unsafe {
            let to = self
                .right_words
                .part(panels.start * size..panels.end * size)
                .as_mut_ptr();
            for word in 0..words {
                for (i, panel) in panels.clone().enumerate() {
                    let column = panel * S::LANES;
                    let lanes = S::LANES.min(n - column);
                    let value = self.word(simd, source, word, column, lanes);
                    simd.store(to.add(i * size + word * S::LANES), value);
                }
            }
        }
    }

    /// A vector of words: of one row, or of two rows as pairs.
    #[inline(always)]
    unsafe fn word<S: Simd, M: Rows>(
        &self,
        simd: S,
        source: &M,
        word: usize,
        column: usize,
        lanes: usize,
    ) -> S::V {
        let Pass {
            from,
            count,
            precision,
            ..
        } = self.pass;
        // SAFETY: inside of a job; rows below `count` are within the matrix.
        unsafe {
            if precision == Precision::Fp32 {
                return source.vector(simd, from + word, column, lanes);
            }
            let low = source.vector(simd, from + 2 * word, column, lanes);
            let high = if 2 * word + 1 < count {
                source.vector(simd, from + 2 * word + 1, column, lanes)
            } else {
                simd.splat(0.0)
            };
            simd.pair(low, high)
        }
    }
}

struct Adding<'a> {
    pass: Pass,
    left_words: &'a [f32],
    right_words: &'a [f32],
    to: &'a Output<'a>,
    /// Left panels and right panels of a task, and tasks that share the same left panels.
    block: usize,
    strip: usize,
    strips: usize,
}

impl Task for Adding<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        // SAFETY: the task's own block, inside of a job.
        unsafe {
            match self.pass.precision {
                Precision::Fp32 => simd.by_tile(Block::<false>(self, index)),
                Precision::Bf16 => simd.by_tile(Block::<true>(self, index)),
            }
        }
    }
}

/// A block, for a tile of some size.
struct Block<'a, const BF16: bool>(&'a Adding<'a>, usize);

impl<S: Simd, const BF16: bool> ByTile<S> for Block<'_, BF16> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        // SAFETY: as in `Adding::run`.
        unsafe { self.0.block::<S, ROWS, VECTORS, BF16>(simd, self.1) }
    }
}

impl Adding<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const ROWS: usize, const VECTORS: usize, const BF16: bool>(
        &self,
        simd: S,
        index: usize,
    ) {
        let Pass { m, n, .. } = self.pass;
        let (block, strip) = (index / self.strips, index % self.strips);
        let left = block * self.block..((block + 1) * self.block).min(m.div_ceil(ROWS));
        let end = ((strip + 1) * self.strip).min(n.div_ceil(S::LANES));
        let mut right = strip * self.strip;
        while right < end {
            for left in left.clone() {
                // SAFETY: panels within the packed words, elements within the task's block.
                unsafe {
                    match end - right {
                        1 => self.add::<S, ROWS, 1, BF16>(simd, left, right),
                        2 if VECTORS > 2 => self.add::<S, ROWS, 2, BF16>(simd, left, right),
                        _ => self.add::<S, ROWS, VECTORS, BF16>(simd, left, right),
                    }
                }
            }
            right += VECTORS;
        }
    }

    #[inline(always)]
    unsafe fn add<S: Simd, const ROWS: usize, const VECTORS: usize, const BF16: bool>(
        &self,
        simd: S,
        left: usize,
        right: usize,
    ) {
        let Pass {
            m,
            n,
            words,
            is_first,
            ..
        } = self.pass;
        let panel = words * S::LANES;
        // SAFETY: as in `block`; a prefetch may be of any address.
        unsafe {
            if !is_first {
                for i in 0..ROWS {
                    let at = (left * ROWS + i) * n + right * S::LANES;
                    simd.prefetch(self.to.start().wrapping_add(at));
                }
            }
            let sums = transposed_tile::<S, ROWS, VECTORS, BF16>(
                simd,
                words,
                self.left_words.as_ptr().add(left * words * ROWS),
                ROWS,
                self.right_words.as_ptr().add(right * panel),
                panel,
            );
            for (i, vectors) in sums.iter().enumerate().take(ROWS.min(m - left * ROWS)) {
                for (j, &sum) in vectors.iter().enumerate() {
                    let column = (right + j) * S::LANES;
                    let lanes = S::LANES.min(n - column);
                    let at = (left * ROWS + i) * n + column;
                    let to = self.to.part(at..at + lanes).as_mut_ptr();
                    let whole = lanes == S::LANES;
                    let value = match (is_first, whole) {
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
