use crate::math;
use crate::output::Output;
use crate::patches::{Patches, WithoutClass};
use crate::simd::Simd;
use crate::stock::windows::Windows;
use crate::stored::Stored;
use std::ops::Range;

/// A matrix `[rows, width]` that may be made on the way: read vector by vector.
pub trait Rows: Sync {
    /// A vector of row `row` from column `column` on; `lanes` lanes of it have a meaning.
    ///
    /// # Safety
    /// Inside of a job of `simd`; row and columns are within the matrix.
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V;

    /// Fetches the cache line that a vector begins in, if it lies in memory; the row need not exist.
    #[inline(always)]
    fn prefetch<S: Simd>(&self, _simd: S, _row: usize, _column: usize) {}

    /// What has to be known of rows before they are read. Called once for all rows of a block.
    ///
    /// # Safety
    /// Inside of a job of `simd`; no two threads prepare the same rows at once.
    #[inline(always)]
    unsafe fn prepare<S: Simd>(&self, _simd: S, _rows: Range<usize>) {}

    /// Whether all that is read of `rows` rows of `width` numbers is there.
    fn holds(&self, rows: usize, width: usize) -> bool;
}

/// A matrix in memory; `stride` numbers from one row to the next.
pub struct Dense<'a, T = f32> {
    pub values: &'a [T],
    pub stride: usize,
}

impl<T: Stored> Rows for Dense<'_, T> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, simd: S, row: usize, column: usize) {
        fetch(simd, self.values, row * self.stride + column);
    }

    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe { load(simd, self.values, row * self.stride + column, lanes) }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        width <= self.stride && (rows == 0 || self.values.len() >= (rows - 1) * self.stride + width)
    }
}

/// Layer normalisation of rows of which the statistics are known.
pub struct Normed<'a> {
    pub x: &'a [f32],
    pub mean: &'a [f32],
    pub inverse_std: &'a [f32],
    pub weight: &'a [f32],
    pub bias: &'a [f32],
}

impl Rows for Normed<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, simd: S, row: usize, column: usize) {
        fetch(simd, self.x, row * self.weight.len() + column);
    }

    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let x = load(simd, self.x, row * self.weight.len() + column, lanes);
            let mean = simd.splat(*self.mean.get_unchecked(row));
            let inverse = simd.splat(*self.inverse_std.get_unchecked(row));
            let weight = load(simd, self.weight, column, lanes);
            let bias = load(simd, self.bias, column, lanes);
            simd.fma(simd.mul(simd.sub(x, mean), inverse), weight, bias)
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        width == self.weight.len()
            && self.bias.len() == width
            && self.x.len() == rows * width
            && self.mean.len() == rows
            && self.inverse_std.len() == rows
    }
}

/// Layer normalisation of rows whose statistics are found on the way, and kept.
pub struct Norming<'a> {
    pub x: &'a [f32],
    pub weight: &'a [f32],
    pub bias: &'a [f32],
    pub epsilon: f32,
    pub mean: Output<'a>,
    pub inverse_std: Output<'a>,
}

impl Rows for Norming<'_> {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise; this thread has prepared the row.
        unsafe {
            let x = load(simd, self.x, row * self.weight.len() + column, lanes);
            let mean = simd.splat(self.mean.part(row..row + 1)[0]);
            let inverse = simd.splat(self.inverse_std.part(row..row + 1)[0]);
            let weight = load(simd, self.weight, column, lanes);
            let bias = load(simd, self.bias, column, lanes);
            simd.fma(simd.mul(simd.sub(x, mean), inverse), weight, bias)
        }
    }

    #[inline(always)]
    unsafe fn prepare<S: Simd>(&self, simd: S, rows: Range<usize>) {
        let width = self.weight.len();
        for row in rows {
            let x = &self.x[row * width..(row + 1) * width];
            // SAFETY: inside of a job; the row is this thread's own.
            unsafe {
                let (mean, inverse) = statistics(simd, x, self.epsilon);
                self.mean.part(row..row + 1)[0] = mean;
                self.inverse_std.part(row..row + 1)[0] = inverse;
            }
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        width == self.weight.len()
            && self.bias.len() == width
            && self.x.len() == rows * width
            && self.mean.len() == rows
            && self.inverse_std.len() == rows
    }
}

/// The mean of a row and the inverse of its standard deviation.
///
/// # Safety
/// Inside of a job of `simd`.
#[inline(always)]
pub unsafe fn statistics<S: Simd>(simd: S, x: &[f32], epsilon: f32) -> (f32, f32) {
    let width = x.len() as f32;
    let mut sum = 0.0_f32;
    // SAFETY: the caller's promise; loads stay within the row.
    unsafe {
        let mut whole = x.chunks_exact(S::LANES);
        let mut sums = simd.splat(0.0);
        for chunk in whole.by_ref() {
            sums = simd.add(sums, simd.load(chunk.as_ptr()));
        }
        sum += simd.sum(sums) + whole.remainder().iter().sum::<f32>();
        let mean = sum / width;
        let centre = simd.splat(mean);
        let mut whole = x.chunks_exact(S::LANES);
        let mut squares = simd.splat(0.0);
        for chunk in whole.by_ref() {
            let off = simd.sub(simd.load(chunk.as_ptr()), centre);
            squares = simd.fma(off, off, squares);
        }
        let mut square = simd.sum(squares);
        for value in whole.remainder() {
            square += (value - mean) * (value - mean);
        }
        (mean, 1.0 / (square / width + epsilon).sqrt())
    }
}

/// The exact GELU of a matrix.
pub struct Active<'a, T> {
    pub before: &'a [T],
    pub width: usize,
}

impl<T: Stored> Rows for Active<'_, T> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, simd: S, row: usize, column: usize) {
        fetch(simd, self.before, row * self.width + column);
    }

    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            math::gelu(
                simd,
                load(simd, self.before, row * self.width + column, lanes),
            )
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        width == self.width && self.before.len() == rows * width
    }
}

/// Rows times a factor each.
pub struct Weighted<'a> {
    pub x: &'a [f32],
    pub width: usize,
    pub factors: &'a [f32],
}

impl Rows for Weighted<'_> {
    #[inline(always)]
    fn prefetch<S: Simd>(&self, simd: S, row: usize, column: usize) {
        fetch(simd, self.x, row * self.width + column);
    }

    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise.
        unsafe {
            let x = load(simd, self.x, row * self.width + column, lanes);
            simd.mul(x, simd.splat(*self.factors.get_unchecked(row)))
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        width == self.width && self.x.len() == rows * width && self.factors.len() == rows
    }
}

#[inline(always)]
fn fetch<S: Simd, T>(simd: S, values: &[T], at: usize) {
    simd.prefetch(values.as_ptr().wrapping_add(at).cast());
}

/// # Safety
/// Inside of a job of `simd`; `lanes` numbers from `at` on are within the slice.
#[inline(always)]
unsafe fn load<S: Simd, T: Stored>(simd: S, values: &[T], at: usize, lanes: usize) -> S::V {
    debug_assert!(at + lanes.min(S::LANES) <= values.len());
    // SAFETY: the caller's promise.
    unsafe { T::load(simd, values.as_ptr().add(at), lanes) }
}

/// A matrix of any of these kinds.
pub enum Source<'a> {
    Dense(Dense<'a>),
    DenseBf16(Dense<'a, u16>),
    Normed(Normed<'a>),
    Norming(Norming<'a>),
    Active(Active<'a, f32>),
    ActiveBf16(Active<'a, u16>),
    Weighted(Weighted<'a>),
    Patches(Patches<'a>),
    WithoutClass(WithoutClass<'a>),
    Windows(Windows<'a>),
}

impl<'a> Source<'a> {
    /// A matrix in memory without gaps between its rows.
    pub fn dense(values: &'a [f32], width: usize) -> Source<'a> {
        Source::Dense(Dense {
            values,
            stride: width,
        })
    }

    /// The same of bfloat16.
    pub fn dense_bf16(values: &'a [u16], width: usize) -> Source<'a> {
        Source::DenseBf16(Dense {
            values,
            stride: width,
        })
    }

    /// Rows in memory, times a factor each where there are factors.
    pub fn weighted(x: &'a [f32], width: usize, factors: Option<&'a [f32]>) -> Source<'a> {
        match factors {
            None => Source::dense(x, width),
            Some(factors) => Source::Weighted(Weighted { x, width, factors }),
        }
    }

    /// The matrix as words of memory, with the words from one row to the next, if its numbers
    /// are of the wanted kind and its rows begin at whole words.
    pub fn words(&self, bf16: bool) -> Option<(&[f32], usize)> {
        match self {
            Source::Dense(Dense { values, stride }) if !bf16 => Some((values, *stride)),
            Source::DenseBf16(Dense { values, stride }) if bf16 => {
                // SAFETY: any two bfloat16 are a word.
                let (before, words, after) = unsafe { values.align_to::<f32>() };
                let whole = before.is_empty() && after.is_empty() && stride.is_multiple_of(2);
                whole.then_some((words, stride / 2))
            }
            _ => None,
        }
    }
}

/// An expression for a source as what it is: compiled for each kind.
macro_rules! with_source {
    ($source:expr => $rows:ident, $body:expr) => {
        match $source {
            crate::product::Source::Dense($rows) => $body,
            crate::product::Source::DenseBf16($rows) => $body,
            crate::product::Source::Normed($rows) => $body,
            crate::product::Source::Norming($rows) => $body,
            crate::product::Source::Active($rows) => $body,
            crate::product::Source::ActiveBf16($rows) => $body,
            crate::product::Source::Weighted($rows) => $body,
            crate::product::Source::Patches($rows) => $body,
            crate::product::Source::WithoutClass($rows) => $body,
            crate::product::Source::Windows($rows) => $body,
        }
    };
}
pub(crate) use with_source;
