//! Pictures seen through a projection. They are `[images, height, width, channels]`.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// What lies outside of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// One colour.
    Constant,
    /// The picture's mirror image.
    Reflect,
    /// The picture once more.
    Wrap,
    /// The nearest pixel.
    Nearest,
}

pub struct Projection<'a> {
    pub images: usize,
    pub from: [usize; 2],
    pub to: [usize; 2],
    pub channels: usize,
    /// Eight numbers for each picture, or for all of them.
    pub matrices: &'a [f32],
    /// Whether numbers are interpolated, or those of the nearest pixel taken.
    pub bilinear: bool,
    pub beyond: Beyond,
    pub fill: f32,
}

/// `x` through the projection, which says for each place of the result where it is in `x`.
pub fn transform(machine: &Machine, projection: &Projection<'_>, x: &[f32], to: &mut [f32]) {
    let Projection {
        images,
        from,
        to: size,
        channels,
        matrices,
        ..
    } = *projection;
    assert_eq!(x.len(), images * from[0] * from[1] * channels);
    assert_eq!(to.len(), images * size[0] * size[1] * channels);
    assert!(matrices.len() == 8 || matrices.len() == 8 * images);
    if !to.is_empty() {
        machine.each(
            images * size[0],
            &Rows {
                projection,
                x,
                to: Output::new(to),
            },
        );
    }
}

struct Rows<'a> {
    projection: &'a Projection<'a>,
    x: &'a [f32],
    to: Output<'a>,
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let Projection {
            from,
            to: size,
            channels,
            matrices,
            bilinear,
            beyond,
            fill,
            ..
        } = *self.projection;
        let (image, row) = (index / size[0], index % size[0]);
        let first = if matrices.len() == 8 { 0 } else { 8 * image };
        let m: [f64; 8] = std::array::from_fn(|i| matrices[first + i] as f64);
        let width = size[1] * channels;
        // SAFETY: the task's own row.
        let to = unsafe { self.to.part(index * width..(index + 1) * width) };
        let pixel = |y: f64, x: f64| {
            let inside = y >= 0.0 && y < from[0] as f64 && x >= 0.0 && x < from[1] as f64;
            inside.then(|| {
                let at = (image * from[0] + y as usize) * from[1] + x as usize;
                &self.x[at * channels..(at + 1) * channels]
            })
        };
        for (column, to) in to.chunks_exact_mut(channels).enumerate() {
            let (x, y) = (column as f64, row as f64);
            let depth = m[6] * x + m[7] * y + 1.0;
            if depth == 0.0 {
                to.fill(fill);
                continue;
            }
            let at_x = place((m[0] * x + m[1] * y + m[2]) / depth, from[1], beyond);
            let at_y = place((m[3] * x + m[4] * y + m[5]) / depth, from[0], beyond);
            if !bilinear {
                // Halves are rounded up, as in JavaScript.
                match pixel((at_y + 0.5).floor(), (at_x + 0.5).floor()) {
                    Some(pixel) => to.copy_from_slice(pixel),
                    None => to.fill(fill),
                }
                continue;
            }
            let (left, top) = (at_x.floor(), at_y.floor());
            let (share_x, share_y) = (at_x - left, at_y - top);
            let corners = [
                (pixel(top, left), (1.0 - share_y) * (1.0 - share_x)),
                (pixel(top, left + 1.0), (1.0 - share_y) * share_x),
                (pixel(top + 1.0, left), share_y * (1.0 - share_x)),
                (pixel(top + 1.0, left + 1.0), share_y * share_x),
            ];
            for (channel, to) in to.iter_mut().enumerate() {
                let value = |pixel: Option<&[f32]>| pixel.map_or(fill, |pixel| pixel[channel]);
                let parts = corners.map(|(pixel, share)| value(pixel) as f64 * share);
                *to = parts.iter().sum::<f64>() as f32;
            }
        }
    }
}

/// A place along an axis of `length` pixels, brought into the picture unless there is a colour
/// around it.
#[inline(always)]
fn place(at: f64, length: usize, beyond: Beyond) -> f64 {
    let (n, last) = (length as f64, length as f64 - 1.0);
    let inside = match beyond {
        Beyond::Constant => return at,
        Beyond::Nearest => at,
        _ if length <= 1 => 0.0,
        Beyond::Reflect if at < 0.0 => {
            let turned = at + 2.0 * n * (-at / (2.0 * n)).trunc();
            if turned < -n {
                turned + 2.0 * n
            } else {
                -turned - 1.0
            }
        }
        Beyond::Reflect if at > last => {
            let turned = at - 2.0 * n * (at / (2.0 * n)).trunc();
            if turned >= n {
                2.0 * n - turned - 1.0
            } else {
                turned
            }
        }
        Beyond::Wrap if at < 0.0 => at + n * ((-at / last).trunc() + 1.0),
        Beyond::Wrap if at > last => at - n * (at / last).trunc(),
        _ => at,
    };
    inside.clamp(0.0, last)
}
