//! The windows that a convolution looks through, as rows of a matrix that is never stored.

use crate::product::Rows;
use crate::simd::Simd;
use crate::stored::Stored;

/// A picture for each row's window to be cut out of, and where it begins.
#[derive(Clone, Copy)]
pub struct Place {
    pub image: u32,
    pub y: i32,
    pub x: i32,
}

/// What a column takes from a window: the place of a pixel in it, and one of its channels.
#[derive(Clone, Copy)]
pub struct Tap {
    pub y: i32,
    pub x: i32,
    pub channel: u32,
    /// How many columns from here on lie side by side in memory, if they lie within the picture.
    pub run: u32,
}

/// A matrix of windows: a row for each place, a column for each tap, 0 outside of the pictures.
pub struct Windows<'a> {
    values: &'a [f32],
    height: i32,
    width: i32,
    channels: u32,
    places: Vec<Place>,
    taps: Vec<Tap>,
}

impl<'a> Windows<'a> {
    /// Of pictures `[images, height, width, channels]`; `pixels` are the places in a window, of
    /// which all channels are taken one after the other.
    pub fn new(
        values: &'a [f32],
        [images, height, width, channels]: [usize; 4],
        places: Vec<Place>,
        pixels: &[(i32, i32)],
    ) -> Windows<'a> {
        assert_eq!(values.len(), images * height * width * channels);
        assert!(places.iter().all(|place| (place.image as usize) < images));
        let mut taps = Vec::with_capacity(pixels.len() * channels);
        let mut neighbours = 1;
        for (i, &(y, x)) in pixels.iter().enumerate() {
            if neighbours > 1 {
                neighbours -= 1;
            } else {
                let rest = &pixels[i..];
                neighbours = (1..rest.len())
                    .find(|&n| rest[n] != (y, x + n as i32))
                    .unwrap_or(rest.len());
            }
            taps.extend((0..channels).map(|channel| Tap {
                y,
                x,
                channel: channel as u32,
                run: (neighbours * channels - channel) as u32,
            }));
        }
        let (height, width, channels) = (height as i32, width as i32, channels as u32);
        Windows {
            values,
            height,
            width,
            channels,
            places,
            taps,
        }
    }

    /// Where a pixel's first channel is, if it is within the picture.
    #[inline(always)]
    fn pixel(&self, place: Place, tap: Tap) -> Option<usize> {
        let (y, x) = (place.y + tap.y, place.x + tap.x);
        if y < 0 || y >= self.height || x < 0 || x >= self.width {
            return None;
        }
        let row = place.image as usize * self.height as usize + y as usize;
        Some((row * self.width as usize + x as usize) * self.channels as usize)
    }
}

impl Rows for Windows<'_> {
    #[inline(always)]
    unsafe fn vector<S: Simd>(&self, simd: S, row: usize, column: usize, lanes: usize) -> S::V {
        let lanes = lanes.min(S::LANES);
        let (place, tap) = (self.places[row], self.taps[column]);
        let end = tap.channel as usize + lanes;
        let (y, x) = (place.y + tap.y, place.x + tap.x);
        let is_one_pixel = end <= self.channels as usize;
        let is_inside = y >= 0 && y < self.height && x >= 0;
        // The run ends within the picture's row: what the channels before it take up included.
        let is_run = lanes <= tap.run as usize
            && is_inside
            && x as i64 * self.channels as i64 + end as i64
                <= self.width as i64 * self.channels as i64;
        // SAFETY: inside of a job; `values` has all pixels of all pictures.
        unsafe {
            if is_run && (is_one_pixel || x < self.width) {
                let pixel = self
                    .pixel(place, tap)
                    .map_or(0, |pixel| pixel + tap.channel as usize);
                debug_assert!(pixel + lanes <= self.values.len());
                return f32::load(simd, self.values.as_ptr().add(pixel), lanes);
            }
            if is_one_pixel {
                return simd.splat(0.0);
            }
            let mut some = [0.0_f32; 16];
            for (some, tap) in some.iter_mut().zip(&self.taps[column..column + lanes]) {
                if let Some(pixel) = self.pixel(place, *tap) {
                    *some = self.values[pixel + tap.channel as usize];
                }
            }
            simd.load(some.as_ptr())
        }
    }

    fn holds(&self, rows: usize, width: usize) -> bool {
        rows <= self.places.len() && width <= self.taps.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Isa, Job};

    struct Read<'a>(&'a Windows<'a>, usize, usize, usize);

    impl Job for Read<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn run<S: Simd>(self, simd: S) -> Vec<f32> {
            let mut to = [0.0; 16];
            // SAFETY: inside of a job, within the matrix; there is room for all lanes.
            unsafe { simd.store(to.as_mut_ptr(), self.0.vector(simd, self.1, self.2, self.3)) };
            to[..self.3].to_vec()
        }
    }

    #[test]
    fn is_what_a_loop_finds() {
        for channels in [1, 3, 8, 20] {
            let (height, width) = (4, 5);
            let values: Vec<f32> = (0..2 * height * width * channels)
                .map(|i| 1.0 + i as f32)
                .collect();
            let places: Vec<Place> = (0..40)
                .map(|i| Place {
                    image: i / 20,
                    y: (i / 5 % 4) as i32 - 1,
                    x: (i % 5) as i32 - 1,
                })
                .collect();
            let pixels: Vec<(i32, i32)> = (0..9).map(|i| (i / 3, i % 3)).collect();
            let shape = [2, height, width, channels];
            let windows = Windows::new(&values, shape, places.clone(), &pixels);
            let at = |row: usize, column: usize| {
                let (place, (dy, dx)) = (places[row], pixels[column / channels]);
                let (y, x) = (place.y + dy, place.x + dx);
                let inside = y >= 0 && y < height as i32 && x >= 0 && x < width as i32;
                let pixel = |y: i32, x: i32| {
                    (place.image as usize * height + y as usize) * width + x as usize
                };
                if inside {
                    values[pixel(y, x) * channels + column % channels]
                } else {
                    0.0
                }
            };
            for isa in Isa::present() {
                for row in 0..40 {
                    for column in 0..9 * channels {
                        for lanes in [1, 8, isa.lanes()] {
                            let lanes = lanes.min(9 * channels - column);
                            let expected: Vec<f32> = (column..column + lanes)
                                .map(|column| at(row, column))
                                .collect();
                            assert_eq!(isa.run(Read(&windows, row, column, lanes)), expected);
                        }
                    }
                }
            }
        }
    }
}
