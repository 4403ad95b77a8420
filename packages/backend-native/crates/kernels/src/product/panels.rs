use super::Precision;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// The right-hand matrix of a product, `[k, n]`, float32.
#[derive(Clone, Copy)]
pub struct Right<'a> {
    pub values: &'a [f32],
    /// Numbers from one row to the next, as it lies in memory.
    pub stride: usize,
    /// Whether it lies there as `[n, k]`.
    pub transposed: bool,
}

/// A right-hand matrix in panels: for each `LANES` columns, word after word, a vector.
#[derive(Clone, Copy)]
pub struct Panels<'a> {
    /// Nothing where a crate multiplies the matrix as it lies.
    pub words: &'a [f32],
    pub source: Right<'a>,
    /// Words of the common dimension.
    pub depth: usize,
    pub n: usize,
    pub precision: Precision,
}

impl Panels<'_> {
    /// The words that a matrix `[k, n]` takes in panels.
    pub fn size(machine: &Machine, precision: Precision, k: usize, n: usize) -> usize {
        if machine.isa.multiplies_by_crate(precision) {
            return 0;
        }
        let lanes = machine.isa.lanes();
        precision.words(k) * n.div_ceil(lanes) * lanes
    }

    /// Packs a matrix into `buffer`, which must have the size that `size` says.
    pub fn pack<'b>(
        machine: &Machine,
        right: Right<'b>,
        precision: Precision,
        k: usize,
        n: usize,
        buffer: &'b mut [f32],
    ) -> Panels<'b> {
        assert_eq!(buffer.len(), Panels::size(machine, precision, k, n));
        let (rows, columns) = if right.transposed { (n, k) } else { (k, n) };
        assert!(rows == 0 || right.values.len() >= (rows - 1) * right.stride + columns);
        if machine.isa.multiplies_by_crate(precision) {
            return Panels {
                words: buffer,
                source: right,
                depth: k,
                n,
                precision,
            };
        }
        let lanes = machine.isa.lanes();
        let panels = n.div_ceil(lanes);
        let depth = precision.words(k);
        // A few hundred microseconds' work at most, and enough for all threads.
        let per_task = (16_384 / (depth * lanes).max(1)).max(1);
        let task = Pack {
            right,
            precision,
            k,
            n,
            depth,
            per_task,
            panels,
            to: Output::new(buffer),
        };
        machine.each(panels.div_ceil(per_task), &task);
        Panels {
            words: buffer,
            source: right,
            depth,
            n,
            precision,
        }
    }
}

struct Pack<'a> {
    right: Right<'a>,
    precision: Precision,
    k: usize,
    n: usize,
    depth: usize,
    per_task: usize,
    panels: usize,
    to: Output<'a>,
}

impl Task for Pack<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        let first = index * self.per_task;
        for panel in first..(first + self.per_task).min(self.panels) {
            let size = self.depth * S::LANES;
            // SAFETY: the task's own panels; inside of a job.
            unsafe {
                let to = self.to.part(panel * size..(panel + 1) * size);
                match (self.right.transposed, self.precision) {
                    (false, _) => self.copy(simd, panel * S::LANES, to),
                    (true, Precision::Fp32) => self.transpose::<S, false>(panel * S::LANES, to),
                    (true, Precision::Bf16) => self.transpose::<S, true>(panel * S::LANES, to),
                }
            }
        }
    }
}

impl Pack<'_> {
    /// Columns that lie side by side.
    #[inline(always)]
    unsafe fn copy<S: Simd>(&self, simd: S, column: usize, to: &mut [f32]) {
        let lanes = S::LANES.min(self.n - column);
        let Right { values, stride, .. } = self.right;
        for (word, vector) in to.chunks_exact_mut(S::LANES).enumerate() {
            // SAFETY: rows below `k` and `lanes` columns are within the matrix.
            unsafe {
                let row = |row: usize| {
                    let at = values.as_ptr().add(row * stride + column);
                    if lanes == S::LANES {
                        simd.load(at)
                    } else {
                        simd.load_some(at, lanes)
                    }
                };
                let value = if self.precision == Precision::Fp32 {
                    row(word)
                } else {
                    let second = 2 * word + 1;
                    let high = if second < self.k {
                        row(second)
                    } else {
                        simd.splat(0.0)
                    };
                    simd.pair(row(2 * word), high)
                };
                simd.store(vector.as_mut_ptr(), value);
            }
        }
    }

    /// Columns that lie one behind the other: a cache line of each at a time.
    #[inline(always)]
    unsafe fn transpose<S: Simd, const BF16: bool>(&self, column: usize, to: &mut [f32]) {
        const LINE: usize = 16;
        let lanes = S::LANES.min(self.n - column);
        let Right { values, stride, .. } = self.right;
        for from in (0..self.depth).step_by(LINE) {
            let until = (from + LINE).min(self.depth);
            for lane in 0..S::LANES {
                if lane >= lanes {
                    for word in from..until {
                        to[word * S::LANES + lane] = 0.0;
                    }
                    continue;
                }
                // SAFETY: `k` numbers from the row's start on are within the matrix, and words
                // below `depth` within `to`.
                unsafe {
                    let row = values.as_ptr().add((column + lane) * stride);
                    let to = to.as_mut_ptr().add(lane);
                    for word in from..until {
                        let value = if BF16 {
                            let second = 2 * word + 1;
                            let high = if second < self.k {
                                *row.add(second)
                            } else {
                                0.0
                            };
                            bf16_pair(*row.add(2 * word), high)
                        } else {
                            *row.add(word)
                        };
                        *to.add(word * S::LANES) = value;
                    }
                }
            }
        }
    }
}

#[inline(always)]
fn bf16_pair(low: f32, high: f32) -> f32 {
    use crate::simd::bf16;
    f32::from_bits(u32::from(bf16(low)) | (u32::from(bf16(high)) << 16))
}
