//! GradCAM++ (Chattopadhay et al., WACV 2018), in the four forms that have been published: see
//! docs/protocol.md#gradcampp.
//!
//! The paper's table was made through torch-cam on exp(logits), where a division has no effect; it
//! is what `gradcam++` means here. Cubes of exponentials leave float32 at a logit of about 29, so
//! every form is computed, and kept, in float64.

use std::sync::Arc;

use tch::{Kind, Tensor};

use super::{Cam, Layer, doubled, spatial_sum, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Method};
use crate::postprocess::MapKind;

/// Registry entry: what the authors' command line ran.
pub(crate) static TORCHCAM: Method = Method::new(Entry {
    id: "gradcam++",
    name: "GradCAM++",
    summary: "as torch-cam computes it on exp(logits), which the authors' command line ran: cubed positive gradients, the division without effect",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(torchcam)),
});

/// Registry entry: torch-cam's formula as it reads.
pub(crate) static DIVIDED: Method = Method::new(Entry {
    id: "gradcam++-divided",
    name: "GradCAM++ (divided)",
    summary: "torch-cam's formula as it reads, on exp(logits), with the division",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(divided)),
});

/// Registry entry: the form that most libraries have.
pub(crate) static CANONICAL: Method = Method::new(Entry {
    id: "gradcam++-canonical",
    name: "GradCAM++ (canonical)",
    summary: "as pytorch-grad-cam has it: local cube of the gradient times total activation, on logits",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(canonical)),
});

/// Registry entry: the authors' own class.
pub(crate) static AUTHORS_CLASS: Method = Method::new(Entry {
    id: "gradcam++-authors",
    name: "GradCAM++ (authors' class)",
    summary: "the UCAG authors' own class, given the logit as its score (as released it can't run)",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(authors_class)),
});

const SOURCE: &str = "Chattopadhay et al., WACV 2018";

/// With g = exp(z) G: `w_k = Σ_ij g² max(g, 0)`, map `max(Σ_k w_k A_k, 0)`.
pub fn torchcam(layer: &Layer) -> Result<Tensor> {
    let Layer { activation, gradient, logit } = doubled(layer)?;
    // exp(z)³ of a patch against another's is what UCAG's sum sees, so it stays; but it is put on
    // last, where it can't overflow on the way.
    let cubes = gradient.f_relu()?.f_pow_tensor_scalar(3.0)?;
    let map = weighted_sum(&spatial_sum(&cubes)?, &activation)?.f_relu()?;
    Ok(map.f_mul(&logit.f_mul_scalar(3.0)?.f_exp()?)?)
}

/// With g = exp(z) G: `a = g² / (2g² + Σ_ij g³A)` where g² > 0, `w_k = Σ_ij a max(g, 0)`, map
/// `max(Σ_k w_k A_k, 0)`.
///
/// Divided through by exp(z)²: `a = G² / (2G² + exp(z) Σ_ij G³A)`.
pub fn divided(layer: &Layer) -> Result<Tensor> {
    let Layer { activation, gradient, logit } = doubled(layer)?;
    let scale = logit.f_exp()?;
    let square = gradient.f_square()?;
    let total = spatial_sum(&square.f_mul(&gradient)?.f_mul(&activation)?)?;
    let coefficient = ratio(&square, &square.f_mul_scalar(2.0)?.f_add(&total.f_mul(&scale)?)?)?;
    let weights = spatial_sum(&coefficient.f_mul(&gradient.f_relu()?)?)?.f_mul(&scale)?;
    Ok(weighted_sum(&weights, &activation)?.f_relu()?)
}

/// `a = G² / (2G² + (Σ_ij A) G³ + 1e-6)` where G ≠ 0, `w_k = Σ_ij a max(G, 0)`, map `Σ_k w_k A_k`,
/// signed.
pub fn canonical(layer: &Layer) -> Result<Tensor> {
    let Layer { activation, gradient, .. } = doubled(layer)?;
    let square = gradient.f_square()?;
    let total = spatial_sum(&activation)?.f_mul(&square)?.f_mul(&gradient)?;
    let denominator = square.f_mul_scalar(2.0)?.f_add(&total)?.f_add_scalar(1e-6)?;
    let weights = spatial_sum(&ratio(&square, &denominator)?.f_mul(&gradient.f_relu()?)?)?;
    weighted_sum(&weights, &activation)
}

/// `a = G² / (2G² + Σ_ij G³A + 1e-7)`, a zero denominator counting as one,
/// `w_k = Σ_ij a max(exp(z) G, 0)`, map `Σ_k w_k A_k`, signed.
pub fn authors_class(layer: &Layer) -> Result<Tensor> {
    let Layer { activation, gradient, logit } = doubled(layer)?;
    let square = gradient.f_square()?;
    let denominator = square.f_mul_scalar(2.0)?.f_add(&spatial_sum(&square.f_mul(&gradient)?.f_mul(&activation)?)?)?;
    let denominator = denominator.f_masked_fill(&denominator.f_eq(0.0)?, 1.0)?.f_add_scalar(1e-7)?;
    let weights = spatial_sum(&square.f_div(&denominator)?.f_mul(&gradient.f_relu()?)?)?.f_mul(&logit.f_exp()?)?;
    weighted_sum(&weights, &activation)
}

/// a / b where a isn't zero, 0 elsewhere.
fn ratio(numerator: &Tensor, denominator: &Tensor) -> Result<Tensor> {
    let empty = numerator.f_eq(0.0)?;
    Ok(numerator.f_div(denominator)?.f_masked_fill(&empty, 0.0)?.f_to_kind(Kind::Double)?)
}
