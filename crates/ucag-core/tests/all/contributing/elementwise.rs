//! GradCAMElementWise, as pytorch-grad-cam has it.

use std::sync::Arc;

use ucag_core::Result;
use ucag_core::explain::cam::{Cam, Layer};
use ucag_core::explain::{Entry, Method};
use ucag_core::postprocess::MapKind;
use ucag_core::tensor_ext::TensorExt;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "gradcam-elementwise",
    name: "GradCAM (elementwise)",
    summary: "what is positive of gradient times activation, summed over channels",
    source: "pytorch-grad-cam",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(elementwise)),
});

/// `Σ_k max(G_k A_k, 0)`.
fn elementwise(layer: &Layer) -> Result<tch::Tensor> {
    let products = layer.gradient.f_mul(&layer.activation)?.f_relu()?;
    products.sum_over([1])
}
