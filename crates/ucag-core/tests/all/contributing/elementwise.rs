//! GradCAMElementWise, as pytorch-grad-cam has it.

use std::sync::Arc;

use ucag_core::Result;
use ucag_core::explain::Method;
use ucag_core::explain::cam::{Cam, Layer};

/// Registry entry.
pub(crate) static METHOD: Method = Method {
    id: "gradcam-elementwise",
    name: "GradCAM (elementwise)",
    summary: "what is positive of gradient times activation, summed over channels",
    source: "pytorch-grad-cam",
    make: |_| Arc::new(Cam(elementwise)),
    ..Method::CAM
};

/// `Σ_k max(G_k A_k, 0)`.
fn elementwise(layer: &Layer) -> Result<tch::Tensor> {
    let products = layer.gradient.f_mul(&layer.activation)?.f_relu()?;
    Ok(products.f_sum_dim_intlist([1i64].as_slice(), true, products.kind())?)
}
