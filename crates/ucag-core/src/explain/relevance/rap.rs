//! Relative attributing propagation (Nam et al., AAAI 2020; see docs/protocol.md#rap).

use std::sync::Arc;

use tch::Tensor;

use super::composite::{all_activations, propagate_unweighted, sum_channels};
use super::{LinearLayer, Relevance, absolute_rule, divide, present, shifted, total, z_box_rule};
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Layers, Linear, Network, NodeId, OpKind};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{LayerVisit, Rule, propagate};
use crate::{Error, Result};

/// Registry entry.
pub(in crate::explain) static METHOD: Method = Method::new(Entry {
    id: "rap",
    name: "RAP",
    summary: "relevance of the logit, shared by the size of each contribution and then shifted: what adds least turns negative",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |_| Arc::new(Rap { seed: Seed::Logit }),
});

/// Registry entry.
pub(in crate::explain) static UNIT: Method = Method::new(Entry {
    id: "rap-unit",
    name: "RAP (unit seed)",
    summary: "as RAP, but starts from the contributions to the class's logit in the last layer: its authors' own code",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |_| Arc::new(Rap { seed: Seed::Contributions }),
});

const SOURCE: &str = "Nam et al., AAAI 2020";

/// The start of a walk: see docs/protocol.md#d19-rap-seed.
#[derive(Debug, Clone, Copy)]
enum Seed {
    /// The logit, at its place in the output.
    Logit,
    /// Each input's contribution to the logit in the last layer.
    Contributions,
}

#[derive(Debug)]
struct Rap {
    seed: Seed,
}

impl Explainer for Rap {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        if matches!(self.seed, Seed::Contributions) {
            last_layer(network)?;
        }
        Ok(all_activations(network))
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        sum_channels(&match self.seed {
            Seed::Logit => of_logit(pass)?,
            Seed::Contributions => of_contributions(pass)?,
        })
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 4 }
    }
}

/// Returns the relevance at the pixels, `[B, 3, H, W]`, of the class's logit as relevance.
///
/// # Errors
/// Where the pass doesn't keep every node's output.
pub fn of_logit(pass: &Pass<'_>) -> Result<Tensor> {
    let cotangent = pass.cotangent()?;
    let mut shape = vec![-1];
    shape.resize(cotangent.dim(), 1);
    let seed = cotangent.f_mul(&pass.score()?.f_view(shape.as_slice())?)?;
    propagate(pass, &Rules, pass.network().graph.output(), seed.into(), 0)?.to_tensor()
}

/// Returns the relevance at the pixels, `[B, 3, H, W]`, of the contributions in the last layer.
///
/// # Errors
/// As [`of_logit`], or where the last layer isn't fully connected.
pub fn of_contributions(pass: &Pass<'_>) -> Result<Tensor> {
    let (input, weight, bias) = last_layer(pass.network())?;
    let x = pass.activation(input)?;
    let class = pass.class() as i64;
    let weight = weight.f_narrow(0, class, 1)?;
    let (positive, negative) = (weight.f_clamp_min(0.0)?, weight.f_clamp_max(0.0)?);
    let above = x.f_clamp_min(0.0)?;
    let (plus, minus) = (above.f_mul(&positive)?, above.f_mul(&negative)?);
    let below = x.f_clamp_max(0.0)?;
    let mut contributions = x.f_mul(&weight)?;
    if let Some(bias) = bias {
        // The bias is shared out among what non-negative inputs add and take, in the proportion of
        // all that is added and all that is taken.
        let added = total(&plus)?.f_add(&total(&below.f_mul(&negative)?)?)?;
        let taken = total(&minus)?.f_add(&total(&below.f_mul(&positive)?)?)?;
        let fraction = divide(&bias.f_narrow(0, class, 1)?, &added.f_add(&taken)?)?;
        let bias_part = |part: &Tensor, sum: &Tensor| -> Result<Tensor> {
            Ok(part.f_mul(&divide(&fraction.f_mul(sum)?, &total(part)?)?)?)
        };
        contributions = contributions.f_add_(&bias_part(&plus, &added)?)?.f_add_(&bias_part(&minus, &taken)?)?;
    }
    let magnitude = contributions.f_abs()?;
    let seed = magnitude.f_mul(&divide(&total(&contributions)?, &total(&magnitude)?)?)?;
    propagate(pass, &Rules, input, seed.into(), 0)?.to_tensor()
}

/// Returns the input of the fully connected last layer, its weight and its bias.
fn last_layer(network: &Network) -> Result<(NodeId, &Tensor, Option<&Tensor>)> {
    let node = &network.graph.nodes()[network.graph.output()];
    match node.op.downcast_ref() {
        Some(Linear { weight, bias }) => Ok((node.inputs[0], weight, bias.as_ref())),
        None => {
            let problem = format!("rap-unit starts in a fully connected last layer, which {} isn't", node.name);
            Err(Error::unsupported(UNIT.id, problem))
        }
    }
}

struct Rules;

impl Rule for Rules {
    type Signal = Relevance;

    fn back(&self, visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
        let x = visit.inputs[0];
        if let OpKind::BatchNorm(norm) = visit.op.kind() {
            let scaled = x.f_mul(&norm.weight.f_view([1, -1, 1, 1])?)?;
            return Ok(vec![present(&scaled)?.f_mul_(&visit.upstream.to_tensor()?)?.into()]);
        }
        let Some(layer) = LinearLayer::of(visit.op) else { return propagate_unweighted(visit) };
        let relevance = &visit.upstream.to_tensor()?;
        let relevance = match () {
            () if layer.reads_pixels(visit.network) => z_box_rule(&layer, x, relevance)?,
            () if layer.is_pointwise() => absolute_rule(&layer, x, relevance)?,
            () => relative(&layer, visit, relevance)?,
        };
        Ok(vec![relevance.into()])
    }
}

/// Positive inputs and the sizes of negative ones apart, each with all of the relevance. What there
/// are no inputs for adds nothing.
fn relative(layer: &LinearLayer<'_>, visit: &LayerVisit<'_, Relevance>, relevance: &Tensor) -> Result<Tensor> {
    let x = visit.inputs[0];
    let (positive, negative) = (visit.positive_weight(layer.weight())?, layer.weight().f_clamp_max(0.0)?.f_neg()?);
    if visit.reads_positive()? {
        return propagate_shifted(layer, x, &positive, &negative, relevance);
    }
    let above = propagate_shifted(layer, &x.f_clamp_min(0.0)?, &positive, &negative, relevance)?;
    let below = propagate_shifted(layer, &x.f_clamp_max(0.0)?.f_neg()?, &positive, &negative, relevance)?;
    Ok(above.f_add(&below)?)
}

/// T(P, Q, x), with P of positive and Q of the sizes of negative weights, then shifted to the
/// relevance's sum.
fn propagate_shifted(
    layer: &LinearLayer<'_>,
    x: &Tensor,
    positive: &Tensor,
    negative: &Tensor,
    relevance: &Tensor,
) -> Result<Tensor> {
    let p = layer.forward(positive, x)?;
    let q = layer.forward(negative, x)?;
    let (above, below) = (relevance.f_clamp_min(0.0)?, relevance.f_clamp_max(0.0)?);
    let to_q = divide(&relevance.f_mul(&divide(&q, &p.f_add(&q)?)?)?, &q)?;
    // The released code sends negative relevance through P in fully connected layers and through Q
    // in convolutions.
    let (to_p, to_q) = match layer {
        LinearLayer::Linear(..) => (divide(relevance, &p)?, to_q),
        LinearLayer::Conv(_) => (divide(&above, &p)?, to_q.f_add(&divide(&below, &q)?)?),
    };
    let back = layer.transpose(positive, x, &to_p)?.f_add_(&layer.transpose(negative, x, &to_q)?)?.f_mul_(x)?;
    shifted(&back, &total(relevance)?)
}
