use crate::check::{apart, invalid, length, place, writable};
use crate::machine::guarded;
use dino_kernels::cross_entropy::{Views, cross_entropy, cross_entropy_back};
use napi::bindgen_prelude::*;
use napi_derive::napi;

/// Sizes of the loss's inputs.
#[napi(object)]
pub struct ViewsInfo {
    pub crops: u32,
    pub globals: u32,
    pub batch: u32,
    pub prototypes: u32,
    pub temperature: f64,
}

fn views<'a>(student: &'a [f32], targets: &'a [f32], info: &ViewsInfo) -> Result<Views<'a>> {
    let views = Views {
        student,
        targets,
        crops: info.crops as usize,
        globals: info.globals as usize,
        batch: info.batch as usize,
        prototypes: info.prototypes as usize,
        temperature: info.temperature as f32,
    };
    length(
        "student",
        student,
        views.crops * views.batch * views.prototypes,
    )?;
    length(
        "targets",
        targets,
        views.globals * views.batch * views.prototypes,
    )?;
    if views.crops < 2 {
        return Err(invalid(format!(
            "crops: expected at least 2, got {}",
            views.crops
        )));
    }
    Ok(views)
}

#[napi]
pub fn dino_loss(
    student: Float32ArraySlice,
    targets: Float32ArraySlice,
    info: ViewsInfo,
) -> Result<f64> {
    let views = views(&student, &targets, &info)?;
    guarded(|machine| f64::from(cross_entropy(machine, views)))
}

#[napi]
pub fn dino_loss_back(
    student: Float32ArraySlice,
    targets: Float32ArraySlice,
    dy: f64,
    mut gradient: Float32ArraySlice,
    info: ViewsInfo,
) -> Result<()> {
    let views = views(&student, &targets, &info)?;
    length("gradient", &gradient, student.len())?;
    apart(&[place(&gradient)], &[place(&student), place(&targets)])?;
    let gradient = writable(&mut gradient);
    guarded(|machine| cross_entropy_back(machine, views, dy as f32, gradient))
}
