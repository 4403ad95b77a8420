//! The emulated processor: one, which the threads of the process take in turns.

use crate::bochs::{self, bochs};
use crate::hooks::{Stop, WATCH};
use crate::{fail, gathers, memory};

pub const RAX: u32 = 0;
pub const RCX: u32 = 1;
pub const RDX: u32 = 2;
pub const RBX: u32 = 3;
pub const RSP: u32 = 4;
const RSI: u32 = 6;
const RDI: u32 = 7;
const R8: u32 = 8;
const R9: u32 = 9;
const R10: u32 = 10;
const R11: u32 = 11;

const CS: u32 = 1;
const SS: u32 = 2;
const FS: u32 = 4;

/// Where a call of the system would go on, were there one.
pub const SYSTEM: u64 = 0x1000;

/// Vector registers of all sizes, and masks.
const XCR0: u32 = 0xe7;
/// Long addresses, SSE, reading and writing of segments' bases, and what `XCR0` says.
const CR4: u64 = 0x5_0620;

/// The place of the processor in the list of Bochs's models: Sapphire Rapids unless
/// `DINO_EMULATED_MODEL` says otherwise.
pub fn model() -> u32 {
    const SAPPHIRE_RAPIDS: u32 = 30;
    match std::env::var("DINO_EMULATED_MODEL") {
        Ok(model) => model
            .parse()
            .unwrap_or_else(|_| fail("DINO_EMULATED_MODEL: expected a number")),
        Err(_) => SAPPHIRE_RAPIDS,
    }
}

/// Loads Bochs and starts its processor, as a system would: in 64 bits, with all registers.
pub fn start(library: &str) {
    memory::prepare();
    bochs::load(library);
    let bochs = bochs();
    bochs.cpu_set_efer(0x501);
    bochs.cpu_set_cr0(0x8005_0033);
    bochs.cpu_set_cr3(0);
    bochs.cpu_set_cr4(CR4);
    bochs.cpu_set_xcr0(XCR0);
    bochs.cpu_set_star(0x0010_0008_0000_0000);
    bochs.cpu_set_lstar(SYSTEM);
    bochs.cpu_set_fmask(0);
    for segment in 0..6 {
        set_segment(segment, 0);
    }
    bochs.cpu_set_eflags(2);
    bochs.cpu_set_mxcsr(0x1f80);
    bochs.cpu_set_mxcsr_mask(0xffff);
    bochs.cpu_set_fp_cw(0x37f);
    bochs.cpu_set_fp_tw(0xffff);
    bochs.cpu_set_mode();
    // Told by instructions once more, Bochs also sees that the vectors are there now.
    // mov cr4, rax; xor ecx, ecx; xor edx, edx; mov eax, XCR0; xsetbv; ret
    static CODE: [u8; 16] = [
        0x0f, 0x22, 0xe0, 0x31, 0xc9, 0x31, 0xd2, 0xb8, XCR0 as u8, 0, 0, 0, 0x0f, 0x01, 0xd1, 0xc3,
    ];
    bochs.cpu_set_reg64(RAX, CR4);
    call(&CODE);
}

/// Where thread-local storage begins.
pub fn set_thread(base: u64) {
    set_segment(FS, base);
}

fn set_segment(segment: u32, base: u64) {
    let (selector, kind) = if segment == CS {
        (8, 0xa09b)
    } else {
        (16, 0xc093)
    };
    bochs().cpu_set_seg(segment, 1, selector, base, u32::MAX, kind);
}

/// Runs code of ours until it returns.
pub fn call(code: &'static [u8]) {
    let mut stack = [0u64; 16];
    let top = &raw mut stack[8] as u64;
    bochs().cpu_set_reg64(RSP, top);
    bochs().cpu_set_pc(code.as_ptr() as u64);
    run(top);
}

/// Runs until a return leaves the stack above `top`.
pub fn run(top: u64) {
    WATCH.top.set(top);
    loop {
        match turn() {
            Stop::Branch => return,
            Stop::System => system(),
            Stop::Gather(at) => gathers::run(at),
            Stop::None => {}
        }
    }
}

/// Runs until a hook stops it.
pub fn turn() -> Stop {
    WATCH.stop.set(Stop::None);
    bochs().cpu_clear_killbit();
    bochs().cpu_loop();
    WATCH.stop.get()
}

/// Asks the system for what the code has asked it for, on the same thread and memory.
fn system() {
    let bochs = bochs();
    let register = |number| bochs.cpu_get_reg64(number);
    let answer;
    // SAFETY: what the code may do, it may do so.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") register(RAX) => answer,
            in("rdi") register(RDI),
            in("rsi") register(RSI),
            in("rdx") register(RDX),
            in("r10") register(R10),
            in("r8") register(R8),
            in("r9") register(R9),
            lateout("rcx") _,
            lateout("r11") _,
        );
    }
    bochs.cpu_set_reg64(RAX, answer);
    bochs.cpu_set_pc(register(RCX));
    bochs.cpu_set_eflags(register(R11) as u32);
    set_segment(CS, 0);
    set_segment(SS, 0);
}
