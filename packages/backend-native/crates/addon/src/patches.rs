use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use crate::products::{ProductSize, add_outer, multiply};
use dino_kernels::patches::{Grid, Patches, WithoutClass, by_channel, by_pixel, from_patches};
use dino_kernels::product::{Finish, Results, Source};
use dino_kernels::sums;
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Pictures and their patches.
#[napi(object)]
pub struct GridInfo {
    pub pictures: u32,
    pub rows: u32,
    pub columns: u32,
    pub channels: u32,
    pub patch: u32,
}

fn grid(info: &GridInfo) -> Result<Grid> {
    if info.patch == 0 || info.rows < info.patch || info.columns < info.patch {
        return Err(invalid(format!(
            "patch: expected from 1 to {} x {}, got {}",
            info.rows, info.columns, info.patch
        )));
    }
    Ok(Grid {
        pictures: info.pictures as usize,
        rows: info.rows as usize,
        columns: info.columns as usize,
        channels: info.channels as usize,
        patch: info.patch as usize,
    })
}

/// A product of as many rows as there are tokens.
fn product_size(grid: Grid, inputs: usize, outputs: usize, bf16: bool) -> ProductSize {
    ProductSize {
        rows: (grid.pictures * grid.tokens()) as u32,
        inputs: inputs as u32,
        outputs: outputs as u32,
        bf16,
    }
}

/// Pictures to tokens, a class token before the patches, positions added.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn embed_patches(
    images: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    class_token: Float32ArraySlice,
    positions: Float32ArraySlice,
    mut y: Float32ArraySlice,
    info: GridInfo,
    bf16: bool,
) -> Result<()> {
    let grid = grid(&info)?;
    let (width, tokens, k) = (bias.len(), grid.tokens(), grid.depth());
    let m = grid.pictures * tokens;
    length("images", &images, grid.pixels())?;
    length("weight", &weight, width * k)?;
    length("classToken", &class_token, width)?;
    length("positions", &positions, tokens * width)?;
    length("y", &y, m * width)?;
    let read = [&images, &weight, &bias, &class_token, &positions].map(|array| place(array));
    apart(&[place(&y)], &read)?;
    let y = writable(&mut y);
    guarded(|machine| {
        let mut by_pixels = vec![0.0; weight.len()];
        by_pixel(&weight, grid, &mut by_pixels);
        let left = Source::Patches(Patches {
            grid,
            images: &images,
        });
        let (class_token, positions) = (&*class_token, &*positions);
        let finish = Finish::Embedding {
            bias: &bias,
            class_token,
            positions,
            tokens,
        };
        let size = product_size(grid, k, width, bf16);
        let to = Results::from(y);
        multiply(machine, &left, &by_pixels, true, finish, to, size);
    })
}

/// The gradients of kernel, bias and positions; the class token's is the first position's.
#[napi]
pub fn embed_patches_back(
    dy: Float32ArraySlice,
    images: Float32ArraySlice,
    mut d_weight: Float32ArraySlice,
    mut d_bias: Float32ArraySlice,
    mut d_positions: Float32ArraySlice,
    info: GridInfo,
    bf16: bool,
) -> Result<()> {
    let grid = grid(&info)?;
    let (width, tokens, n) = (d_bias.len(), grid.tokens(), grid.depth());
    let count = grid.pictures * tokens;
    length("dy", &dy, count * width)?;
    length("images", &images, grid.pixels())?;
    length("dWeight", &d_weight, width * n)?;
    length("dPositions", &d_positions, tokens * width)?;
    let written = [place(&d_weight), place(&d_bias), place(&d_positions)];
    apart(&written, &[place(&dy), place(&images)])?;
    let (d_weight, d_bias) = (writable(&mut d_weight), writable(&mut d_bias));
    let d_positions = writable(&mut d_positions);
    guarded(|machine| {
        let mut by_pixels = vec![0.0; d_weight.len()];
        let left = Source::WithoutClass(WithoutClass {
            rows: &dy,
            width,
            tokens,
        });
        let right = Source::Patches(Patches {
            grid,
            images: &images,
        });
        let size = product_size(grid, n, width, bf16);
        add_outer(machine, &left, &right, &mut by_pixels, d_bias, size);
        by_channel(&by_pixels, grid, d_weight);
        sums::sum_rows(machine, &dy, d_positions);
    })
}

/// The gradient of the pictures.
#[napi]
pub fn embed_patches_pixels_back(
    dy: Float32ArraySlice,
    weight: Float32ArraySlice,
    mut d_images: Float32ArraySlice,
    width: u32,
    info: GridInfo,
) -> Result<()> {
    let grid = grid(&info)?;
    let (width, depth) = (width as usize, grid.depth());
    let m = grid.pictures * grid.tokens();
    length("dy", &dy, m * width)?;
    length("weight", &weight, width * depth)?;
    length("dImages", &d_images, grid.pixels())?;
    apart(&[place(&d_images)], &[place(&dy), place(&weight)])?;
    let d_images = writable(&mut d_images);
    guarded(|machine| {
        let mut by_pixels = vec![0.0; weight.len()];
        by_pixel(&weight, grid, &mut by_pixels);
        let mut d_patches = vec![0.0; m * depth];
        let left = Source::dense(&dy, width);
        let size = product_size(grid, width, depth, false);
        let to = Results::from(d_patches.as_mut_slice());
        multiply(machine, &left, &by_pixels, false, Finish::Plain, to, size);
        from_patches(&d_patches, grid, d_images);
    })
}
