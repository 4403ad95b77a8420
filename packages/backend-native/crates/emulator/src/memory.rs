//! The emulated processor's memory is the process's own: an address is the same outside and inside.
//!
//! Bochs's physical addresses are shorter than those of a process, so a gigabyte of the process
//! gets a physical one when it is first touched. The page tables lie in the first.

use crate::fail;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

const ENTRIES: usize = 512;
/// Half of what addresses can say: the other is the system's.
const TOP: usize = ENTRIES / 2;
/// The gigabytes of physical memory.
const PHYSICAL: usize = 1024;
/// The first of them that stands for one of the process: below are tables and devices.
const FIRST: usize = 8;

type Table = [AtomicU64; ENTRIES];

#[repr(C, align(4096))]
struct Tables {
    top: Table,
    /// A gigabyte an entry.
    next: [Table; TOP],
}

static TABLES: Tables = Tables {
    top: [const { AtomicU64::new(0) }; ENTRIES],
    next: [const { [const { AtomicU64::new(0) }; ENTRIES] }; TOP],
};
static BASES: [AtomicU64; PHYSICAL] = [const { AtomicU64::new(0) }; PHYSICAL];
static USED: AtomicUsize = AtomicUsize::new(FIRST);

/// Present, writable, for everyone, and used before, so that no entry is written to.
const PRESENT: u64 = 0x67;
/// An entry that is a gigabyte itself.
const LARGE: u64 = 0x80;

/// Links the tables.
pub fn prepare() {
    for (i, entry) in TABLES.top.iter().take(TOP).enumerate() {
        entry.store(((i as u64 + 1) * 4096) | PRESENT, Relaxed);
    }
}

/// Whether the gigabyte around an address has been touched.
pub fn is_there(address: u64) -> bool {
    entry(address).is_some_and(|entry| entry.load(Relaxed) != 0)
}

/// Makes the gigabyte around an address one of the processor's.
pub fn touch(address: u64) {
    let Some(entry) = entry(address) else {
        fail(&format!("{address:x} is no address of a process"))
    };
    let number = USED.fetch_add(1, Relaxed);
    if number >= PHYSICAL {
        fail("the process is spread over more than a terabyte");
    }
    BASES[number].store(address >> 30 << 30, Relaxed);
    entry.store((number as u64) << 30 | PRESENT | LARGE, Relaxed);
}

fn entry(address: u64) -> Option<&'static AtomicU64> {
    let gigabyte = (address >> 30) as usize;
    Some(&TABLES.next.get(gigabyte / ENTRIES)?[gigabyte % ENTRIES])
}

/// Where Bochs finds what lies at a physical address.
#[unsafe(no_mangle)]
extern "C" fn mem_guest_to_host(_: u32, at: u64, _: u32) -> *mut u8 {
    // Bochs may mark addresses in their upper bits.
    let at = at & 0x000f_ffff_ffff_ffff;
    let (number, within) = ((at >> 30) as usize, at as usize & 0x3fff_ffff);
    if number == 0 {
        return (&raw const TABLES)
            .cast_mut()
            .cast::<u8>()
            .wrapping_add(within);
    }
    (BASES[number].load(Relaxed) as usize + within) as *mut u8
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mem_read_phy(cpu: u32, at: u64, size: u32, to: *mut u8) {
    // SAFETY: Bochs has room for so much.
    unsafe { to.copy_from_nonoverlapping(mem_guest_to_host(cpu, at, 0), size as usize) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mem_write_phy(cpu: u32, at: u64, size: u32, from: *const u8) {
    // SAFETY: Bochs has so much to write.
    unsafe { mem_guest_to_host(cpu, at, 1).copy_from_nonoverlapping(from, size as usize) }
}
