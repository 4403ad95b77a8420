use super::source::{Rows, with_source};
use super::{Precision, Source};
use crate::output::Output;
use crate::simd::Simd;
use std::ops::Range;

/// The most panels that a task packs: what it reads of a row is a few cache lines.
const MOST_PANELS: usize = 16;

/// Words that are packed panel by panel, while those behind them are fetched.
const BAND: usize = 8;

/// Some rows of a matrix, to be packed into panels of its columns: word after word, a vector.
pub struct Columns<'a> {
    pub source: &'a Source<'a>,
    /// The rows that are packed, and all columns.
    pub rows: Range<usize>,
    pub columns: usize,
    pub precision: Precision,
    /// Columns of a panel: a vector's lanes.
    pub lanes: usize,
    /// Panels of a task.
    pub per_task: usize,
    /// All panels.
    pub to: Output<'a>,
    /// Where the sums of the columns go, `[columns]`; whether they are added to what is there.
    pub sums: Option<&'a Output<'a>>,
    pub adds: bool,
}

impl<'a> Columns<'a> {
    /// How many panels a task packs: enough for whole cache lines, few enough for all threads.
    pub fn per_task(panels: usize, threads: usize) -> usize {
        (panels / (8 * threads)).clamp(1, MOST_PANELS)
    }

    pub fn tasks(&self) -> usize {
        self.columns.div_ceil(self.lanes).div_ceil(self.per_task)
    }

    /// # Safety
    /// Inside of a job of `simd`; `index` is one of `tasks`, and this thread's own.
    #[inline(always)]
    pub unsafe fn pack<S: Simd>(&self, simd: S, index: usize) {
        // SAFETY: the caller's promise; the source was found to hold the rows and columns.
        unsafe {
            match self.precision {
                Precision::Fp32 => {
                    with_source!(self.source => source, self.bands::<S, _, false>(simd, source, index))
                }
                Precision::Bf16 => {
                    with_source!(self.source => source, self.bands::<S, _, true>(simd, source, index))
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn bands<S: Simd, M: Rows, const BF16: bool>(&self, simd: S, source: &M, index: usize) {
        let (columns, rows) = (self.columns, self.rows.clone());
        let words = self.precision.words(rows.len());
        let rows_of_word = if BF16 { 2 } else { 1 };
        let size = words * S::LANES;
        let first = index * self.per_task;
        let last = (first + self.per_task).min(columns.div_ceil(S::LANES));
        // SAFETY: inside of a job; the panels are the task's own.
        unsafe {
            let mut totals = [simd.splat(0.0); MOST_PANELS];
            let to = self.to.part(first * size..last * size).as_mut_ptr();
            for band in (0..words).step_by(BAND) {
                let end = (band + BAND).min(words);
                let ahead = rows.start + end * rows_of_word;
                for row in ahead..ahead + BAND * rows_of_word {
                    for column in (first * S::LANES..last * S::LANES).step_by(16) {
                        source.prefetch(simd, row, column);
                    }
                }
                for (i, total) in totals.iter_mut().enumerate().take(last - first) {
                    let column = (first + i) * S::LANES;
                    let lanes = S::LANES.min(columns - column);
                    let to = to.add(i * size);
                    let mut sum = *total;
                    for word in band..end {
                        let (value, added) =
                            read::<S, M, BF16>(simd, source, &rows, word, column, lanes);
                        sum = simd.add(sum, added);
                        simd.store(to.add(word * S::LANES), value);
                    }
                    *total = sum;
                }
            }
            let Some(sums) = self.sums else { return };
            for (panel, total) in (first..last).zip(totals) {
                let column = panel * S::LANES;
                let lanes = S::LANES.min(columns - column);
                let to = sums.part(column..column + lanes).as_mut_ptr();
                let value = if self.adds {
                    simd.add(simd.load_some(to, lanes), total)
                } else {
                    total
                };
                simd.store_some(to, value, lanes);
            }
        }
    }
}

/// A vector of words, of one row or of two rows as pairs, and the sum of these rows.
#[inline(always)]
unsafe fn read<S: Simd, M: Rows, const BF16: bool>(
    simd: S,
    source: &M,
    rows: &Range<usize>,
    word: usize,
    column: usize,
    lanes: usize,
) -> (S::V, S::V) {
    // SAFETY: the caller's: inside of a job, and these rows are within the matrix.
    unsafe {
        if !BF16 {
            let row = source.vector(simd, rows.start + word, column, lanes);
            return (row, row);
        }
        let low = source.vector(simd, rows.start + 2 * word, column, lanes);
        let second = rows.start + 2 * word + 1;
        let high = if second < rows.end {
            source.vector(simd, second, column, lanes)
        } else {
            simd.splat(0.0)
        };
        (simd.pair(low, high), simd.add(low, high))
    }
}
