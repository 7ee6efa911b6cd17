//! `[[method]]`: an explainer of the registry, or precomputed maps.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ucag_core::explain::{self, Explainer, Role, Settings};
use ucag_core::postprocess::MapKind;

/// `[[method]]`
#[derive(Debug, Clone)]
pub struct Method {
    /// Its name in records: its id in the registry, or the name that the config gives it. Unique on
    /// a data set.
    pub id: String,
    /// Its name in tables.
    pub name: String,
    /// The source of its maps.
    pub source: Source,
    /// The post-processing of its raw maps.
    pub map_kind: MapKind,
    /// The only data set that it is for, as an index into [`super::Config::datasets`]; for all of
    /// them where absent.
    pub dataset: Option<usize>,
    /// Its rows, as indices into [`super::Config::variants`], in the order of the table.
    pub variants: Vec<usize>,
}

/// The source of a method's maps.
#[derive(Debug, Clone)]
pub enum Source {
    /// An explainer of the registry makes them.
    Computed(Computed),
    /// They are in files.
    Precomputed(Precomputed),
}

/// An explainer of the registry.
#[derive(Debug, Clone)]
pub struct Computed {
    /// Its entry there.
    pub entry: &'static explain::Method,
    /// Its numbers.
    pub settings: Settings,
    /// The method with these numbers.
    pub explainer: Arc<dyn Explainer>,
}

/// `kind = "precomputed"`: folders of maps that another program made. At least one of them is
/// there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Precomputed {
    /// Maps that were made without UCAG.
    pub maps: Option<PathBuf>,
    /// Maps that UCAG has folded already.
    pub maps_with_ucag: Option<PathBuf>,
}

impl Method {
    /// The explainer, where the maps are made here.
    pub fn computed(&self) -> Option<&Computed> {
        match &self.source {
            Source::Computed(computed) => Some(computed),
            Source::Precomputed(_) => None,
        }
    }

    /// The folder of the maps of a row, where they are precomputed.
    pub fn folder(&self, ucag: bool) -> Option<&Path> {
        match &self.source {
            Source::Computed(_) => None,
            Source::Precomputed(Precomputed { maps, maps_with_ucag }) => {
                if ucag {
                    maps_with_ucag.as_deref()
                } else {
                    maps.as_deref()
                }
            }
        }
    }

    /// Returns whether it is a control, which knows nothing of the network.
    pub fn is_control(&self) -> bool {
        self.computed().is_some_and(|computed| computed.entry.role == Role::Control)
    }
}
