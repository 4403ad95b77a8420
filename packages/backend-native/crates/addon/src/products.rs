use crate::check::{apart, count, invalid, length, place, writable};
use crate::machine::guarded;
use crate::stored::{Activations, activations_length, activations_place, dense, results_of};
use dino_kernels::activation;
use dino_kernels::machine::Machine;
use dino_kernels::output::Output;
use dino_kernels::product::{
    Active, Finish, Normed, Norming, Outer, Panels, Precision, Product, Results, Right, Source,
    outer, product,
};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Sizes of a product `[rows, inputs]` times `[inputs, outputs]`.
#[napi(object)]
#[derive(Clone, Copy)]
pub struct ProductSize {
    pub rows: u32,
    pub inputs: u32,
    pub outputs: u32,
    /// Whether bfloat16 is multiplied.
    pub bf16: bool,
}

impl ProductSize {
    fn sizes(&self) -> (usize, usize, usize) {
        (
            self.rows as usize,
            self.inputs as usize,
            self.outputs as usize,
        )
    }

    fn precision(&self) -> Precision {
        if self.bf16 {
            Precision::Bf16
        } else {
            Precision::Fp32
        }
    }
}

/// What follows an affine map.
#[derive(Clone, Copy, PartialEq)]
enum Activation {
    None,
    Gelu,
    Relu,
}

impl Activation {
    fn named(name: &str) -> Result<Activation> {
        match name {
            "none" => Ok(Activation::None),
            "gelu" => Ok(Activation::Gelu),
            "relu" => Ok(Activation::Relu),
            _ => Err(invalid(format!(
                "activation: expected none, gelu or relu, got {name}"
            ))),
        }
    }
}

/// `activation(x wT + b)`; what was before the activation is kept where there is room for it.
#[napi]
pub fn affine(
    x: Activations,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    activation: String,
    mut y: Activations,
    mut before: Option<Activations>,
    size: ProductSize,
) -> Result<()> {
    let (m, k, n) = size.sizes();
    check_affine(&weight, &bias, &y, &before, (m, k, n))?;
    count("x", activations_length(&x), m * k)?;
    let inputs = [activations_place(&x), place(&weight), place(&bias)];
    apart(&results(&y, &before), &inputs)?;
    let activation = Activation::named(&activation)?;
    run_affine(
        &dense(&x, k),
        &weight,
        &bias,
        activation,
        &mut y,
        &mut before,
        size,
    )
}

/// Layer norm, then the affine map: `x` is `[rows, inputs]`, statistics are written.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn affine_normed(
    x: Float32ArraySlice,
    norm_weight: Float32ArraySlice,
    norm_bias: Float32ArraySlice,
    epsilon: f64,
    mut mean: Float32ArraySlice,
    mut inverse_std: Float32ArraySlice,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    activation: String,
    mut y: Activations,
    mut before: Option<Activations>,
    size: ProductSize,
) -> Result<()> {
    let (m, k, n) = size.sizes();
    check_affine(&weight, &bias, &y, &before, (m, k, n))?;
    length("x", &x, m * k)?;
    length("normWeight", &norm_weight, k)?;
    length("normBias", &norm_bias, k)?;
    length("mean", &mean, m)?;
    length("inverseStd", &inverse_std, m)?;
    let mut written = results(&y, &before);
    written.extend([place(&mean), place(&inverse_std)]);
    let read = [&x, &norm_weight, &norm_bias, &weight, &bias].map(|array| place(array));
    apart(&written, &read)?;
    let left = Source::Norming(Norming {
        x: &x,
        weight: &norm_weight,
        bias: &norm_bias,
        epsilon: epsilon as f32,
        mean: Output::new(writable(&mut mean)),
        inverse_std: Output::new(writable(&mut inverse_std)),
    });
    let activation = Activation::named(&activation)?;
    run_affine(&left, &weight, &bias, activation, &mut y, &mut before, size)
}

/// `onto + factors * (x wT + b)`, a factor for each row or none.
#[napi]
pub fn affine_residual(
    x: Activations,
    weight: Float32ArraySlice,
    bias: Float32ArraySlice,
    factors: Option<Float32ArraySlice>,
    onto: Float32ArraySlice,
    mut y: Float32ArraySlice,
    size: ProductSize,
) -> Result<()> {
    let (m, k, n) = size.sizes();
    count("x", activations_length(&x), m * k)?;
    length("weight", &weight, n * k)?;
    length("bias", &bias, n)?;
    length("onto", &onto, m * n)?;
    length("y", &y, m * n)?;
    check_factors(&factors, m)?;
    let mut read = vec![
        activations_place(&x),
        place(&weight),
        place(&bias),
        place(&onto),
    ];
    read.extend(factors.iter().map(|factors| place(factors)));
    apart(&[place(&y)], &read)?;
    let finish = Finish::Residual {
        bias: &bias,
        factors: factors.as_deref(),
        onto: &onto,
    };
    let to = Results::from(writable(&mut y));
    guarded(|machine| multiply(machine, &dense(&x, k), &weight, true, finish, to, size))
}

/// `(factors * dy) w`, and times the GELU's derivative at `before`, if it is there.
#[napi]
pub fn product_back(
    dy: Float32ArraySlice,
    factors: Option<Float32ArraySlice>,
    weight: Float32ArraySlice,
    before: Option<Activations>,
    mut dx: Float32ArraySlice,
    size: ProductSize,
) -> Result<()> {
    let (m, k, n) = size.sizes();
    length("dy", &dy, m * k)?;
    length("weight", &weight, k * n)?;
    length("dx", &dx, m * n)?;
    check_factors(&factors, m)?;
    if let Some(before) = &before {
        count("before", activations_length(before), m * n)?;
    }
    let mut read = vec![place(&dy), place(&weight)];
    read.extend(factors.iter().map(|factors| place(factors)));
    read.extend(before.iter().map(activations_place));
    apart(&[place(&dx)], &read)?;
    let finish = match &before {
        None => Finish::Plain,
        Some(Either::A(before)) => Finish::SlopeOf { before, width: n },
        Some(Either::B(before)) => Finish::SlopeOfBf16 { before, width: n },
    };
    let left = Source::weighted(&dy, k, factors.as_deref());
    let to = Results::from(writable(&mut dx));
    guarded(|machine| multiply(machine, &left, &weight, false, finish, to, size))
}

/// `dyT x`, of gradients `[rows, outputs]` and `x` `[rows, inputs]`, or its GELU when `isBefore`;
/// and the sums of the gradients.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn weight_back(
    dy: Float32ArraySlice,
    factors: Option<Float32ArraySlice>,
    x: Activations,
    is_before: bool,
    mut d_weight: Float32ArraySlice,
    mut d_bias: Float32ArraySlice,
    size: ProductSize,
) -> Result<()> {
    let (m, k, _) = size.sizes();
    check_weight_back(&dy, &factors, &d_weight, &d_bias, size)?;
    count("x", activations_length(&x), m * k)?;
    let mut read = vec![place(&dy), activations_place(&x)];
    read.extend(factors.iter().map(|factors| place(factors)));
    apart(&[place(&d_weight), place(&d_bias)], &read)?;
    let (d_weight, d_bias) = (writable(&mut d_weight), writable(&mut d_bias));
    let right = match &x {
        Either::A(before) if is_before => Source::Active(Active { before, width: k }),
        Either::B(before) if is_before => Source::ActiveBf16(Active { before, width: k }),
        _ => dense(&x, k),
    };
    let left = Source::weighted(&dy, size.outputs as usize, factors.as_deref());
    guarded(|machine| add_outer(machine, &left, &right, d_weight, d_bias, size))
}

/// The same where `x` is normalised again on the way.
#[napi]
#[allow(clippy::too_many_arguments)]
pub fn weight_back_normed(
    dy: Float32ArraySlice,
    x: Float32ArraySlice,
    norm_weight: Float32ArraySlice,
    norm_bias: Float32ArraySlice,
    mean: Float32ArraySlice,
    inverse_std: Float32ArraySlice,
    mut d_weight: Float32ArraySlice,
    mut d_bias: Float32ArraySlice,
    size: ProductSize,
) -> Result<()> {
    let (m, k, _) = size.sizes();
    check_weight_back(&dy, &None, &d_weight, &d_bias, size)?;
    length("x", &x, m * k)?;
    length("normWeight", &norm_weight, k)?;
    length("normBias", &norm_bias, k)?;
    length("mean", &mean, m)?;
    length("inverseStd", &inverse_std, m)?;
    let read = [&dy, &x, &norm_weight, &norm_bias, &mean, &inverse_std].map(|array| place(array));
    apart(&[place(&d_weight), place(&d_bias)], &read)?;
    let (d_weight, d_bias) = (writable(&mut d_weight), writable(&mut d_bias));
    let right = Source::Normed(Normed {
        x: &x,
        mean: &mean,
        inverse_std: &inverse_std,
        weight: &norm_weight,
        bias: &norm_bias,
    });
    let left = Source::dense(&dy, size.outputs as usize);
    guarded(|machine| add_outer(machine, &left, &right, d_weight, d_bias, size))
}

/// Gradients times an activation's derivative at what was before it.
#[napi]
pub fn activation_back(
    dy: Float32ArraySlice,
    before: Float32ArraySlice,
    activation: String,
    mut dx: Float32ArraySlice,
) -> Result<()> {
    length("before", &before, dy.len())?;
    length("dx", &dx, dy.len())?;
    apart(&[place(&dx)], &[place(&dy), place(&before)])?;
    let kind = match Activation::named(&activation)? {
        Activation::Gelu => activation::Kind::Gelu,
        Activation::Relu => activation::Kind::Relu,
        Activation::None => return Err(invalid("activation: expected gelu or relu, got none")),
    };
    let dx = writable(&mut dx);
    guarded(|machine| activation::back(machine, kind, &dy, &before, dx))
}

/// The exact GELU, and its derivative where there is room for it.
#[napi]
pub fn gelu(
    x: Float32ArraySlice,
    mut y: Float32ArraySlice,
    mut slope: Option<Float32ArraySlice>,
) -> Result<()> {
    length("y", &y, x.len())?;
    let mut written = vec![place(&y)];
    if let Some(slope) = &slope {
        length("slope", slope, x.len())?;
        written.push(place(slope));
    }
    apart(&written, &[place(&x)])?;
    let (y, slope) = (writable(&mut y), slope.as_mut().map(writable));
    guarded(|machine| activation::gelu(machine, &x, y, slope))
}

/// Gradients of a weight and a bias: the rows of `right` weighted by those of `left`, added up.
pub fn add_outer(
    machine: &Machine,
    left: &Source,
    right: &Source,
    d_weight: &mut [f32],
    d_bias: &mut [f32],
    size: ProductSize,
) {
    let (rows, n, m) = size.sizes();
    let precision = size.precision();
    let (to, sums) = (d_weight, Some(d_bias));
    outer(
        machine,
        Outer {
            rows,
            m,
            n,
            precision,
            left,
            right,
            to,
            sums,
        },
    );
}

fn run_affine(
    left: &Source,
    weight: &[f32],
    bias: &[f32],
    activation: Activation,
    y: &mut Activations,
    before: &mut Option<Activations>,
    size: ProductSize,
) -> Result<()> {
    let before = before.as_mut().map(results_of);
    let finish = match activation {
        Activation::None => Finish::Bias(bias),
        Activation::Gelu => Finish::BiasGelu { bias, before },
        Activation::Relu => Finish::BiasRelu { bias, before },
    };
    let to = results_of(y);
    guarded(|machine| multiply(machine, left, weight, true, finish, to, size))
}

/// `left` times a weight, which is `[outputs, inputs]` where it is transposed.
pub fn multiply(
    machine: &Machine,
    left: &Source,
    weight: &[f32],
    transposed: bool,
    finish: Finish,
    to: Results,
    size: ProductSize,
) {
    let (m, k, n) = size.sizes();
    let precision = size.precision();
    let mut shared = machine.shared();
    let [buffer] = shared.pieces([Panels::size(machine, precision, k, n)]);
    let right = Right {
        values: weight,
        stride: if transposed { k } else { n },
        transposed,
    };
    let right = Panels::pack(machine, right, precision, k, n, buffer);
    product(
        machine,
        Product {
            m,
            k,
            left,
            right,
            finish,
            to,
        },
    );
}

fn check_affine(
    weight: &[f32],
    bias: &[f32],
    y: &Activations,
    before: &Option<Activations>,
    (m, k, n): (usize, usize, usize),
) -> Result<()> {
    length("weight", weight, n * k)?;
    length("bias", bias, n)?;
    count("y", activations_length(y), m * n)?;
    match before {
        Some(before) => count("before", activations_length(before), m * n),
        None => Ok(()),
    }
}

fn check_weight_back(
    dy: &[f32],
    factors: &Option<Float32ArraySlice>,
    d_weight: &[f32],
    d_bias: &[f32],
    size: ProductSize,
) -> Result<()> {
    let (m, k, n) = size.sizes();
    length("dy", dy, m * n)?;
    length("dWeight", d_weight, n * k)?;
    length("dBias", d_bias, n)?;
    check_factors(factors, m)
}

fn check_factors(factors: &Option<Float32ArraySlice>, rows: usize) -> Result<()> {
    factors
        .as_ref()
        .map_or(Ok(()), |factors| length("factors", factors, rows))
}

fn results(y: &Activations, before: &Option<Activations>) -> Vec<(*const u8, usize)> {
    std::iter::once(y)
        .chain(before)
        .map(activations_place)
        .collect()
}
