//! LayerCAM (Jiang et al., TIP 2021), at one layer and fused over a ResNet's four stages: see
//! docs/protocol.md#layercam.

use std::sync::Arc;

use tch::Tensor;

use super::{Cam, Layer, doubled, weighted_sum};
use crate::explain::{Entry, Explainer, Method};
use crate::image_ops::{Interpolation, resize};
use crate::network::{Layers, Network, NodeId};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::{Error, Result};

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "layercam",
    name: "LayerCAM",
    summary: "every position weighted by its own positive gradient, at one layer",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Cam(layercam)),
});

/// `Σ_k max(G_k, 0) A_k`, elementwise weights.
pub fn layercam(layer: &Layer) -> Result<Tensor> {
    weighted_sum(&layer.gradient.f_relu()?, &layer.activation)
}

/// Registry entry: the route of the authors' command line, which exists for ResNets only.
pub(crate) static FUSED: Method = Method::new(Entry {
    id: "layercam-fused",
    name: "LayerCAM (fused)",
    summary: "LayerCAM on exp(logits) over layer1 to layer4 of a ResNet, squashed by tanh and fused by their maximum, as the authors ran it",
    source: SOURCE,
    map_kind: MapKind::Cam,
    make: |_| Arc::new(Fused),
});

const SOURCE: &str = "Jiang et al., TIP 2021";

#[derive(Debug)]
struct Fused;

impl Fused {
    fn stages(network: &Network) -> Result<Vec<NodeId>> {
        (1..=4).map(|stage| network.graph.resolve(&format!("layer{stage}"))).collect::<Result<_>>().map_err(|_| {
            Error::unsupported(
                FUSED.id,
                format!("layercam-fused is defined on a ResNet's layer1 to layer4, not on {}", network.architecture),
            )
        })
    }
}

impl Explainer for Fused {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        let stages = Self::stages(network)?;
        Ok(Needs { activations: stages.clone(), gradients: stages, ..Needs::default() })
    }

    /// `max_l up(tanh(2 R_l))` with `R_l = max(exp(z) Σ_k max(G_k, 0) A_k, 0)` at stage l, enlarged
    /// to the first stage's size. In float64, where exp(z) has room.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let mut fused: Option<Tensor> = None;
        for stage in Self::stages(pass.network())? {
            let layer = doubled(&Layer::of(pass, stage)?)?;
            let map = layercam(&layer)?.f_mul(&layer.logit.f_exp()?)?.f_relu()?;
            let squashed = map.f_mul_scalar(2.0)?.f_tanh()?;
            fused = Some(match fused {
                None => squashed,
                Some(first) => {
                    let size = first.size();
                    first.f_maximum(&resize(&squashed, [size[2], size[3]], Interpolation::Bilinear)?)?
                }
            });
        }
        fused.ok_or(Error::Internal("layercam-fused found no stages"))
    }
}
