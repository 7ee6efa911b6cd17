//! Layer-wise relevance propagation (Bach et al., PLOS ONE 2015): a rule for each kind of layer.
//! See docs/protocol.md#relevance-rules and docs/protocol.md#lrp.

use std::sync::Arc;

use tch::Tensor;

use super::LrpRule;
use super::composite::{Composite, sum_channels};
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting, Settings};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::tensor_ext::TensorExt;

/// Registry entry.
pub(in crate::explain) static METHOD: Method = Method::new(Entry {
    id: "lrp",
    name: "LRP",
    summary: "relevance of the logit by the α1β0-rule, zᴮ at the pixels; less its mean over pixels and colours, as released",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| {
        Arc::new(Lrp { composite: Composite::alpha_beta(1.0), canonize: canonize(settings), centred: true })
    },
})
.settings(&[CANONIZE]);

/// Registry entry.
pub(in crate::explain) static ALPHA_BETA: Method = Method::new(Entry {
    id: "lrp-alpha-beta",
    name: "LRP-αβ",
    summary: "relevance of the logit by the αβ-rule, β = α − 1, zᴮ at the pixels",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| {
        let composite = Composite::alpha_beta(settings.float(ALPHA.key));
        Arc::new(Lrp { composite, canonize: canonize(settings), centred: false })
    },
})
.settings(&[ALPHA, CANONIZE]);

/// Registry entry.
pub(in crate::explain) static EPSILON: Method = Method::new(Entry {
    id: "lrp-epsilon",
    name: "LRP-ε",
    summary: "relevance of the logit by the ε-rule in every layer",
    source: SOURCE,
    map_kind: MapKind::Signed,
    make: |settings| {
        let rule = LrpRule::Epsilon(settings.float(EPSILON_SETTING.key));
        let composite = Composite { pixels: rule, convolution: rule, linear: rule, stabilizer: None };
        Arc::new(Lrp { composite, canonize: canonize(settings), centred: false })
    },
})
.settings(&[EPSILON_SETTING, CANONIZE]);

/// Registry entry.
pub(in crate::explain) static Z_PLUS: Method = Method::new(Entry {
    id: "lrp-zplus",
    name: "LRP-z⁺",
    summary: "relevance of the logit by the z⁺-rule, zᴮ at the pixels: deep Taylor decomposition",
    source: "Montavon et al., Pattern Recognition 2017",
    map_kind: MapKind::Signed,
    make: |settings| {
        let composite = Composite {
            pixels: LrpRule::ZBox,
            convolution: LrpRule::Z_PLUS,
            linear: LrpRule::Z_PLUS,
            stabilizer: None,
        };
        Arc::new(Lrp { composite, canonize: canonize(settings), centred: false })
    },
})
.settings(&[CANONIZE]);

/// Registry entry.
pub(in crate::explain) static COMPOSITE: Method = Method::new(Entry {
    id: "lrp-composite",
    name: "LRP-CMP",
    summary: "relevance of the logit by kind of layer: ε in fully connected layers, z⁺ in convolutions, zᴮ at the pixels",
    source: "Montavon et al., in: Explainable AI, Springer 2019",
    map_kind: MapKind::Signed,
    make: |settings| {
        let linear = LrpRule::Epsilon(settings.float(EPSILON_SETTING.key));
        let composite = Composite { pixels: LrpRule::ZBox, convolution: LrpRule::Z_PLUS, linear, stabilizer: None };
        Arc::new(Lrp { composite, canonize: canonize(settings), centred: false })
    },
})
.settings(&[EPSILON_SETTING, CANONIZE]);

/// Registry entry.
pub(in crate::explain) static EPSILON_PLUS: Method = Method::new(Entry {
    id: "lrp-epsilon-plus",
    name: "LRP-ε⁺",
    summary: "zennit's EpsilonPlus: ε in fully connected layers, z⁺ with biases in all convolutions, batch normalisation folded",
    source: "Anders et al., arXiv 2106.13200",
    map_kind: MapKind::Signed,
    make: |settings| {
        let composite = Composite::zennit(1.0, settings.float(EPSILON_SETTING.key));
        Arc::new(Lrp { composite, canonize: true, centred: false })
    },
})
.settings(&[EPSILON_SETTING]);

/// Registry entry.
pub(in crate::explain) static EPSILON_ALPHA_BETA: Method = Method::new(Entry {
    id: "lrp-epsilon-alpha2-beta1",
    name: "LRP-εα2β1",
    summary: "zennit's EpsilonAlpha2Beta1: ε in fully connected layers, α2β1 with biases in all convolutions, batch normalisation folded",
    source: "Anders et al., arXiv 2106.13200",
    map_kind: MapKind::Signed,
    make: |settings| {
        let composite = Composite::zennit(2.0, settings.float(EPSILON_SETTING.key));
        Arc::new(Lrp { composite, canonize: true, centred: false })
    },
})
.settings(&[EPSILON_SETTING]);

const SOURCE: &str = "Bach et al., PLOS ONE 2015";

const ALPHA: Setting = Setting::float(
    "alpha",
    "weight α of positive contributions; negative ones have the weight α − 1",
    2.0,
    (1.0, 100.0),
);

const EPSILON_SETTING: Setting =
    Setting::float("epsilon", "what is added to a layer's output, away from zero", 1e-6, (1e-12, 1e6));

/// The treatment of batch normalization.
pub(super) const CANONIZE: Setting = Setting::bool(
    "canonize",
    "true: batch normalization is folded into the convolution in front; false: relevance passes it unchanged, as released",
    false,
)
.formerly("canonise");

pub(super) fn canonize(settings: &Settings) -> bool {
    settings.bool(CANONIZE.key)
}

#[derive(Debug)]
struct Lrp {
    composite: Composite,
    canonize: bool,
    /// True if the mean is taken off: the released code's threshold for segmentation.
    centred: bool,
}

impl Explainer for Lrp {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        Ok(self.composite.needs(network, self.canonize))
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let unit = self.composite.relevance_of_unit_seed(pass, self.canonize)?;
        let relevance = unit.f_mul(&pass.score()?.f_view([-1, 1, 1, 1])?)?;
        let relevance = match self.centred {
            true => relevance.f_sub(&relevance.mean_over([1, 2, 3])?)?,
            false => relevance,
        };
        sum_channels(&relevance)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 2 }
    }
}
