use super::columns::{Columns, MOST_PANELS, Sums};
use super::source::{Rows, with_source};
use super::tile::transposed_tile;
use super::{Precision, Source};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};

/// Rows of a pass: deeper than a product of rows goes, since the sums are read and written once a
/// pass.
const DEEPEST: usize = 960;

/// The most left-hand columns of a task: packed, they stay in the second-level cache.
const WIDEST: usize = 64;

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

/// Adds up over the rows, in passes that follow from their number: the result does not depend on
/// the threads.
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
    let lanes = machine.isa.lanes();
    let (left_panels, right_panels) = (m.div_ceil(lanes), n.div_ceil(lanes));
    let most = DEEPEST * if precision == Precision::Bf16 { 2 } else { 1 };
    let per_pass = rows.div_ceil(rows.div_ceil(most));
    let depth = precision.words(per_pass);
    let mut shared = machine.shared();
    let [right_words] = shared.pieces([right_panels * depth * lanes]);
    let (to, sums) = (Output::new(to), sums.map(Output::new));

    let threads = machine.pool.threads();
    // Panels of a task: few enough for the second-level cache and for all threads.
    let block = left_panels.div_ceil(2 * threads).clamp(1, WIDEST / lanes);
    let blocks = left_panels.div_ceil(block);
    let strips = (4 * threads)
        .div_ceil(blocks)
        .clamp(1, right_panels.div_ceil(6));
    let strip = right_panels.div_ceil(strips).next_multiple_of(6);
    let strips = right_panels.div_ceil(strip);
    for from in (0..rows).step_by(per_pass) {
        let count = per_pass.min(rows - from);
        let columns = |source, columns| Columns {
            source,
            rows: from..from + count,
            columns,
            precision,
        };
        let packing = Packing {
            columns: columns(right, n),
            panels: right_panels,
            per_task: (right_panels / (8 * threads)).clamp(1, MOST_PANELS),
            words: precision.words(count),
            to: Output::new(right_words),
        };
        machine.each(right_panels.div_ceil(packing.per_task), &packing);
        let adding = Adding {
            pass: Pass {
                words: precision.words(count),
                is_first: from == 0,
                m,
                n,
                precision,
            },
            left: columns(left, m),
            sums: sums.as_ref(),
            right_words,
            to: &to,
            block,
            strip,
            strips,
        };
        machine.each(blocks * strips, &adding);
    }
}

#[derive(Clone, Copy)]
struct Pass {
    words: usize,
    is_first: bool,
    m: usize,
    n: usize,
    precision: Precision,
}

/// The right-hand matrix, packed for all tasks.
struct Packing<'a> {
    columns: Columns<'a>,
    panels: usize,
    per_task: usize,
    words: usize,
    to: Output<'a>,
}

impl Task for Packing<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let first = index * self.per_task;
        let panels = first..(first + self.per_task).min(self.panels);
        let size = self.words * S::LANES;
        // SAFETY: inside of a job; each task packs panels of its own.
        unsafe {
            let to = self.to.part(panels.start * size..panels.end * size);
            self.columns.pack(simd, panels, to, None);
        }
    }
}

/// The left-hand matrix, which each task packs for itself, times the right-hand one.
struct Adding<'a> {
    pass: Pass,
    left: Columns<'a>,
    /// The sums of the left-hand columns.
    sums: Option<&'a Output<'a>>,
    right_words: &'a [f32],
    to: &'a Output<'a>,
    /// Left panels and right panels of a task, and tasks that share the same left panels.
    block: usize,
    strip: usize,
    strips: usize,
}

impl Task for Adding<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        // SAFETY: the task's own block, inside of a job.
        unsafe {
            match self.pass.precision {
                Precision::Fp32 => self.block::<S, false>(simd, index, scratch),
                Precision::Bf16 => self.block::<S, true>(simd, index, scratch),
            }
        }
    }
}

impl Adding<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const BF16: bool>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let Pass {
            words, m, is_first, ..
        } = self.pass;
        let (block, strip) = (index / self.strips, index % self.strips);
        let first = block * self.block;
        let panels = first..(first + self.block).min(m.div_ceil(S::LANES));
        let [packed] = scratch.pieces([panels.len() * words * S::LANES]);
        // One of the tasks that pack the same columns adds them up.
        let sums = self.sums.filter(|_| strip == 0).map(|to| Sums {
            to,
            adds: !is_first,
        });
        // SAFETY: the caller's: the task's own block, inside of a job.
        unsafe {
            self.left.pack(simd, panels, packed, sums);
            simd.by_tile(Block::<BF16> {
                adding: self,
                first,
                packed,
                strip,
            });
        }
    }
}

/// A block, for a tile of some size.
struct Block<'a, const BF16: bool> {
    adding: &'a Adding<'a>,
    /// Its first panel, and all of them packed.
    first: usize,
    packed: &'a [f32],
    strip: usize,
}

impl<S: Simd, const BF16: bool> ByTile<S> for Block<'_, BF16> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let Adding {
            pass,
            block,
            strip: wide,
            ..
        } = *self.adding;
        let from = self.first * S::LANES;
        let until = (from + block * S::LANES).min(pass.m);
        let end = ((self.strip + 1) * wide).min(pass.n.div_ceil(S::LANES));
        for right in (self.strip * wide..end).step_by(VECTORS) {
            for row in (from..until).step_by(ROWS) {
                // SAFETY: panels within the packed words, elements within the task's block.
                unsafe {
                    match end - right {
                        1 => self.add::<S, ROWS, 1>(simd, row, right),
                        2 if VECTORS > 2 => self.add::<S, ROWS, 2>(simd, row, right),
                        _ => self.add::<S, ROWS, VECTORS>(simd, row, right),
                    }
                }
            }
        }
    }
}

impl<const BF16: bool> Block<'_, BF16> {
    /// A tile: rows from `row` on, which are columns of the left-hand matrix, of panels from
    /// `right` on.
    #[inline(always)]
    unsafe fn add<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        row: usize,
        right: usize,
    ) {
        let Adding {
            pass:
                Pass {
                    m,
                    n,
                    words,
                    is_first,
                    ..
                },
            right_words,
            to,
            ..
        } = *self.adding;
        let panel = words * S::LANES;
        // A panel holds a few tiles side by side.
        let left = (row / S::LANES - self.first) * panel + row % S::LANES;
        // SAFETY: as in `run`; a prefetch may be of any address.
        unsafe {
            if !is_first {
                for i in 0..ROWS {
                    let at = (row + i) * n + right * S::LANES;
                    simd.prefetch(to.start().wrapping_add(at));
                }
            }
            let sums = transposed_tile::<S, ROWS, VECTORS, BF16>(
                simd,
                words,
                self.packed.as_ptr().add(left),
                S::LANES,
                right_words.as_ptr().add(right * panel),
                panel,
            );
            for (i, vectors) in sums.iter().enumerate().take(ROWS.min(m - row)) {
                for (j, &sum) in vectors.iter().enumerate() {
                    let column = (right + j) * S::LANES;
                    let lanes = S::LANES.min(n - column);
                    let at = (row + i) * n + column;
                    let to = to.part(at..at + lanes).as_mut_ptr();
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
