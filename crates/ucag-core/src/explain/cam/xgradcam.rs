//! XGradCAM (Fu et al., BMVC 2020; see docs/protocol.md#xgradcam).

use std::sync::Arc;

use tch::Tensor;

use super::{Cam, Layer, spatial_sum, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Method};
use crate::postprocess::MapKind;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "xgradcam",
    name: "XGradCAM",
    summary: "channels weighted by their activation-weighted mean gradient; equals GradCAM in front of global average pooling and one linear layer",
    source: "Fu et al., BMVC 2020",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(authors)),
});

/// With the authors' ε of 1e-6, to a signed map. Libraries have others; it matters only where a
/// channel's activations nearly cancel.
fn authors(layer: &Layer) -> Result<Tensor> {
    xgradcam(layer, 1e-6)
}

/// `w_k = Σ_ij G_k A_k / (Σ_ij A_k + ε)`, map `Σ_k w_k A_k`, signed.
pub fn xgradcam(layer: &Layer, epsilon: f64) -> Result<Tensor> {
    let Layer { activation, gradient, .. } = layer;
    let total = spatial_sum(activation)?.f_add_scalar(epsilon)?;
    let weights = spatial_sum(&gradient.f_mul(activation)?)?.f_div(&total)?;
    weighted_sum(&weights, activation)
}
