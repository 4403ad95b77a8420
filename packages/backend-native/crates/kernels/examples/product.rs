//! GFLOP/s of the products that a Vision Transformer is made of, beside those of the crate `gemm`
//! and the peak of multiplications and additions: `cargo run --release --example product`.
use dino_kernels::machine::Machine;
use dino_kernels::output::Output;
use dino_kernels::product::*;
use dino_kernels::simd::Isa;
use std::time::Instant;

fn main() {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let machine = Machine::new(Isa::detect(), threads);
    println!("{} on {threads} threads", machine.isa.name());
    for precision in [Precision::Fp32, Precision::Bf16] {
        for (m, k, n, transposed) in [
            (2760, 384, 1152, true),
            (2760, 384, 384, true),
            (2760, 384, 1536, true),
            (2760, 1536, 384, true),
            (2760, 1536, 384, false),
            (2760, 1152, 384, false),
            (14848, 192, 768, true),
            (40, 2048, 2048, true),
        ] {
            let a = vec![0.5_f32; m * k];
            let b = vec![0.25_f32; k * n];
            let mut c = vec![0.0_f32; m * n];
            let mut buffer = vec![0.0; Panels::size(&machine, precision, k, n)];
            let flops = 2.0 * (m * k * n) as f64;
            let right = Right {
                values: &b,
                stride: if transposed { k } else { n },
                transposed,
            };
            let ours = best(|| {
                let right = Panels::pack(&machine, right, precision, k, n, &mut buffer);
                let left = Dense {
                    values: &a,
                    stride: k,
                };
                rows(
                    &machine,
                    Rows {
                        m,
                        k,
                        left: &left,
                        right,
                        finish: &Plain,
                        to: Output::new(&mut c),
                    },
                );
            });
            println!(
                "{precision:?} {m} x {k} x {n} {transposed}: {:.1}",
                flops / ours / 1e9
            );
        }
        for (rows, m, n) in [
            (2760, 1536, 384),
            (2760, 384, 1536),
            (2760, 1152, 384),
            (14848, 768, 192),
        ] {
            let a = vec![0.5_f32; rows * m];
            let b = vec![0.25_f32; rows * n];
            let mut c = vec![0.0_f32; m * n];
            let mut sums = vec![0.0_f32; m];
            let flops = 2.0 * (m * rows * n) as f64;
            let ours = best(|| {
                outer(
                    &machine,
                    Outer {
                        rows,
                        m,
                        n,
                        precision,
                        left: &Dense {
                            values: &a,
                            stride: m,
                        },
                        right: &Dense {
                            values: &b,
                            stride: n,
                        },
                        to: &mut c,
                        sums: Some(&mut sums),
                    },
                );
            });
            println!(
                "{precision:?} outer {rows}: {m} x {n}: {:.1}",
                flops / ours / 1e9
            );
        }
    }
}

fn best(mut run: impl FnMut()) -> f64 {
    let mut best = f64::INFINITY;
    for _ in 0..12 {
        let started = Instant::now();
        run();
        best = best.min(started.elapsed().as_secs_f64());
    }
    best
}
