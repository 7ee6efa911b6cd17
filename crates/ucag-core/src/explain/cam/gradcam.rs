//! GradCAM (Selvaraju et al., ICCV 2017; see docs/protocol.md#gradcam).

use std::sync::Arc;

use super::{Cam, Layer, spatial_mean, weighted_sum};
use crate::Result;
use crate::explain::Method;

/// Registry entry.
pub(crate) static METHOD: Method = Method {
    id: "gradcam",
    name: "GradCAM",
    summary: "channels weighted by their mean gradient",
    source: "Selvaraju et al., ICCV 2017",
    make: |_| Arc::new(Cam(gradcam)),
    ..Method::CAM
};

/// `w_k = mean_ij G_k`, map `Σ_k w_k A_k`, signed.
pub fn gradcam(layer: &Layer) -> Result<tch::Tensor> {
    weighted_sum(&spatial_mean(&layer.gradient)?, &layer.activation)
}
