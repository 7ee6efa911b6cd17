//! Layer-wise relevance propagation (Bach et al., PLOS ONE 2015): a rule for each kind of layer (protocol sections 2.3 and 2.4).

use std::rc::Rc;
use std::sync::Arc;

use tch::Tensor;

use super::canonised::{Canonised, fold};
use super::share::Share;
use super::{Weighted, z_rule};
use crate::explain::{Explainer, Extra, Method, Setting, Settings};
use crate::network::{Layers, Network, Op};
use crate::pass::{Needs, Pass};
use crate::post::Post;
use crate::walk::{Rule, Visit, needs, walk};
use crate::{Error, Result};

/// Registry entry.
pub(in crate::explain) static METHOD: Method = Method {
    id: "lrp",
    name: "LRP",
    summary: "relevance of the logit by the α1β0-rule, zᴮ at the pixels; less its mean over pixels and colours, as released",
    settings: &[CANONISE],
    make: |settings| {
        Arc::new(Lrp { composite: Composite::alpha_beta(1.0), canonise: canonise(settings), centred: true })
    },
    ..COMMON
};

/// Registry entry.
pub(in crate::explain) static ALPHA_BETA: Method = Method {
    id: "lrp-alpha-beta",
    name: "LRP-αβ",
    summary: "relevance of the logit by the αβ-rule, β = α − 1, zᴮ at the pixels",
    settings: &[
        Setting {
            key: "alpha",
            summary: "weight α of what excites; what inhibits has the weight α − 1",
            default: &[2.0],
            range: (1.0, 100.0),
            whole: false,
            list: false,
        },
        CANONISE,
    ],
    make: |settings| {
        let composite = Composite::alpha_beta(settings.number("alpha"));
        Arc::new(Lrp { composite, canonise: canonise(settings), centred: false })
    },
    ..COMMON
};

/// Registry entry.
pub(in crate::explain) static EPSILON: Method = Method {
    id: "lrp-epsilon",
    name: "LRP-ε",
    summary: "relevance of the logit by the ε-rule in every layer",
    settings: &[EPSILON_SETTING, CANONISE],
    make: |settings| {
        let share = Share::Epsilon(settings.number("epsilon"));
        let composite = Composite { pixels: share, convolution: share, linear: share };
        Arc::new(Lrp { composite, canonise: canonise(settings), centred: false })
    },
    ..COMMON
};

/// Registry entry.
pub(in crate::explain) static Z_PLUS: Method = Method {
    id: "lrp-zplus",
    name: "LRP-z⁺",
    summary: "relevance of the logit by the z⁺-rule, zᴮ at the pixels: deep Taylor decomposition",
    source: "Montavon et al., Pattern Recognition 2017",
    settings: &[CANONISE],
    make: |settings| {
        let composite = Composite { pixels: Share::ZBounded, convolution: Share::ZPlus, linear: Share::ZPlus };
        Arc::new(Lrp { composite, canonise: canonise(settings), centred: false })
    },
    ..COMMON
};

/// Registry entry.
pub(in crate::explain) static COMPOSITE: Method = Method {
    id: "lrp-composite",
    name: "LRP-CMP",
    summary: "relevance of the logit by kind of layer: ε in fully connected layers, z⁺ in convolutions, zᴮ at the pixels",
    source: "Montavon et al., in: Explainable AI, Springer 2019",
    settings: &[EPSILON_SETTING, CANONISE],
    make: |settings| {
        let linear = Share::Epsilon(settings.number("epsilon"));
        let composite = Composite { pixels: Share::ZBounded, convolution: Share::ZPlus, linear };
        Arc::new(Lrp { composite, canonise: canonise(settings), centred: false })
    },
    ..COMMON
};

/// What the methods of this folder have in common.
pub(super) const COMMON: Method = Method { source: "Bach et al., PLOS ONE 2015", post: Post::Signed, ..Method::CAM };

/// What the ε-rule and its like may change.
const EPSILON_SETTING: Setting = Setting {
    key: "epsilon",
    summary: "what is added to a layer's output, away from zero",
    default: &[1e-6],
    range: (1e-12, 1e6),
    whole: false,
    list: false,
};

/// How batch normalisation is crossed.
pub(super) const CANONISE: Setting = Setting {
    key: "canonise",
    summary: "1: batch normalisation is folded into the convolution in front; 0: relevance passes it unchanged, as released",
    default: &[0.0],
    range: (0.0, 1.0),
    whole: true,
    list: false,
};

pub(super) fn canonise(settings: &Settings) -> bool {
    settings.count("canonise") == 1
}

/// A rule for each kind of layer with weights; the others have one each. Relevance passes ReLU, dropout and batch normalisation unchanged; pools, sums
/// and concatenation share it by the z-rule.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Composite {
    /// For the convolution that reads pixels.
    pub pixels: Share,
    /// For the other convolutions.
    pub convolution: Share,
    /// For fully connected layers.
    pub linear: Share,
}

impl Composite {
    /// The αβ-rule, β = α − 1, and zᴮ at the pixels.
    pub fn alpha_beta(alpha: f64) -> Self {
        let share = Share::AlphaBeta(alpha);
        Self { pixels: Share::ZBounded, convolution: share, linear: share }
    }

    /// What arrives at the pixels, `[B, 3, H, W]`, of relevance `seed` at the logits. `batch_norm` is folded first where `canonise` says so.
    ///
    /// # Errors
    /// Where the pass doesn't keep every node's output.
    pub fn relevance(self, pass: &Pass<'_>, seed: Tensor, canonise: bool) -> Result<Tensor> {
        let output = pass.network().graph.output();
        match canonise {
            false => walk(pass, &self, output, seed, 0),
            true => walk(pass, &Canonised { rule: self, pass, folded: fold(&pass.network().graph)? }, output, seed, 0),
        }
    }

    /// [`Composite::relevance`] of one unit at the class's logit. Once a pass, however many methods ask: relevance is linear in its seed.
    ///
    /// # Errors
    /// As [`Composite::relevance`].
    pub fn of_unit(self, pass: &Pass<'_>, canonise: bool) -> Result<Rc<Tensor>> {
        let key = format!("relevance of one unit at {}: {self:?}, canonise {canonise}", pass.class());
        pass.trace().once(&key, || self.relevance(pass, pass.cotangent()?, canonise))
    }
}

impl Rule for Composite {
    type Carried = Tensor;

    fn back(&self, visit: &Visit<'_>) -> Result<Vec<Tensor>> {
        let relevance = visit.arriving;
        if let Some(layer) = Weighted::of(visit.op) {
            let share = match layer {
                _ if layer.reads_pixels() => self.pixels,
                Weighted::Conv(_) => self.convolution,
                Weighted::Linear(..) => self.linear,
            };
            return Ok(vec![share.back(&layer, visit.inputs[0], visit.output, relevance)?]);
        }
        elsewhere(visit)
    }
}

/// What every method of the family does at operations without weights.
///
/// # Errors
/// Where libtorch refuses.
pub(super) fn elsewhere(visit: &Visit<'_>) -> Result<Vec<Tensor>> {
    match visit.op {
        Op::Relu | Op::Dropout | Op::BatchNorm(_) | Op::ChannelAffine { .. } => {
            Ok(vec![visit.arriving.shallow_clone()])
        }
        Op::Flatten => visit.vjp(),
        Op::MaxPool(_) | Op::AvgPool(_) | Op::AdaptiveAvgPool { .. } | Op::Add | Op::Concat => {
            z_rule(visit, visit.arriving)
        }
        Op::Input | Op::Conv(_) | Op::Linear { .. } => Err(Error::Invalid("no rule for relevance here".into())),
    }
}

/// Every node's output, and a walk: what each method of the family asks for.
pub(super) fn whole(network: &Network) -> Needs {
    Needs { activations: needs(&network.graph, network.graph.output(), 0), gradients: vec![] }
}

/// Sum over colours, `[B, 1, H, W]`.
pub(super) fn colours(relevance: &Tensor) -> Result<Tensor> {
    Ok(relevance.f_sum_dim_intlist([1i64].as_slice(), true, relevance.kind())?)
}

#[derive(Debug)]
struct Lrp {
    composite: Composite,
    canonise: bool,
    /// Whether the mean is taken off: the released code's threshold for segmentation.
    centred: bool,
}

impl Explainer for Lrp {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        Ok(whole(network))
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let unit = self.composite.of_unit(pass, self.canonise)?;
        let relevance = unit.f_mul(&pass.score()?.f_view([-1, 1, 1, 1])?)?;
        let relevance = match self.centred {
            true => relevance.f_sub(&relevance.f_mean_dim([1i64, 2, 3].as_slice(), true, relevance.kind())?)?,
            false => relevance,
        };
        colours(&relevance)
    }

    fn extra(&self, _: &Network, _: &Layers) -> Extra {
        Extra { per_view: 0, per_class: 2 }
    }
}
