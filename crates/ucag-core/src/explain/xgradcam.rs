//! XGradCAM (Fu et al., BMVC 2020; protocol section 2.2).

use super::cam::{Cam, Layer, spatial_sum, weighted_sum};
use super::{Method, Role};
use crate::Result;
use crate::post::Post;

/// Registry entry.
pub(super) static METHOD: Method = Method {
    id: "xgradcam",
    name: "XGradCAM",
    summary: "channels weighted by their activation-weighted mean gradient; equals GradCAM in front of global average pooling and one linear layer",
    source: "Fu et al., BMVC 2020",
    role: Role::Published,
    post: Post::Cam,
    explainer: &Cam(xgradcam),
};

/// `w_k = Σ_ij G_k A_k / (Σ_ij A_k + 1e-6)`, map `Σ_k w_k A_k`, signed.
///
/// # Errors
/// Where libtorch refuses.
pub fn xgradcam(layer: &Layer) -> Result<tch::Tensor> {
    let Layer { activation, gradient, .. } = layer;
    let weights = spatial_sum(&gradient.f_mul(activation)?)?.f_div(&spatial_sum(activation)?.f_add_scalar(1e-6)?)?;
    weighted_sum(&weights, activation)
}
