//! Pictures as the rows of a matrix, a patch each, without copying them first.

use crate::product::Rows;
use crate::simd::Simd;
use crate::stored::Stored;

/// Pictures `[pictures, rows, columns, channels]` and the grid of patches that covers them.
#[derive(Clone, Copy)]
pub struct Grid {
    pub pictures: usize,
    pub rows: usize,
    pub columns: usize,
    pub channels: usize,
    pub patch: usize,
}

impl Grid {
    fn across(&self) -> usize {
        self.columns / self.patch
    }

    /// A class token, and the patches.
    pub fn tokens(&self) -> usize {
        1 + (self.rows / self.patch) * self.across()
    }

    /// Numbers in a patch.
    pub fn depth(&self) -> usize {
        self.patch * self.patch * self.channels
    }

    /// Numbers in all pictures.
    pub fn pixels(&self) -> usize {
        self.pictures * self.rows * self.columns * self.channels
    }
}

/// A row a token: zeros for the class token, the pixels of a patch row by row for the others.
pub struct Patches<'a> {
    pub grid: Grid,
    pub images: &'a [f32],
}

impl Rows for Patches<'_> {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        let Grid {
            rows,
            columns,
            channels,
            patch,
            ..
        } = self.grid;
        let tokens = self.grid.tokens();
        let (picture, token) = (row / tokens, row % tokens);
        // SAFETY: inside of a job; patches are within their pictures.
        unsafe {
            if token == 0 {
                return simd.splat(0.0);
            }
            let (down, right) = (
                (token - 1) / self.grid.across(),
                (token - 1) % self.grid.across(),
            );
            let run = patch * channels;
            let start = |line: usize| {
                ((picture * rows + down * patch + line) * columns + right * patch) * channels
            };
            let (line, within) = (column / run, column % run);
            if within + lanes <= run {
                let at = start(line) + within;
                debug_assert!(at + lanes <= self.images.len());
                return f32::load(simd, self.images.as_ptr().add(at), lanes);
            }
            let mut some = [0.0_f32; 16];
            for (i, value) in some.iter_mut().enumerate().take(lanes) {
                let (line, within) = ((column + i) / run, (column + i) % run);
                *value = self.images[start(line) + within];
            }
            simd.load(some.as_ptr())
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        let Grid {
            pictures, patch, ..
        } = self.grid;
        patch > 0
            && self.grid.rows >= patch
            && self.grid.columns >= patch
            && width == self.grid.depth()
            && rows == pictures * self.grid.tokens()
            && self.images.len() == self.grid.pixels()
    }
}

/// Rows of which the first of every sequence counts as zero.
pub struct WithoutClass<'a> {
    pub rows: &'a [f32],
    pub width: usize,
    pub tokens: usize,
}

impl Rows for WithoutClass<'_> {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        // SAFETY: inside of a job; row and columns are within the matrix.
        unsafe {
            if row.is_multiple_of(self.tokens) {
                return simd.splat(0.0);
            }
            f32::load(
                simd,
                self.rows.as_ptr().add(row * self.width + column),
                lanes,
            )
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        self.tokens > 0 && width == self.width && self.rows.len() == rows * width
    }
}

/// A convolution's kernel `[outputs, channels, patch, patch]` as rows in the order of the pixels.
pub fn by_pixel(weight: &[f32], grid: Grid, to: &mut [f32]) {
    permute(
        weight,
        grid,
        to,
        |pixel,
         channel,
         Grid {
             channels, patch, ..
         }| { (pixel * channels + channel, channel * patch * patch + pixel) },
    );
}

/// The way back from `by_pixel`.
pub fn by_channel(rows: &[f32], grid: Grid, to: &mut [f32]) {
    permute(
        rows,
        grid,
        to,
        |pixel,
         channel,
         Grid {
             channels, patch, ..
         }| { (channel * patch * patch + pixel, pixel * channels + channel) },
    );
}

fn permute(
    from: &[f32],
    grid: Grid,
    to: &mut [f32],
    places: impl Fn(usize, usize, Grid) -> (usize, usize),
) {
    assert_eq!(from.len(), to.len());
    let depth = grid.depth();
    for (to, from) in to.chunks_exact_mut(depth).zip(from.chunks_exact(depth)) {
        for pixel in 0..grid.patch * grid.patch {
            for channel in 0..grid.channels {
                let (target, source) = places(pixel, channel, grid);
                to[target] = from[source];
            }
        }
    }
}

/// Puts the pixels' gradients, a row a token, back into pictures; zeros where no patch was.
pub fn from_patches(rows: &[f32], grid: Grid, images: &mut [f32]) {
    let (tokens, depth) = (grid.tokens(), grid.depth());
    assert_eq!(rows.len(), grid.pictures * tokens * depth);
    assert_eq!(images.len(), grid.pixels());
    images.fill(0.0);
    let run = grid.patch * grid.channels;
    for (index, row) in rows.chunks_exact(depth).enumerate() {
        let (picture, token) = (index / tokens, index % tokens);
        let Some(place) = token.checked_sub(1) else {
            continue;
        };
        let (down, right) = (place / grid.across(), place % grid.across());
        for (line, from) in row.chunks_exact(run).enumerate() {
            let line = picture * grid.rows + down * grid.patch + line;
            let at = (line * grid.columns + right * grid.patch) * grid.channels;
            images[at..at + run].copy_from_slice(from);
        }
    }
}
