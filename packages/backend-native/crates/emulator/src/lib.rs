//! Runs the kernels on a processor that is not there: a library to preload (`LD_PRELOAD`) into
//! Node or into the kernels' tests, on x64 Linux.
//!
//! What the addon asks the processor about itself, and every function in which an instruction
//! turns up that the processor does not know, goes to the processor of Bochs, on the process's own
//! memory and threads; all else runs as ever. `tools/emulate.mjs` starts programs so.
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

mod bochs;
mod counters;
mod gathers;
mod hooks;
mod interposed;
mod memory;
mod modules;
mod processor;
mod trap;
mod unused;

/// Ends the process: nothing may go on that was computed wrongly.
fn fail(why: &str) -> ! {
    let text = format!("dino-emulator: {why}\n");
    // SAFETY: the text is as long as it says.
    unsafe {
        libc::write(2, text.as_ptr().cast(), text.len());
        libc::abort()
    }
}
