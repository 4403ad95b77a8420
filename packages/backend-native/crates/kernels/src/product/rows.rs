use super::finish::Place;
use super::source::{Rows, with_source};
use super::tile::tile;
use super::{DEPTH, Finish, Panels, Precision, Results, Right, Source};
use crate::machine::{Machine, Task};
use crate::scratch::Scratch;
use crate::simd::{ByTile, Simd};
use crate::stored::Stored;

/// What a task's rows of the left-hand matrix may take up, in words: most of the second-level cache.
const BLOCK: usize = 56 * 1024;

/// The most rows of a task: more would read the right-hand matrix less often, but let one thread
/// wait longer for the other's last block.
const MOST_ROWS: usize = 48;

/// A product `[m, k]` times panels of `[k, n]`.
pub struct Product<'a> {
    pub m: usize,
    pub k: usize,
    pub left: &'a Source<'a>,
    pub right: Panels<'a>,
    pub finish: Finish<'a>,
    /// `[m, n]`
    pub to: Results<'a>,
}

/// Multiplies, block of rows by block of rows.
pub fn product(machine: &Machine, product: Product<'_>) {
    let Product {
        m, k, left, right, ..
    } = product;
    assert_eq!(right.depth, right.precision.words(k));
    assert_eq!(product.to.len(), m * right.n);
    assert!(
        with_source!(left => rows, rows.holds(m, k)),
        "the left-hand matrix"
    );
    product.finish.check(m, right.n);
    if m == 0 || right.n == 0 {
        return;
    }
    let threads = machine.pool.threads();
    let lies = left.words(right.precision == Precision::Bf16).is_some();
    // What is made on the way is made in its whole depth.
    let depth = if lies {
        right.depth.min(DEPTH)
    } else {
        right.depth
    };
    let most = (BLOCK / depth.max(1)).clamp(24, MOST_ROWS);
    // Each thread gets the same number of blocks, unless there are few.
    let blocks = m
        .div_ceil(most)
        .next_multiple_of(threads)
        .min(m.div_ceil(8));
    let rows = m.div_ceil(blocks).next_multiple_of(machine.isa.tile_rows());
    let blocks = m.div_ceil(rows);
    let panels = right.n.div_ceil(machine.isa.lanes());
    let strips = if blocks >= 2 * threads {
        1
    } else {
        (2 * threads).div_ceil(blocks)
    };
    let strip = panels.div_ceil(strips).next_multiple_of(6);
    let strips = panels.div_ceil(strip);
    let task = Blocks {
        product,
        rows,
        strip,
        strips,
        panels,
    };
    machine.each(blocks * strips, &task);
}

struct Blocks<'a> {
    product: Product<'a>,
    /// Rows and panels of a task, and tasks that share the same rows.
    rows: usize,
    strip: usize,
    strips: usize,
    panels: usize,
}

impl Task for Blocks<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        // SAFETY: the task's own block, inside of a job.
        unsafe {
            match self.product.right.precision {
                Precision::Fp32 => self.block::<S, false>(simd, index, scratch),
                Precision::Bf16 => self.block::<S, true>(simd, index, scratch),
            }
        }
    }
}

/// Rows of the left-hand matrix as words.
#[derive(Clone, Copy)]
struct Left {
    start: *const f32,
    stride: usize,
    count: usize,
}

impl Blocks<'_> {
    #[inline(always)]
    unsafe fn block<S: Simd, const BF16: bool>(
        &self,
        simd: S,
        index: usize,
        scratch: &mut Scratch,
    ) {
        let Product {
            m, k, left, right, ..
        } = &self.product;
        let (block, strip) = (index / self.strips, index % self.strips);
        let first = block * self.rows;
        let count = self.rows.min(m - first);
        let panels = strip * self.strip..((strip + 1) * self.strip).min(self.panels);
        let direct = if BF16 && !k.is_multiple_of(2) {
            None
        } else {
            left.words(BF16)
        };
        // SAFETY: inside of a job; the rows and columns are within both matrices.
        unsafe {
            let words = match direct {
                Some((values, stride)) => {
                    assert!(values.len() >= (first + count - 1) * stride + right.depth);
                    Left {
                        start: values.as_ptr().add(first * stride),
                        stride,
                        count,
                    }
                }
                None => {
                    let [made] = scratch.pieces([count * right.depth + S::LANES]);
                    with_source!(left => rows, {
                        rows.prepare(simd, first..first + count);
                        fill::<S, _, BF16>(simd, rows, first, count, *k, made);
                    });
                    Left {
                        start: made.as_ptr(),
                        stride: right.depth,
                        count,
                    }
                }
            };
            if S::IS_PORTABLE && !BF16 {
                self.by_crate(simd, words, first, panels);
                return;
            }
            // What is stored rounded cannot hold what is still to be added to.
            let passes = match self.product.to {
                Results::Bf16(_) => 1,
                Results::Fp32(_) => right.depth.div_ceil(DEPTH).max(1),
            };
            let depth = right.depth.div_ceil(passes);
            for from in (0..right.depth.max(1)).step_by(depth.max(1)) {
                let pass = Pass {
                    from,
                    words: depth.min(right.depth - from),
                    first,
                };
                simd.by_tile(PassBlock::<BF16> {
                    blocks: self,
                    left: words,
                    pass,
                    panels: panels.clone(),
                });
            }
        }
    }

    /// The block as the crate `matrixmultiply` has it, finished afterwards.
    unsafe fn by_crate<S: Simd>(
        &self,
        simd: S,
        left: Left,
        first: usize,
        panels: std::ops::Range<usize>,
    ) {
        let Product {
            k,
            right,
            finish,
            to,
            ..
        } = &self.product;
        let columns = panels.start * S::LANES..(panels.end * S::LANES).min(right.n);
        let width = columns.len();
        let Right {
            values,
            stride,
            transposed,
        } = right.source;
        let (down, across) = if transposed { (1, stride) } else { (stride, 1) };
        let mut product = vec![0.0; left.count * width];
        // SAFETY: the left-hand rows are those of the block, the right-hand matrix has been seen
        // to hold `k` rows of `n` columns in `pack`, and the product has room for all.
        unsafe {
            matrixmultiply::sgemm(
                left.count,
                *k,
                width,
                1.0,
                left.start,
                left.stride as isize,
                1,
                values.as_ptr().add(columns.start * across),
                down as isize,
                across as isize,
                0.0,
                product.as_mut_ptr(),
                width as isize,
                1,
            );
            for (i, row) in product.chunks_exact(width).enumerate() {
                for at in (0..width).step_by(S::LANES) {
                    let lanes = S::LANES.min(width - at);
                    let place = Place {
                        row: first + i,
                        rows: 1,
                        column: columns.start + at,
                        width: right.n,
                    };
                    let mut tile = [[f32::load(simd, row.as_ptr().add(at), lanes)]];
                    finish.finish(simd, &mut tile, place);
                    to.store_tile(simd, &tile, place);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn pass<S: Simd, const ROWS: usize, const VECTORS: usize, const BF16: bool>(
        &self,
        simd: S,
        left: Left,
        pass: Pass,
        panels: std::ops::Range<usize>,
    ) {
        let mut panel = panels.start;
        while panel < panels.end {
            // SAFETY: as in `block`.
            unsafe {
                match panels.end - panel {
                    1 => self.strip::<S, ROWS, 1, BF16>(simd, left, pass, panel),
                    2 if VECTORS > 2 => self.strip::<S, ROWS, 2, BF16>(simd, left, pass, panel),
                    _ => self.strip::<S, ROWS, VECTORS, BF16>(simd, left, pass, panel),
                }
            }
            panel += VECTORS;
        }
    }

    /// All rows of the block times a few panels.
    #[inline(always)]
    unsafe fn strip<S: Simd, const ROWS: usize, const VECTORS: usize, const BF16: bool>(
        &self,
        simd: S,
        left: Left,
        pass: Pass,
        panel: usize,
    ) {
        let Product {
            right, finish, to, ..
        } = &self.product;
        let size = right.depth * S::LANES;
        let is_last = pass.from + pass.words == right.depth;
        for row in (0..left.count).step_by(ROWS) {
            let valid = ROWS.min(left.count - row);
            // SAFETY: rows behind the last one are the last one again, and are not stored;
            // the panels are within the packed words.
            unsafe {
                let place = Place {
                    row: pass.first + row,
                    rows: valid,
                    column: panel * S::LANES,
                    width: right.n,
                };
                finish.prefetch(simd, to, place);
                let mut starts = [left.start; ROWS];
                for (i, start) in starts.iter_mut().enumerate() {
                    *start = left
                        .start
                        .add((row + i.min(valid - 1)) * left.stride + pass.from);
                }
                let words = right
                    .words
                    .as_ptr()
                    .add(panel * size + pass.from * S::LANES);
                let mut sums =
                    tile::<S, ROWS, VECTORS, BF16>(simd, pass.words, starts, words, size);
                if pass.from > 0 {
                    to.add_to(simd, &mut sums, place);
                }
                if is_last {
                    finish.finish(simd, &mut sums, place);
                }
                to.store_tile(simd, &sums, place);
            }
        }
    }
}

/// The words of the common dimension that are multiplied now.
#[derive(Clone, Copy)]
struct Pass {
    from: usize,
    words: usize,
    /// The block's first row.
    first: usize,
}

/// One pass over a block, for a tile of some size.
struct PassBlock<'a, const BF16: bool> {
    blocks: &'a Blocks<'a>,
    left: Left,
    pass: Pass,
    panels: std::ops::Range<usize>,
}

impl<S: Simd, const BF16: bool> ByTile<S> for PassBlock<'_, BF16> {
    type Output = ();

    #[inline(always)]
    unsafe fn run<const ROWS: usize, const VECTORS: usize>(self, simd: S) {
        let PassBlock {
            blocks,
            left,
            pass,
            panels,
        } = self;
        // SAFETY: as in `block`.
        unsafe { blocks.pass::<S, ROWS, VECTORS, BF16>(simd, left, pass, panels) }
    }
}

/// Makes rows of words of a source, row after row.
#[inline(always)]
unsafe fn fill<S: Simd, L: Rows, const BF16: bool>(
    simd: S,
    source: &L,
    first: usize,
    count: usize,
    k: usize,
    to: &mut [f32],
) {
    let words = if BF16 { k.div_ceil(2) } else { k };
    for row in 0..count {
        for column in (0..k).step_by(S::LANES) {
            let lanes = S::LANES.min(k - column);
            // SAFETY: there is room for a whole vector behind the last row.
            unsafe {
                let value = source.vector(simd, first + row, column, lanes);
                if BF16 {
                    let at = to.as_mut_ptr().add(row * words).cast::<u16>().add(column);
                    // A last half word is one more zero.
                    u16::store(simd, at, value, lanes.next_multiple_of(2));
                } else {
                    f32::store(
                        simd,
                        to.as_mut_ptr().add(row * words + column),
                        value,
                        lanes,
                    );
                }
            }
        }
    }
}
