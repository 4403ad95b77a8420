//! Convolutions and their gradients as products of matrices: windows of the pictures, made block
//! by block, times the filter. Pictures are `[images, height, width, channels]`.

use super::nest::Nest;
use super::rearrange::rearrange;
use super::unary::clamp;
use super::windows::{Place, Windows};
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::{Finish, Outer, Panels, Precision, Product, Right, Source, outer, product};
use crate::scratch::Scratch;
use crate::simd::Simd;

/// The sizes of a convolution, along height and width where there are two.
#[derive(Clone, Copy, Debug)]
pub struct Convolution {
    pub images: usize,
    pub input: [usize; 2],
    pub channels: usize,
    pub output: [usize; 2],
    pub filters: usize,
    pub filter: [usize; 2],
    pub strides: [usize; 2],
    pub dilations: [usize; 2],
    /// Zeros before the first row and column.
    pub padding: [i32; 2],
}

impl Convolution {
    /// Numbers of the input, of the filter and of the output; `None` where they are too many.
    pub fn sizes(&self) -> Option<[usize; 3]> {
        let product = |sizes: &[usize]| {
            let size = sizes
                .iter()
                .try_fold(1_usize, |n, &size| n.checked_mul(size))?;
            (size < i32::MAX as usize).then_some(size)
        };
        let all = [
            self.input,
            self.output,
            self.filter,
            self.strides,
            self.dilations,
        ];
        let is_small = all.iter().flatten().all(|&size| size < 1 << 20)
            && self.padding.iter().all(|padding| padding.abs() < 1 << 20);
        let [height, width] = self.input;
        let [y, x] = self.output;
        if !is_small || self.strides.contains(&0) || self.dilations.contains(&0) {
            return None;
        }
        Some([
            product(&[self.images, height, width, self.channels])?,
            product(&[self.filter[0], self.filter[1], self.channels, self.filters])?,
            product(&[self.images, y, x, self.filters])?,
        ])
    }

    /// Whether each output pixel sees the one input pixel at its own place.
    fn is_pointwise(&self) -> bool {
        self.filter == [1, 1]
            && self.strides == [1, 1]
            && self.padding == [0, 0]
            && self.input == self.output
    }

    /// The windows as a matrix, which may be the input itself.
    fn rows<'a>(&self, x: &'a [f32]) -> Source<'a> {
        if self.is_pointwise() {
            Source::dense(x, self.channels)
        } else {
            Source::Windows(self.windows(x))
        }
    }

    /// A window of the input for each pixel of the output.
    fn windows<'a>(&self, x: &'a [f32]) -> Windows<'a> {
        let [height, width] = self.input;
        let places = places(self.images, self.output, |i, axis| {
            (i * self.strides[axis]) as i32 - self.padding[axis]
        });
        let pixels: Vec<(i32, i32)> = (0..self.filter[0] * self.filter[1])
            .map(|i| [i / self.filter[1], i % self.filter[1]])
            .map(|[y, x]| {
                (
                    (y * self.dilations[0]) as i32,
                    (x * self.dilations[1]) as i32,
                )
            })
            .collect();
        Windows::new(
            x,
            [self.images, height, width, self.channels],
            places,
            &pixels,
        )
    }
}

fn places(
    images: usize,
    [height, width]: [usize; 2],
    at: impl Fn(usize, usize) -> i32,
) -> Vec<Place> {
    let mut places = Vec::with_capacity(images * height * width);
    for image in 0..images {
        for y in 0..height {
            let y = at(y, 0);
            places.extend((0..width).map(|x| Place {
                image: image as u32,
                y,
                x: at(x, 1),
            }));
        }
    }
    places
}

/// What is done to the results of a product.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// Added to each row.
    pub bias: Option<&'a [f32]>,
    /// What results are kept between; NaN stays NaN.
    pub least: f32,
    pub most: f32,
}

/// `left` `[m, k]` times `right` `[k, n]`, with what ends it, to `to` `[m, n]`.
pub fn multiply(
    machine: &Machine,
    left: &Source<'_>,
    right: Right<'_>,
    [m, k, n]: [usize; 3],
    ending: Ending<'_>,
    to: &mut [f32],
) {
    let precision = Precision::Fp32;
    let mut shared = machine.shared();
    let [buffer] = shared.pieces([Panels::size(machine, precision, k, n)]);
    let right = Panels::pack(machine, right, precision, k, n, buffer);
    let finish = ending.bias.map_or(Finish::Plain, Finish::Bias);
    product(
        machine,
        Product {
            m,
            k,
            left,
            right,
            finish,
            to: (&mut *to).into(),
        },
    );
    if ending.least > f32::NEG_INFINITY || ending.most < f32::INFINITY {
        clamp(machine, to, ending.least, ending.most);
    }
}

/// The convolution of `x` with `filter` `[height, width, channels, filters]`.
pub fn convolve(
    machine: &Machine,
    sizes: &Convolution,
    x: &[f32],
    filter: &[f32],
    ending: Ending<'_>,
    to: &mut [f32],
) {
    assert_eq!(sizes.sizes(), Some([x.len(), filter.len(), to.len()]));
    if to.is_empty() {
        return;
    }
    let n = sizes.filters;
    let k = sizes.filter[0] * sizes.filter[1] * sizes.channels;
    let right = Right {
        values: filter,
        stride: n,
        transposed: false,
    };
    multiply(
        machine,
        &sizes.rows(x),
        right,
        [to.len() / n, k, n],
        ending,
        to,
    );
}

/// The gradient of the filter, of that of the output.
pub fn filter_gradient(
    machine: &Machine,
    sizes: &Convolution,
    x: &[f32],
    dy: &[f32],
    to: &mut [f32],
) {
    assert_eq!(sizes.sizes(), Some([x.len(), to.len(), dy.len()]));
    let Convolution {
        channels,
        filters: n,
        ..
    } = *sizes;
    let m = sizes.filter[0] * sizes.filter[1] * channels;
    let pixels = sizes.images * sizes.output[0] * sizes.output[1];
    if to.is_empty() {
        return;
    }
    let (left, right) = (&sizes.rows(x), &Source::dense(dy, n));
    let precision = Precision::Fp32;
    outer(
        machine,
        Outer {
            rows: pixels,
            m,
            n,
            precision,
            left,
            right,
            to,
            sums: None,
        },
    );
}

/// The gradient of the input, of that of the output.
///
/// Input pixels whose places leave the same rest when divided by the strides see the same part of
/// the filter: for each rest, it is a convolution of `dy` with stride 1.
pub fn input_gradient(
    machine: &Machine,
    sizes: &Convolution,
    dy: &[f32],
    filter: &[f32],
    to: &mut [f32],
) {
    assert_eq!(sizes.sizes(), Some([to.len(), filter.len(), dy.len()]));
    assert_eq!(sizes.dilations, [1, 1]);
    if to.is_empty() {
        return;
    }
    if dy.is_empty() {
        return to.fill(0.0);
    }
    for y in 0..sizes.strides[0].min(sizes.input[0]) {
        for x in 0..sizes.strides[1].min(sizes.input[1]) {
            rest_gradient(machine, sizes, [y, x], dy, filter, to);
        }
    }
}

fn rest_gradient(
    machine: &Machine,
    sizes: &Convolution,
    rest: [usize; 2],
    dy: &[f32],
    filter: &[f32],
    to: &mut [f32],
) {
    let Convolution {
        images,
        input,
        channels,
        output,
        filters,
        strides,
        padding,
        ..
    } = *sizes;
    let counts = [0, 1].map(|axis| (input[axis] - rest[axis]).div_ceil(strides[axis]));
    // The taps that hit, each with its place in `dy` relative to the input pixel's; those along a
    // row in the order of memory.
    let taps = [0, 1].map(|axis| {
        let mut taps: Vec<(usize, i32)> = (0..sizes.filter[axis])
            .map(|tap| (tap, rest[axis] as i32 + padding[axis] - tap as i32))
            .filter(|(_, distance)| distance.rem_euclid(strides[axis] as i32) == 0)
            .map(|(tap, distance)| (tap, distance.div_euclid(strides[axis] as i32)))
            .collect();
        taps.reverse();
        taps
    });
    let pairs: Vec<((usize, i32), (usize, i32))> = taps[0]
        .iter()
        .flat_map(|&y| taps[1].iter().map(move |&x| (y, x)))
        .collect();
    let k = pairs.len() * filters;
    let m = images * counts[0] * counts[1];
    let is_whole = strides == [1, 1];
    if pairs.is_empty() {
        let zeros = &[0.0];
        return scatter(machine, sizes, rest, counts, zeros, true, to);
    }
    // The part of the filter, [channels, taps, filters].
    let mut part = vec![0.0; channels * k];
    for (i, ((y, _), (x, _))) in pairs.iter().enumerate() {
        let tap = (y * sizes.filter[1] + x) * channels * filters;
        for channel in 0..channels {
            let from = tap + channel * filters;
            part[channel * k + i * filters..][..filters]
                .copy_from_slice(&filter[from..from + filters]);
        }
    }
    let right = Right {
        values: &part,
        stride: k,
        transposed: true,
    };
    let pixels: Vec<(i32, i32)> = pairs.iter().map(|((_, y), (_, x))| (*y, *x)).collect();
    let places = places(images, counts, |i, _| i as i32);
    let left = &Source::Windows(Windows::new(
        dy,
        [images, output[0], output[1], filters],
        places,
        &pixels,
    ));

    let mut shared = machine.shared();
    let precision = Precision::Fp32;
    let [buffer, made] = shared.pieces([
        Panels::size(machine, precision, k, channels),
        if is_whole { 0 } else { m * channels },
    ]);
    let right = Panels::pack(machine, right, precision, k, channels, buffer);
    let finish = Finish::Plain;
    if is_whole {
        product(
            machine,
            Product {
                m,
                k,
                left,
                right,
                finish,
                to: to.into(),
            },
        );
        return;
    }
    product(
        machine,
        Product {
            m,
            k,
            left,
            right,
            finish,
            to: (&mut *made).into(),
        },
    );
    scatter(machine, sizes, rest, counts, made, false, to);
}

/// Pixels `[images, counts, channels]` to their places in the input.
fn scatter(
    machine: &Machine,
    sizes: &Convolution,
    rest: [usize; 2],
    [rows, columns]: [usize; 2],
    from: &[f32],
    is_same: bool,
    to: &mut [f32],
) {
    let Convolution {
        images,
        input: [height, width],
        channels,
        strides,
        ..
    } = *sizes;
    let all = [
        (images, height * width * channels, rows * columns * channels),
        (rows, strides[0] * width * channels, columns * channels),
        (columns, strides[1] * channels, channels),
        (channels, 1, 1),
    ];
    let axes: Vec<i32> = all
        .iter()
        .flat_map(|&(size, to, from)| {
            [
                size as i32,
                to as i32,
                if is_same { 0 } else { from as i32 },
            ]
        })
        .collect();
    let start = (rest[0] * width + rest[1]) * channels;
    if let Some(nest) = Nest::new(&axes) {
        rearrange(machine, &nest, to, from, [start, 0]);
    }
}

/// The convolution of each channel with filters of its own, `[height, width, channels, per
/// channel]`; `filters` of the sizes is how many there are of each.
pub fn depthwise(
    machine: &Machine,
    sizes: &Convolution,
    x: &[f32],
    filter: &[f32],
    to: &mut [f32],
) {
    let Convolution {
        images,
        channels,
        filters,
        output,
        ..
    } = *sizes;
    let [size, filter_size, pixels] = sizes.sizes().expect("sizes that fit");
    assert_eq!([x.len(), filter.len()], [size, filter_size]);
    assert_eq!(to.len(), pixels * channels);
    if to.is_empty() {
        return;
    }
    let width = channels * filters;
    let task = Depthwise {
        sizes,
        x,
        filter,
        width,
        to: Output::new(to),
    };
    machine.each(images * output[0], &task);
}

struct Depthwise<'a> {
    sizes: &'a Convolution,
    x: &'a [f32],
    filter: &'a [f32],
    /// Channels of the output.
    width: usize,
    to: Output<'a>,
}

impl Task for Depthwise<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Convolution {
            input,
            channels,
            output,
            filters,
            filter,
            strides,
            dilations,
            padding,
            ..
        } = *self.sizes;
        let (image, y) = (index / output[0], index % output[0]);
        let row = output[1] * self.width;
        // SAFETY: the task's own row of pixels.
        let to = unsafe { self.to.part(index * row..(index + 1) * row) };
        to.fill(0.0);
        for dy in 0..filter[0] {
            let y = (y * strides[0] + dy * dilations[0]) as i32 - padding[0];
            if y < 0 || y >= input[0] as i32 {
                continue;
            }
            let line = (image * input[0] + y as usize) * input[1];
            for (x, to) in to.chunks_exact_mut(self.width).enumerate() {
                for dx in 0..filter[1] {
                    let x = (x * strides[1] + dx * dilations[1]) as i32 - padding[1];
                    if x < 0 || x >= input[1] as i32 {
                        continue;
                    }
                    let pixel = &self.x[(line + x as usize) * channels..][..channels];
                    let tap = &self.filter[(dy * filter[1] + dx) * self.width..][..self.width];
                    if filters == 1 {
                        for ((to, &x), &factor) in to.iter_mut().zip(pixel).zip(tap) {
                            *to += x * factor;
                        }
                    } else {
                        for (i, &x) in pixel.iter().enumerate() {
                            let within = i * filters..(i + 1) * filters;
                            for (to, &factor) in to[within.clone()].iter_mut().zip(&tap[within]) {
                                *to += x * factor;
                            }
                        }
                    }
                }
            }
        }
    }
}
