use crate::simd::{Left, Simd};

/// `ROWS` rows of the left-hand matrix times `VECTORS` panels, added up over `words` words.
///
/// # Safety
/// Inside of a job of `simd`; `left[i]` is valid for `words` words, `right` for `VECTORS` panels
/// of `words` vectors that begin `panel` words after each other.
#[inline(always)]
pub unsafe fn tile<S: Simd, const ROWS: usize, const VECTORS: usize, const BF16: bool>(
    simd: S,
    words: usize,
    left: [*const f32; ROWS],
    right: *const f32,
    panel: usize,
) -> [[S::V; VECTORS]; ROWS] {
    // SAFETY: the caller's promise.
    unsafe {
        if !BF16 && let Some(sums) = simd.tile_by_hand(words, Left::Rows(left), right, panel) {
            return sums;
        }
        let mut sums = [[simd.splat(0.0); VECTORS]; ROWS];
        for p in 0..words {
            let b: [S::V; VECTORS] = load(simd, right.add(p * S::LANES), panel);
            for (row, sum) in left.iter().zip(&mut sums) {
                let a = simd.splat(*row.add(p));
                step::<S, VECTORS, BF16>(simd, a, &b, sum);
            }
        }
        sums
    }
}

/// The same where the left-hand matrix lies transposed: `ROWS` neighbours for each word, `stride`
/// words after each other.
///
/// # Safety
/// As for `tile`, but `left` is valid for `ROWS` words at each of `words` places.
#[inline(always)]
pub unsafe fn transposed_tile<
    S: Simd,
    const ROWS: usize,
    const VECTORS: usize,
    const BF16: bool,
>(
    simd: S,
    words: usize,
    left: *const f32,
    stride: usize,
    right: *const f32,
    panel: usize,
) -> [[S::V; VECTORS]; ROWS] {
    // SAFETY: the caller's promise.
    unsafe {
        let there = Left::Transposed {
            start: left,
            stride,
        };
        if !BF16 && let Some(sums) = simd.tile_by_hand(words, there, right, panel) {
            return sums;
        }
        let mut sums = [[simd.splat(0.0); VECTORS]; ROWS];
        for p in 0..words {
            let b: [S::V; VECTORS] = load(simd, right.add(p * S::LANES), panel);
            let a = left.add(p * stride);
            for (i, sum) in sums.iter_mut().enumerate() {
                step::<S, VECTORS, BF16>(simd, simd.splat(*a.add(i)), &b, sum);
            }
        }
        sums
    }
}

#[inline(always)]
unsafe fn load<S: Simd, const VECTORS: usize>(
    simd: S,
    right: *const f32,
    panel: usize,
) -> [S::V; VECTORS] {
    // SAFETY: the caller's promise.
    unsafe {
        let mut b = [simd.splat(0.0); VECTORS];
        for (j, vector) in b.iter_mut().enumerate() {
            *vector = simd.load(right.add(j * panel));
        }
        b
    }
}

#[inline(always)]
unsafe fn step<S: Simd, const VECTORS: usize, const BF16: bool>(
    simd: S,
    a: S::V,
    b: &[S::V; VECTORS],
    sum: &mut [S::V; VECTORS],
) {
    for j in 0..VECTORS {
        // SAFETY: the caller's promise.
        sum[j] = unsafe {
            if BF16 {
                simd.dot2(a, b[j], sum[j])
            } else {
                simd.fma(a, b[j], sum[j])
            }
        };
    }
}
