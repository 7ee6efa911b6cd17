//! The common part of class activation maps: a weight per channel, and the weighted sum of a
//! layer's activation.

pub mod cameras;
pub mod gradcam;
pub mod gradcampp;
pub mod layercam;
pub mod linear;
pub mod normgrad;
pub mod scorecam;
pub mod wgradcam;
pub mod xgradcam;

use tch::{Kind, Tensor};

use super::Explainer;
use crate::network::{Layers, Network, NodeId};
use crate::pass::{Needs, Pass};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// A layer as a CAM sees it, for a batch of views.
#[derive(Debug)]
pub struct Layer {
    /// Activation A, `[B, K, u, v]`.
    pub activation: Tensor,
    /// Gradient G of the class's logit with respect to A, same shape.
    pub gradient: Tensor,
    /// The class's logit z, `[B, 1, 1, 1]`.
    pub logit: Tensor,
}

/// A CAM as a function of the layer, to a map `[B, 1, u, v]`.
#[derive(Debug)]
pub struct Cam(pub fn(&Layer) -> Result<Tensor>);

impl Explainer for Cam {
    fn needs(&self, _: &Network, layers: &Layers) -> Result<Needs> {
        Ok(Needs::layer(layers.target))
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        (self.0)(&Layer::of(pass, layers.target)?)
    }
}

impl Layer {
    /// Layer `layer` of a pass.
    ///
    /// # Errors
    /// Where the layer has no height and width, or the pass fails.
    pub fn of(pass: &Pass<'_>, layer: NodeId) -> Result<Self> {
        let activation = map_of(pass, layer)?;
        let logit = pass.score()?.f_view([-1, 1, 1, 1])?;
        Ok(Self { activation, gradient: pass.gradient(layer)?, logit })
    }
}

/// Activation of a layer that has height and width, `[B, K, u, v]`.
pub(super) fn map_of(pass: &Pass<'_>, layer: NodeId) -> Result<Tensor> {
    let activation = pass.activation(layer)?;
    if activation.dim() == 4 {
        return Ok(activation);
    }
    let name = &pass.network().graph.nodes()[layer].name;
    let shape = activation.size();
    Err(Error::unsupported(
        "CAM",
        format!(
            "layer {name} gives {shape:?}, without height and width; a class activation map needs a convolutional layer"
        ),
    ))
}

/// Mean over positions, `[B, K, 1, 1]`.
pub(super) fn spatial_mean(x: &Tensor) -> Result<Tensor> {
    x.mean_over([2, 3])
}

/// Sum over positions, `[B, K, 1, 1]`.
pub(super) fn spatial_sum(x: &Tensor) -> Result<Tensor> {
    x.sum_over([2, 3])
}

/// Σ_k w_k A_k, `[B, 1, u, v]`; `weights` are `[B, K, 1, 1]` or as large as A.
pub(super) fn weighted_sum(weights: &Tensor, activation: &Tensor) -> Result<Tensor> {
    let products = weights.f_mul(activation)?;
    products.sum_over([1])
}

/// The layer in double precision.
pub(super) fn doubled(layer: &Layer) -> Result<Layer> {
    let double = |x: &Tensor| x.f_to_kind(Kind::Double);
    let Layer { activation, gradient, logit } = layer;
    Ok(Layer { activation: double(activation)?, gradient: double(gradient)?, logit: double(logit)? })
}
