//! The programs and libraries that are to run as if on another processor: those whose name
//! begins with "dino", as the addon's and the kernels' tests' do.

use crate::{fail, processor, trap};
use std::ffi::c_void;
use std::sync::{Mutex, Once};

#[used]
#[unsafe(link_section = ".init_array")]
static START: extern "C" fn() = start;

extern "C" fn start() {
    if let Ok(program) = std::env::current_exe() {
        loaded(&program.to_string_lossy());
    }
}

/// What a module asks the processor.
#[derive(Clone, Copy, PartialEq)]
pub enum Question {
    /// `cpuid`
    Kind,
    /// `xgetbv`
    Registers,
}

/// Where a question is asked.
static QUESTIONS: Mutex<Vec<(u64, Question)>> = Mutex::new(Vec::new());

/// The question that is asked at this place, if one is.
pub fn question(at: u64) -> Option<Question> {
    let questions = QUESTIONS.lock().unwrap_or_else(|_| fail("a lock"));
    let found = questions.iter().find(|(place, _)| *place == at);
    found.map(|&(_, question)| question)
}

/// Prepares a module that has been loaded, if it is one of ours and `DINO_BOCHS` names Bochs's
/// library: its questions become instructions that no processor knows.
pub fn loaded(path: &str) {
    static ONCE: Once = Once::new();
    let Ok(library) = std::env::var("DINO_BOCHS") else {
        return;
    };
    if !is_ours(path) {
        return;
    }
    ONCE.call_once(|| {
        processor::start(&library);
        trap::set();
    });
    let maps = std::fs::read_to_string("/proc/self/maps")
        .unwrap_or_else(|error| fail(&format!("/proc/self/maps: {error}")));
    for line in maps.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [range, access, _, _, _, path] = fields[..]
            && access.contains('x')
            && is_ours(path)
        {
            let [from, to] = [0, 1].map(|i| {
                let end = range.split('-').nth(i).unwrap_or_default();
                usize::from_str_radix(end, 16).unwrap_or_else(|_| fail("/proc/self/maps"))
            });
            prepare(from, to - from);
        }
    }
}

fn is_ours(path: &str) -> bool {
    path.rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with("dino"))
}

/// `ud2` instead of the questions that Rust's library asks, of as many bytes.
fn prepare(from: usize, length: usize) {
    let mut questions = QUESTIONS.lock().unwrap_or_else(|_| fail("a lock"));
    let read = libc::PROT_READ | libc::PROT_EXEC;
    // SAFETY: code of a module that stays loaded, in which nobody asks while it is loaded.
    unsafe {
        if libc::mprotect(from as *mut c_void, length, read | libc::PROT_WRITE) != 0 {
            fail("code that cannot be written to");
        }
        let code = std::slice::from_raw_parts_mut(from as *mut u8, length);
        for i in 2..length.saturating_sub(4) {
            // cpuid; xchg r, rbx
            if code[i..i + 2] == [0x0f, 0xa2] && code[i + 2] & 0xfb == 0x48 && code[i + 3] == 0x87 {
                code[i + 1] = 0x0b;
                questions.push(((from + i) as u64, Question::Kind));
            }
            // xor ecx, ecx; xgetbv
            if code[i - 2..i + 3] == [0x31, 0xc9, 0x0f, 0x01, 0xd0] {
                code[i + 1..i + 3].copy_from_slice(&[0x0b, 0x90]);
                questions.push(((from + i) as u64, Question::Registers));
            }
        }
        libc::mprotect(from as *mut c_void, length, read);
    }
}
