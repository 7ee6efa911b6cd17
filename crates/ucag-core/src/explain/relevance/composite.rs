//! Composites of layer-wise relevance propagation: a rule for each kind of layer. See
//! docs/protocol.md#lrp and docs/protocol.md#relevance-elsewhere.

use std::rc::Rc;

use tch::Tensor;

use super::canonizer::{MergedBatchNorm, fold};
use super::factored::output;
use super::{Inputs, LinearLayer, LrpRule, Relevance, divide_away_from_zero, transpose_and_multiply, z_rule};
use crate::network::{Network, Op, OpKind, Product};
use crate::pass::{Needs, Pass};
use crate::propagate::{LayerVisit, Reads, Rule, needs, needs_of, propagate};
use crate::tensor_ext::TensorExt;
use crate::{Error, Result};

/// A rule for each kind of layer with weights; the others have one each. Relevance passes ReLU,
/// other activations, dropout and normalization unchanged, and in a product with a gate all of it
/// goes to the other input; pools, sums and concatenation follow the z-rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Composite {
    /// For the convolution that reads pixels.
    pub pixels: LrpRule,
    /// For the other convolutions.
    pub convolution: LrpRule,
    /// For fully connected layers.
    pub linear: LrpRule,
    /// The stabilizer of pools and sums; with none, an output of zero passes no relevance on, as
    /// released.
    pub stabilizer: Option<f64>,
}

impl Composite {
    /// The αβ-rule, β = α − 1, and zᴮ at the pixels.
    pub fn alpha_beta(alpha: f64) -> Self {
        let rule = LrpRule::AlphaBeta { alpha, inputs: Inputs::Separate };
        Self { pixels: LrpRule::ZBox, convolution: rule, linear: rule, stabilizer: None }
    }

    /// zennit's composites of ε in fully connected layers and αβ, with biases, in convolutions.
    pub fn zennit(alpha: f64, epsilon: f64) -> Self {
        let inputs = Inputs::Joint { bias: true, stabilizer: 1e-6 };
        let convolution = LrpRule::AlphaBeta { alpha, inputs };
        Self { pixels: convolution, convolution, linear: LrpRule::Epsilon(epsilon), stabilizer: Some(1e-6) }
    }

    /// Returns the relevance at the pixels, `[B, 3, H, W]`, of relevance `seed` at the logits.
    /// Batch normalisation is folded first where `canonize` says so.
    ///
    /// # Errors
    /// Where the pass doesn't keep what [`Composite::needs`] says.
    pub fn relevance(self, pass: &Pass<'_>, seed: Tensor, canonize: bool) -> Result<Tensor> {
        let (output, seed) = (pass.network().graph.output(), Relevance::from(seed));
        let at_pixels = match canonize {
            false => propagate(pass, &self, output, seed, 0),
            true => {
                let folded = fold(pass.network())?;
                propagate(pass, &MergedBatchNorm { rule: self, pass, folded }, output, seed, 0)
            }
        };
        at_pixels?.to_tensor()
    }

    /// Returns what a pass must keep for [`Composite::relevance`].
    pub fn needs(self, network: &Network, canonize: bool) -> Needs {
        if canonize {
            return Needs { propagations: 1, ..all_activations(network) };
        }
        let reads = |op: &Op| match (LinearLayer::of(op), op.kind()) {
            (Some(layer), _) => {
                Reads { inputs: true, output: matches!(self.rule(&layer, network), LrpRule::Epsilon(_)) }
            }
            (_, kind) if passes_unchanged(kind) => Reads::NOTHING,
            (_, OpKind::Sum) => Reads { inputs: true, output: false },
            _ => Reads::ALL,
        };
        let graph = &network.graph;
        Needs { activations: needs_of(graph, graph.output(), 0, reads), gradients: vec![], propagations: 1 }
    }

    fn rule(&self, layer: &LinearLayer<'_>, network: &Network) -> LrpRule {
        match layer {
            _ if layer.reads_pixels(network) => self.pixels,
            LinearLayer::Conv(_) => self.convolution,
            LinearLayer::Linear(..) => self.linear,
        }
    }

    /// [`Composite::relevance`] of a seed of one at the class's logit. Once a pass, however many
    /// methods ask: relevance is linear in its seed.
    ///
    /// # Errors
    /// As [`Composite::relevance`].
    pub fn relevance_of_unit_seed(self, pass: &Pass<'_>, canonize: bool) -> Result<Rc<Tensor>> {
        let key = format!("relevance of one unit at {}: {self:?}, canonize {canonize}", pass.class());
        pass.forward_pass().cached(&key, || self.relevance(pass, pass.cotangent()?, canonize))
    }
}

impl Rule for Composite {
    type Signal = Relevance;

    fn back(&self, visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
        if let Some(layer) = LinearLayer::of(visit.op) {
            return Ok(vec![self.rule(&layer, visit.network).propagate(&layer, visit)?]);
        }
        match (self.stabilizer, visit.op.kind()) {
            (Some(epsilon), OpKind::MeanPool | OpKind::Sum) => {
                let s = divide_away_from_zero(&visit.upstream.to_tensor()?, &output(visit)?, epsilon)?;
                transpose_and_multiply(visit, &s)
            }
            _ => propagate_unweighted(visit),
        }
    }
}

/// Propagates as every method of the family does at operations without weights.
pub(super) fn propagate_unweighted(visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
    match visit.op.kind() {
        kind if passes_unchanged(kind) => Ok(vec![visit.upstream.shallow_clone()]),
        OpKind::Reshape => Ok(visit.vjp_of(&visit.upstream.to_tensor()?)?.into_iter().map(Relevance::from).collect()),
        OpKind::MaxPool | OpKind::MeanPool | OpKind::Sum | OpKind::Concat => z_rule(visit, visit.upstream),
        OpKind::Softmax | OpKind::MatMul | OpKind::Product(_) => Err(Error::unsupported(
            "relevance",
            "relevance has no rule here: two inputs are multiplied, and neither is a gate on the other",
        )),
        _ => Err(Error::unsupported("relevance", "no rule for relevance here")),
    }
}

/// Returns whether relevance passes an operation unchanged, to its first input. A gate is taken as
/// a constant.
pub(super) fn passes_unchanged(kind: OpKind<'_>) -> bool {
    matches!(
        kind,
        OpKind::Relu
            | OpKind::Activation(_)
            | OpKind::Identity
            | OpKind::BatchNorm(_)
            | OpKind::Normalization
            | OpKind::Affine
            | OpKind::Product(Product { is_gated: true })
    )
}

/// The needs of a rule that may look at every node's output.
pub(super) fn all_activations(network: &Network) -> Needs {
    Needs { activations: needs(&network.graph, network.graph.output(), 0), ..Needs::default() }
}

/// Sum over the channels of the image, `[B, 1, H, W]`.
pub(super) fn sum_channels(relevance: &Tensor) -> Result<Tensor> {
    relevance.sum_over([1])
}
