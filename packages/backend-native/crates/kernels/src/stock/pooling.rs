//! Pooling over windows, and its gradients. Pictures are `[images, height, width, channels]`.

use super::convolution::Convolution;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;
use std::ops::Range;

/// Channels that are looked at side by side.
const BLOCK: usize = 64;

/// The largest number of each window; what is not a number is passed over.
pub fn max_pool(machine: &Machine, sizes: &Convolution, x: &[f32], to: &mut [f32]) {
    pool::<true>(machine, sizes, x, to);
}

/// The mean of each window's numbers that are within the picture.
pub fn mean_pool(machine: &Machine, sizes: &Convolution, x: &[f32], to: &mut [f32]) {
    pool::<false>(machine, sizes, x, to);
}

fn pool<const MAX: bool>(machine: &Machine, sizes: &Convolution, x: &[f32], to: &mut [f32]) {
    let pixels = check(sizes, x.len(), to.len());
    if pixels > 0 {
        let task = Rows::<MAX> {
            sizes,
            x,
            to: Output::new(to),
        };
        machine.each(sizes.images * sizes.output[0], &task);
    }
}

/// The output's numbers; panics unless the arrays have the sizes that they should have. A window
/// is `filter` pixels, and there is one of `filters` for each channel.
fn check(sizes: &Convolution, input: usize, output: usize) -> usize {
    assert_eq!((sizes.filters, sizes.dilations), (1, [1, 1]));
    let [size, _, pixels] = sizes.sizes().expect("sizes that fit");
    assert_eq!([input, output], [size, pixels * sizes.channels]);
    output
}

/// The part of a window along an axis that is within the picture.
#[inline(always)]
fn window(sizes: &Convolution, axis: usize, i: usize) -> Range<usize> {
    let first = (i * sizes.strides[axis]) as i32 - sizes.padding[axis];
    let end = (first + sizes.filter[axis] as i32).clamp(0, sizes.input[axis] as i32);
    first.max(0) as usize..end as usize
}

struct Rows<'a, const MAX: bool> {
    sizes: &'a Convolution,
    x: &'a [f32],
    to: Output<'a>,
}

impl<const MAX: bool> Task for Rows<'_, MAX> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Convolution {
            input,
            channels,
            output,
            ..
        } = *self.sizes;
        let (image, y) = (index / output[0], index % output[0]);
        let row = output[1] * channels;
        // SAFETY: the task's own row of pixels.
        let to = unsafe { self.to.part(index * row..(index + 1) * row) };
        let ys = window(self.sizes, 0, y);
        for (x, to) in to.chunks_exact_mut(channels).enumerate() {
            let xs = window(self.sizes, 1, x);
            for (block, to) in to.chunks_mut(BLOCK).enumerate() {
                let mut most = [f32::NEG_INFINITY; BLOCK];
                let mut sums = [0.0_f64; BLOCK];
                for y in ys.clone() {
                    for x in xs.clone() {
                        let pixel = (image * input[0] + y) * input[1] + x;
                        let from = &self.x[pixel * channels + block * BLOCK..][..to.len()];
                        if MAX {
                            for (most, &x) in most.iter_mut().zip(from) {
                                *most = if x > *most { x } else { *most };
                            }
                        } else {
                            for (sum, &x) in sums.iter_mut().zip(from) {
                                *sum += x as f64;
                            }
                        }
                    }
                }
                if MAX {
                    to.copy_from_slice(&most[..to.len()]);
                } else {
                    let count = (ys.len() * xs.len()) as f64;
                    for (to, sum) in to.iter_mut().zip(sums) {
                        *to = (sum / count) as f32;
                    }
                }
            }
        }
    }
}

/// The gradient of the largest numbers goes to the first of each window that is the largest.
pub fn max_pool_gradient(
    machine: &Machine,
    sizes: &Convolution,
    x: &[f32],
    dy: &[f32],
    to: &mut [f32],
) {
    assert_eq!(x.len(), to.len());
    gradient::<true>(machine, sizes, x, dy, to);
}

/// The gradient of means goes in equal shares to the pixels that each is of.
pub fn mean_pool_gradient(machine: &Machine, sizes: &Convolution, dy: &[f32], to: &mut [f32]) {
    gradient::<false>(machine, sizes, &[], dy, to);
}

fn gradient<const MAX: bool>(
    machine: &Machine,
    sizes: &Convolution,
    x: &[f32],
    dy: &[f32],
    to: &mut [f32],
) {
    check(sizes, to.len(), dy.len());
    if !to.is_empty() {
        let blocks = sizes.channels.div_ceil(BLOCK);
        let task = Images::<MAX> {
            sizes,
            x,
            dy,
            blocks,
            to: Output::new(to),
        };
        machine.each(sizes.images * blocks, &task);
    }
}

/// Tasks have channels of pictures of their own, since windows overlap.
struct Images<'a, const MAX: bool> {
    sizes: &'a Convolution,
    x: &'a [f32],
    dy: &'a [f32],
    blocks: usize,
    to: Output<'a>,
}

impl<const MAX: bool> Task for Images<'_, MAX> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Convolution {
            input,
            channels,
            output,
            ..
        } = *self.sizes;
        let (image, channel) = (index / self.blocks, index % self.blocks * BLOCK);
        let width = BLOCK.min(channels - channel);
        let pixels = image * input[0] * input[1]..(image + 1) * input[0] * input[1];
        let place = |pixel: usize| pixel * channels + channel..pixel * channels + channel + width;
        for pixel in pixels.clone() {
            // SAFETY: the task's own channels of a pixel, here and below.
            unsafe { self.to.part(place(pixel)) }.fill(0.0);
        }
        for y in 0..output[0] {
            let ys = window(self.sizes, 0, y);
            for x in 0..output[1] {
                let xs = window(self.sizes, 1, x);
                let dy = &self.dy[place((image * output[0] + y) * output[1] + x)];
                let inside = ys
                    .clone()
                    .flat_map(|y| xs.clone().map(move |x| y * input[1] + x));
                if MAX {
                    let mut most = [f32::NEG_INFINITY; BLOCK];
                    let mut places = [u32::MAX; BLOCK];
                    for y in ys.clone() {
                        for x in xs.clone() {
                            let pixel = y * input[1] + x;
                            let from = &self.x[place(pixels.start + pixel)];
                            for ((most, place), &x) in most.iter_mut().zip(&mut places).zip(from) {
                                let is_more = x > *most;
                                *most = if is_more { x } else { *most };
                                *place = if is_more { pixel as u32 } else { *place };
                            }
                        }
                    }
                    for (i, &dy) in dy.iter().enumerate() {
                        // A window of NaN has no largest number.
                        if places[i] != u32::MAX {
                            let at = place(pixels.start + places[i] as usize).start + i;
                            // SAFETY: as above.
                            unsafe { self.to.part(at..at + 1)[0] += dy };
                        }
                    }
                } else {
                    let share = 1.0 / (ys.len() * xs.len()) as f32;
                    for pixel in inside {
                        // SAFETY: as above.
                        let to = unsafe { self.to.part(place(pixels.start + pixel)) };
                        for (to, &dy) in to.iter_mut().zip(dy) {
                            *to += dy * share;
                        }
                    }
                }
            }
        }
    }
}
