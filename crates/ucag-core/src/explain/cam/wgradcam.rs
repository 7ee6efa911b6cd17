//! WGradCAM: the paper tabulates it, but no public code or formula of it is known. See
//! docs/protocol.md#wgradcam.

use std::sync::Arc;

use super::{Cam, Layer, spatial_mean, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Method, Role};
use crate::postprocess::MapKind;

/// Registry entry. A candidate: it is consistent with the one thing that the published numbers say
/// of the method, that it differs from GradCAM where the gradient is the same at every position.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "wgradcam",
    name: "WGradCAM (candidate)",
    summary: "channels weighted by the mean of activation times gradient; a guess, since the method has no public definition",
    source: "no source; tabulated in UCAG, AAAI 2023",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(wgradcam)),
})
.role(Role::Candidate);

/// `w_k = mean_ij A_k G_k`, map `Σ_k w_k A_k`, signed.
pub fn wgradcam(layer: &Layer) -> Result<tch::Tensor> {
    weighted_sum(&spatial_mean(&layer.activation.f_mul(&layer.gradient)?)?, &layer.activation)
}
