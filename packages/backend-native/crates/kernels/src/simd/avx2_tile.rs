//! The inner loop of a product for AVX2, by hand: four rows times three vectors.
//!
//! Twelve sums, three vectors of the right-hand matrix and one number of the left-hand one fill the
//! sixteen registers: a compiler that orders the instructions otherwise moves sums to the stack.
//! Seven loads serve twelve multiplications, where six rows times two vectors take eight. That, and
//! eight words a turn, matter where another thread shares the core: the fewer instructions a loop
//! has, the more of its speed it keeps.

use std::arch::asm;
use std::arch::x86_64::__m256;

pub const ROWS: usize = 4;
pub const VECTORS: usize = 3;

pub type Sums = [[__m256; VECTORS]; ROWS];

/// One number of the left-hand matrix times three vectors.
macro_rules! row {
    ($row:literal, $from:expr) => {
        concat!(
            "vbroadcastss {a}, dword ptr [",
            $from,
            "]\n",
            "vfmadd231ps {s",
            $row,
            "0}, {a}, {b0}\n",
            "vfmadd231ps {s",
            $row,
            "1}, {a}, {b1}\n",
            "vfmadd231ps {s",
            $row,
            "2}, {a}, {b2}\n",
        )
    };
}

/// The three vectors of a word.
macro_rules! right {
    ($at:literal) => {
        concat!(
            "vmovups {b0}, ymmword ptr [{right} + 32 * ",
            $at,
            "]\n",
            "vmovups {b1}, ymmword ptr [{right} + {panel} + 32 * ",
            $at,
            "]\n",
            "vmovups {b2}, ymmword ptr [{right} + 2 * {panel} + 32 * ",
            $at,
            "]\n",
        )
    };
}

/// A word of the left-hand matrix as it lies.
macro_rules! word {
    ($at:literal) => {
        concat!(
            right!($at),
            row!("0", concat!("{left0} + 4 * {word} + 4 * ", $at)),
            row!("1", concat!("{left1} + 4 * {word} + 4 * ", $at)),
            row!("2", concat!("{left2} + 4 * {word} + 4 * ", $at)),
            row!("3", concat!("{left3} + 4 * {word} + 4 * ", $at)),
        )
    };
}

/// A word of the left-hand matrix where it lies transposed.
macro_rules! transposed_word {
    ($at:literal) => {
        concat!(
            right!($at),
            row!("0", "{left}"),
            row!("1", "{left} + 4"),
            row!("2", "{left} + 8"),
            row!("3", "{left} + 12"),
            "add {left}, {stride}\n",
        )
    };
}

/// A loop of eight words a turn, then one of single words; what they need beside the sums.
macro_rules! multiply {
    ($word:ident, $words:expr, $right:expr, $panel:expr, $($operands:tt)*) => {{
        let mut sums: Sums = [[std::arch::x86_64::_mm256_setzero_ps(); VECTORS]; ROWS];
        let [[s00, s01, s02], [s10, s11, s12], [s20, s21, s22], [s30, s31, s32]] = &mut sums;
        asm!(
            "cmp {word}, {eights}",
            "jae 3f",
            ".p2align 5",
            "2:",
            $word!(0), $word!(1), $word!(2), $word!(3), $word!(4), $word!(5), $word!(6), $word!(7),
            "add {right}, 256",
            "add {word}, 8",
            "cmp {word}, {eights}",
            "jb 2b",
            "3:",
            "cmp {word}, {words}",
            "jae 5f",
            "4:",
            $word!(0),
            "add {right}, 32",
            "add {word}, 1",
            "cmp {word}, {words}",
            "jb 4b",
            "5:",
            word = inout(reg) 0_usize => _,
            eights = in(reg) $words / 8 * 8,
            words = in(reg) $words,
            right = inout(reg) $right => _,
            panel = in(reg) $panel * 4,
            $($operands)*
            a = out(ymm_reg) _, b0 = out(ymm_reg) _, b1 = out(ymm_reg) _, b2 = out(ymm_reg) _,
            s00 = inout(ymm_reg) *s00, s01 = inout(ymm_reg) *s01, s02 = inout(ymm_reg) *s02,
            s10 = inout(ymm_reg) *s10, s11 = inout(ymm_reg) *s11, s12 = inout(ymm_reg) *s12,
            s20 = inout(ymm_reg) *s20, s21 = inout(ymm_reg) *s21, s22 = inout(ymm_reg) *s22,
            s30 = inout(ymm_reg) *s30, s31 = inout(ymm_reg) *s31, s32 = inout(ymm_reg) *s32,
            options(nostack, readonly),
        );
        sums
    }};
}

/// As `product::tile` has it.
///
/// # Safety
/// The processor has AVX2 with FMA; every row is valid for `words` numbers, `right` for `VECTORS`
/// panels of `words` vectors that begin `panel` numbers after each other.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub unsafe fn tile(
    words: usize,
    [left0, left1, left2, left3]: [*const f32; ROWS],
    right: *const f32,
    panel: usize,
) -> Sums {
    // SAFETY: reads what the caller promises, writes registers.
    unsafe {
        multiply!(word, words, right, panel,
            left0 = in(reg) left0, left1 = in(reg) left1,
            left2 = in(reg) left2, left3 = in(reg) left3,)
    }
}

/// As `product::transposed_tile` has it.
///
/// # Safety
/// As for `tile`, but `left` is valid for `ROWS` numbers at each of `words` places, `stride` numbers
/// after each other.
#[inline]
#[target_feature(enable = "avx2,fma")]
pub unsafe fn transposed_tile(
    words: usize,
    left: *const f32,
    stride: usize,
    right: *const f32,
    panel: usize,
) -> Sums {
    // SAFETY: reads what the caller promises, writes registers.
    unsafe {
        multiply!(transposed_word, words, right, panel,
            left = inout(reg) left => _, stride = in(reg) stride * 4,)
    }
}
