//! A thread's own memory, kept from one task to the next.

use crate::pages::prefer_large_pages;

/// Grows to the most that a task has asked for, and stays.
#[derive(Default)]
pub struct Scratch {
    memory: Vec<Line>,
}

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

impl Scratch {
    /// Pieces of these lengths, each on a cache line of its own, with whatever was in them before.
    pub fn pieces<const N: usize>(&mut self, lengths: [usize; N]) -> [&mut [f32]; N] {
        let lines = |length: usize| length.div_ceil(16);
        let total: usize = lengths.iter().map(|&length| lines(length)).sum();
        if self.memory.len() < total {
            self.memory = Vec::with_capacity(total);
            prefer_large_pages(self.memory.spare_capacity_mut());
            self.memory.resize(total, Line([0.0; 16]));
        }
        let mut rest = &mut self.memory[..total];
        lengths.map(|length| {
            let (piece, others) = std::mem::take(&mut rest).split_at_mut(lines(length));
            rest = others;
            &mut piece.as_flattened()[..length]
        })
    }
}

/// Lines as the values that they are made of.
trait AsFlattened {
    fn as_flattened(&mut self) -> &mut [f32];
}

impl AsFlattened for [Line] {
    fn as_flattened(&mut self) -> &mut [f32] {
        // SAFETY: a line is sixteen values without anything between or behind them.
        unsafe { std::slice::from_raw_parts_mut(self.as_mut_ptr().cast(), self.len() * 16) }
    }
}

#[cfg(test)]
mod tests {
    use super::Scratch;

    #[test]
    fn pieces_are_apart_and_aligned() {
        let mut scratch = Scratch::default();
        let [a, b, c] = scratch.pieces([3, 0, 17]);
        a.fill(1.0);
        c.fill(2.0);
        assert_eq!((a.len(), b.len(), c.len()), (3, 0, 17));
        assert!(a.iter().all(|&x| x == 1.0));
        assert_eq!(c.as_ptr() as usize % 64, 0);
    }
}
