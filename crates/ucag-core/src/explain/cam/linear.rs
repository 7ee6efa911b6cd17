//! Linear approximation: activation times gradient, as TorchRay has it; also known as HiResCAM
//! (Draelos & Carin, 2020).

use std::sync::Arc;

use tch::Tensor;

use super::{Cam, Layer, weighted_sum};
use crate::Result;
use crate::explain::{Entry, Method};
use crate::postprocess::MapKind;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "linear-approximation",
    name: "Linear approximation",
    summary: "activation times gradient at each position, summed over channels; also known as HiResCAM",
    source: "TorchRay; Draelos & Carin, 2020",
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(linear_approximation)),
});

/// `Σ_k G_k A_k`, signed.
pub fn linear_approximation(layer: &Layer) -> Result<Tensor> {
    weighted_sum(&layer.gradient, &layer.activation)
}
