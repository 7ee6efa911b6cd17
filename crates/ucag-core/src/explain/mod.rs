//! Explainers: a pass in, signed maps in native units out.

pub mod cam;
pub mod controls;
pub mod gradient;
pub mod perturbation;
pub mod relevance;
mod settings;

use std::sync::Arc;

use tch::Tensor;

pub use self::settings::{Setting, Settings};
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;
use crate::suggest::nearest;
use crate::{Error, Result};

/// A method that explains a class.
pub trait Explainer: Send + Sync + std::fmt::Debug {
    /// Returns the activations and gradients that it needs from the pass.
    ///
    /// # Errors
    /// Where the network lacks a layer that the method is defined on.
    fn needs(&self, network: &Network, layers: &Layers) -> Result<Needs>;

    /// A map for each view of the pass, `[B, 1, h, w]`: signed, in native units, at the method's
    /// native resolution, before any clipping, resizing or scaling that isn't part of its
    /// definition.
    ///
    /// # Errors
    /// Where the network can't take the views.
    fn explain(&self, pass: &Pass<'_>, layers: &Layers) -> Result<Tensor>;

    /// Returns the passes that it runs beyond the pass that all methods share; nothing unless it
    /// says otherwise.
    fn extra_passes(&self, _network: &Network, _layers: &Layers) -> ExtraPasses {
        ExtraPasses::default()
    }
}

/// Forward passes of one view each, beyond the pass that all methods share. A backward pass counts
/// as two.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExtraPasses {
    /// For a view, however many of its classes are explained.
    pub per_view: usize,
    /// For a view and class.
    pub per_class: usize,
}

/// The kind of a method's row in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A method with a source.
    Published,
    /// Named in the paper, but defined nowhere: our reading of it. Shown as such wherever it
    /// appears.
    Candidate,
    /// Knows nothing of the network: what a method must beat.
    Control,
}

/// An explainer and what the registry knows of it.
#[derive(Debug)]
pub struct Method {
    /// The id in configs and records.
    pub id: &'static str,
    /// The name in tables.
    pub name: &'static str,
    /// One line: the formula, or what sets it apart.
    pub summary: &'static str,
    /// The publication or code that it comes from.
    pub source: &'static str,
    /// The kind of its row.
    pub role: Role,
    /// The kind of its raw maps, which decides on post-processing.
    pub post: MapKind,
    /// Its numbers that a config may change.
    pub settings: &'static [Setting],
    /// True if it asks a network for no more than logits and gradients at the input, so that it can
    /// explain one of which nothing else is known.
    pub black_box: bool,
    /// The reason why it has no place in UCAG, if it hasn't.
    pub not_with_ucag: Option<&'static str>,
    /// True if its publication explains the photo squashed to a square even where a data set's
    /// protocol keeps the aspect ratio.
    pub square: bool,
    /// The method itself, with these settings.
    pub make: fn(&Settings) -> Arc<dyn Explainer>,
}

impl Method {
    /// The template of an entry: `Method { id: …, make: …, ..Method::CAM }`.
    pub const CAM: Method = Method {
        id: "",
        name: "",
        summary: "",
        source: "",
        role: Role::Published,
        post: MapKind::Cam,
        settings: &[],
        black_box: false,
        not_with_ucag: None,
        square: false,
        make: |_| Arc::new(controls::Control(controls::uniform)),
    };

    /// Returns whether it can explain a network, as far as can be said without running it.
    ///
    /// # Errors
    /// Where it looks inside a network that can't be looked into.
    pub fn allows(&self, network: &Network) -> Result<()> {
        if self.black_box || !network.is_black_box() {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "method '{}' looks at a network's layers, and a TorchScript network shows none; methods that need logits or input gradients only are {}",
            self.id,
            METHODS.iter().filter(|method| method.black_box).map(|method| method.id).collect::<Vec<_>>().join(", ")
        )))
    }

    /// The method with its published settings.
    pub fn explainer(&self) -> Arc<dyn Explainer> {
        (self.make)(&Settings::defaults(self.settings))
    }
}

/// Every method. To add one: a file with a `METHOD`, and its line here.
pub static METHODS: &[&Method] = &[
    &cam::gradcam::METHOD,
    &cam::gradcampp::TORCHCAM,
    &cam::gradcampp::DIVIDED,
    &cam::gradcampp::CANONICAL,
    &cam::gradcampp::AUTHORS_CLASS,
    &cam::xgradcam::METHOD,
    &cam::wgradcam::METHOD,
    &cam::layercam::METHOD,
    &cam::layercam::FUSED,
    &cam::linear::METHOD,
    &cam::scorecam::METHOD,
    &cam::scorecam::TORCHCAM,
    &cam::scorecam::PGC,
    &cam::normgrad::METHOD,
    &cam::normgrad::SELECTIVE,
    &cam::normgrad::SCALING,
    &cam::normgrad::NEIGHBOURHOOD,
    &cam::normgrad::CONVOLUTION,
    &cam::cameras::METHOD,
    &gradient::backprop::GRADIENT,
    &gradient::backprop::DECONVNET,
    &gradient::backprop::GUIDED,
    &gradient::excitation::MWP,
    &gradient::excitation::CONTRASTIVE,
    &relevance::lrp::METHOD,
    &relevance::lrp::ALPHA_BETA,
    &relevance::lrp::EPSILON,
    &relevance::lrp::Z_PLUS,
    &relevance::lrp::COMPOSITE,
    &relevance::lrp::EPSILON_PLUS,
    &relevance::lrp::EPSILON_ALPHA_BETA,
    &relevance::contrast::CLRP,
    &relevance::contrast::SGLRP,
    &relevance::rap::METHOD,
    &relevance::rap::UNIT,
    &relevance::rsp::METHOD,
    &relevance::agf::METHOD,
    &perturbation::rise::METHOD,
    &perturbation::rise::AUTHORS,
    &perturbation::extremal::METHOD,
    &gradient::fullgrad::METHOD,
    &gradient::fullgrad::IDIAP,
    &gradient::gradient_input::METHOD,
    &gradient::integrated_gradients::METHOD,
    &gradient::integrated_gradients::RELEASED,
    &gradient::smoothgrad::METHOD,
    &gradient::smoothgrad::RELEASED,
    &controls::POINT,
    &controls::RANDOM,
    &controls::UNIFORM,
    &controls::CENTER,
    &controls::EDGE,
];

/// The method of this id.
///
/// # Errors
/// [`Error::Unknown`] with the nearest id.
pub fn method(id: &str) -> Result<&'static Method> {
    METHODS.iter().copied().find(|method| method.id == id).ok_or_else(|| Error::Unknown {
        what: "method",
        name: id.to_owned(),
        suggestion: nearest(id, METHODS.iter().map(|method| method.id)),
    })
}
