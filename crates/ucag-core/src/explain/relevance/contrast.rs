//! Contrastive relevance propagation: what speaks for the class, less what speaks for all others.
//! See docs/protocol.md#contrastive.

use std::sync::Arc;

use tch::Tensor;

use super::composite::{Composite, sum_channels};
use super::lrp::{CANONIZE, canonize};
use super::{divide, total};
use crate::explain::{Entry, Explainer, ExtraPasses, Method};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::{Error, Result};

/// Registry entry.
pub(in crate::explain) static CLRP: Method = Method::new(Entry {
    id: "clrp",
    name: "c*LRP",
    summary: "LRP less the LRP of all other classes, equally weighted, brought to the same sum",
    source: "Gu et al., ACCV 2018",
    map_kind: MapKind::Signed,
    make: |settings| Arc::new(Contrast { seeds: uniform, canonize: canonize(settings) }),
})
.settings(&[CANONIZE]);

/// Registry entry.
pub(in crate::explain) static SGLRP: Method = Method::new(Entry {
    id: "sglrp",
    name: "SGLRP",
    summary: "as c*LRP, but starts from the softmax's gradient: p(1 − p) at the class, and p times their own p at the others",
    source: "Iwana et al., ICCV Workshops 2019",
    map_kind: MapKind::Signed,
    make: |settings| Arc::new(Contrast { seeds: softmax, canonize: canonize(settings) }),
})
.settings(&[CANONIZE]);

/// The starts of two propagations.
pub struct Seeds {
    /// Relevance at the class's own logit, `[B]`.
    pub own: Tensor,
    /// Relevance at all logits, `[B, N]`, zero at the class's own. Only its proportions matter,
    /// since the contrast brings it to the other's sum: it sums up to one, which keeps digits that
    /// the published seeds lose where the class is nearly certain.
    pub others: Tensor,
}

/// c*LRP's: the logit, and the same at all others.
///
/// # Errors
/// As the pass.
pub fn uniform(pass: &Pass<'_>) -> Result<Seeds> {
    let logits = pass.logits()?;
    let even = 1.0 / (logits.size()[1] - 1) as f64;
    let others = with(&logits.f_full_like(even)?, pass.class(), 0.0)?;
    Ok(Seeds { own: pass.score()?, others })
}

/// SGLRP's seeds: the gradient of the class's softmax probability. UCAG's released wrapper starts
/// SGLRP from c*LRP's seeds, which makes the two the same; the published numbers differ, so they
/// can't have come from it: see docs/protocol.md#d15-sglrp-seeds.
///
/// # Errors
/// As the pass.
pub fn softmax(pass: &Pass<'_>) -> Result<Seeds> {
    let logits = pass.logits()?;
    let p = logits.f_softmax(1, logits.kind())?.f_select(1, pass.class() as i64)?;
    let own = p.f_mul(&p.f_neg()?.f_add_scalar(1.0)?)?.f_add_scalar(1e-8)?;
    let others = with(&logits, pass.class(), f64::NEG_INFINITY)?.f_softmax(1, logits.kind())?;
    Ok(Seeds { own, others })
}

/// `[B, N]` with another value at the class.
fn with(x: &Tensor, class: usize, value: f64) -> Result<Tensor> {
    let index = Tensor::f_from_slice(&[class as i64])?.f_to_device(x.device())?;
    Ok(x.f_index_fill(1, &index, value)?)
}

#[derive(Debug)]
struct Contrast {
    seeds: fn(&Pass<'_>) -> Result<Seeds>,
    canonize: bool,
}

impl Explainer for Contrast {
    fn needs(&self, network: &Network, _: &Layers) -> Result<Needs> {
        if network.classes < 2 {
            return Err(Error::unsupported("contrast", "a contrast needs another class, and the network has one"));
        }
        Ok(Needs { propagations: 2, ..Composite::alpha_beta(1.0).needs(network, self.canonize) })
    }

    fn explain(&self, pass: &Pass<'_>, _: &Layers) -> Result<Tensor> {
        let Seeds { own, others } = (self.seeds)(pass)?;
        let rule = Composite::alpha_beta(1.0);
        let own = rule.relevance_of_unit_seed(pass, self.canonize)?.f_mul(&own.f_view([-1, 1, 1, 1])?)?;
        let others = rule.relevance(pass, pass.spread(&others)?, self.canonize)?;
        sum_channels(&contrast(&own, &others)?)
    }

    fn extra_passes(&self, _: &Network, _: &Layers) -> ExtraPasses {
        ExtraPasses { per_view: 0, per_class: 4 }
    }
}

/// `R − R' · ΣR / ΣR'`, the sums over all of a view's relevance.
pub fn contrast(own: &Tensor, others: &Tensor) -> Result<Tensor> {
    Ok(own.f_sub(&others.f_mul(&divide(&total(own)?, &total(others)?)?)?)?)
}
