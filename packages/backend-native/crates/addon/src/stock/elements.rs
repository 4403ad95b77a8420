use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::machine::Machine;
use dino_kernels::stock::binary::{self, Binary, accumulate, binary, select};
use dino_kernels::stock::casts::cast;
use dino_kernels::stock::nest::Nest;
use dino_kernels::stock::unary::{self, Unary, unary};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Functions of one number, by tfjs's names.
#[napi]
pub enum UnaryFunction {
    Abs,
    Ceil,
    ClipByValue,
    Elu,
    Erf,
    Exp,
    Floor,
    LeakyRelu,
    Log,
    Neg,
    Reciprocal,
    Relu,
    Relu6,
    Round,
    Rsqrt,
    Sigmoid,
    Sign,
    Softplus,
    Sqrt,
    Square,
    Step,
    Tanh,
}

/// `to = function(x)`; `first` and `second` are the function's parameters, if it has any.
#[napi]
pub fn stock_unary(
    function: UnaryFunction,
    x: Float32ArraySlice,
    mut to: Float32ArraySlice,
    first: f64,
    second: f64,
) -> Result<()> {
    let to = writable(&mut to);
    length("to", to, x.len())?;
    apart(&[place(to)], &[place(&x)])?;
    let (first, second) = (first as f32, second as f32);
    let x: &[f32] = &x;
    match function {
        UnaryFunction::Abs => apply(&unary::Abs, x, to),
        UnaryFunction::Ceil => apply(&unary::Ceil, x, to),
        UnaryFunction::ClipByValue => apply(
            &unary::Clip {
                least: first,
                most: second,
            },
            x,
            to,
        ),
        UnaryFunction::Elu => apply(&unary::Elu, x, to),
        UnaryFunction::Erf => apply(&unary::Erf, x, to),
        UnaryFunction::Exp => apply(&unary::Exp, x, to),
        UnaryFunction::Floor => apply(&unary::Floor, x, to),
        UnaryFunction::LeakyRelu => apply(&unary::LeakyRelu { alpha: first }, x, to),
        UnaryFunction::Log => apply(&unary::Log, x, to),
        UnaryFunction::Neg => apply(&unary::Neg, x, to),
        UnaryFunction::Reciprocal => apply(&unary::Reciprocal, x, to),
        UnaryFunction::Relu => apply(&unary::Relu, x, to),
        UnaryFunction::Relu6 => apply(&unary::Relu6, x, to),
        UnaryFunction::Round => apply(&unary::Round, x, to),
        UnaryFunction::Rsqrt => apply(&unary::Rsqrt, x, to),
        UnaryFunction::Sigmoid => apply(&unary::Sigmoid, x, to),
        UnaryFunction::Sign => apply(&unary::Sign, x, to),
        UnaryFunction::Softplus => apply(&unary::Softplus, x, to),
        UnaryFunction::Sqrt => apply(&unary::Sqrt, x, to),
        UnaryFunction::Square => apply(&unary::Square, x, to),
        UnaryFunction::Step => apply(&unary::Step { alpha: first }, x, to),
        UnaryFunction::Tanh => apply(&unary::Tanh, x, to),
    }
}

fn apply<F: Unary>(function: &F, x: &[f32], to: &mut [f32]) -> Result<()> {
    guarded(|machine| unary(machine, function, x, to))
}

/// Functions of two numbers, by tfjs's names.
#[napi]
pub enum BinaryFunction {
    Add,
    EluGrad,
    Maximum,
    Minimum,
    Multiply,
    Pow,
    Prelu,
    RealDiv,
    SquaredDifference,
    Sub,
}

/// `to = function(a, b)`; for each axis of `to`, `axes` has its size and the steps of `a` and `b`.
/// Without axes, an array is as long as `to`, or one number.
#[napi]
pub fn stock_binary(
    function: BinaryFunction,
    a: Float32ArraySlice,
    b: Float32ArraySlice,
    mut to: Float32ArraySlice,
    axes: Int32ArraySlice,
) -> Result<()> {
    let to = writable(&mut to);
    apart(&[place(to)], &[place(&a), place(&b)])?;
    let nest = nest(&axes, &a, &b, to.len())?;
    let pair = Pair { nest, a: &a, b: &b };
    match function {
        BinaryFunction::Add => pair.apply(&binary::Add, to),
        BinaryFunction::EluGrad => pair.apply(&binary::EluGrad, to),
        BinaryFunction::Maximum => pair.apply(&binary::Maximum, to),
        BinaryFunction::Minimum => pair.apply(&binary::Minimum, to),
        BinaryFunction::Multiply => pair.apply(&binary::Multiply, to),
        BinaryFunction::Pow => pair.apply(&binary::Pow, to),
        BinaryFunction::Prelu => pair.apply(&binary::Prelu, to),
        BinaryFunction::RealDiv => pair.apply(&binary::RealDiv, to),
        BinaryFunction::SquaredDifference => pair.apply(&binary::SquaredDifference, to),
        BinaryFunction::Sub => pair.apply(&binary::Sub, to),
    }
}

/// Comparisons of two numbers, by tfjs's names.
#[napi]
pub enum Comparison {
    Equal,
    Greater,
    GreaterEqual,
    Less,
    LessEqual,
    NotEqual,
}

/// As `stock_binary`; 1 where the comparison is true, else 0.
#[napi]
pub fn stock_compare(
    comparison: Comparison,
    a: Float32ArraySlice,
    b: Float32ArraySlice,
    mut to: Uint8ArraySlice,
    axes: Int32ArraySlice,
) -> Result<()> {
    // SAFETY: as for `writable`.
    let to = unsafe { to.as_mut() };
    apart(&[place(to)], &[place(&a), place(&b)])?;
    let nest = nest(&axes, &a, &b, to.len())?;
    let pair = Pair { nest, a: &a, b: &b };
    match comparison {
        Comparison::Equal => pair.apply(&binary::Equal, to),
        Comparison::Greater => pair.apply(&binary::Greater, to),
        Comparison::GreaterEqual => pair.apply(&binary::GreaterEqual, to),
        Comparison::Less => pair.apply(&binary::Less, to),
        Comparison::LessEqual => pair.apply(&binary::LessEqual, to),
        Comparison::NotEqual => pair.apply(&binary::NotEqual, to),
    }
}

struct Pair<'a> {
    nest: Nest<2>,
    a: &'a [f32],
    b: &'a [f32],
}

impl Pair<'_> {
    fn apply<F: Binary>(&self, function: &F, to: &mut [F::Result]) -> Result<()> {
        guarded(|machine| binary(machine, function, &self.nest, self.a, self.b, to))
    }
}

fn nest(axes: &[i32], a: &[f32], b: &[f32], size: usize) -> Result<Nest<2>> {
    let nest = if axes.is_empty() {
        let size = i32::try_from(size).map_err(|_| invalid("to: expected fewer elements"))?;
        let step = |values: &[f32]| i32::from(values.len() != 1);
        Nest::new(&[size, step(a), step(b)])
    } else {
        Nest::new(axes)
    };
    let Some(nest) = nest else {
        return Err(invalid(
            "axes: expected a size and two steps for each of up to 8",
        ));
    };
    if nest.size() != size || !nest.is_within(0, 0, a.len()) || !nest.is_within(1, 0, b.len()) {
        return Err(invalid("axes: expected those of the arrays, got others"));
    }
    Ok(nest)
}

/// `to[i]` is `then[i]` where `condition[i]` is 1, else `otherwise[i]`.
#[napi]
pub fn stock_select(
    condition: Uint8ArraySlice,
    then: Float32ArraySlice,
    otherwise: Float32ArraySlice,
    mut to: Float32ArraySlice,
) -> Result<()> {
    let to = writable(&mut to);
    length("condition", &condition, to.len())?;
    length("then", &then, to.len())?;
    length("otherwise", &otherwise, to.len())?;
    apart(
        &[place(to)],
        &[place(&condition), place(&then), place(&otherwise)],
    )?;
    guarded(|machine| select(machine, &condition, &then, &otherwise, to))
}

/// `to[i] += x[i]`.
#[napi]
pub fn stock_accumulate(x: Float32ArraySlice, mut to: Float32ArraySlice) -> Result<()> {
    let to = writable(&mut to);
    length("to", to, x.len())?;
    apart(&[place(to)], &[place(&x)])?;
    guarded(|machine| accumulate(machine, &x, to))
}

/// Floats as integers.
#[napi]
pub fn stock_float_to_int(x: Float32ArraySlice, mut to: Int32ArraySlice) -> Result<()> {
    // SAFETY: as for `writable`.
    converted(&x, unsafe { to.as_mut() }, |machine, x, to| {
        cast(machine, x, to)
    })
}

/// Whether floats are anything but 0.
#[napi]
pub fn stock_float_to_bool(x: Float32ArraySlice, mut to: Uint8ArraySlice) -> Result<()> {
    // SAFETY: as for `writable`.
    converted(&x, unsafe { to.as_mut() }, |machine, x, to| {
        cast(machine, x, to)
    })
}

/// Integers as floats.
#[napi]
pub fn stock_int_to_float(x: Int32ArraySlice, mut to: Float32ArraySlice) -> Result<()> {
    converted(&x, writable(&mut to), cast)
}

/// Booleans as floats.
#[napi]
pub fn stock_bool_to_float(x: Uint8ArraySlice, mut to: Float32ArraySlice) -> Result<()> {
    converted(&x, writable(&mut to), cast)
}

fn converted<F, T>(
    x: &[F],
    to: &mut [T],
    convert: impl FnOnce(&Machine, &[F], &mut [T]),
) -> Result<()> {
    length("to", to, x.len())?;
    apart(&[place(to)], &[place(x)])?;
    guarded(|machine| convert(machine, x, to))
}
