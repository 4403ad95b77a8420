use crate::check::writable;
use dino_kernels::machine::Machine;
use dino_kernels::pages;
use dino_kernels::peak::peak;
use dino_kernels::product::Precision;
use dino_kernels::simd::Isa;
use napi::bindgen_prelude::*;
use napi_derive::napi;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

static MACHINE: Mutex<Option<Arc<Machine>>> = Mutex::new(None);

/// The machine that kernels run on; made with all cores at first use.
pub fn machine() -> Arc<Machine> {
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(machine.get_or_insert_with(|| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Machine::new(Isa::detect(), threads))
    }))
}

/// Runs a kernel. A panic in it is an error of JavaScript.
pub fn guarded<T>(kernel: impl FnOnce(&Machine) -> T) -> Result<T> {
    let machine = machine();
    catch_unwind(AssertUnwindSafe(|| kernel(&machine))).map_err(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no reason given");
        Error::new(Status::GenericFailure, format!("kernel failed: {message}"))
    })
}

/// What kernels run on.
#[napi(object)]
pub struct MachineInfo {
    /// "AVX-512", "AVX2" or "portable".
    pub instructions: String,
    pub threads: u32,
    /// Whether the processor multiplies bfloat16 itself.
    pub bf16: bool,
}

#[napi]
pub fn describe_machine() -> MachineInfo {
    let machine = machine();
    MachineInfo {
        instructions: machine.isa.name().to_owned(),
        threads: machine.pool.threads() as u32,
        bf16: machine.isa.has_bf16(),
    }
}

/// Uses `threads` threads from now on, and instructions up to those named, if any are.
#[napi]
pub fn configure_machine(threads: u32, instructions: Option<String>) -> Result<()> {
    if !(1..=1024).contains(&threads) {
        return Err(Error::new(
            Status::InvalidArg,
            format!("threads: expected from 1 to 1024, got {threads}"),
        ));
    }
    let present = Isa::present();
    let isa = match &instructions {
        None => present[0],
        Some(name) => *present
            .iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| {
                let names: Vec<&str> = present.iter().map(|isa| isa.name()).collect();
                let expected = names.join(", ");
                Error::new(
                    Status::InvalidArg,
                    format!("instructions: expected one of {expected}, got {name}"),
                )
            })?,
    };
    let mut machine = MACHINE.lock().unwrap_or_else(PoisonError::into_inner);
    *machine = Some(Arc::new(Machine::new(isa, threads as usize)));
    Ok(())
}

/// GFLOP/s of fused multiplications and additions in registers.
#[napi]
pub fn measure_peak(bf16: bool, seconds: f64) -> Result<f64> {
    if !(0.0..=60.0).contains(&seconds) {
        let message = format!("seconds: expected from 0 to 60, got {seconds}");
        return Err(Error::new(Status::InvalidArg, message));
    }
    let precision = if bf16 {
        Precision::Bf16
    } else {
        Precision::Fp32
    };
    guarded(|machine| peak(machine, precision, Duration::from_secs_f64(seconds)))
}

/// Asks for large pages under an array that nothing has been written to yet.
#[napi]
pub fn prefer_large_pages(mut array: Float32ArraySlice<'_>) {
    pages::prefer_large_pages(writable(&mut array));
}
