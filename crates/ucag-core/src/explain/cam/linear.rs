//! Linear approximation: activation times gradient, as TorchRay has it; also known as HiResCAM
//! (Draelos & Carin, 2020).

use std::sync::Arc;

use tch::Tensor;

use super::{Cam, Layer, weighted_sum};
use crate::Result;
use crate::explain::Method;

/// Registry entry.
pub(crate) static METHOD: Method = Method {
    id: "linear-approximation",
    name: "Linear approximation",
    summary: "activation times gradient at each position, summed over channels; also known as HiResCAM",
    source: "TorchRay; Draelos & Carin, 2020",
    make: |_| Arc::new(Cam(linear_approximation)),
    ..Method::CAM
};

/// `Σ_k G_k A_k`, signed.
pub fn linear_approximation(layer: &Layer) -> Result<Tensor> {
    weighted_sum(&layer.gradient, &layer.activation)
}
