use super::head::soften;
use super::{Layout, Place};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use crate::stored::Stored;

/// Attention of one query a sequence, its class token's.
pub struct ClassAttention<'a, T> {
    pub layout: Layout<'a>,
    /// `[sequences, width]`
    pub q: &'a [T],
    /// Keys, then values: `[rows, 2 * width]`.
    pub kv: &'a [T],
    /// `[sequences, width]`
    pub mixed: &'a mut [T],
}

pub fn class_attention<T: Stored>(machine: &Machine, args: ClassAttention<'_, T>) {
    let ClassAttention {
        layout,
        q,
        kv,
        mixed,
    } = args;
    assert_eq!(q.len(), layout.sequences() * layout.width);
    assert_eq!(kv.len(), layout.rows() * 2 * layout.width);
    assert_eq!(mixed.len(), q.len());
    let task = Gather {
        layout,
        q,
        kv,
        to: Output::new(mixed),
    };
    machine.each(layout.sequences() * layout.heads, &task);
}

struct Gather<'a, T> {
    layout: Layout<'a>,
    q: &'a [T],
    kv: &'a [T],
    to: Output<'a, T>,
}

impl<T: Stored> Task for Gather<'_, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        let all = self.layout.width;
        let width = self.layout.head_width();
        let Place {
            row,
            number,
            tokens,
            head,
        } = self.layout.place(index);
        let long = tokens.next_multiple_of(S::LANES);
        let [p] = scratch.pieces([long]);
        let query = number * all + head * width;
        let key = |token: usize| (row + token) * 2 * all + head * width;
        // SAFETY: inside of a job; indices are within the matrices, whose sizes were checked.
        unsafe {
            let q = self.q.as_ptr().add(query);
            let scale = 1.0 / (width as f32).sqrt();
            for (token, score) in p[..tokens].iter_mut().enumerate() {
                *score = scale * dot(simd, q, self.kv.as_ptr().add(key(token)), width);
            }
            let share = 1.0 / soften(simd, p, tokens, long);
            let to = self.to.part(query..query + width);
            for at in (0..width).step_by(S::LANES) {
                let lanes = S::LANES.min(width - at);
                let mut sum = simd.splat(0.0);
                for (token, &weight) in p[..tokens].iter().enumerate() {
                    let v = T::load(simd, self.kv.as_ptr().add(key(token) + all + at), lanes);
                    sum = simd.fma(simd.splat(weight), v, sum);
                }
                let sum = simd.mul(sum, simd.splat(share));
                T::store(simd, to.as_mut_ptr().add(at), sum, lanes);
            }
        }
    }
}

/// The way back; the weights are computed again.
pub struct ClassAttentionBack<'a, T> {
    pub layout: Layout<'a>,
    pub q: &'a [T],
    pub kv: &'a [T],
    /// `[sequences, width]`
    pub dy: &'a [f32],
    /// `[sequences, width]`
    pub d_q: &'a mut [f32],
    /// `[rows, 2 * width]`
    pub d_kv: &'a mut [f32],
}

pub fn class_attention_back<T: Stored>(machine: &Machine, args: ClassAttentionBack<'_, T>) {
    let ClassAttentionBack {
        layout,
        q,
        kv,
        dy,
        d_q,
        d_kv,
    } = args;
    assert_eq!(q.len(), layout.sequences() * layout.width);
    assert_eq!(kv.len(), layout.rows() * 2 * layout.width);
    assert!(dy.len() == q.len() && d_q.len() == q.len() && d_kv.len() == kv.len());
    let task = Back {
        layout,
        q,
        kv,
        dy,
        d_q: Output::new(d_q),
        d_kv: Output::new(d_kv),
    };
    machine.each(layout.sequences() * layout.heads, &task);
}

struct Back<'a, T> {
    layout: Layout<'a>,
    q: &'a [T],
    kv: &'a [T],
    dy: &'a [f32],
    d_q: Output<'a>,
    d_kv: Output<'a>,
}

impl<T: Stored> Task for Back<'_, T> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, scratch: &mut Scratch) {
        let all = self.layout.width;
        let width = self.layout.head_width();
        let Place {
            row,
            number,
            tokens,
            head,
        } = self.layout.place(index);
        let long = tokens.next_multiple_of(S::LANES);
        let [p, ds] = scratch.pieces([long, long]);
        let query = number * all + head * width;
        let key = |token: usize| (row + token) * 2 * all + head * width;
        let scale = 1.0 / (width as f32).sqrt();
        // SAFETY: inside of a job; indices are within the matrices, whose sizes were checked;
        // a head's columns of the gradients are this task's own.
        unsafe {
            let (q, dy) = (self.q.as_ptr().add(query), self.dy.as_ptr().add(query));
            let kv = self.kv.as_ptr();
            for token in 0..tokens {
                p[token] = scale * dot(simd, q, kv.add(key(token)), width);
                ds[token] = dot_mixed(simd, dy, kv.add(key(token) + all), width);
            }
            let share = 1.0 / soften(simd, p, tokens, long);
            let mut along = 0.0;
            for (weight, slope) in p[..tokens].iter_mut().zip(&ds[..tokens]) {
                *weight *= share;
                along += *weight * slope;
            }
            for (weight, slope) in p[..tokens].iter().zip(&mut ds[..tokens]) {
                *slope = scale * weight * (*slope - along);
            }
            let d_q = self.d_q.part(query..query + width);
            for at in (0..width).step_by(S::LANES) {
                let lanes = S::LANES.min(width - at);
                let gradient = f32::load(simd, dy.add(at), lanes);
                let own = T::load(simd, q.add(at), lanes);
                let mut sum = simd.splat(0.0);
                for token in 0..tokens {
                    let at = key(token) + at;
                    let slope = simd.splat(ds[token]);
                    sum = simd.fma(slope, T::load(simd, kv.add(at), lanes), sum);
                    let d_key = self.d_kv.part(at..at + lanes);
                    f32::store(simd, d_key.as_mut_ptr(), simd.mul(slope, own), lanes);
                    let d_value = self.d_kv.part(at + all..at + all + lanes);
                    let value = simd.mul(simd.splat(p[token]), gradient);
                    f32::store(simd, d_value.as_mut_ptr(), value, lanes);
                }
                f32::store(simd, d_q.as_mut_ptr().add(at), sum, lanes);
            }
        }
    }
}

#[inline(always)]
unsafe fn dot<S: Simd, T: Stored>(simd: S, a: *const T, b: *const T, width: usize) -> f32 {
    // SAFETY: the caller's pointers are valid for `width` numbers.
    unsafe {
        let mut sum = simd.splat(0.0);
        for at in (0..width).step_by(S::LANES) {
            let lanes = S::LANES.min(width - at);
            let (a, b) = (
                T::load(simd, a.add(at), lanes),
                T::load(simd, b.add(at), lanes),
            );
            sum = simd.fma(a, b, sum);
        }
        simd.sum(sum)
    }
}

#[inline(always)]
unsafe fn dot_mixed<S: Simd, T: Stored>(simd: S, a: *const f32, b: *const T, width: usize) -> f32 {
    // SAFETY: the caller's pointers are valid for `width` numbers.
    unsafe {
        let mut sum = simd.splat(0.0);
        for at in (0..width).step_by(S::LANES) {
            let lanes = S::LANES.min(width - at);
            let (a, b) = (
                f32::load(simd, a.add(at), lanes),
                T::load(simd, b.add(at), lanes),
            );
            sum = simd.fma(a, b, sum);
        }
        simd.sum(sum)
    }
}
