//! Gathers and scatters by indices in a register from 16 on, which Bochs refuses: it takes the
//! fifth bit of the register's number for one that must not be there.

use crate::bochs::bochs;
use crate::fail;
use crate::hooks::{Stop, WATCH};
use crate::processor;
use std::cell::UnsafeCell;

/// The longest of such instructions, and a jump behind it.
const ROOM: usize = 16;
const COPIES: usize = 256;

/// Copies of instructions, each with the place that it was found at.
struct Copies(UnsafeCell<[(u64, [u8; ROOM]); COPIES]>);

static COPIED: Copies = Copies(UnsafeCell::new([(0, [0; ROOM]); COPIES]));

// SAFETY: a lock lets one thread at a time work with the processor.
unsafe impl Sync for Copies {}

fn bytes(at: u64) -> [u8; ROOM] {
    // SAFETY: an instruction lies there, and no function of ours ends a page.
    unsafe { *(at as *const [u8; ROOM]) }
}

/// Whether the instruction at this place is one of these.
pub fn is_one(at: u64) -> bool {
    let code = bytes(at);
    let of_vectors = matches!(code[4], 0x90..=0x93 | 0xa0..=0xa3);
    code[0] == 0x62 && code[1] & 7 == 2 && code[3] & 8 == 0 && of_vectors
}

/// Runs the instruction at this place with its indices in another register.
pub fn run(at: u64) {
    let bochs = bochs();
    let code = bytes(at);
    // Bits of a register's number that are not in ModRM and SIB, where they are inverted.
    let high = |byte: usize, bit: u8, value: u32| if code[byte] & bit == 0 { value } else { 0 };
    let values = u32::from(code[5] >> 3 & 7) + high(1, 0x80, 8) + high(1, 0x10, 16);
    let indices = u32::from(code[6] >> 3 & 7) + high(1, 0x40, 8) + 16;
    let other = u32::from(values == 0);
    let length = match (code[5] >> 6, code[6] & 7) {
        (0, 5) | (2, _) => 11,
        (0, _) => 7,
        _ => 8,
    };
    let (mut kept, mut moved) = ([0; 8], [0; 8]);
    bochs.cpu_get_zmm(other, &mut kept);
    bochs.cpu_get_zmm(indices, &mut moved);
    bochs.cpu_set_zmm(other, &moved);
    bochs.cpu_set_pc(copy(at, code, length, other as u8));
    WATCH.any_branch.set(true);
    while processor::turn() != Stop::Branch {}
    WATCH.any_branch.set(false);
    bochs.cpu_set_zmm(other, &kept);
    bochs.cpu_set_pc(at + length as u64);
}

/// Where the instruction lies with another register for its indices, and a jump behind it.
/// Bochs remembers what it has decoded, so each has a place of its own.
fn copy(at: u64, code: [u8; ROOM], length: usize, other: u8) -> u64 {
    // SAFETY: one thread at a time works with the processor.
    let copies = unsafe { &mut *COPIED.0.get() };
    let Some((from, copy)) = copies
        .iter_mut()
        .find(|(from, _)| *from == at || *from == 0)
    else {
        fail("more gathers than there is room for")
    };
    if *from == 0 {
        *from = at;
        *copy = code;
        copy[1] |= 0x40;
        copy[3] |= 8;
        copy[6] = code[6] & 0xc7 | other << 3;
        copy[length..length + 2].copy_from_slice(&[0xeb, 0]);
    }
    copy.as_ptr() as u64
}
