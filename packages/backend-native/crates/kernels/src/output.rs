//! Results that several threads write to, each its own part.

use std::marker::PhantomData;
use std::ops::Range;

/// A slice of which tasks write disjoint parts.
#[derive(Clone, Copy)]
pub struct Output<'a, T = f32> {
    start: *mut T,
    length: usize,
    owner: PhantomData<&'a mut [T]>,
}

// SAFETY: parts are handed out under the promise that no two tasks share one.
unsafe impl<T: Send> Send for Output<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Output<'_, T> {}

impl<'a, T> Output<'a, T> {
    pub fn new(slice: &'a mut [T]) -> Self {
        Output {
            start: slice.as_mut_ptr(),
            length: slice.len(),
            owner: PhantomData,
        }
    }

    pub fn len(&self) -> usize {
        self.length
    }

    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Where the slice begins: to fetch what will be needed, and nothing else.
    pub fn start(&self) -> *const T {
        self.start
    }

    /// Part of the slice. Panics beyond its end.
    ///
    /// # Safety
    /// While the part is alive, nobody else reads or writes it.
    #[allow(clippy::mut_from_ref)]
    pub unsafe fn part(&self, range: Range<usize>) -> &'a mut [T] {
        assert!(
            range.start <= range.end && range.end <= self.length,
            "part of an output"
        );
        // SAFETY: in bounds, as was just seen; alone by the caller's promise.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}
