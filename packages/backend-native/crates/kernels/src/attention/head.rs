use crate::simd::Simd;
use crate::stored::Stored;

/// Some columns of some rows of a matrix.
#[derive(Clone, Copy)]
pub struct Slab<'a, T> {
    pub values: &'a [T],
    pub stride: usize,
    pub row: usize,
    pub column: usize,
    pub rows: usize,
    pub width: usize,
}

impl<T: Stored> Slab<'_, T> {
    fn check(&self) {
        let end = (self.row + self.rows.max(1) - 1) * self.stride + self.column + self.width;
        assert!(
            self.rows == 0 || end <= self.values.len(),
            "a head outside of its matrix"
        );
    }

    /// Copies the rows to rows of `padded` numbers, zeros behind each.
    ///
    /// # Safety
    /// Inside of a job of `simd`; `padded` is a multiple of its lanes.
    #[inline(always)]
    pub unsafe fn copy<S: Simd>(&self, simd: S, factor: f32, padded: usize, to: &mut [f32]) {
        self.check();
        assert!(to.len() >= self.rows * padded);
        let factor = if factor == 1.0 { None } else { Some(factor) };
        for row in 0..self.rows {
            let at = (self.row + row) * self.stride + self.column;
            for column in (0..padded).step_by(S::LANES) {
                // SAFETY: within the matrix and within `to`, as was just seen.
                unsafe {
                    let mut value = simd.splat(0.0);
                    if column < self.width {
                        let from = self.values.as_ptr().add(at + column);
                        value = T::load(simd, from, S::LANES.min(self.width - column));
                    }
                    if let Some(factor) = factor {
                        value = simd.mul(value, simd.splat(factor));
                    }
                    simd.store(to.as_mut_ptr().add(row * padded + column), value);
                }
            }
        }
    }
}

/// Packs rows of `padded` numbers, `width` of them of meaning, as a right-hand matrix: panel
/// after panel of `LANES` columns, for each row a vector.
///
/// # Safety
/// Inside of a job of `simd`; `padded` is a multiple of its lanes.
#[inline(always)]
pub unsafe fn pack_rows<S: Simd>(
    simd: S,
    rows: usize,
    padded: usize,
    from: &[f32],
    to: &mut [f32],
) {
    assert!(from.len() >= rows * padded && to.len() >= rows * padded);
    for panel in 0..padded / S::LANES {
        for row in 0..rows {
            // SAFETY: within both, as was just seen.
            unsafe {
                let value = simd.load(from.as_ptr().add(row * padded + panel * S::LANES));
                simd.store(to.as_mut_ptr().add((panel * rows + row) * S::LANES), value);
            }
        }
    }
}

/// Packs rows of `padded` numbers as a right-hand matrix that is transposed: panel after panel of
/// `LANES` rows, for each of the `width` columns a vector. Zeros stand for rows that are not there.
#[inline(always)]
pub fn pack_columns<S: Simd>(
    rows: usize,
    width: usize,
    padded: usize,
    from: &[f32],
    to: &mut [f32],
) {
    const LINE: usize = 16;
    let panels = rows.div_ceil(S::LANES);
    assert!(from.len() >= rows * padded && to.len() >= panels * width * S::LANES);
    for panel in 0..panels {
        let first = panel * S::LANES;
        let there = S::LANES.min(rows - first);
        let to = &mut to[panel * width * S::LANES..(panel + 1) * width * S::LANES];
        for start in (0..width).step_by(LINE) {
            let end = (start + LINE).min(width);
            for lane in 0..S::LANES {
                if lane >= there {
                    for column in start..end {
                        to[column * S::LANES + lane] = 0.0;
                    }
                    continue;
                }
                let row = &from[(first + lane) * padded + start..(first + lane) * padded + end];
                for (column, &value) in (start..end).zip(row) {
                    // SAFETY: the panel holds `LANES` numbers for each of `width` columns.
                    unsafe { *to.get_unchecked_mut(column * S::LANES + lane) = value };
                }
            }
        }
    }
}

/// Turns a row of scores into weights that are not yet divided by their sum, which it returns;
/// zeros behind the row's `tokens` up to `padded`.
///
/// # Safety
/// Inside of a job of `simd`; `row` holds `padded` numbers, a multiple of its lanes.
#[inline(always)]
pub unsafe fn soften<S: Simd>(simd: S, row: &mut [f32], tokens: usize, padded: usize) -> f32 {
    assert!(row.len() >= padded && tokens <= padded && tokens > 0);
    let whole = tokens / S::LANES * S::LANES;
    let start = row.as_mut_ptr();
    // SAFETY: within the row, as was just seen.
    unsafe {
        let mut largest = simd.splat(f32::NEG_INFINITY);
        for at in (0..whole).step_by(S::LANES) {
            largest = simd.max(largest, simd.load(start.add(at)));
        }
        let mut top = simd.largest(largest);
        for &value in &row[whole..tokens] {
            top = top.max(value);
        }
        let top = simd.splat(top);
        let mut sum = simd.splat(0.0);
        for at in (0..whole).step_by(S::LANES) {
            let weight = crate::math::exp(simd, simd.sub(simd.load(start.add(at)), top));
            simd.store(start.add(at), weight);
            sum = simd.add(sum, weight);
        }
        if whole < padded {
            let rest = tokens - whole;
            if rest > 0 {
                // The row goes on to a whole vector, whatever is in it there.
                let scores = simd.sub(simd.load(start.add(whole)), top);
                let weight = simd.keep(crate::math::exp(simd, scores), rest);
                simd.store(start.add(whole), weight);
                sum = simd.add(sum, weight);
            }
            let first_empty = if rest > 0 { whole + S::LANES } else { whole };
            for at in (first_empty..padded).step_by(S::LANES) {
                simd.store(start.add(at), simd.splat(0.0));
            }
        }
        simd.sum(sum)
    }
}
