//! What the operating system is asked about memory.

/// Asks for large pages under memory that is still to be touched: fresh small pages cost a fault
/// each, and long strides over them miss the processor's table of pages.
///
/// Nothing but speed depends on it; where the system has no such advice it does nothing.
pub fn prefer_large_pages<T>(memory: &mut [T]) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 1 << 21;
        let range = memory.as_mut_ptr_range();
        let start = (range.start as usize).next_multiple_of(LARGE);
        let end = range.end as usize / LARGE * LARGE;
        if start < end {
            // SAFETY: the range is within memory that is borrowed, and its contents stay.
            unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_HUGEPAGE) };
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = memory;
}

#[cfg(test)]
mod tests {
    use super::prefer_large_pages;

    #[test]
    fn contents_stay() {
        let mut memory: Vec<u32> = (0..3 << 20).collect();
        prefer_large_pages(&mut memory);
        assert!(memory.iter().copied().eq(0..3 << 20));
        prefer_large_pages(&mut memory[..7]);
        prefer_large_pages::<u8>(&mut []);
    }
}
