//! Relative sectional propagation (Nam et al., AAAI 2021; see docs/protocol.md#rsp).
//!
//! The released code takes the seed's maximum and the weight gradients over all views of a chunk,
//! so that views change each other's maps. Here both belong to a view.

use std::sync::Arc;

use tch::Tensor;

use super::composite::{passes_unchanged, sum_channels};
use super::{LinearLayer, divide_exactly, maximum, present, total, z_box_rule};
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Conv, Flatten, Layers, Network, NodeId, OpKind};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{LayerVisit, Rule, needs, propagate};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// Registry entry.
pub(in crate::explain) static METHOD: Method = Method::new(Entry {
    id: "rsp",
    name: "RSP",
    summary: "GradCAM's terms, not summed over channels, sent to the pixels: what speaks for and what against share by activations alone, without weights",
    source: "Nam et al., AAAI 2021",
    map_kind: MapKind::Signed,
    make: |_| Arc::new(Rsp),
});

#[derive(Debug)]
struct Rsp;

impl Explainer for Rsp {
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs> {
        let nodes = network.graph.nodes();
        let activations = needs(&network.graph, layers.target, 0);
        if let Some(node) = activations
            .iter()
            .map(|&id| &nodes[id])
            .find(|node| matches!(node.op.kind(), OpKind::Linear(_)) || node.op.is::<Flatten>())
        {
            let target = &nodes[layers.target].name;
            let problem =
                format!("rsp can't cross {}, in front of its target {target}: it has no rule for that", node.name);
            return Err(Error::unsupported(METHOD.id, problem));
        }
        Ok(Needs { activations, gradients: vec![layers.target], ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        sum_channels(&relevance(pass, layers.target)?)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 6 }
    }
}

/// Returns the start of a propagation at the target: `w_c A_c`, with GradCAM's weights, over its
/// largest entry, `[B, K, u, v]`.
///
/// # Errors
/// Where the pass doesn't give the target's activation and gradient.
pub fn seed(pass: &Pass<'_>, target: NodeId) -> Result<Tensor> {
    let gradient = pass.gradient(target)?;
    let weights = gradient.mean_over([2, 3])?;
    let terms = pass.activation(target)?.f_mul(&weights)?;
    Ok(terms.f_div(&maximum(&terms)?.f_add_scalar(1e-9)?)?)
}

/// Returns the relevance at the pixels, `[B, 3, H, W]`.
///
/// # Errors
/// As [`seed`], or where the pass doesn't keep what is in front of the target.
pub fn relevance(pass: &Pass<'_>, target: NodeId) -> Result<Tensor> {
    propagate(pass, &Rules, target, seed(pass, target)?, 0)
}

struct Rules;

impl Rule for Rules {
    type Signal = Tensor;

    fn back(&self, visit: &LayerVisit<'_>) -> Result<Vec<Tensor>> {
        let (x, relevance) = (visit.inputs[0], visit.upstream);
        Ok(match visit.op.kind() {
            OpKind::BatchNorm(norm) => {
                let scaled = x.f_mul(&norm.weight.f_view([1, -1, 1, 1])?)?;
                vec![present(&scaled)?.f_mul_(relevance)?]
            }
            OpKind::MaxPool | OpKind::MeanPool => {
                let x = x.f_add_scalar(1e-9)?;
                let output = visit.op.apply(&[&x])?;
                let s = divide_exactly(relevance, &output)?;
                vec![visit.op.vjp(&[&x], &output, &s)?.swap_remove(0).f_mul_(&x)?]
            }
            OpKind::Sum => {
                let positive_part =
                    |input: &&Tensor| -> Result<Tensor> { Ok(input.f_clamp_min(0.0)?.f_add_scalar_(1e-9)?) };
                let parts = visit.inputs.iter().map(positive_part).collect::<Result<Vec<_>>>()?;
                let s = relevance.f_div(&parts[0].f_add(&parts[1])?)?;
                parts.into_iter().map(|mut part| Ok(part.f_mul_(&s)?)).collect::<Result<_>>()?
            }
            // Each entry has one input.
            OpKind::Concat | OpKind::Reshape => visit.vjp()?,
            kind if passes_unchanged(kind) => vec![relevance.shallow_clone()],
            OpKind::Conv(conv) if LinearLayer::Conv(conv).reads_pixels(visit.network) => {
                vec![z_box_rule(&LinearLayer::Conv(conv), x, relevance)?]
            }
            OpKind::Conv(conv) => {
                let relevance_of_view =
                    |b: i64| convolution(conv, &x.f_narrow(0, b, 1)?, &relevance.f_narrow(0, b, 1)?);
                vec![Tensor::f_cat(&(0..x.size()[0]).map(relevance_of_view).collect::<Result<Vec<_>>>()?, 0)?]
            }
            _ => return Err(Error::unsupported(METHOD.id, "rsp has no rule for it")),
        })
    }
}

/// Returns the relevance of one view, in proportion to V: the gradient of the weights for positive
/// relevance, P, and for the size of negative relevance, N, in place of the weights.
fn convolution(conv: &Conv, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let x = x.f_clamp_min(0.0)?;
    let width = x.size()[1] / conv.groups;
    let outputs = relevance.size()[1] / conv.groups;
    let group =
        |g: i64| sections(conv, &x.f_narrow(1, g * width, width)?, &relevance.f_narrow(1, g * outputs, outputs)?);
    let back = Tensor::f_cat(&(0..conv.groups).map(group).collect::<Result<Vec<_>>>()?, 1)?;
    if LinearLayer::Conv(conv).is_pointwise() {
        return Ok(back);
    }
    let back = back.f_mul_scalar(2.0)?;
    let present = present(&back)?;
    let shift = divide_exactly(&total(relevance)?, &total(&present)?)?;
    Ok(back.f_sub(&present.f_mul(&shift)?)?)
}

/// `x · (VJP(V_P; P / V_P x) − VJP(V_N; N / V_N x))`, with both as one convolution of twice the
/// channels.
fn sections(conv: &Conv, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let kernel = &conv.weight.size()[2..];
    let parts = Tensor::f_cat(&[relevance.f_clamp_min(0.0)?, relevance.f_clamp_max(0.0)?.f_neg()?], 1)?;
    let columns = match conv.is_pointwise() {
        true => x.f_flatten(2, -1)?,
        false => conv.windows(x)?,
    };
    let gradient = parts.f_flatten(2, -1)?.f_matmul(&columns.f_transpose(1, 2)?)?;
    let weight = gradient.f_view([parts.size()[1], x.size()[1], kernel[0], kernel[1]])?;
    let own = Conv { weight, bias: None, groups: 1, ..*conv };
    let s = divide_exactly(&parts, &own.with(&own.weight, x)?)?;
    let half = parts.size()[1] / 2;
    let _ = s.f_narrow(1, half, half)?.f_neg_()?;
    Ok(own.transposed(&own.weight, x, &s)?.f_mul_(x)?)
}
