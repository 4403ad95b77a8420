//! Multi-head self-attention within each sequence, forward and back: one task a head of a
//! sequence, with all that it needs in the second-level cache. Nothing of size tokens x tokens
//! is ever stored.

mod back;
mod class_token;
mod forward;
pub(crate) mod head;
mod multiply;

pub use back::{AttentionBack, attention_back};
pub use class_token::{ClassAttention, ClassAttentionBack, class_attention, class_attention_back};
pub use forward::{Attention, attention, attention_weights};

/// Sequences of one length, as rows that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Segment {
    pub sequences: usize,
    pub tokens: usize,
}

/// Where sequences lie, and how their width is divided.
#[derive(Clone, Copy)]
pub struct Layout<'a> {
    pub segments: &'a [Segment],
    pub heads: usize,
    /// Width of all heads together.
    pub width: usize,
}

impl Layout<'_> {
    pub fn rows(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.sequences * segment.tokens)
            .sum()
    }

    pub fn sequences(&self) -> usize {
        self.segments.iter().map(|segment| segment.sequences).sum()
    }

    fn head_width(&self) -> usize {
        self.width / self.heads
    }

    /// The most tokens of a sequence.
    fn longest(&self) -> usize {
        self.segments
            .iter()
            .map(|segment| segment.tokens)
            .max()
            .unwrap_or(0)
    }

    /// One task's part: head after head, sequence after sequence.
    fn place(&self, task: usize) -> Place {
        let (mut sequence, head) = (task / self.heads, task % self.heads);
        let (mut row, number) = (0, sequence);
        for segment in self.segments {
            if sequence < segment.sequences {
                row += sequence * segment.tokens;
                return Place {
                    row,
                    number,
                    tokens: segment.tokens,
                    head,
                };
            }
            sequence -= segment.sequences;
            row += segment.sequences * segment.tokens;
        }
        unreachable!("a task for each head of each sequence, and no more")
    }
}

/// A head of a sequence.
#[derive(Clone, Copy)]
struct Place {
    /// The sequence's first row, and its number.
    row: usize,
    number: usize,
    tokens: usize,
    head: usize,
}
