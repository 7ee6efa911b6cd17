//! Extremal perturbation: the masks of given areas under which the network is surest of the class.
//! See docs/protocol.md#extremal.

pub mod mask;
pub mod perturbation;
pub mod search;

use std::sync::Arc;

use tch::Tensor;

use self::perturbation::Perturbation;
use self::search::Search;
use crate::Result;
use crate::explain::{Entry, Explainer, ExtraPasses, Method, Setting, Settings};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::{MapKind, MethodBlur};
use crate::tensor_ext::TensorExt;

/// Registry entry.
pub(crate) static METHOD: Method = Method::new(Entry {
    id: "extremal",
    name: "ExtremalPerturbation",
    summary: "sum, over areas, of the smooth mask of that area that keeps the class's logit highest where the rest is blurred",
    source: "Fong et al., ICCV 2019",
    map_kind: MapKind::NonNegative(Some(MethodBlur::OfShorter(0.09))),
    make: |settings| Arc::new(Extremal::new(settings)),
})
.settings(&[AREAS, ITERATIONS])
.black_box();

const AREAS: Setting = Setting::list(
    "areas",
    "shares of the image that a mask may show; one mask each",
    &[0.025, 0.05, 0.1, 0.2],
    (0.001, 0.999),
);

const ITERATIONS: Setting = Setting::int("iterations", "steps of the optimiser", 800, (1, 1_000_000));

#[derive(Debug)]
struct Extremal(Search);

impl Extremal {
    fn new(settings: &Settings) -> Self {
        Self(Search {
            areas: settings.list(AREAS.key).to_vec(),
            iterations: settings.count(ITERATIONS.key),
            perturbation: Perturbation::Blur,
            step: 7,
            sigma: 21,
        })
    }
}

impl Explainer for Extremal {
    fn needs(&self, _: &Network, _: &Layers) -> Result<Needs> {
        Ok(Needs::default())
    }

    /// The sum of the masks, not negative, at the resolution of the input.
    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let views = pass.views();
        let map = |view: i64| -> Result<Tensor> {
            let found = self.0.run(pass.network(), &views.f_narrow(0, view, 1)?, pass.class())?;
            found.masks.sum_over([0])
        };
        Ok(Tensor::f_stack(&(0..views.size()[0]).map(map).collect::<Result<Vec<_>>>()?, 0)?)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 3 * self.0.areas.len() * self.0.iterations }
    }
}
