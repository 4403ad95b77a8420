use crate::math;
use crate::output::Output;
use crate::simd::Simd;
use crate::stored::Stored;

/// What happens to a product's elements before they are stored, tile by tile.
#[derive(Clone, Copy)]
pub enum Finish<'a> {
    /// Nothing.
    Plain,
    /// A bias for each column.
    Bias(&'a [f32]),
    /// The exact GELU behind a bias; what was before it is kept where there is room for it.
    BiasGelu {
        bias: &'a [f32],
        before: Option<Results<'a>>,
    },
    /// The larger of 0 and what is behind a bias; what was before it is kept.
    BiasRelu {
        bias: &'a [f32],
        before: Option<Results<'a>>,
    },
    /// A bias for each column, a factor for each row, then what the branch is added to.
    Residual {
        bias: &'a [f32],
        factors: Option<&'a [f32]>,
        onto: &'a [f32],
    },
    /// Times the GELU's derivative at what was before it: the gradient on its way back.
    SlopeOf {
        before: &'a [f32],
        width: usize,
    },
    SlopeOfBf16 {
        before: &'a [u16],
        width: usize,
    },
    /// The bias of a patch, or the class token; then the token's position.
    Embedding {
        bias: &'a [f32],
        class_token: &'a [f32],
        positions: &'a [f32],
        tokens: usize,
    },
}

/// Where results go: float32 or bfloat16.
#[derive(Clone, Copy)]
pub enum Results<'a> {
    Fp32(Output<'a, f32>),
    Bf16(Output<'a, u16>),
}

impl<'a> From<&'a mut [f32]> for Results<'a> {
    fn from(slice: &'a mut [f32]) -> Self {
        Results::Fp32(Output::new(slice))
    }
}

impl<'a> From<&'a mut [u16]> for Results<'a> {
    fn from(slice: &'a mut [u16]) -> Self {
        Results::Bf16(Output::new(slice))
    }
}

impl Results<'_> {
    pub fn len(&self) -> usize {
        match self {
            Results::Fp32(output) => output.len(),
            Results::Bf16(output) => output.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Writes a tile.
    ///
    /// # Safety
    /// Inside of a job of `simd`; the place is within the results, and this thread's own.
    #[inline(always)]
    pub unsafe fn store_tile<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        tile: &[[S::V; VECTORS]; ROWS],
        place: Place,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match self {
                Results::Fp32(output) => store_tile(simd, output, tile, place),
                Results::Bf16(output) => store_tile(simd, output, tile, place),
            }
        }
    }

    /// Adds to a tile what is there already, which is float32.
    ///
    /// # Safety
    /// As for `store_tile`.
    #[inline(always)]
    pub unsafe fn add_to<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        tile: &mut [[S::V; VECTORS]; ROWS],
        place: Place,
    ) {
        let Results::Fp32(output) = self else {
            unreachable!("bfloat16 is not added to");
        };
        for (i, row) in tile.iter_mut().enumerate().take(place.rows) {
            let at = (place.row + i) * place.width + place.column;
            let columns = (VECTORS * S::LANES).min(place.width - place.column);
            // SAFETY: the caller's promise.
            unsafe {
                let there = output.part(at..at + columns);
                let own = Place {
                    column: 0,
                    width: columns,
                    ..place
                };
                let there = own.vectors::<S, VECTORS>(simd, there, 0);
                for (value, there) in row.iter_mut().zip(there) {
                    *value = simd.add(*value, there);
                }
            }
        }
    }
}

/// # Safety
/// As for `Results::store_tile`.
#[inline(always)]
unsafe fn store_tile<S: Simd, T: Stored, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    output: &Output<'_, T>,
    tile: &[[S::V; VECTORS]; ROWS],
    place: Place,
) {
    let is_whole = place.column + VECTORS * S::LANES <= place.width;
    for (i, row) in tile.iter().enumerate().take(place.rows) {
        let at = (place.row + i) * place.width + place.column;
        // SAFETY: the caller's promise; `part` checks the bounds.
        unsafe {
            if is_whole {
                let part = output.part(at..at + VECTORS * S::LANES).as_mut_ptr();
                for (j, &value) in row.iter().enumerate() {
                    T::store(simd, part.add(j * S::LANES), value, S::LANES);
                }
                continue;
            }
            for (j, &value) in row.iter().enumerate() {
                let lanes = place.lanes::<S>(j);
                let from = at + j * S::LANES;
                if lanes > 0 {
                    let part = output.part(from..from + lanes);
                    T::store(simd, part.as_mut_ptr(), value, lanes);
                }
            }
        }
    }
}

impl Finish<'_> {
    /// Panics unless everything is as large as a product `[m, n]` needs it.
    pub fn check(&self, m: usize, n: usize) {
        let kept = |before: &Option<Results>| before.is_none_or(|kept| kept.len() == m * n);
        let fits = match self {
            Finish::Plain => true,
            Finish::Bias(bias) => bias.len() == n,
            Finish::BiasGelu { bias, before } | Finish::BiasRelu { bias, before } => {
                bias.len() == n && kept(before)
            }
            Finish::Residual {
                bias,
                factors,
                onto,
            } => {
                bias.len() == n
                    && factors.is_none_or(|factors| factors.len() == m)
                    && onto.len() == m * n
            }
            Finish::SlopeOf { before, width } => *width == n && before.len() == m * n,
            Finish::SlopeOfBf16 { before, width } => *width == n && before.len() == m * n,
            Finish::Embedding {
                bias,
                class_token,
                positions,
                tokens,
            } => bias.len() == n && class_token.len() == n && positions.len() == tokens * n,
        };
        assert!(fits, "what follows a product fits it");
    }

    /// Fetches what will be read and written at a place, while its tile is multiplied.
    #[inline(always)]
    pub fn prefetch<S: Simd>(&self, simd: S, to: &Results<'_>, place: Place) {
        let beside = match *self {
            Finish::Residual { onto, .. } => Some(onto.as_ptr()),
            Finish::SlopeOf { before, .. } => Some(before.as_ptr()),
            _ => None,
        };
        for i in 0..place.rows {
            let at = (place.row + i) * place.width + place.column;
            if let Results::Fp32(output) = to {
                simd.prefetch(output.start().wrapping_add(at));
            }
            if let Some(beside) = beside {
                simd.prefetch(beside.wrapping_add(at));
            }
        }
    }

    /// Changes a tile of the product, which begins at the place's row and column.
    ///
    /// # Safety
    /// Inside of a job of `simd`; the place is within a product that was checked, and this
    /// thread's own.
    #[inline(always)]
    pub unsafe fn finish<S: Simd, const ROWS: usize, const VECTORS: usize>(
        &self,
        simd: S,
        tile: &mut [[S::V; VECTORS]; ROWS],
        place: Place,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            match *self {
                Finish::Plain => {}
                Finish::Bias(bias) => {
                    let bias = place.vectors::<S, VECTORS>(simd, bias, 0);
                    for row in tile.iter_mut() {
                        for (value, bias) in row.iter_mut().zip(bias) {
                            *value = simd.add(*value, bias);
                        }
                    }
                }
                Finish::BiasGelu { bias, before } => {
                    add_bias(simd, tile, bias, before, place);
                    for value in tile.as_flattened_mut() {
                        *value = math::gelu(simd, *value);
                    }
                }
                Finish::BiasRelu { bias, before } => {
                    add_bias(simd, tile, bias, before, place);
                    for value in tile.as_flattened_mut() {
                        *value = simd.max(*value, simd.splat(0.0));
                    }
                }
                Finish::Residual {
                    bias,
                    factors,
                    onto,
                } => {
                    let added = place.vectors::<S, VECTORS>(simd, bias, 0);
                    for (i, row) in tile.iter_mut().enumerate().take(place.rows) {
                        let at = (place.row + i) * bias.len();
                        let onto = place.vectors::<S, VECTORS>(simd, onto, at);
                        let factor = match factors {
                            None => simd.splat(1.0),
                            Some(factors) => simd.splat(*factors.get_unchecked(place.row + i)),
                        };
                        for j in 0..VECTORS {
                            row[j] = simd.fma(simd.add(row[j], added[j]), factor, onto[j]);
                        }
                    }
                }
                Finish::SlopeOf { before, width } => {
                    slope(simd, tile, before, width, place);
                }
                Finish::SlopeOfBf16 { before, width } => {
                    slope(simd, tile, before, width, place);
                }
                Finish::Embedding {
                    bias,
                    class_token,
                    positions,
                    tokens,
                } => {
                    for (i, row) in tile.iter_mut().enumerate().take(place.rows) {
                        let token = (place.row + i) % tokens;
                        let own = if token == 0 { class_token } else { bias };
                        let own = place.vectors::<S, VECTORS>(simd, own, 0);
                        let at = token * bias.len();
                        let position = place.vectors::<S, VECTORS>(simd, positions, at);
                        for j in 0..VECTORS {
                            row[j] = simd.add(simd.add(row[j], own[j]), position[j]);
                        }
                    }
                }
            }
        }
    }
}

/// Where a tile lies in a product of `width` columns, and how many of its rows are there.
#[derive(Clone, Copy)]
pub struct Place {
    pub row: usize,
    pub rows: usize,
    pub column: usize,
    pub width: usize,
}

impl Place {
    /// Lanes of the tile's vector `j` that are there.
    #[inline(always)]
    pub fn lanes<S: Simd>(&self, j: usize) -> usize {
        (self.width - self.column)
            .saturating_sub(j * S::LANES)
            .min(S::LANES)
    }

    /// The tile's columns of a row that begins at `start`.
    ///
    /// # Safety
    /// Inside of a job of `simd`; the row is within the slice.
    #[inline(always)]
    unsafe fn vectors<S: Simd, const VECTORS: usize>(
        &self,
        simd: S,
        values: &[f32],
        start: usize,
    ) -> [S::V; VECTORS] {
        // SAFETY: the caller's promise.
        unsafe {
            let mut vectors = [simd.splat(0.0); VECTORS];
            let at = start + self.column;
            if self.column + VECTORS * S::LANES <= self.width {
                debug_assert!(at + VECTORS * S::LANES <= values.len());
                for (j, vector) in vectors.iter_mut().enumerate() {
                    *vector = simd.load(values.as_ptr().add(at + j * S::LANES));
                }
            } else {
                for (j, vector) in vectors.iter_mut().enumerate() {
                    let lanes = self.lanes::<S>(j);
                    if lanes > 0 {
                        *vector = load(simd, values, at + j * S::LANES, lanes);
                    }
                }
            }
            vectors
        }
    }
}

/// Adds a bias, and keeps what comes of it where there is room.
#[inline(always)]
unsafe fn add_bias<S: Simd, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    tile: &mut [[S::V; VECTORS]; ROWS],
    bias: &[f32],
    before: Option<Results<'_>>,
    place: Place,
) {
    // SAFETY: the caller's promise, which is that of `finish`.
    unsafe {
        let added = place.vectors::<S, VECTORS>(simd, bias, 0);
        for row in tile.iter_mut() {
            for (value, bias) in row.iter_mut().zip(added) {
                *value = simd.add(*value, bias);
            }
        }
        if let Some(kept) = before {
            kept.store_tile(simd, tile, place);
        }
    }
}

/// Times the GELU's derivative.
#[inline(always)]
unsafe fn slope<S: Simd, T: Stored, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    tile: &mut [[S::V; VECTORS]; ROWS],
    before: &[T],
    width: usize,
    place: Place,
) {
    for (i, row) in tile.iter_mut().enumerate().take(place.rows) {
        for (j, value) in row.iter_mut().enumerate() {
            let lanes = place.lanes::<S>(j);
            if lanes == 0 {
                continue;
            }
            let at = (place.row + i) * width + place.column + j * S::LANES;
            // SAFETY: the caller's promise, which is that of `finish`.
            unsafe {
                let x = load(simd, before, at, lanes);
                *value = simd.mul(*value, math::gelu_slope(simd, x));
            }
        }
    }
}

/// # Safety
/// Inside of a job of `simd`; `lanes` numbers from `at` on are within the slice.
#[inline(always)]
unsafe fn load<S: Simd, T: Stored>(simd: S, values: &[T], at: usize, lanes: usize) -> S::V {
    debug_assert!(at + lanes.min(S::LANES) <= values.len());
    // SAFETY: the caller's promise.
    unsafe { T::load(simd, values.as_ptr().add(at), lanes) }
}
