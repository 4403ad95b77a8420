//! The products of a Vision Transformer on one thread, in GFLOP/s, beside those of the crate
//! `gemm`, turn by turn: `cargo run --release -p dino-yardstick`.

use dino_kernels::machine::Machine;
use dino_kernels::product::{
    Finish, Outer, Panels, Precision, Product, Right, Source, outer, product,
};
use dino_kernels::simd::Isa;
use std::time::Instant;

const TURNS: usize = 12;

fn main() {
    let machine = Machine::new(Isa::detect(), 1);
    println!(
        "{}: rows x inputs x outputs, ours, gemm",
        machine.isa.name()
    );
    let shapes = [
        ("y = x wT", 1576, 384, 1152),
        ("y = x wT", 1576, 384, 384),
        ("y = x wT", 1576, 384, 1536),
        ("y = x wT", 1576, 1536, 384),
        ("y = x wT", 7424, 192, 768),
        ("dx = dy w", 1576, 1536, 384),
        ("dx = dy w", 1576, 1152, 384),
    ];
    for (name, m, k, n) in shapes {
        let transposed = name == "y = x wT";
        let (a, b) = (filled(m * k), filled(k * n));
        let (mut ours, mut theirs) = (vec![0.0; m * n], vec![0.0; m * n]);
        let mut buffer = vec![0.0; Panels::size(&machine, Precision::Fp32, k, n)];
        let stride = if transposed { k } else { n };
        let [fast, yardstick] = best([
            &mut || {
                let right = Right {
                    values: &b,
                    stride,
                    transposed,
                };
                let right = Panels::pack(&machine, right, Precision::Fp32, k, n, &mut buffer);
                let left = &Source::dense(&a, k);
                let (finish, to) = (Finish::Plain, ours.as_mut_slice().into());
                product(
                    &machine,
                    Product {
                        m,
                        k,
                        left,
                        right,
                        finish,
                        to,
                    },
                );
            },
            &mut || {
                let strides = if transposed { (1, k) } else { (n, 1) };
                gemm_rows((m, n, k), &a, (k, 1), &b, strides, &mut theirs);
            },
        ]);
        report(name, m, k, n, fast, yardstick);
    }
    for (rows, m, n) in [
        (2760, 1536, 384),
        (2760, 384, 1536),
        (2760, 1152, 384),
        (14848, 768, 192),
    ] {
        let (a, b) = (filled(rows * m), filled(rows * n));
        let (mut ours, mut theirs, mut sums) = (vec![0.0; m * n], vec![0.0; m * n], vec![0.0; m]);
        let [fast, yardstick] = best([
            &mut || {
                let (left, right) = (&Source::dense(&a, m), &Source::dense(&b, n));
                let (precision, to, sums) = (Precision::Fp32, &mut ours[..], Some(&mut sums[..]));
                outer(
                    &machine,
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
            },
            &mut || gemm_rows((m, n, rows), &a, (1, m), &b, (n, 1), &mut theirs),
        ]);
        report("dw = dyT x", m, rows, n, fast, yardstick);
    }
}

/// A product of matrices with strides from row to row and from column to column.
fn gemm_rows(
    (m, n, k): (usize, usize, usize),
    a: &[f32],
    (a_rows, a_columns): (usize, usize),
    b: &[f32],
    (b_rows, b_columns): (usize, usize),
    to: &mut [f32],
) {
    // SAFETY: the strides are those of the matrices, which have these sizes.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            to.as_mut_ptr(),
            1,
            n as isize,
            false,
            a.as_ptr(),
            a_columns as isize,
            a_rows as isize,
            b.as_ptr(),
            b_columns as isize,
            b_rows as isize,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

fn filled(length: usize) -> Vec<f32> {
    (0..length)
        .map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0)
        .collect()
}

/// The best seconds of each, taking turns.
fn best(mut runs: [&mut dyn FnMut(); 2]) -> [f64; 2] {
    let mut best = [f64::INFINITY; 2];
    for _ in 0..TURNS {
        for (run, best) in runs.iter_mut().zip(&mut best) {
            let started = Instant::now();
            run();
            *best = best.min(started.elapsed().as_secs_f64());
        }
    }
    best
}

fn report(name: &str, m: usize, k: usize, n: usize, ours: f64, theirs: f64) {
    let flops = 2.0 * (m * k * n) as f64 / 1e9;
    println!(
        "{name:10} {m:5} x {k:4} x {n:4}  {:6.1} {:6.1}",
        flops / ours,
        flops / theirs
    );
}
