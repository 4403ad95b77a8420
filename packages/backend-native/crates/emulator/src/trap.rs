//! Takes over where a thread meets an instruction that its processor does not know.

use crate::bochs::bochs;
use crate::hooks::WATCH;
use crate::interposed::own_sigaction;
use crate::modules::{Question, question};
use crate::processor::{self, RAX, RBX, RCX, RDX};
use crate::{counters, fail};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::Mutex;

/// One thread at a time works with the processor.
static TURN: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether the thread has a stack for signals.
    static HAS_STACK: Cell<bool> = const { Cell::new(false) };
}
const STACK: usize = 1 << 20;

/// From now on.
pub fn set() {
    let handler: extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) = trap;
    // SAFETY: a handler of the kind that the flags tell of.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER;
        own_sigaction(libc::SIGILL, &action, null_mut());
    }
}

extern "C" fn trap(_: c_int, _: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: what the system gives a handler.
    let context = unsafe { &mut *context.cast::<libc::ucontext_t>() };
    if !HAS_STACK.replace(true) {
        // The instruction comes again, with the handler on a stack of its own: the code that is to
        // run goes on with the one that it has.
        context.uc_stack = signal_stack();
        return;
    }
    let _turn = TURN.lock().unwrap_or_else(|_| fail("a lock"));
    let registers = &mut context.uc_mcontext.gregs;
    if let Some(question) = question(registers[libc::REG_RIP as usize] as u64) {
        return answer(registers, question);
    }
    let top = registers[libc::REG_RSP as usize] as u64;
    load(context);
    processor::run(top);
    store(context);
    counters::add(&WATCH.counts);
}

fn signal_stack() -> libc::stack_t {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: memory of its own, for as long as the process runs.
    let memory = unsafe { libc::mmap(null_mut(), STACK, access, kind, -1, 0) };
    if memory == libc::MAP_FAILED {
        fail("no memory for a stack");
    }
    // Returning from the handler puts it in place.
    libc::stack_t {
        ss_sp: memory,
        ss_flags: 0,
        ss_size: STACK,
    }
}

type Registers = [i64; 23];

fn answer(registers: &mut Registers, asked: Question) {
    static KIND: [u8; 3] = [0x0f, 0xa2, 0xc3]; // cpuid; ret
    static REGISTERS: [u8; 4] = [0x0f, 0x01, 0xd0, 0xc3]; // xgetbv; ret
    for (number, name) in [(RAX, libc::REG_RAX), (RCX, libc::REG_RCX)] {
        bochs().cpu_set_reg64(number, registers[name as usize] as u64);
    }
    let mut take = |number, name| registers[name as usize] = bochs().cpu_get_reg64(number) as i64;
    processor::call(if asked == Question::Kind {
        &KIND
    } else {
        &REGISTERS
    });
    take(RAX, libc::REG_RAX);
    take(RDX, libc::REG_RDX);
    if asked == Question::Kind {
        take(RBX, libc::REG_RBX);
        take(RCX, libc::REG_RCX);
    }
    registers[libc::REG_RIP as usize] += if asked == Question::Kind { 2 } else { 3 };
}

/// The system's names for registers, by their numbers.
const NAMES: [c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];
/// The flags of arithmetic, and the direction of strings.
const FLAGS: i64 = 0xcd5;

/// Where the lower and the next sixteen bytes of vector registers lie in what a signal has saved,
/// the word that says what is saved, and MXCSR.
const LOWER: usize = 160;
const UPPER: usize = 576;
const PRESENT: usize = 512;
const MXCSR: usize = 24;
/// The bits of that word for registers of the one and the other.
const HAS_UPPER: u64 = 4;
const HAS_ALL: u64 = 7;

/// Gives the processor the thread's registers.
fn load(context: &libc::ucontext_t) {
    let (bochs, registers) = (bochs(), &context.uc_mcontext.gregs);
    for (number, name) in NAMES.iter().enumerate() {
        bochs.cpu_set_reg64(number as u32, registers[*name as usize] as u64);
    }
    bochs.cpu_set_pc(registers[libc::REG_RIP as usize] as u64);
    bochs.cpu_set_eflags((registers[libc::REG_EFL as usize] & FLAGS | 2) as u32);
    processor::set_thread(thread());
    let saved = saved(context);
    // SAFETY: as `saved` says.
    unsafe {
        let has_upper = saved.add(PRESENT).cast::<u64>().read_unaligned() & HAS_UPPER != 0;
        for number in 0..32 {
            let mut vector = [0; 8];
            let to = vector.as_mut_ptr().cast::<u8>();
            if number < 16 {
                to.copy_from(saved.add(LOWER + 16 * number), 16);
                if has_upper {
                    to.add(16).copy_from(saved.add(UPPER + 16 * number), 16);
                }
            }
            bochs.cpu_set_zmm(number as u32, &vector);
        }
        bochs.cpu_set_mxcsr(saved.add(MXCSR).cast::<u32>().read_unaligned());
    }
}

/// Gives the thread the processor's registers. Of the vectors that is what the thread has of them:
/// a function's caller expects nothing in the rest.
fn store(context: &mut libc::ucontext_t) {
    let bochs = bochs();
    let saved = saved(context);
    let registers = &mut context.uc_mcontext.gregs;
    for (number, name) in NAMES.iter().enumerate() {
        registers[*name as usize] = bochs.cpu_get_reg64(number as u32) as i64;
    }
    registers[libc::REG_RIP as usize] = bochs.cpu_get_pc() as i64;
    let flags = &mut registers[libc::REG_EFL as usize];
    *flags = *flags & !FLAGS | i64::from(bochs.cpu_get_eflags()) & FLAGS;
    // SAFETY: as `saved` says.
    unsafe {
        for number in 0..16 {
            let mut vector = [0; 8];
            bochs.cpu_get_zmm(number as u32, &mut vector);
            let from = vector.as_ptr().cast::<u8>();
            saved.add(LOWER + 16 * number).copy_from(from, 16);
            saved.add(UPPER + 16 * number).copy_from(from.add(16), 16);
        }
        let present = saved.add(PRESENT).cast::<u64>();
        present.write_unaligned(present.read_unaligned() | HAS_ALL);
        let mxcsr = saved.add(MXCSR).cast::<u32>();
        mxcsr.write_unaligned(bochs.cpu_get_mxcsr());
    }
}

/// What the signal has saved of the vector registers, with the upper halves.
fn saved(context: &libc::ucontext_t) -> *mut u8 {
    const MARK: (usize, u32) = (464, 0x4650_5853);
    let saved = context.uc_mcontext.fpregs.cast::<u8>();
    // SAFETY: at least the older, shorter part is there, with a mark where there is more.
    let mark = unsafe { saved.add(MARK.0).cast::<u32>().read_unaligned() };
    if mark != MARK.1 {
        fail("expected a processor with AVX");
    }
    saved
}

/// Where this thread's local storage begins.
fn thread() -> u64 {
    const GET_FS: c_int = 0x1003;
    let mut base = 0u64;
    // SAFETY: the system writes the one number.
    unsafe { libc::syscall(libc::SYS_arch_prctl, GET_FS, &mut base) };
    base
}
