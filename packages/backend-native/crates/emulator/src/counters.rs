//! What has been run, summed up over all processes in the file that `DINO_EMULATED_COUNTS` names.

use std::cell::Cell;
use std::ffi::CString;
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const COUNTERS: usize = 4;

/// Adds to the file's numbers and begins again at zero.
pub fn add(counts: &[Cell<u64>; COUNTERS]) {
    static FILE: OnceLock<Option<&'static [AtomicU64; COUNTERS]>> = OnceLock::new();
    if let Some(totals) = FILE.get_or_init(open) {
        for (total, count) in totals.iter().zip(counts) {
            total.fetch_add(count.take(), Relaxed);
        }
    }
}

fn open() -> Option<&'static [AtomicU64; COUNTERS]> {
    let path = CString::new(std::env::var("DINO_EMULATED_COUNTS").ok()?).ok()?;
    let length = COUNTERS * size_of::<u64>();
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: memory of its own, as long as the file is made.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_RDWR | libc::O_CREAT, 0o644);
        if file < 0 || libc::ftruncate(file, length as libc::off_t) != 0 {
            return None;
        }
        let memory = libc::mmap(null_mut(), length, access, libc::MAP_SHARED, file, 0);
        libc::close(file);
        (memory != libc::MAP_FAILED).then(|| &*memory.cast())
    }
}
