//! NormGrad (Rebuffi et al., CVPR 2020; see docs/protocol.md#normgrad): the strength with which
//! each position would drive the weights of a convolution there.
//!
//! The gradient of a 1×1 convolution's weights is a sum over positions of outer products of what
//! went in and the gradient at what came out; NormGrad maps the norms of the summands. A virtual
//! identity makes that possible at any layer.

use std::sync::Arc;

use tch::Tensor;

use super::{Cam, Layer};
use crate::explain::{Entry, Explainer, Method};
use crate::network::{Conv, Graph, Layers, Network, NodeId};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::{Error, Result};

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "normgrad",
    name: "NormGrad",
    summary: "norm of the activation times norm of the gradient at each position: a virtual 1×1 convolution behind the layer",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Cam(virtual_identity)),
});

/// Registry entry.
pub(crate) static SELECTIVE: Method = Method::new(Entry {
    id: "normgrad-selective",
    name: "NormGrad (selective)",
    summary: "norm of what is positive of activation times gradient at each position",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Cam(selective)),
});

/// Registry entry.
pub(crate) static SCALING: Method = Method::new(Entry {
    id: "normgrad-scaling",
    name: "NormGrad (scaling)",
    summary: "norm of activation times gradient at each position: a virtual scaling behind the layer",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Cam(scaling)),
});

/// Registry entry.
pub(crate) static NEIGHBOURHOOD: Method = Method::new(Entry {
    id: "normgrad-neighbourhood",
    name: "NormGrad (3×3)",
    summary: "norm of the activation's 3×3 neighbourhood times norm of the gradient at each position: a virtual 3×3 convolution behind the layer",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Cam(neighbourhood)),
});

/// Registry entry.
pub(crate) static CONVOLUTION: Method = Method::new(Entry {
    id: "normgrad-conv",
    name: "NormGrad (convolution)",
    summary: "at the last real convolution in front of the layer: norm of the window it reads times norm of the gradient behind it",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(AtConvolution),
});

const SOURCE: &str = "Rebuffi et al., CVPR 2020";

/// `‖A‖ ‖G‖`, norms over channels.
pub fn virtual_identity(layer: &Layer) -> Result<Tensor> {
    Ok(norm(&layer.activation)?.f_mul(&norm(&layer.gradient)?)?)
}

/// `‖max(A G, 0)‖`, elementwise product, norm over channels.
pub fn selective(layer: &Layer) -> Result<Tensor> {
    norm(&layer.activation.f_mul(&layer.gradient)?.f_relu()?)
}

/// `‖A G‖`, elementwise product, norm over channels.
pub fn scaling(layer: &Layer) -> Result<Tensor> {
    norm(&layer.activation.f_mul(&layer.gradient)?)
}

/// `‖A's 3 × 3 neighbourhood‖ ‖G‖`, with zeros around the layer.
pub fn neighbourhood(layer: &Layer) -> Result<Tensor> {
    windows(&layer.activation.f_im2col([3, 3], [1, 1], [1, 1], [1, 1])?, &layer.gradient, 1)
}

/// `‖x_u ⊗ g_u‖ = ‖x_u‖ ‖g_u‖`, where x_u is the window of the input that a convolution reads for
/// position u of its output, `[B, window, positions]`, and g_u the gradient there: what position u
/// adds to the gradient of the weights. Groups of channels have weights of their own, so their
/// squares add up.
fn windows(windows: &Tensor, gradient: &Tensor, groups: i64) -> Result<Tensor> {
    let size = gradient.size();
    let grouped = |x: &Tensor| norm_over(2, &x.f_reshape([size[0], groups, -1, size[2], size[3]])?);
    let inputs = grouped(windows)?;
    norm_over(1, &inputs.f_mul(&grouped(gradient)?)?.f_view([size[0], groups, size[2], size[3]])?)
}

fn norm(x: &Tensor) -> Result<Tensor> {
    norm_over(1, x)
}

fn norm_over(dimension: i64, x: &Tensor) -> Result<Tensor> {
    Ok(x.f_norm_scalaropt_dim(2.0, [dimension].as_slice(), true)?)
}

#[derive(Debug)]
struct AtConvolution;

impl AtConvolution {
    /// The last convolution at the layer or in front of it, and what it reads. Where branches meet
    /// in the layer it is that of the branch which torchvision computes last; a layer that is
    /// itself a convolution leaves no choice.
    fn find(graph: &Graph, layer: NodeId) -> Result<(NodeId, NodeId, &Conv)> {
        let convolution = |id: NodeId| {
            let node = &graph.nodes()[id];
            node.op.downcast_ref().map(|conv| (id, node.inputs[0], conv))
        };
        (0..=layer).rev().find_map(convolution).ok_or_else(|| {
            let name = &graph.nodes()[layer].name;
            Error::unsupported(
                CONVOLUTION.id,
                format!("normgrad-conv needs a convolution at layer {name} or in front of it"),
            )
        })
    }
}

impl Explainer for AtConvolution {
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs> {
        let (id, input, _) = Self::find(&network.graph, layers.target)?;
        Ok(Needs { activations: vec![input], gradients: vec![id], ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        let (id, input, conv) = Self::find(&pass.network().graph, layers.target)?;
        windows(&conv.windows(&pass.activation(input)?)?, &pass.gradient(id)?, conv.groups)
    }
}
