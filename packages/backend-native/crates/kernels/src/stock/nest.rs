//! Loops over arrays of which each has a step of its own along each axis.

/// One loop: how often, and how far each of `N` arrays moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Axis<const N: usize> {
    pub size: usize,
    pub steps: [isize; N],
}

/// The most loops that are left in a nest.
pub const MOST: usize = 8;

/// Loops within each other, the outermost first. Axes that can be one are one.
#[derive(Clone, Debug)]
pub struct Nest<const N: usize> {
    pub axes: Vec<Axis<N>>,
}

impl<const N: usize> Nest<N> {
    /// From a size and `N` steps for each axis; `None` where that is no list of axes, or too many.
    pub fn new(numbers: &[i32]) -> Option<Nest<N>> {
        if !numbers.len().is_multiple_of(N + 1) {
            return None;
        }
        let mut axes: Vec<Axis<N>> = Vec::with_capacity(numbers.len() / (N + 1));
        for axis in numbers.chunks_exact(N + 1) {
            let size = usize::try_from(axis[0]).ok()?;
            let steps = std::array::from_fn(|i| axis[i + 1] as isize);
            let axis = Axis { size, steps };
            match axes.last_mut() {
                _ if size == 1 => {}
                Some(outer) if (0..N).all(|i| outer.steps[i] == steps[i] * size as isize) => {
                    *outer = Axis {
                        size: outer.size.checked_mul(size)?,
                        steps,
                    };
                }
                _ => axes.push(axis),
            }
        }
        (axes.len() <= MOST).then_some(Nest { axes })
    }

    /// How many times the innermost loop's body runs.
    pub fn size(&self) -> usize {
        self.axes
            .iter()
            .fold(1, |size, axis| size.saturating_mul(axis.size))
    }

    /// Whether all that array `i` meets from `start` on lies within `length` numbers.
    pub fn is_within(&self, i: usize, start: usize, length: usize) -> bool {
        if self.size() == 0 {
            return true;
        }
        let (mut least, mut most) = (start as i128, start as i128);
        for axis in &self.axes {
            let reach = axis.steps[i] as i128 * (axis.size as i128 - 1);
            if reach < 0 {
                least += reach
            } else {
                most += reach
            }
        }
        least >= 0 && most < length as i128
    }

    /// Whether array `i` meets no number twice, as each loop steps over all of the next one.
    pub fn is_apart(&self, i: usize) -> bool {
        let mut reach = 0;
        self.axes.iter().rev().all(|axis| {
            let steps_over = axis.steps[i] > reach;
            reach += axis.steps[i] * (axis.size as isize - 1);
            steps_over
        })
    }

    /// A walk over these axes that has done `turns` turns.
    pub fn walk(axes: &[Axis<N>], turns: usize) -> Walk<'_, N> {
        let mut walk = Walk {
            axes,
            indices: [0; MOST + 1],
            at: [0; N],
        };
        let mut rest = turns;
        for (axis, index) in axes.iter().zip(&mut walk.indices).rev() {
            *index = rest % axis.size;
            rest /= axis.size;
            for (at, step) in walk.at.iter_mut().zip(axis.steps) {
                *at += step * *index as isize;
            }
        }
        walk
    }
}

/// Where loops are.
pub struct Walk<'a, const N: usize> {
    axes: &'a [Axis<N>],
    indices: [usize; MOST + 1],
    /// How far each array has come.
    pub at: [isize; N],
}

impl<const N: usize> Walk<'_, N> {
    /// The next turn; after the last one, the first.
    #[inline(always)]
    pub fn step(&mut self) {
        for (axis, index) in self.axes.iter().zip(&mut self.indices).rev() {
            *index += 1;
            if *index < axis.size {
                for i in 0..N {
                    self.at[i] += axis.steps[i];
                }
                return;
            }
            for i in 0..N {
                self.at[i] -= axis.steps[i] * (axis.size as isize - 1);
            }
            *index = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_can_be_one_are_one() {
        let nest = Nest::<2>::new(&[2, 12, 12, 3, 4, 4, 1, 9, 9, 4, 1, 1]).unwrap();
        assert_eq!(
            nest.axes,
            [Axis {
                size: 24,
                steps: [1, 1]
            }]
        );
        let nest = Nest::<2>::new(&[2, 12, 0, 3, 4, 0, 4, 1, 1]).unwrap();
        assert_eq!(
            nest.axes,
            [
                Axis {
                    size: 6,
                    steps: [4, 0]
                },
                Axis {
                    size: 4,
                    steps: [1, 1]
                }
            ]
        );
    }

    #[test]
    fn knows_what_it_meets() {
        let nest = Nest::<2>::new(&[3, 10, -4, 4, 2, 1]).unwrap();
        assert!(nest.is_within(0, 0, 27) && !nest.is_within(0, 0, 26));
        assert!(nest.is_within(1, 8, 12) && !nest.is_within(1, 7, 12));
        assert!(nest.is_apart(0) && !nest.is_apart(1));
        assert!(!Nest::<1>::new(&[3, 4, 5, 1]).unwrap().is_apart(0));
    }

    #[test]
    fn walks_on_from_anywhere() {
        let nest = Nest::<1>::new(&[2, 100, 3, 10, 4, 1]).unwrap();
        for turns in 0..24 {
            let mut walk = Nest::walk(&nest.axes, turns);
            for turn in turns..24 {
                assert_eq!(
                    walk.at[0] as usize,
                    turn / 12 * 100 + turn / 4 % 3 * 10 + turn % 4
                );
                walk.step();
            }
        }
    }
}
