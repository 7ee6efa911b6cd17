//! GradCAM (Selvaraju et al., ICCV 2017; see docs/protocol.md#gradcam).

use std::sync::Arc;

use super::{Cam, Layer, spatial_mean, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Method};
use crate::postprocess::MapKind;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "gradcam",
    name: "GradCAM",
    summary: "channels weighted by their mean gradient",
    source: "Selvaraju et al., ICCV 2017",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(gradcam)),
});

/// `w_k = mean_ij G_k`, map `Σ_k w_k A_k`, signed.
pub fn gradcam(layer: &Layer) -> Result<tch::Tensor> {
    weighted_sum(&spatial_mean(&layer.gradient)?, &layer.activation)
}
