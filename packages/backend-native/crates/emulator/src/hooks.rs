//! What Bochs calls while its processor works.

use crate::bochs::bochs;
use crate::gathers;
use crate::memory;
use crate::{fail, processor};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};

/// Why the processor has stopped.
#[derive(Clone, Copy, PartialEq)]
pub enum Stop {
    /// For no reason of ours: it goes on.
    None,
    /// A return, or a branch where any will do.
    Branch,
    /// It has asked the system for something.
    System,
    /// An instruction that `gathers` knows.
    Gather(u64),
}

/// What the hooks share with those who run the processor.
pub struct Watch {
    /// Where the present instruction begins.
    at: Cell<u64>,
    pub stop: Cell<Stop>,
    /// A return to a stack above this stops.
    pub top: Cell<u64>,
    /// Whether any branch does.
    pub any_branch: Cell<bool>,
    /// Instructions, those of AVX-512 among them, and of these `vdpbf16ps` and `vcvtneps2bf16`.
    pub counts: [Cell<u64>; 4],
}

pub static WATCH: Watch = Watch {
    at: Cell::new(0),
    stop: Cell::new(Stop::None),
    top: Cell::new(u64::MAX),
    any_branch: Cell::new(false),
    counts: [const { Cell::new(0) }; 4],
};

// SAFETY: a lock lets one thread at a time work with the processor.
unsafe impl Sync for Watch {}

fn stop(why: Stop) {
    WATCH.stop.set(why);
    bochs().cpu_set_killbit();
}

fn count(which: usize) {
    WATCH.counts[which].set(WATCH.counts[which].get() + 1);
}

#[unsafe(no_mangle)]
extern "C" fn bx_instr_before_execution(_: u32, _: usize) {
    let at = bochs().cpu_get_pc();
    WATCH.at.set(at);
    count(0);
    // SAFETY: an instruction lies there; what may follow it in the same page is not looked at.
    let byte = |i: u64| unsafe { *((at + i) as *const u8) };
    if byte(0) != 0x62 {
        return;
    }
    count(1);
    if byte(1) & 7 == 2 && byte(2) & 3 == 2 {
        match byte(4) {
            0x52 => count(2),
            0x72 => count(3),
            _ => {}
        }
    }
}

const RETURN: u32 = 14;

#[unsafe(no_mangle)]
extern "C" fn bx_instr_ucnear_branch(_: u32, what: u32, _: u64, _: u64) {
    let leaves = || bochs().cpu_get_reg64(processor::RSP) > WATCH.top.get();
    if WATCH.any_branch.get() || what == RETURN && leaves() {
        stop(Stop::Branch);
    }
}

#[unsafe(no_mangle)]
extern "C" fn bx_instr_far_branch(_: u32, _: u32, _: u16, _: u64, _: u16, to: u64) {
    if to != processor::SYSTEM {
        fail("a far branch that is no call of the system");
    }
    stop(Stop::System);
}

const INVALID: u32 = 6;
const PAGE_FAULT: u32 = 14;

/// An exception. What can be mended is, and the instruction begins again.
#[unsafe(no_mangle)]
extern "C-unwind" fn bx_instr_exception(_: u32, vector: u32, error: u32) {
    let (bochs, at) = (bochs(), WATCH.at.get());
    let (next, missing) = (bochs.cpu_get_pc(), bochs.cpu_get_cr2());
    if vector == PAGE_FAULT && !memory::is_there(missing) {
        memory::touch(missing);
        // Where it was the next instruction that was not there, that is where it goes on.
        if missing >> 30 != next >> 30 {
            bochs.cpu_set_pc(at);
        }
    } else if vector == INVALID && gathers::is_one(at) {
        bochs.cpu_set_pc(at);
        stop(Stop::Gather(at));
    } else {
        fail(&format!(
            "exception {vector} ({error:x}) at {at:x}, of {missing:x}"
        ));
    }
    // Forgets what has been fetched.
    bochs.cpu_set_mode();
    bochs.cpu_bail();
}

/// Chooses the model, by its place in the list of Bochs's processors.
#[unsafe(no_mangle)]
unsafe extern "C" fn sim_get_param_enum(name: *const c_char) -> *mut c_void {
    // SAFETY: a name of Bochs's; the functions are declared so in bochscpu 0.4.0.
    unsafe {
        if CStr::from_ptr(name) != c"cpu.model" {
            let own: unsafe extern "C" fn(*const c_char) -> *mut c_void =
                std::mem::transmute(bochs().own("sim_get_param_enum\0"));
            return own(name);
        }
        type New = unsafe extern "C" fn(*const c_char, *const *const c_char, u32) -> *mut c_void;
        let new: New = std::mem::transmute(bochs().own("sim_new_param_enum\0"));
        let names = Box::leak(Box::new([c"model".as_ptr(); 64]));
        names[63] = std::ptr::null();
        new(c"model".as_ptr(), names.as_ptr(), processor::model())
    }
}

/// Hooks that have nothing to do. They stand in front of Bochs's own, which are slow.
macro_rules! ignored {
    ($($name:ident($($type:ty),*);)*) => { $(
        #[unsafe(no_mangle)]
        extern "C" fn $name($(_: $type),*) {}
    )* };
}

ignored! {
    bx_instr_after_execution(u32, usize);
    bx_instr_cache_cntrl(u32, u32);
    bx_instr_clflush(u32, u64, u64);
    bx_instr_cnear_branch_not_taken(u32, u64);
    bx_instr_cnear_branch_taken(u32, u64, u64);
    bx_instr_exit(u32);
    bx_instr_exit_env();
    bx_instr_hlt(u32);
    bx_instr_hwinterrupt(u32, u32, u16, u64);
    bx_instr_init_env();
    bx_instr_initialize(u32);
    bx_instr_inp(u16, u32);
    bx_instr_inp2(u16, u32, u32);
    bx_instr_interrupt(u32, u32);
    bx_instr_lin_access(u32, u64, u64, u32, u32, u32);
    bx_instr_mwait(u32, u64, u32, u32);
    bx_instr_opcode(u32, usize, usize, u32, u32, u32);
    bx_instr_outp(u16, u32, u32);
    bx_instr_phy_access(u32, u64, u32, u32, u32);
    bx_instr_prefetch_hint(u32, u32, u32, u64);
    bx_instr_repeat_iteration(u32, usize);
    bx_instr_reset(u32, u32);
    bx_instr_tlb_cntrl(u32, u32, u64);
    bx_instr_vmexit(u32, u32, u64);
    bx_instr_wrmsr(u32, u32, u64);
}
