//! Excitation backprop (marginal winning probability, MWP) and its contrastive form: see
//! docs/protocol.md#excitation.

use std::sync::Arc;

use tch::Tensor;

use super::backprop::refuse_other_activations;
use crate::explain::{Entry, Explainer, Method};
use crate::network::{Layers, Linear, Network, NodeId, OpKind, Product};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::propagate::{LayerVisit, Rule, needs, propagate};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// Registry entry.
pub(crate) static MWP: Method = Method::new(Entry {
    id: "mwp",
    name: "MWP",
    summary: "excitation backprop: a unit's probability shared among its excitatory inputs, summed over channels at a middle layer",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Excitation(mwp)),
});

/// Registry entry.
pub(crate) static CONTRASTIVE: Method = Method::new(Entry {
    id: "cmwp",
    name: "cMWP",
    summary: "contrastive excitation backprop: less what reaches the classifier's input from its negated last layer; negative sums are clipped",
    source: SOURCE,
    map_kind: MapKind::NonNegative(None),
    make: |_| Arc::new(Excitation(contrastive)),
});

const SOURCE: &str = "Zhang et al., ECCV 2016";

#[derive(Debug)]
struct Excitation(fn(&Pass<'_>, &Layers) -> Result<Tensor>);

impl Explainer for Excitation {
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs> {
        let graph = &network.graph;
        let activations = needs(graph, graph.output(), layers.excitation);
        let crossed: Vec<NodeId> = activations.iter().copied().filter(|&id| id > layers.excitation).collect();
        refuse_other_activations(MWP.id, network, &crossed)?;
        let reads_signed = |&&id: &&NodeId| {
            let node = &graph.nodes()[id];
            matches!(node.op.kind(), OpKind::Conv(_) | OpKind::Linear(_)) && !graph.is_positive(node.inputs[0])
        };
        if let Some(&id) = crossed.iter().find(reads_signed) {
            let name = &graph.nodes()[id].name;
            let problem =
                format!("excitation backprop is defined for activations that aren't negative; {name} reads others");
            return Err(Error::unsupported(MWP.id, problem));
        }
        Ok(Needs { activations, ..Needs::default() })
    }

    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
        (self.0)(pass, layers)
    }
}

/// `Σ_c p_c` at the middle layer, `[B, 1, u, v]`.
///
/// # Errors
/// Where the pass doesn't keep what lies behind the layer.
pub fn mwp(pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
    let output = pass.network().graph.output();
    channel_sum(&propagate(pass, &Rules { negated: None }, output, pass.cotangent()?, layers.excitation)?)
}

/// `max(Σ_c p_c, 0)` at the middle layer, where at the contrast layer p is what arrives less what
/// arrives from the negated classifier.
///
/// # Errors
/// As [`mwp`], or where the contrast layer doesn't lie between the middle layer and the output.
pub fn contrastive(pass: &Pass<'_>, layers: &Layers) -> Result<Tensor> {
    let graph = &pass.network().graph;
    let classifier = graph.classifier();
    let upstream = |negated| propagate(pass, &Rules { negated }, graph.output(), pass.cotangent()?, layers.contrast);
    let difference = upstream(None)?.f_sub(&upstream(classifier)?)?;
    let own = Rules { negated: None };
    Ok(channel_sum(&propagate(pass, &own, layers.contrast, difference, layers.excitation)?)?.f_relu()?)
}

fn channel_sum(x: &Tensor) -> Result<Tensor> {
    if x.dim() != 4 {
        let shape = x.size();
        let problem = format!("excitation backprop stops at {shape:?}, without height and width");
        return Err(Error::unsupported(MWP.id, problem));
    }
    x.sum_over([1])
}

/// Keeps a fraction of a zero total finite.
const EPS: f64 = 1e-20;

/// `p' = x · VJP(W⁺, p / (W⁺x + ε))` for convolutions, fully connected layers and average pools (W⁺
/// then the pool itself), without bias. A sum's summands get p in proportion to their values;
/// batch norm passes p on unchanged; ReLU and max pool have their gradients.
struct Rules {
    /// A node whose weights change their sign.
    negated: Option<NodeId>,
}

impl Rules {
    fn positive(&self, visit: &LayerVisit<'_>, weight: &Tensor) -> Result<Tensor> {
        if self.negated == Some(visit.id) {
            return Ok(weight.f_neg()?.f_relu()?);
        }
        visit.positive_weight(weight)
    }
}

impl Rule for Rules {
    type Signal = Tensor;

    fn back(&self, visit: &LayerVisit<'_>) -> Result<Vec<Tensor>> {
        let (x, p) = (visit.inputs[0], visit.upstream);
        let over_total = |total: Tensor| -> Result<Tensor> { Ok(p.f_div(&total.f_add_scalar(EPS)?)?) };
        let back = match visit.op.kind() {
            OpKind::Conv(conv) => {
                let weight = self.positive(visit, &conv.weight)?;
                conv.transposed(&weight, x, &over_total(conv.with(&weight, x)?)?)?
            }
            OpKind::Linear(Linear { weight, .. }) => {
                let weight = self.positive(visit, weight)?;
                over_total(x.f_linear(&weight, None::<&Tensor>)?)?.f_matmul(&weight)?
            }
            OpKind::MeanPool => {
                let shared = over_total(visit.output.shallow_clone())?;
                visit.op.vjp(visit.inputs, visit.output, &shared)?.swap_remove(0)
            }
            OpKind::BatchNorm(_) | OpKind::Normalization | OpKind::Affine => return Ok(vec![p.shallow_clone()]),
            // A gate is a factor of what it weights.
            OpKind::Product(Product { is_gated: true }) => return Ok(vec![p.shallow_clone()]),
            OpKind::Product(_) | OpKind::MatMul | OpKind::Softmax => {
                return Err(Error::unsupported(MWP.id, "excitation backprop has no rule for it"));
            }
            OpKind::Sum => {
                // A sum of zero passes nothing on.
                let empty = visit.output.f_eq(0.0)?;
                let share_of_input =
                    |input: &&Tensor| Ok(input.f_div(visit.output)?.f_mul(p)?.f_masked_fill(&empty, 0.0)?);
                return visit.inputs.iter().map(share_of_input).collect();
            }
            _ => return visit.vjp(),
        };
        Ok(vec![back.f_mul(x)?])
    }
}
