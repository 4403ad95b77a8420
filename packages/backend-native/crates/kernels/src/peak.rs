//! The most that the processor can do: what products are measured by.

use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::product::Precision;
use crate::scratch::Scratch;
use crate::simd::Simd;
use std::time::{Duration, Instant};

/// Sums that do not wait for each other: enough for any processor's latency.
const SUMS: usize = 12;
/// Multiplications and additions of a task, for each lane of each sum.
const TURNS: usize = 200_000;

/// GFLOP/s of fused multiplications and additions in registers, on all threads: the best of as
/// many tries as fit into the time.
pub fn peak(machine: &Machine, precision: Precision, time: Duration) -> f64 {
    let tasks = machine.pool.threads();
    let mut results = vec![0.0; tasks];
    let per_lane = if precision == Precision::Bf16 { 4 } else { 2 };
    let flops = (tasks * TURNS * SUMS * machine.isa.lanes() * per_lane) as f64;
    let started = Instant::now();
    let mut best = 0.0_f64;
    while best == 0.0 || started.elapsed() < time {
        let task = Multiply {
            precision,
            to: Output::new(&mut results),
        };
        let before = Instant::now();
        machine.each(tasks, &task);
        best = best.max(flops / before.elapsed().as_secs_f64() / 1e9);
    }
    best
}

struct Multiply<'a> {
    precision: Precision,
    to: Output<'a>,
}

impl Task for Multiply<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, simd: S, index: usize, _: &mut Scratch) {
        // SAFETY: inside of a job; the result is this task's own.
        unsafe {
            let (shrink, add) = (simd.splat(0.999), simd.splat(0.001));
            let mut sums = [add; SUMS];
            match self.precision {
                Precision::Fp32 => {
                    for _ in 0..TURNS {
                        for sum in &mut sums {
                            *sum = simd.fma(*sum, shrink, add);
                        }
                    }
                }
                Precision::Bf16 => {
                    for _ in 0..TURNS {
                        for sum in &mut sums {
                            *sum = simd.dot2(shrink, add, *sum);
                        }
                    }
                }
            }
            let mut total = 0.0;
            for sum in sums {
                total += simd.sum(sum);
            }
            // Used, so that it is not left out.
            self.to.part(index..index + 1)[0] = total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Isa;

    #[test]
    fn a_peak_is_above_nothing() {
        let machine = Machine::new(Isa::detect(), 2);
        assert!(peak(&machine, Precision::Fp32, Duration::from_millis(1)) > 0.0);
    }
}
