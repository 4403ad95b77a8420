//! How rows of numbers are shared out among tasks, whatever the number of threads.

use std::ops::Range;

/// Numbers of a task: a few ten microseconds' work, and less than waking a thread up is worth.
const PART: usize = 16 * 1024;

/// Rows in tasks: several short rows in one, or one long row in several.
#[derive(Clone, Copy, Debug)]
pub struct Parts {
    rows: usize,
    length: usize,
    rows_per_task: usize,
    pieces: usize,
    piece: usize,
}

impl Parts {
    pub fn new(rows: usize, length: usize) -> Parts {
        Parts::weighing(rows, length, 1)
    }

    /// Where a number is `weight` times as much work as one that is only copied.
    pub fn weighing(rows: usize, length: usize, weight: usize) -> Parts {
        let part = (PART / weight.max(1)).max(64);
        let pieces = length.div_ceil(part).max(1);
        // A task's piece begins at a whole cache line of the row.
        let piece = length.div_ceil(pieces).next_multiple_of(16);
        let pieces = length.div_ceil(piece.max(1)).max(1);
        let rows_per_task = if pieces > 1 {
            1
        } else {
            (part / length.max(1)).max(1)
        };
        Parts {
            rows,
            length,
            rows_per_task,
            pieces,
            piece,
        }
    }

    pub fn tasks(&self) -> usize {
        if self.length == 0 {
            0
        } else {
            self.rows.div_ceil(self.rows_per_task) * self.pieces
        }
    }

    /// A task's rows, and the part of each of them.
    pub fn task(&self, index: usize) -> (Range<usize>, Range<usize>) {
        let first = index / self.pieces * self.rows_per_task;
        let from = index % self.pieces * self.piece;
        let until = (from + self.piece).min(self.length);
        (
            first..(first + self.rows_per_task).min(self.rows),
            from..until,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Parts;

    #[test]
    fn every_number_is_in_one_task() {
        for (rows, length) in [
            (1, 1),
            (1, 100_003),
            (7, 16_385),
            (1000, 3),
            (5, 32_768),
            (0, 4),
            (4, 0),
        ] {
            let parts = Parts::new(rows, length);
            let mut seen = vec![0_u8; rows * length];
            for task in 0..parts.tasks() {
                let (rows, within) = parts.task(task);
                for row in rows {
                    for i in within.clone() {
                        seen[row * length + i] += 1;
                    }
                }
            }
            assert!(seen.iter().all(|&count| count == 1), "{rows} x {length}");
        }
    }
}
