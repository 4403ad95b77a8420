use crate::check::{apart, count, invalid, length, place, writable, writable_bf16};
use crate::machine::guarded;
use crate::stored::{Activations, activations_length, activations_place, with_activations};
use dino_kernels::attention::{
    Attention, AttentionBack, ClassAttention, ClassAttentionBack, Layout, Segment, attention,
    attention_back, attention_weights, class_attention, class_attention_back,
};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Sequences of one length.
#[napi(object)]
pub struct SegmentInfo {
    pub sequences: u32,
    pub tokens: u32,
}

fn segments_of(segments: &[SegmentInfo], heads: u32, width: u32) -> Result<Vec<Segment>> {
    if heads == 0 || !width.is_multiple_of(heads) {
        return Err(invalid(format!(
            "heads: expected a divisor of {width}, got {heads}"
        )));
    }
    Ok(segments
        .iter()
        .filter(|segment| segment.sequences > 0 && segment.tokens > 0)
        .map(|segment| Segment {
            sequences: segment.sequences as usize,
            tokens: segment.tokens as usize,
        })
        .collect())
}

fn layout(segments: &[Segment], heads: u32, width: u32) -> Layout<'_> {
    Layout {
        segments,
        heads: heads as usize,
        width: width as usize,
    }
}

/// Attention of packed queries, keys and values.
#[napi]
pub fn attend(
    qkv: Activations,
    mut mixed: Activations,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    count(
        "qkv",
        activations_length(&qkv),
        layout.rows() * 3 * layout.width,
    )?;
    count(
        "mixed",
        activations_length(&mixed),
        layout.rows() * layout.width,
    )?;
    apart(&[activations_place(&mixed)], &[activations_place(&qkv)])?;
    match (&qkv, &mut mixed) {
        (Either::A(qkv), Either::A(mixed)) => {
            let mixed = writable(mixed);
            guarded(|machine| attention(machine, Attention { layout, qkv, mixed }))
        }
        (Either::B(qkv), Either::B(mixed)) => {
            let mixed = writable_bf16(mixed);
            guarded(|machine| attention(machine, Attention { layout, qkv, mixed }))
        }
        _ => Err(invalid(
            "mixed: expected numbers of the kind of qkv, got others",
        )),
    }
}

#[napi]
pub fn attend_back(
    qkv: Activations,
    dy: Float32ArraySlice,
    mut d_qkv: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    count(
        "qkv",
        activations_length(&qkv),
        layout.rows() * 3 * layout.width,
    )?;
    length("dy", &dy, layout.rows() * layout.width)?;
    length("dQkv", &d_qkv, layout.rows() * 3 * layout.width)?;
    apart(&[place(&d_qkv)], &[activations_place(&qkv), place(&dy)])?;
    let (dy, d_qkv) = (&*dy, writable(&mut d_qkv));
    with_activations!(qkv => qkv, guarded(|machine| {
        attention_back(machine, AttentionBack { layout, qkv, dy, d_qkv });
    }))
}

/// What each token attends to, of one segment.
#[napi]
pub fn attend_weights(
    qkv: Float32ArraySlice,
    mut weights: Float32ArraySlice,
    sequences: u32,
    tokens: u32,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&[SegmentInfo { sequences, tokens }], heads, width)?;
    let layout = layout(&segments, heads, width);
    length("qkv", &qkv, layout.rows() * 3 * layout.width)?;
    length(
        "weights",
        &weights,
        layout.rows() * layout.heads * tokens as usize,
    )?;
    apart(&[place(&weights)], &[place(&qkv)])?;
    if segments.is_empty() {
        return Ok(());
    }
    let weights = writable(&mut weights);
    guarded(|machine| attention_weights(machine, layout, &qkv, weights))
}

/// Attention of the class token's query alone.
#[napi]
pub fn attend_class(
    q: Float32ArraySlice,
    kv: Float32ArraySlice,
    mut mixed: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    length("q", &q, layout.sequences() * layout.width)?;
    length("kv", &kv, layout.rows() * 2 * layout.width)?;
    length("mixed", &mixed, q.len())?;
    apart(&[place(&mixed)], &[place(&q), place(&kv)])?;
    let (q, kv, mixed) = (&q, &kv, writable(&mut mixed));
    guarded(|machine| {
        class_attention(
            machine,
            ClassAttention {
                layout,
                q,
                kv,
                mixed,
            },
        )
    })
}

#[napi]
#[allow(clippy::too_many_arguments)]
pub fn attend_class_back(
    q: Float32ArraySlice,
    kv: Float32ArraySlice,
    dy: Float32ArraySlice,
    mut d_q: Float32ArraySlice,
    mut d_kv: Float32ArraySlice,
    segments: Vec<SegmentInfo>,
    heads: u32,
    width: u32,
) -> Result<()> {
    let segments = segments_of(&segments, heads, width)?;
    let layout = layout(&segments, heads, width);
    length("q", &q, layout.sequences() * layout.width)?;
    length("kv", &kv, layout.rows() * 2 * layout.width)?;
    length("dy", &dy, q.len())?;
    length("dQ", &d_q, q.len())?;
    length("dKv", &d_kv, kv.len())?;
    apart(
        &[place(&d_q), place(&d_kv)],
        &[place(&q), place(&kv), place(&dy)],
    )?;
    let args = ClassAttentionBack {
        layout,
        q: &q,
        kv: &kv,
        dy: &dy,
        d_q: writable(&mut d_q),
        d_kv: writable(&mut d_kv),
    };
    guarded(|machine| class_attention_back(machine, args))
}
