//! Explainers: a pass in, signed maps in native units out.

pub mod cam;
pub mod controls;
pub mod gradcam;
pub mod gradcampp;
pub mod layercam;
pub mod wgradcam;
pub mod xgradcam;

use tch::Tensor;

use crate::network::{Network, NodeId};
use crate::pass::{Needs, Pass};
use crate::post::Post;
use crate::suggest::nearest;
use crate::{Error, Result};

/// A method that explains a class at a layer.
pub trait Explainer: Send + Sync + std::fmt::Debug {
    /// What it will ask of the pass.
    ///
    /// # Errors
    /// Where the network lacks a layer that the method is defined on.
    fn needs(&self, network: &Network, layer: NodeId) -> Result<Needs>;

    /// A map for each view of the pass, `[B, 1, h, w]`: signed, in native units, at the method's native resolution, before any clipping,
    /// resizing or scaling that isn't part of its definition.
    ///
    /// # Errors
    /// Where the network can't take the views.
    fn explain(&self, pass: &Pass<'_>, layer: NodeId) -> Result<Tensor>;
}

/// What kind of row a method is in a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// A method with a source.
    Published,
    /// Named in the paper, but defined nowhere: our reading of it. Shown as such wherever it appears.
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
    /// Where it comes from.
    pub source: &'static str,
    /// What kind of row it is.
    pub role: Role,
    /// What is done to its raw maps.
    pub post: Post,
    /// The method itself.
    pub explainer: &'static dyn Explainer,
}

/// Every method. To add one: a file with a `METHOD`, and its line here.
pub static METHODS: &[&Method] = &[
    &gradcam::METHOD,
    &gradcampp::TORCHCAM,
    &gradcampp::DIVIDED,
    &gradcampp::CANONICAL,
    &gradcampp::AUTHORS_CLASS,
    &xgradcam::METHOD,
    &wgradcam::METHOD,
    &layercam::METHOD,
    &layercam::FUSED,
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
