//! The `Method` type: an explainer, and what configs, tables and documents know of it.

use std::sync::Arc;

use tch::Tensor;

use super::{Setting, Settings};
use crate::Result;
use crate::network::{Layers, Network};
use crate::pass::{Needs, Pass};
use crate::postprocess::MapKind;

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
    pub map_kind: MapKind,
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

/// The parts of a method that every entry of the registry must give; see [`Method`] for each.
#[derive(Debug)]
#[allow(missing_docs, reason = "as the fields of `Method`")]
pub struct Entry {
    pub id: &'static str,
    pub name: &'static str,
    pub summary: &'static str,
    pub source: &'static str,
    pub map_kind: MapKind,
    pub make: fn(&Settings) -> Arc<dyn Explainer>,
}

impl Method {
    /// A published method without settings, which looks at layers and has a place in UCAG; setters
    /// change that.
    pub const fn new(entry: Entry) -> Self {
        let Entry { id, name, summary, source, map_kind, make } = entry;
        Self {
            id,
            name,
            summary,
            source,
            role: Role::Published,
            map_kind,
            settings: &[],
            black_box: false,
            not_with_ucag: None,
            square: false,
            make,
        }
    }

    /// Sets [`Method::role`].
    pub const fn role(self, role: Role) -> Self {
        Self { role, ..self }
    }

    /// Sets [`Method::settings`].
    pub const fn settings(self, settings: &'static [Setting]) -> Self {
        Self { settings, ..self }
    }

    /// Sets [`Method::black_box`].
    pub const fn black_box(self) -> Self {
        Self { black_box: true, ..self }
    }

    /// Sets [`Method::not_with_ucag`].
    pub const fn not_with_ucag(self, reason: &'static str) -> Self {
        Self { not_with_ucag: Some(reason), ..self }
    }

    /// Sets [`Method::square`].
    pub const fn square(self) -> Self {
        Self { square: true, ..self }
    }

    /// The method with its published settings.
    pub fn explainer(&self) -> Arc<dyn Explainer> {
        (self.make)(&Settings::defaults(self.settings))
    }
}
