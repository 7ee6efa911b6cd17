//! Attribution guided factorisation (Gur et al., AAAI 2021; see docs/protocol.md#agf).

mod factorise;

use std::sync::Arc;

use tch::Tensor;

use self::factorise::factorise;
use super::composite::{all_activations, passes_unchanged, sum_channels};
use super::{LinearLayer, Relevance, absolute_rule, divide, maximum, present, total, z_box_rule, z_rule};
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Flatten, Layers, Linear, Network, NodeId, OpKind};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{LayerVisit, Rule, Signal, propagate};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// Registry entry.
pub(in crate::explain) static METHOD: Method = Method::new(Entry {
    id: "agf",
    name: "AGF",
    summary: "relevance and gradient walk back together; in convolutions with a window relevance is guided by gradient times input and by two factorised maps",
    source: "Gur et al., AAAI 2021",
    map_kind: MapKind::Signed,
    make: |_| Arc::new(Agf),
});

#[derive(Debug)]
struct Agf;

impl Explainer for Agf {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        last_layer(network)?;
        Ok(all_activations(network))
    }

    /// Over each view's maximum, as released.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let relevance = relevance(pass)?;
        sum_channels(&divide(&relevance, &maximum(&relevance)?)?)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 6 }
    }
}

/// Returns the relevance at the pixels, `[B, 3, H, W]`.
///
/// # Errors
/// Where the last layer isn't fully connected, or the pass doesn't keep every node's output.
pub fn relevance(pass: &Pass<'_>) -> Result<Tensor> {
    let (input, weight) = last_layer(pass.network())?;
    let seed = top(pass, &pass.activation(input)?, weight)?;
    Ok(propagate(pass, &Rules { pass }, input, seed, 0)?.relevance)
}

/// Returns the start of a propagation, at what the last layer reads: relevance of its shape.
///
/// # Errors
/// As [`relevance`].
pub fn seed(pass: &Pass<'_>) -> Result<Tensor> {
    let (input, weight) = last_layer(pass.network())?;
    Ok(top(pass, &pass.activation(input)?, weight)?.relevance)
}

/// Returns the input of the fully connected last layer, and its weight.
fn last_layer(network: &Network) -> Result<(NodeId, &Tensor)> {
    let node = &network.graph.nodes()[network.graph.output()];
    match node.op.downcast_ref() {
        Some(Linear { weight, .. }) => Ok((node.inputs[0], weight)),
        None => {
            let problem = format!("agf starts in a fully connected last layer, which {} isn't", node.name);
            Err(Error::unsupported(METHOD.id, problem))
        }
    }
}

/// The signal of a propagation.
struct Stream {
    relevance: Tensor,
    gradient: Tensor,
}

impl Signal for Stream {
    fn sum(self, other: Self) -> Result<Self> {
        Ok(Self { relevance: self.relevance.f_add(&other.relevance)?, gradient: self.gradient.f_add(&other.gradient)? })
    }
}

/// The last layer: gradient times input of a softmax of logits that a Gaussian around the class's
/// own has weighted.
fn top(pass: &Pass<'_>, x: &Tensor, weight: &Tensor) -> Result<Stream> {
    let logits = pass.logits()?.set_requires_grad(true);
    let own = logits.f_narrow(1, pass.class() as i64, 1)?;
    let distance = logits.f_sub(&own)?;
    let widest = distance.f_abs()?.max_over([1])?;
    let near = distance.f_div(&widest)?.f_square()?.f_mul_scalar(-0.5)?.f_exp()?;
    let score =
        own.f_mul(&near)?.f_softmax(1, logits.kind())?.f_select(1, pass.class() as i64)?.f_sum(logits.kind())?;
    let at_logits = Tensor::f_run_backward(&[score], &[&logits], false, false)?.swap_remove(0);
    let gradient = at_logits.f_matmul(weight)?;
    Ok(Stream { relevance: x.f_mul(&gradient)?, gradient })
}

struct Rules<'a, 'n> {
    pass: &'a Pass<'n>,
}

impl Rule for Rules<'_, '_> {
    type Signal = Stream;

    fn back(&self, visit: &LayerVisit<'_, Stream>) -> Result<Vec<Stream>> {
        let Stream { relevance, gradient } = visit.upstream;
        let gradients = visit.vjp_of(gradient)?;
        let x = visit.inputs[0];
        let relevances = match (visit.op.kind(), LinearLayer::of(visit.op)) {
            (_, Some(layer)) if layer.reads_pixels(visit.network) => vec![z_box_rule(&layer, x, relevance)?],
            (OpKind::Linear(_), Some(layer)) => vec![self.linear(visit, &layer, &gradients[0])?],
            (_, Some(layer)) if layer.is_pointwise() => vec![absolute_rule(&layer, x, relevance)?],
            (_, Some(layer)) => vec![convolution(visit, &layer, &gradients[0])?],
            // A ReLU's relevance is zero where its output is.
            (kind, _) if passes_unchanged(kind) && !matches!(kind, OpKind::Relu) => vec![relevance.shallow_clone()],
            (OpKind::Reshape, _) => visit.vjp_of(relevance)?,
            (OpKind::Softmax | OpKind::MatMul | OpKind::Product(_), _) => {
                return Err(Error::unsupported(METHOD.id, "agf has no rule for it"));
            }
            _ => {
                let back = z_rule(visit, &relevance.shallow_clone().into())?;
                back.iter().map(Relevance::to_tensor).collect::<Result<_>>()?
            }
        };
        // A gate gets neither.
        let streams = relevances.into_iter().zip(gradients);
        Ok(streams.map(|(relevance, gradient)| Stream { relevance, gradient }).collect())
    }

    /// The sum of what its readers send, and zero where the node's output is zero.
    fn join(&self, output: &Tensor, first: Stream, rest: Vec<Stream>) -> Result<Stream> {
        let sum = rest.into_iter().try_fold(first, Signal::sum)?;
        Ok(Stream { relevance: divide(&sum.relevance, output)?.f_mul_(output)?, ..sum })
    }
}

impl Rules<'_, '_> {
    /// Relevance in proportion to the size of contributions; behind a flattened map, guided by the
    /// gradient there.
    fn linear(&self, visit: &LayerVisit<'_, Stream>, layer: &LinearLayer<'_>, gradient: &Tensor) -> Result<Tensor> {
        let x = visit.inputs[0];
        let redistributed = absolute_rule(layer, x, &visit.upstream.relevance)?;
        let nodes = self.pass.network().graph.nodes();
        let source = &nodes[nodes[visit.id].inputs[0]];
        if !source.op.is::<Flatten>() {
            return Ok(redistributed);
        }
        let map = self.pass.activation(source.inputs[0])?.size();
        let guide = guide(&x.f_view(map.as_slice())?, &gradient.f_view(map.as_slice())?)?;
        let spread = guide.f_expand(map.as_slice(), false)?.f_mul(&present(&redistributed)?.f_view(map.as_slice())?)?;
        // The maximum is of what is left where there is relevance.
        let spread = divide(&spread, &maximum(&spread)?)?;
        shift(&redistributed, &spread.f_flatten(1, -1)?)
    }
}

/// `max(mean over channels of X · G, 0)`, `[B, 1, h, w]`.
fn guide(x: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    Ok(x.f_mul(gradient)?.mean_over([1])?.f_relu()?)
}

/// Relevance in proportion to the size of contributions, and what guides it: the gradient times the
/// input, two factorised maps,
/// and how much of the relevance an input of ones would get.
fn convolution(visit: &LayerVisit<'_, Stream>, layer: &LinearLayer<'_>, gradient: &Tensor) -> Result<Tensor> {
    let Stream { relevance, gradient: upstream } = visit.upstream;
    let x = visit.inputs[0];
    let redistributed = absolute_rule(layer, x, relevance)?;
    let relevant = visit.vjp_of(&present(relevance)?.f_mul_(upstream)?)?.swap_remove(0);
    let guide = guide(x, gradient)?;
    let guide = divide(&guide, &maximum(&guide)?)?;
    let phi = redistributed.mean_over([1])?;
    let of_input = factorise(x, &phi)?.f_relu()?;
    let of_gradient = factorise(&relevant, &phi)?.f_relu()?;
    let certain = redistributed.f_neg()?.f_exp()?.f_add_scalar(1.0)?;
    let guided = divide(&of_input.f_add(&guide)?.f_expand_as(&redistributed)?, &certain)?;
    let guided = guided.f_add(&of_gradient)?.f_add(&of_ones(layer, x, relevance)?)?;
    shift(&redistributed, &guided.f_mul(&present(&redistributed)?)?)
}

/// `|W|ᵀ(R / |W|1)`: what an input of ones would get. All its channels are the same, so that
/// one will do.
fn of_ones(layer: &LinearLayer<'_>, x: &Tensor, relevance: &Tensor) -> Result<Tensor> {
    let weight = layer.weight().f_abs()?;
    let ones = x.f_narrow(0, 0, 1)?.f_ones_like()?;
    let s = divide(relevance, &layer.forward(&weight, &ones)?.f_expand_as(relevance)?)?;
    layer.transpose(&weight, x, &s)
}

/// `C + E`, less the same at each of C's entries that aren't zero, so that C's sum is kept.
fn shift(c: &Tensor, e: &Tensor) -> Result<Tensor> {
    let present = present(c)?;
    let excess = divide(&total(e)?, &total(&present)?)?;
    Ok(c.f_add(e)?.f_sub(&present.f_mul(&excess)?)?)
}
