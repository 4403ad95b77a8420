use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use crate::stored::{Activations, activations_length, activations_place, with_activations};
use dino_kernels::attention::{
    Attention, AttentionBack, ClassAttention, ClassAttentionBack, Layout, Segment, attention,
    attention_back, attention_weights, class_attention, class_attention_back,
};
use dino_kernels::cross_entropy::{Views, cross_entropy, cross_entropy_back};
use dino_kernels::norm::{self, NormBack};
use dino_kernels::output::Output;
use dino_kernels::patches::{Grid, Patches, WithoutClass, by_channel, by_pixel, from_patches};
use dino_kernels::product::{
    Finish, Normed, Norming, Outer, Panels, Precision, Product, Results, Right, Source, outer,
    product,
};
use dino_kernels::sums;
use dino_kernels::updates::{self, AdamW, AdamWSettings, Descent};
use dino_kernels::weight_norm::{self, WeightNorm, WeightNormBack};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Layer norm of rows; the statistics are written too.
#[napi]
pub fn layer_norm(
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    epsilon: f64,
    mut y: Float32ArraySlice,
    mut mean: Float32ArraySlice,
    mut inverse_std: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("x", &x, rows * width)?;
    length("bias", &bias, width)?;
    length("y", &y, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    let read = [place(&x), place(&weight), place(&bias)];
    apart(&[place(&y), place(&mean), place(&inverse_std)], &read)?;
    let source = Norming {
        x: &x,
        weight: &weight,
        bias: &bias,
        epsilon: epsilon as f32,
        mean: Output::new(writable(&mut mean)),
        inverse_std: Output::new(writable(&mut inverse_std)),
    };
    let y = writable(&mut y);
    guarded(|machine| norm::norm(machine, &source, y))
}

/// The rows normalised again, from the statistics of the first time.
#[napi]
pub fn layer_norm_again(
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    mean: Float32ArraySlice,
    inverse_std: Float32ArraySlice,
    mut y: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("x", &x, rows * width)?;
    length("bias", &bias, width)?;
    length("y", &y, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    let read = [&x, &weight, &bias, &mean, &inverse_std].map(|array| place(array));
    apart(&[place(&y)], &read)?;
    let source = Normed {
        x: &x,
        mean: &mean,
        inverse_std: &inverse_std,
        weight: &weight,
        bias: &bias,
    };
    let y = writable(&mut y);
    guarded(|machine| norm::fill(machine, &source, rows, width, y))
}

/// The way back through a layer norm; `around` is added to `dx` where it is given.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn layer_norm_back(
    dy: Float32ArraySlice,
    x: Float32ArraySlice,
    weight: Float32ArraySlice,
    mean: Float32ArraySlice,
    inverse_std: Float32ArraySlice,
    around: Option<Float32ArraySlice>,
    mut dx: Float32ArraySlice,
    mut d_weight: Float32ArraySlice,
    mut d_bias: Float32ArraySlice,
) -> Result<()> {
    let (rows, width) = (mean.len(), weight.len());
    length("dy", &dy, rows * width)?;
    length("x", &x, rows * width)?;
    length("inverseStd", &inverse_std, rows)?;
    length("dx", &dx, rows * width)?;
    length("dWeight", &d_weight, width)?;
    length("dBias", &d_bias, width)?;
    if let Some(around) = &around {
        length("around", around, rows * width)?;
    }
    let mut read: Vec<_> = [&dy, &x, &weight, &mean, &inverse_std]
        .map(|a| place(a))
        .into();
    read.extend(around.iter().map(|around| place(around)));
    apart(&[place(&dx), place(&d_weight), place(&d_bias)], &read)?;
    let args = NormBack {
        dy: &dy,
        x: &x,
        weight: &weight,
        mean: &mean,
        inverse_std: &inverse_std,
        around: around.as_deref(),
        dx: writable(&mut dx),
        d_weight: writable(&mut d_weight),
        d_bias: writable(&mut d_bias),
    };
    guarded(|machine| norm::norm_back(machine, args))
}

/// Sequences of one length.
#[napi(object)]
pub struct SegmentInfo {
    pub sequences: u32,
    pub tokens: u32,
}

fn segments_of(segments: &[SegmentInfo], heads: u32, width: u32) -> Result<Vec<Segment>> {
    if heads == 0 || !width.is_multiple_of(heads) {
        return Err(invalid(format!(
            "heads: expected a divisor of {width}, got {heads}"
        )));
    }
    Ok(segments
        .iter()
        .filter(|segment| segment.sequences > 0 && segment.tokens > 0)
        .map(|segment| Segment {
            sequences: segment.sequences as usize,
            tokens: segment.tokens as usize,
        })
        .collect())
}

fn layout(segments: &[Segment], heads: u32, width: u32) -> Layout<'_> {
    Layout {
        segments,
        heads: heads as usize,
        width: width as usize,
    }
}

fn expect(name: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(invalid(format!(
        "{name}: expected {expected} elements, got {found}"
    )))
}

/// Attention of packed queries, keys and values.
#[napi]
pub fn attend(
    qkv: Activations,
    mut mixed: Activations,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    expect(
        "qkv",
        activations_length(&qkv),
        layout.rows() * 3 * layout.width,
    )?;
    expect(
        "mixed",
        activations_length(&mixed),
        layout.rows() * layout.width,
    )?;
    apart(&[activations_place(&mixed)], &[activations_place(&qkv)])?;
    match (&qkv, &mut mixed) {
        (Either::A(qkv), Either::A(mixed)) => {
            let mixed = writable(mixed);
            guarded(|machine| attention(machine, Attention { layout, qkv, mixed }))
        }
        (Either::B(qkv), Either::B(mixed)) => {
            let mixed = crate::check::writable_bf16(mixed);
            guarded(|machine| attention(machine, Attention { layout, qkv, mixed }))
        }
        _ => Err(invalid(
            "mixed: expected numbers of the kind of qkv, got others",
        )),
    }
}

#[napi]
pub fn attend_back(
    qkv: Activations,
    dy: Float32ArraySlice,
    mut d_qkv: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    expect(
        "qkv",
        activations_length(&qkv),
        layout.rows() * 3 * layout.width,
    )?;
    length("dy", &dy, layout.rows() * layout.width)?;
    length("dQkv", &d_qkv, layout.rows() * 3 * layout.width)?;
    apart(&[place(&d_qkv)], &[activations_place(&qkv), place(&dy)])?;
    let (dy, d_qkv) = (&*dy, writable(&mut d_qkv));
    with_activations!(qkv => qkv, guarded(|machine| {
        attention_back(machine, AttentionBack { layout, qkv, dy, d_qkv });
    }))
}

/// What each token attends to, of one segment.
#[napi]
pub fn attend_weights(
    qkv: Float32ArraySlice,
    mut weights: Float32ArraySlice,
    sequences: u32,
    tokens: u32,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&[SegmentInfo { sequences, tokens }], heads, width)?;
    let layout = layout(&segments, heads, width);
    length("qkv", &qkv, layout.rows() * 3 * layout.width)?;
    length(
        "weights",
        &weights,
        layout.rows() * layout.heads * tokens as usize,
    )?;
    apart(&[place(&weights)], &[place(&qkv)])?;
    if segments.is_empty() {
        return Ok(());
    }
    let weights = writable(&mut weights);
    guarded(|machine| attention_weights(machine, layout, &qkv, weights))
}

/// Attention of the class token's query alone.
#[napi]
pub fn attend_class(
    q: Float32ArraySlice,
    kv: Float32ArraySlice,
    mut mixed: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    length("q", &q, layout.sequences() * layout.width)?;
    length("kv", &kv, layout.rows() * 2 * layout.width)?;
    length("mixed", &mixed, q.len())?;
    apart(&[place(&mixed)], &[place(&q), place(&kv)])?;
    let (q, kv, mixed) = (&q, &kv, writable(&mut mixed));
    guarded(|machine| {
        class_attention(
            machine,
            ClassAttention {
                layout,
                q,
                kv,
                mixed,
            },
        )
    })
}

#[napi]
#[allow(clippy::too_many_arguments)]
pub fn attend_class_back(
    q: Float32ArraySlice,
    kv: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut d_q: Float32ArraySlice,
    mut d_kv: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    length("q", &q, layout.sequences() * layout.width)?;
    length("kv", &kv, layout.rows() * 2 * layout.width)?;
    length("dy", &dy, q.len())?;
    length("dQ", &d_q, q.len())?;
    length("dKv", &d_kv, kv.len())?;
    apart(
        &[place(&d_q), place(&d_kv)],
        &[place(&q), place(&kv), place(&dy)],
    )?;
    let args = ClassAttentionBack {
        layout,
        q: &q,
        kv: &kv,
        dy: &dy,
        d_q: writable(&mut d_q),
        d_kv: writable(&mut d_kv),
    };
    guarded(|machine| class_attention_back(machine, args))
}

/// Sizes of the loss's inputs.
#[napi(object)]
pub struct ViewsInfo {
    pub crops: u32,
    pub globals: u32,
    pub batch: u32,
    pub prototypes: u32,
    pub temperature: f64,
}

fn views<'a>(student: &'a [f32], targets: &'a [f32], info: &ViewsInfo) -> Result<Views<'a>> {
    let views = Views {
        student,
        targets,
        crops: info.crops as usize,
        globals: info.globals as usize,
        batch: info.batch as usize,
        prototypes: info.prototypes as usize,
        temperature: info.temperature as f32,
    };
    length(
        "student",
        student,
        views.crops * views.batch * views.prototypes,
    )?;
    length(
        "targets",
        targets,
        views.globals * views.batch * views.prototypes,
    )?;
    if views.crops < 2 {
        return Err(invalid(format!(
            "crops: expected at least 2, got {}",
            views.crops
        )));
    }
    Ok(views)
}

#[napi]
pub fn dino_loss(
    student: Float32ArraySlice,
    targets: Float32ArraySlice,
    info: ViewsInfo,
) -> Result<f64> {
    let views = views(&student, &targets, &info)?;
    guarded(|machine| f64::from(cross_entropy(machine, views)))
}

#[napi]
pub fn dino_loss_back(
    student: Float32ArraySlice,
    targets: Float32ArraySlice,
    dy: f64,
    mut gradient: Float32ArraySlice,
    info: ViewsInfo,
) -> Result<()> {
    let views = views(&student, &targets, &info)?;
    length("gradient", &gradient, student.len())?;
    apart(&[place(&gradient)], &[place(&student), place(&targets)])?;
    let gradient = writable(&mut gradient);
    guarded(|machine| cross_entropy_back(machine, views, dy as f32, gradient))
}

#[napi]
pub fn weight_norm_linear(
    x: Float32ArraySlice,
    gain: Float32ArraySlice,
    direction: Float32ArraySlice,
    mut y: Float32ArraySlice,
    rows: u32,
    inputs: u32,
) -> Result<()> {
    let (rows, inputs, outputs) = (rows as usize, inputs as usize, gain.len());
    length("x", &x, rows * inputs)?;
    length("direction", &direction, outputs * inputs)?;
    length("y", &y, rows * outputs)?;
    apart(&[place(&y)], &[place(&x), place(&gain), place(&direction)])?;
    let (x, gain, direction, y) = (&*x, &*gain, &*direction, writable(&mut y));
    guarded(|machine| {
        weight_norm::weight_norm(
            machine,
            WeightNorm {
                x,
                gain,
                direction,
                rows,
                inputs,
                y,
            },
        );
    })
}

#[napi]
#[allow(clippy::too_many_arguments)]
pub fn weight_norm_linear_back(
    x: Float32ArraySlice,
    gain: Float32ArraySlice,
    direction: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut dx: Float32ArraySlice,
    mut d_gain: Float32ArraySlice,
    mut d_direction: Float32ArraySlice,
    rows: u32,
    inputs: u32,
) -> Result<()> {
    let (rows, inputs, outputs) = (rows as usize, inputs as usize, gain.len());
    length("x", &x, rows * inputs)?;
    length("direction", &direction, outputs * inputs)?;
    length("dy", &dy, rows * outputs)?;
    length("dx", &dx, x.len())?;
    length("dGain", &d_gain, outputs)?;
    length("dDirection", &d_direction, direction.len())?;
    let read = [&x, &gain, &direction, &dy].map(|array| place(array));
    apart(&[place(&dx), place(&d_gain), place(&d_direction)], &read)?;
    let args = WeightNormBack {
        x: &x,
        gain: &gain,
        direction: &direction,
        dy: &dy,
        rows,
        inputs,
        dx: writable(&mut dx),
        d_gain: writable(&mut d_gain),
        d_direction: writable(&mut d_direction),
    };
    guarded(|machine| weight_norm::weight_norm_back(machine, args))
}

/// Rows of length 1, and their lengths.
#[napi]
pub fn unit_rows(
    x: Float32ArraySlice,
    epsilon: f64,
    mut y: Float32ArraySlice,
    mut norms: Float32ArraySlice,
) -> Result<()> {
    length("y", &y, x.len())?;
    if !x.len().is_multiple_of(norms.len().max(1)) {
        return Err(invalid("norms: expected one for each row"));
    }
    apart(&[place(&y), place(&norms)], &[place(&x)])?;
    let (y, norms) = (writable(&mut y), writable(&mut norms));
    guarded(|machine| weight_norm::unit_rows(machine, &x, epsilon as f32, y, norms))
}

#[napi]
pub fn unit_rows_back(
    dy: Float32ArraySlice,
    x: Float32ArraySlice,
    norms: Float32ArraySlice,
    epsilon: f64,
    mut dx: Float32ArraySlice,
) -> Result<()> {
    length("dy", &dy, x.len())?;
    length("dx", &dx, x.len())?;
    if !x.len().is_multiple_of(norms.len().max(1)) {
        return Err(invalid("norms: expected one for each row"));
    }
    apart(&[place(&dx)], &[place(&dy), place(&x), place(&norms)])?;
    let dx = writable(&mut dx);
    guarded(|machine| {
        weight_norm::unit_rows_back(machine, &dy, &x, &norms, epsilon as f32, dx);
    })
}

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

fn precision(bf16: bool) -> Precision {
    if bf16 {
        Precision::Bf16
    } else {
        Precision::Fp32
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
        let precision = precision(bf16);
        let mut shared = machine.shared();
        let [buffer] = shared.pieces([Panels::size(machine, precision, k, width)]);
        let right = Right {
            values: &by_pixels,
            stride: k,
            transposed: true,
        };
        let right = Panels::pack(machine, right, precision, k, width, buffer);
        let left = &Source::Patches(Patches {
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
        product(
            machine,
            Product {
                m,
                k,
                left,
                right,
                finish,
                to: Results::from(y),
            },
        );
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
        let product = Outer {
            rows: count,
            m: width,
            n,
            precision: precision(bf16),
            left: &Source::WithoutClass(WithoutClass {
                rows: &dy,
                width,
                tokens,
            }),
            right: &Source::Patches(Patches {
                grid,
                images: &images,
            }),
            to: &mut by_pixels,
            sums: Some(d_bias),
        };
        outer(machine, product);
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
        let mut shared = machine.shared();
        let [buffer] = shared.pieces([Panels::size(machine, Precision::Fp32, width, depth)]);
        let right = Right {
            values: &by_pixels,
            stride: depth,
            transposed: false,
        };
        let right = Panels::pack(machine, right, Precision::Fp32, width, depth, buffer);
        let left = &Source::dense(&dy, width);
        let to = Results::from(d_patches.as_mut_slice());
        product(
            machine,
            Product {
                m,
                k: width,
                left,
                right,
                finish: Finish::Plain,
                to,
            },
        );
        from_patches(&d_patches, grid, d_images);
    })
}

/// The settings of one update of AdamW.
#[napi(object)]
pub struct AdamWInfo {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub beta1: f64,
    pub beta2: f64,
    pub epsilon: f64,
    pub step: f64,
    pub clip: Option<f64>,
    pub momentum: Option<f64>,
}

/// One update of AdamW, in place.
#[napi]
pub fn adam_w(
    mut parameter: Float32ArraySlice,
    gradient: Float32ArraySlice,
    mut moment1: Float32ArraySlice,
    mut moment2: Float32ArraySlice,
    mut average: Option<Float32ArraySlice>,
    info: AdamWInfo,
) -> Result<()> {
    let count = parameter.len();
    length("gradient", &gradient, count)?;
    length("moment1", &moment1, count)?;
    length("moment2", &moment2, count)?;
    let mut written = vec![place(&parameter), place(&moment1), place(&moment2)];
    if let Some(average) = &average {
        length("average", average, count)?;
        written.push(place(average));
    }
    apart(&written, &[place(&gradient)])?;
    let settings = AdamWSettings {
        learning_rate: info.learning_rate,
        weight_decay: info.weight_decay,
        beta1: info.beta1,
        beta2: info.beta2,
        epsilon: info.epsilon,
        step: info.step,
        clip: info.clip,
        momentum: info.momentum.unwrap_or(0.0),
    };
    let args = AdamW {
        parameter: writable(&mut parameter),
        gradient: &gradient,
        moment1: writable(&mut moment1),
        moment2: writable(&mut moment2),
        average: average.as_mut().map(writable),
        settings,
    };
    guarded(|machine| updates::adam_w(machine, args))
}

/// The settings of one step of descent.
#[napi(object)]
pub struct DescentInfo {
    pub learning_rate: f64,
    pub weight_decay: f64,
    pub momentum: f64,
    /// Whether the buffer holds nothing yet.
    pub is_first: bool,
    /// LARS's, where the parameter is adapted.
    pub trust: Option<f64>,
}

/// One step of gradient descent with momentum, or of LARS, in place.
#[napi]
pub fn descend(
    mut parameter: Float32ArraySlice,
    gradient: Float32ArraySlice,
    mut buffer: Float32ArraySlice,
    info: DescentInfo,
) -> Result<()> {
    length("gradient", &gradient, parameter.len())?;
    length("buffer", &buffer, parameter.len())?;
    apart(&[place(&parameter), place(&buffer)], &[place(&gradient)])?;
    let args = Descent {
        parameter: writable(&mut parameter),
        gradient: &gradient,
        buffer: writable(&mut buffer),
        is_first: info.is_first,
        learning_rate: info.learning_rate as f32,
        weight_decay: info.weight_decay as f32,
        momentum: info.momentum as f32,
        trust: info.trust.map(|trust| trust as f32),
    };
    guarded(|machine| updates::descend(machine, args))
}

/// A moving average after one more value, in place.
#[napi]
pub fn moving_average(
    mut average: Float32ArraySlice,
    value: Float32ArraySlice,
    momentum: f64,
) -> Result<()> {
    length("value", &value, average.len())?;
    apart(&[place(&average)], &[place(&value)])?;
    let average = writable(&mut average);
    guarded(|machine| updates::ema(machine, average, &value, momentum))
}

/// Shortens a gradient that is longer than `maximum`, in place.
#[napi]
pub fn clip_by_norm(mut gradient: Float32ArraySlice, maximum: f64) -> Result<()> {
    let gradient = writable(&mut gradient);
    guarded(|machine| {
        updates::clip(machine, gradient, maximum);
    })
}

/// The sum of all squares.
#[napi]
pub fn squared_norm(x: Float32ArraySlice) -> Result<f64> {
    guarded(|machine| f64::from(sums::squared_norm(machine, &x)))
}
