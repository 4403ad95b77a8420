use super::source::{Rows, with_source};
use super::{Precision, Source};
use crate::output::Output;
use crate::simd::Simd;
use std::ops::Range;

/// The most panels that are packed at once: what is read of a row is a few cache lines.
pub const MOST_PANELS: usize = 16;

/// Words that are packed panel by panel, while those behind them are fetched.
const BAND: usize = 8;

/// Some rows of a matrix, to be packed into panels of its columns: word after word, a vector.
pub struct Columns<'a> {
    pub source: &'a Source<'a>,
    /// The rows that are packed, and all columns.
    pub rows: Range<usize>,
    pub columns: usize,
    pub precision: Precision,
}

/// Where the sums of the columns go, `[columns]`, and whether they are added to what is there.
#[derive(Clone, Copy)]
pub struct Sums<'a> {
    pub to: &'a Output<'a>,
    pub adds: bool,
}

impl Columns<'_> {
    /// Packs some panels, at most `MOST_PANELS`, one behind the other.
    ///
    /// # Safety
    /// Inside of a job of `simd`; the source holds the rows and columns, and no other thread has
    /// to do with the sums of these panels.
    #[inline(always)]
    pub unsafe fn pack<S: Simd>(
        &self,
        simd: S,
        panels: Range<usize>,
        to: &mut [f32],
        sums: Option<Sums<'_>>,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match self.precision {
                Precision::Fp32 => with_source!(self.source => source, {
                    self.bands::<S, _, false>(simd, source, panels, to, sums)
                }),
                Precision::Bf16 => with_source!(self.source => source, {
                    self.bands::<S, _, true>(simd, source, panels, to, sums)
                }),
            }
        }
    }

    #[inline(always)]
    unsafe fn bands<S: Simd, M: Rows, const BF16: bool>(
        &self,
        simd: S,
        source: &M,
        panels: Range<usize>,
        to: &mut [f32],
        sums: Option<Sums<'_>>,
    ) {
        let (columns, rows) = (self.columns, self.rows.clone());
        let words = self.precision.words(rows.len());
        let rows_of_word = if BF16 { 2 } else { 1 };
        let size = words * S::LANES;
        assert!(panels.len() <= MOST_PANELS && panels.end <= columns.div_ceil(S::LANES));
        assert!(to.len() >= panels.len() * size);
        // SAFETY: inside of a job; the panels have room, as was just seen.
        unsafe {
            let mut totals = [simd.splat(0.0); MOST_PANELS];
            for band in (0..words).step_by(BAND) {
                let end = (band + BAND).min(words);
                let ahead = rows.start + end * rows_of_word;
                for row in ahead..ahead + BAND * rows_of_word {
                    for column in (panels.start * S::LANES..panels.end * S::LANES).step_by(16) {
                        source.prefetch(simd, row, column);
                    }
                }
                for (i, (panel, total)) in panels.clone().zip(&mut totals).enumerate() {
                    let column = panel * S::LANES;
                    let lanes = S::LANES.min(columns - column);
                    let to = to.as_mut_ptr().add(i * size);
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
            let Some(Sums { to, adds }) = sums else {
                return;
            };
            for (panel, total) in panels.zip(totals) {
                let column = panel * S::LANES;
                let lanes = S::LANES.min(columns - column);
                let to = to.part(column..column + lanes).as_mut_ptr();
                let value = if adds {
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
