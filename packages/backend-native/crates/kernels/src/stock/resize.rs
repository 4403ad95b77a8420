//! Pictures in other sizes. They are `[images, height, width, channels]`.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// How places of the result correspond to places of what is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corners {
    /// The corners' centres stay where they are.
    pub aligned: bool,
    /// A pixel is where its centre is, not where it begins.
    pub half_pixels: bool,
}

/// A picture's sizes before and after.
#[derive(Clone, Copy, Debug)]
pub struct Resizing {
    pub images: usize,
    pub from: [usize; 2],
    pub to: [usize; 2],
    pub channels: usize,
    pub corners: Corners,
}

impl Resizing {
    fn check(&self, from: usize, to: usize) -> bool {
        let size = |[height, width]: [usize; 2]| self.images * height * width * self.channels;
        assert_eq!([from, to], [size(self.from), size(self.to)]);
        assert!(to == 0 || from > 0);
        from > 0 && to > 0
    }

    /// Where a place of the result is along an axis, before anything is rounded.
    fn scale(&self, axis: usize) -> f64 {
        let less = |n: usize| {
            if self.corners.aligned && self.to[axis] > 1 {
                n - 1
            } else {
                n
            }
        };
        less(self.from[axis]) as f64 / less(self.to[axis]) as f64
    }

    /// What each place of the result is between, along an axis.
    fn between(&self, axis: usize) -> Vec<Between> {
        let scale = self.scale(axis);
        let last = self.from[axis] as i64 - 1;
        (0..self.to[axis])
            .map(|i| {
                let at = match self.corners.half_pixels {
                    true => scale * (i as f64 + 0.5) - 0.5,
                    false => scale * i as f64,
                };
                let first = (at.floor() as i64).clamp(0, last);
                let second = (at.ceil() as i64).clamp(0, last);
                Between {
                    first: first as usize,
                    second: second as usize,
                    share: (at - first as f64) as f32,
                }
            })
            .collect()
    }

    fn nearest(&self, axis: usize) -> Vec<usize> {
        let scale = self.scale(axis);
        let last = self.from[axis] as i64 - 1;
        (0..self.to[axis])
            .map(|i| {
                let i = if self.corners.half_pixels {
                    i as f64 + 0.5
                } else {
                    i as f64
                };
                // Halves are rounded up, as in JavaScript.
                let at = scale * i + if self.corners.aligned { 0.5 } else { 0.0 };
                (at.floor() as i64).clamp(0, last) as usize
            })
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Between {
    first: usize,
    second: usize,
    /// Of the second; the rest is the first's.
    share: f32,
}

/// Interpolated along both axes.
pub fn bilinear(machine: &Machine, sizes: &Resizing, x: &[f32], to: &mut [f32]) {
    if sizes.check(x.len(), to.len()) {
        let (ys, xs) = (sizes.between(0), sizes.between(1));
        let task = Rows {
            sizes,
            ys: &ys,
            xs: &xs,
            x,
            to: Output::new(to),
        };
        machine.each(sizes.images * sizes.to[0], &task);
    }
}

struct Rows<'a> {
    sizes: &'a Resizing,
    ys: &'a [Between],
    xs: &'a [Between],
    x: &'a [f32],
    to: Output<'a>,
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Resizing {
            from: [height, width],
            to: size,
            channels,
            ..
        } = *self.sizes;
        let (image, y) = (index / size[0], self.ys[index % size[0]]);
        let row = size[1] * channels;
        // SAFETY: the task's own row.
        let to = unsafe { self.to.part(index * row..(index + 1) * row) };
        let line = |y: usize| {
            let at = (image * height + y) * width * channels;
            &self.x[at..at + width * channels]
        };
        let (top, bottom) = (line(y.first), line(y.second));
        for (to, x) in to.chunks_exact_mut(channels).zip(self.xs) {
            let left = x.first * channels..(x.first + 1) * channels;
            let right = x.second * channels..(x.second + 1) * channels;
            let above = top[left.clone()].iter().zip(&top[right.clone()]);
            let below = bottom[left].iter().zip(&bottom[right]);
            for (to, ((&a, &b), (&c, &d))) in to.iter_mut().zip(above.zip(below)) {
                let above = a + (b - a) * x.share;
                let below = c + (d - c) * x.share;
                *to = above + (below - above) * y.share;
            }
        }
    }
}

/// The gradient of what was resized, `to`, of that of the result.
pub fn bilinear_gradient(machine: &Machine, sizes: &Resizing, dy: &[f32], to: &mut [f32]) {
    if !sizes.check(to.len(), dy.len()) {
        return to.fill(0.0);
    }
    let (ys, xs) = (sizes.between(0), sizes.between(1));
    // Rows of the result that see a row of the picture, each with its share.
    let mut seen = vec![Vec::new(); sizes.from[0]];
    for (y, between) in ys.iter().enumerate() {
        seen[between.first].push((y, 1.0 - between.share));
        seen[between.second].push((y, between.share));
    }
    let task = Gradients {
        sizes,
        seen: &seen,
        xs: &xs,
        dy,
        to: Output::new(to),
    };
    machine.each(sizes.images * sizes.from[0], &task);
}

struct Gradients<'a> {
    sizes: &'a Resizing,
    seen: &'a [Vec<(usize, f32)>],
    xs: &'a [Between],
    dy: &'a [f32],
    to: Output<'a>,
}

impl Task for Gradients<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Resizing {
            from: [height, width],
            to: size,
            channels,
            ..
        } = *self.sizes;
        let image = index / height;
        let row = width * channels;
        // SAFETY: the task's own row.
        let to = unsafe { self.to.part(index * row..(index + 1) * row) };
        to.fill(0.0);
        for &(y, share) in &self.seen[index % height] {
            let line = &self.dy[(image * size[0] + y) * size[1] * channels..][..size[1] * channels];
            for (dy, x) in line.chunks_exact(channels).zip(self.xs) {
                for (pixel, part) in [(x.first, 1.0 - x.share), (x.second, x.share)] {
                    let to = &mut to[pixel * channels..(pixel + 1) * channels];
                    for (to, &dy) in to.iter_mut().zip(dy) {
                        *to += dy * (share * part);
                    }
                }
            }
        }
    }
}

/// The pixel that is nearest to each place.
pub fn nearest(machine: &Machine, sizes: &Resizing, x: &[f32], to: &mut [f32]) {
    if sizes.check(x.len(), to.len()) {
        let (ys, xs) = (sizes.nearest(0), sizes.nearest(1));
        let task = Nearest {
            sizes,
            ys: &ys,
            xs: &xs,
            x,
            to: Output::new(to),
        };
        machine.each(sizes.images * sizes.to[0], &task);
    }
}

struct Nearest<'a> {
    sizes: &'a Resizing,
    ys: &'a [usize],
    xs: &'a [usize],
    x: &'a [f32],
    to: Output<'a>,
}

impl Task for Nearest<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Resizing {
            from: [height, width],
            to: size,
            channels,
            ..
        } = *self.sizes;
        let (image, y) = (index / size[0], self.ys[index % size[0]]);
        let row = size[1] * channels;
        // SAFETY: the task's own row.
        let to = unsafe { self.to.part(index * row..(index + 1) * row) };
        let line = (image * height + y) * width * channels;
        for (to, &x) in to.chunks_exact_mut(channels).zip(self.xs) {
            to.copy_from_slice(&self.x[line + x * channels..line + (x + 1) * channels]);
        }
    }
}
