use crate::math;
use crate::output::Output;
use crate::simd::Simd;
use crate::stored::Stored;

/// What happens to a product's elements before they are stored. Chosen once a vector: a product
/// takes hundreds of times as long.
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

    /// # Safety
    /// Inside of a job of `simd`; nobody else has these `lanes` numbers.
    #[inline(always)]
    pub unsafe fn store<S: Simd>(&self, simd: S, at: usize, value: S::V, lanes: usize) {
        // SAFETY: the caller's promise; `part` checks the bounds.
        unsafe {
            match self {
                Results::Fp32(output) => {
                    f32::store(simd, output.part(at..at + lanes).as_mut_ptr(), value, lanes);
                }
                Results::Bf16(output) => {
                    u16::store(simd, output.part(at..at + lanes).as_mut_ptr(), value, lanes);
                }
            }
        }
    }

    /// # Safety
    /// As for `store`.
    #[inline(always)]
    pub unsafe fn load<S: Simd>(&self, simd: S, at: usize, lanes: usize) -> S::V {
        // SAFETY: the caller's promise; `part` checks the bounds.
        unsafe {
            match self {
                Results::Fp32(output) => {
                    f32::load(simd, output.part(at..at + lanes).as_ptr(), lanes)
                }
                Results::Bf16(output) => {
                    u16::load(simd, output.part(at..at + lanes).as_ptr(), lanes)
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

    /// The vector in place of `value`, the product's row `row` from column `column` on.
    ///
    /// # Safety
    /// Inside of a job of `simd`; row and columns are within the product that was checked.
    #[inline(always)]
    pub unsafe fn finish<S: Simd>(
        &self,
        simd: S,
        row: usize,
        column: usize,
        lanes: usize,
        value: S::V,
    ) -> S::V {
        // SAFETY: the caller's promise; the same part of the product is this thread's own.
        unsafe {
            match *self {
                Finish::Plain => value,
                Finish::Bias(bias) => simd.add(value, load(simd, bias, column, lanes)),
                Finish::BiasGelu { bias, before } => {
                    let x = simd.add(value, load(simd, bias, column, lanes));
                    if let Some(kept) = before {
                        kept.store(simd, row * bias.len() + column, x, lanes);
                    }
                    math::gelu(simd, x)
                }
                Finish::BiasRelu { bias, before } => {
                    let x = simd.add(value, load(simd, bias, column, lanes));
                    if let Some(kept) = before {
                        kept.store(simd, row * bias.len() + column, x, lanes);
                    }
                    simd.max(x, simd.splat(0.0))
                }
                Finish::Residual {
                    bias,
                    factors,
                    onto,
                } => {
                    let branch = simd.add(value, load(simd, bias, column, lanes));
                    let onto = load(simd, onto, row * bias.len() + column, lanes);
                    match factors {
                        None => simd.add(onto, branch),
                        Some(factors) => {
                            simd.fma(branch, simd.splat(*factors.get_unchecked(row)), onto)
                        }
                    }
                }
                Finish::SlopeOf { before, width } => {
                    let x = load(simd, before, row * width + column, lanes);
                    simd.mul(value, math::gelu_slope(simd, x))
                }
                Finish::SlopeOfBf16 { before, width } => {
                    let x = load(simd, before, row * width + column, lanes);
                    simd.mul(value, math::gelu_slope(simd, x))
                }
                Finish::Embedding {
                    bias,
                    class_token,
                    positions,
                    tokens,
                } => {
                    let token = row % tokens;
                    let own = if token == 0 { class_token } else { bias };
                    let own = load(simd, own, column, lanes);
                    let position = load(simd, positions, token * bias.len() + column, lanes);
                    simd.add(simd.add(value, own), position)
                }
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
