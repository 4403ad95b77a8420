use crate::product::{tile, transposed_tile};
use crate::simd::Simd;

/// Rows of numbers, `stride` apart.
#[derive(Clone, Copy)]
pub struct Strided<'a> {
    pub values: &'a [f32],
    pub stride: usize,
    pub count: usize,
}

/// Rows, `words` long, times panels of `columns` columns, to rows `stride` apart: a few panels times
/// all rows, then the next.
///
/// Whole tiles are written: there is room for a multiple of `ROWS` rows.
///
/// # Safety
/// Inside of a job of `simd`; `columns` is a multiple of its lanes.
#[inline(always)]
pub unsafe fn multiply<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: Strided<'_>,
    words: usize,
    panels: &[f32],
    columns: usize,
    to: &mut [f32],
    stride: usize,
) {
    let (count, size) = (columns / S::LANES, words * S::LANES);
    assert!(left.values.len() >= (left.count.max(1) - 1) * left.stride + words);
    assert!(panels.len() >= count * size);
    assert!(to.len() >= (left.count.next_multiple_of(ROWS).max(1) - 1) * stride + columns);
    for panel in (0..count).step_by(VECTORS) {
        for row in (0..left.count).step_by(ROWS) {
            // Rows behind the last are the last again.
            let last = left.count - 1;
            // SAFETY: within the rows, the panels and the result, as was just seen.
            unsafe {
                let rows: [*const f32; ROWS] = std::array::from_fn(|i| {
                    left.values.as_ptr().add((row + i).min(last) * left.stride)
                });
                let right = panels.as_ptr().add(panel * size);
                let to = to.as_mut_ptr().add(row * stride + panel * S::LANES);
                match count - panel {
                    1 => store::<S, ROWS, 1>(simd, rows, words, right, to, stride),
                    2 if VECTORS > 2 => {
                        store::<S, ROWS, 2>(simd, rows, words, right, to, stride);
                    }
                    _ => store::<S, ROWS, VECTORS>(simd, rows, words, right, to, stride),
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn store<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: [*const f32; ROWS],
    words: usize,
    right: *const f32,
    to: *mut f32,
    stride: usize,
) {
    // SAFETY: the caller's: inside of a job; the panels and the rows are there.
    unsafe {
        let sums = tile::<S, ROWS, VECTORS, false>(simd, words, left, right, words * S::LANES);
        for (i, vectors) in sums.iter().enumerate() {
            for (j, &vector) in vectors.iter().enumerate() {
                simd.store(to.add(i * stride + j * S::LANES), vector);
            }
        }
    }
}

/// `to += leftT right`: `left` in rows of `columns` numbers, `right` packed in panels of `wide`
/// columns, `to` in rows of `wide` numbers.
///
/// Whole tiles are read and written: there is room for a multiple of `ROWS` columns of `left`.
///
/// # Safety
/// Inside of a job of `simd`; `wide` is a multiple of its lanes.
#[inline(always)]
pub unsafe fn add_across<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    left: Strided<'_>,
    columns: usize,
    right: &[f32],
    wide: usize,
    to: &mut [f32],
) {
    let size = left.count * S::LANES;
    let whole = columns.next_multiple_of(ROWS);
    assert!(left.values.len() >= left.count * left.stride && left.stride >= whole);
    assert!(right.len() >= left.count * wide && to.len() >= whole * wide);
    let panels = wide / S::LANES;
    for panel in (0..panels).step_by(VECTORS) {
        for column in (0..columns).step_by(ROWS) {
            // SAFETY: within all three, as was just seen.
            unsafe {
                let from = left.values.as_ptr().add(column);
                let right = right.as_ptr().add(panel * size);
                let to = to.as_mut_ptr().add(column * wide + panel * S::LANES);
                match panels - panel {
                    1 => add::<S, ROWS, 1>(simd, left, from, right, to, wide),
                    2 if VECTORS > 2 => add::<S, ROWS, 2>(simd, left, from, right, to, wide),
                    _ => add::<S, ROWS, VECTORS>(simd, left, from, right, to, wide),
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn add<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    Strided { stride, count, .. }: Strided<'_>,
    from: *const f32,
    right: *const f32,
    to: *mut f32,
    wide: usize,
) {
    let panel = count * S::LANES;
    // SAFETY: the caller's: inside of a job; all three are there.
    unsafe {
        let sums =
            transposed_tile::<S, ROWS, VECTORS, false>(simd, count, from, stride, right, panel);
        for (i, vectors) in sums.iter().enumerate() {
            for (j, &vector) in vectors.iter().enumerate() {
                let to = to.add(i * wide + j * S::LANES);
                simd.store(to, simd.add(vector, simd.load(to)));
            }
        }
    }
}
