use super::columns::Columns;
use super::source::{Rows, with_source};
use super::tile::transposed_tile;
use super::{DEPTH, Precision, Source};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};

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
    let (lanes, tile) = (machine.isa.lanes(), machine.isa.tile_rows());
    let (tiles, left_panels, right_panels) =
        (m.div_ceil(tile), m.div_ceil(lanes), n.div_ceil(lanes));
    // Deeper than a product of rows goes: the sums are read and written once a pass.
    let most = match precision {
        Precision::Fp32 => 2 * DEPTH,
        Precision::Bf16 => 4 * DEPTH,
    };
    let per_pass = rows.div_ceil(rows.div_ceil(most));
    let depth = precision.words(per_pass);
    let mut shared = machine.shared();
    let [left_words, right_words] =
        shared.pieces([left_panels * depth * lanes, right_panels * depth * lanes]);
    let (to, sums) = (Output::new(to), sums.map(Output::new));

    let threads = machine.pool.threads();
    for from in (0..rows).step_by(per_pass) {
        let count = per_pass.min(rows - from);
        let words = precision.words(count);
        let pass = Pass {
            words,
            is_first: from == 0,
            m,
            n,
            precision,
        };
        let rows = from..from + count;
        let packing = Packing {
            left: Columns {
                source: left,
                rows: rows.clone(),
                columns: m,
                precision,
                lanes,
                per_task: Columns::per_task(left_panels, threads),
                to: Output::new(left_words),
                sums: sums.as_ref(),
                adds: from > 0,
            },
            right: Columns {
                source: right,
                rows,
                columns: n,
                precision,
                lanes,
                per_task: Columns::per_task(right_panels, threads),
                to: Output::new(right_words),
                sums: None,
                adds: false,
            },
        };
        machine.each(packing.left.tasks() + packing.right.tasks(), &packing);

        // Tiles of a task: few enough for the second-level cache and for all threads.
        let block = tiles.div_ceil(2 * threads).clamp(1, 96 / tile);
        let blocks = tiles.div_ceil(block);
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

#[derive(Clone, Copy)]
struct Pass {
    words: usize,
    is_first: bool,
    m: usize,
    n: usize,
    precision: Precision,
}

struct Packing<'a> {
    left: Columns<'a>,
    right: Columns<'a>,
}

impl Task for Packing<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let left = self.left.tasks();
        // SAFETY: inside of a job; each task packs panels of its own.
        unsafe {
            if index < left {
                self.left.pack(simd, index);
            } else {
                self.right.pack(simd, index - left);
            }
        }
    }
}

struct Adding<'a> {
    pass: Pass,
    left_words: &'a [f32],
    right_words: &'a [f32],
    to: &'a Output<'a>,
    /// Tiles of left-hand columns and right panels of a task, and tasks that share the same tiles.
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
        // A panel holds a few tiles side by side.
        let (panel, first) = (words * S::LANES, left * ROWS);
        // SAFETY: as in `block`; a prefetch may be of any address.
        unsafe {
            if !is_first {
                for i in 0..ROWS {
                    let at = (first + i) * n + right * S::LANES;
                    simd.prefetch(self.to.start().wrapping_add(at));
                }
            }
            let sums = transposed_tile::<S, ROWS, VECTORS, BF16>(
                simd,
                words,
                self.left_words
                    .as_ptr()
                    .add(first / S::LANES * panel + first % S::LANES),
                S::LANES,
                self.right_words.as_ptr().add(right * panel),
                panel,
            );
            for (i, vectors) in sums.iter().enumerate().take(ROWS.min(m - first)) {
                for (j, &sum) in vectors.iter().enumerate() {
                    let column = (right + j) * S::LANES;
                    let lanes = S::LANES.min(n - column);
                    let at = (first + i) * n + column;
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
