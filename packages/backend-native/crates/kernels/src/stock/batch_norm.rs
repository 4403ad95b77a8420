//! Normalisation by statistics that are given.

use super::parts::Parts;
use crate::machine::{Machine, Task};
use crate::output::Output;
use crate::scratch::Scratch;
use crate::simd::Simd;

/// What each channel is normalised with, one number a channel; no scale is 1, no offset is 0.
pub struct Statistics<'a> {
    pub mean: &'a [f32],
    pub variance: &'a [f32],
    pub scale: Option<&'a [f32]>,
    pub offset: Option<&'a [f32]>,
    pub epsilon: f64,
}

/// `(x - mean) scale / sqrt(variance + epsilon) + offset`, channels last.
pub fn batch_norm(machine: &Machine, x: &[f32], statistics: &Statistics<'_>, to: &mut [f32]) {
    let Statistics {
        mean,
        variance,
        scale,
        offset,
        epsilon,
    } = *statistics;
    let channels = mean.len();
    assert!(channels > 0 && x.len().is_multiple_of(channels) && x.len() == to.len());
    let lengths = [Some(variance), scale, offset];
    assert!(
        lengths
            .iter()
            .flatten()
            .all(|values| values.len() == channels)
    );
    let factors: Vec<f32> = (0..channels)
        .map(|i| {
            let scale = scale.map_or(1.0, |scale| scale[i] as f64);
            (scale / (variance[i] as f64 + epsilon).sqrt()) as f32
        })
        .collect();
    let zeros;
    let offset = match offset {
        Some(offset) => offset,
        None => {
            zeros = vec![0.0; channels];
            &zeros
        }
    };
    let parts = Parts::new(x.len() / channels, channels);
    let task = Rows {
        parts,
        x,
        mean,
        factors: &factors,
        offset,
        to: Output::new(to),
    };
    machine.each(parts.tasks(), &task);
}

struct Rows<'a> {
    parts: Parts,
    x: &'a [f32],
    mean: &'a [f32],
    factors: &'a [f32],
    offset: &'a [f32],
    to: Output<'a>,
}

impl Task for Rows<'_> {
    #[inline(always)]
    unsafe fn run<S: Simd>(&self, _: S, index: usize, _: &mut Scratch) {
        let (rows, within) = self.parts.task(index);
        let channels = self.mean.len();
        let (mean, factors) = (&self.mean[within.clone()], &self.factors[within.clone()]);
        let offset = &self.offset[within.clone()];
        for row in rows {
            let at = row * channels + within.start..row * channels + within.end;
            // SAFETY: the task's own row, or piece of one.
            let to = unsafe { self.to.part(at.clone()) };
            let channel = mean.iter().zip(factors).zip(offset);
            for ((to, &x), ((&mean, &factor), &offset)) in
                to.iter_mut().zip(&self.x[at]).zip(channel)
            {
                *to = (x - mean) * factor + offset;
            }
        }
    }
}
