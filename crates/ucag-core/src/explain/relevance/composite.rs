//! Composites of layer-wise relevance propagation: a rule for each kind of layer. See
//! docs/protocol.md#lrp and docs/protocol.md#relevance-elsewhere.

use std::rc::Rc;

use tch::Tensor;

use super::canonizer::{MergedBatchNorm, fold};
use super::factored::output;
use super::lrp_rule::Share;
use super::{LinearLayer, Relevance, divide_away_from_zero, shared, z_rule};
use crate::network::{Network, Op};
use crate::pass::{Needs, Pass};
use crate::propagate::{LayerVisit, Reads, Rule, needs, needs_of, propagate};
use crate::{Error, Result};

/// A rule for each kind of layer with weights; the others have one each. Relevance passes ReLU,
/// dropout and batch normalisation unchanged; pools, sums and concatenation share it by the z-rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Composite {
    /// For the convolution that reads pixels.
    pub pixels: Share,
    /// For the other convolutions.
    pub convolution: Share,
    /// For fully connected layers.
    pub linear: Share,
    /// The stabilizer of pools and sums; with none, an output of zero passes no relevance on, as
    /// released.
    pub stabilizer: Option<f64>,
}

impl Composite {
    /// The αβ-rule, β = α − 1, and zᴮ at the pixels.
    pub fn alpha_beta(alpha: f64) -> Self {
        let share = Share::AlphaBeta(alpha);
        Self { pixels: Share::ZBounded, convolution: share, linear: share, stabilizer: None }
    }

    /// zennit's composites of ε in fully connected layers and αβ, with biases, in convolutions.
    pub fn zennit(alpha: f64, epsilon: f64) -> Self {
        let convolution = Share::Together { alpha, bias: true, stabilizer: 1e-6 };
        Self { pixels: convolution, convolution, linear: Share::Epsilon(epsilon), stabilizer: Some(1e-6) }
    }

    /// Returns the relevance at the pixels, `[B, 3, H, W]`, of relevance `seed` at the logits.
    /// Batch normalisation is folded first where `canonize` says so.
    ///
    /// # Errors
    /// Where the pass doesn't keep what [`Composite::needs`] says.
    pub fn relevance(self, pass: &Pass<'_>, seed: Tensor, canonize: bool) -> Result<Tensor> {
        let (output, seed) = (pass.network().graph.output(), Relevance::from(seed));
        let arrived = match canonize {
            false => propagate(pass, &self, output, seed, 0),
            true => {
                propagate(pass, &MergedBatchNorm { rule: self, pass, folded: fold(pass.network())? }, output, seed, 0)
            }
        };
        arrived?.whole()
    }

    /// Returns what a pass must keep for [`Composite::relevance`].
    pub fn needs(self, network: &Network, canonize: bool) -> Needs {
        if canonize {
            return Needs { propagations: 1, ..whole(network) };
        }
        let reads = |op: &Op| match (LinearLayer::of(op), op) {
            (Some(layer), _) => {
                Reads { inputs: true, output: matches!(self.share(&layer, network), Share::Epsilon(_)) }
            }
            (_, Op::Relu | Op::Dropout | Op::BatchNorm(_) | Op::ChannelAffine { .. }) => Reads::NOTHING,
            (_, Op::Add) => Reads { inputs: true, output: false },
            _ => Reads::ALL,
        };
        let graph = &network.graph;
        Needs { activations: needs_of(graph, graph.output(), 0, reads), gradients: vec![], propagations: 1 }
    }

    fn share(&self, layer: &LinearLayer<'_>, network: &Network) -> Share {
        match layer {
            _ if layer.reads_pixels(network) => self.pixels,
            LinearLayer::Conv(_) => self.convolution,
            LinearLayer::Linear(..) => self.linear,
        }
    }

    /// [`Composite::relevance`] of one unit at the class's logit. Once a pass, however many methods
    /// ask: relevance is linear in its seed.
    ///
    /// # Errors
    /// As [`Composite::relevance`].
    pub fn of_unit(self, pass: &Pass<'_>, canonize: bool) -> Result<Rc<Tensor>> {
        let key = format!("relevance of one unit at {}: {self:?}, canonize {canonize}", pass.class());
        pass.forward_pass().cached(&key, || self.relevance(pass, pass.cotangent()?, canonize))
    }
}

impl Rule for Composite {
    type Signal = Relevance;

    fn back(&self, visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
        if let Some(layer) = LinearLayer::of(visit.op) {
            return Ok(vec![self.share(&layer, visit.network).back(&layer, visit)?]);
        }
        match (self.stabilizer, visit.op) {
            (Some(epsilon), Op::AvgPool(_) | Op::AdaptiveAvgPool { .. } | Op::Add) => {
                shared(visit, &divide_away_from_zero(&visit.upstream.whole()?, &output(visit)?, epsilon)?)
            }
            _ => elsewhere(visit),
        }
    }
}

/// Propagates as every method of the family does at operations without weights.
pub(super) fn elsewhere(visit: &LayerVisit<'_, Relevance>) -> Result<Vec<Relevance>> {
    match visit.op {
        Op::Relu | Op::Dropout | Op::BatchNorm(_) | Op::ChannelAffine { .. } => {
            Ok(vec![visit.upstream.shallow_clone()])
        }
        Op::Flatten => Ok(visit.vjp_of(&visit.upstream.whole()?)?.into_iter().map(Relevance::from).collect()),
        Op::MaxPool(_) | Op::AvgPool(_) | Op::AdaptiveAvgPool { .. } | Op::Add | Op::Concat => {
            z_rule(visit, visit.upstream)
        }
        Op::Input { .. } | Op::Conv(_) | Op::Linear { .. } | Op::Scripted(_) => {
            Err(Error::Invalid("no rule for relevance here".into()))
        }
    }
}

/// Every node's output, and a walk: what each method of the family asks for.
pub(super) fn whole(network: &Network) -> Needs {
    Needs { activations: needs(&network.graph, network.graph.output(), 0), ..Needs::default() }
}

/// Sum over colours, `[B, 1, H, W]`.
pub(super) fn colours(relevance: &Tensor) -> Result<Tensor> {
    Ok(relevance.f_sum_dim_intlist([1i64].as_slice(), true, relevance.kind())?)
}
