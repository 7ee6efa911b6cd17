//! `[[metric]]`

use ucag_core::suggest::{hint, nearest};

use super::keys;
use super::section::{Section, Unique, count};

/// `[[metric]]`
#[derive(Clone)]
pub struct Metric {
    /// Entry in the registry of metrics.
    pub metric: &'static metrics::Metric,
    /// Pixels moved per step; the published step where absent.
    pub step: Option<usize>,
}

impl std::fmt::Debug for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metric").field("id", &self.metric.id).field("step", &self.step).finish()
    }
}

/// The metrics.
pub(super) fn metrics(root: &mut Section<'_>) -> Vec<Metric> {
    let mut ids = Unique::default();
    let read = |mut section: Section<'_>| {
        let id: Option<String> = section.require(&keys::metric::ID);
        let step = count(&mut section, &keys::metric::STEP);
        let metric = id.and_then(|id| {
            let unknown = || {
                let meant = nearest(&id, metrics::METRICS.iter().map(|metric| metric.id));
                format!("unknown metric '{id}'{} (see: bench list metrics)", hint(meant.as_deref()))
            };
            let known = metrics::metric(&id).ok_or_else(unknown);
            let metric = section.check(&keys::metric::ID, known)?;
            if let Some(first) = ids.clash(&id, section.place(&keys::metric::ID)) {
                section.problem(&keys::metric::ID, format!("'{id}' is listed at {first} too; list each metric once"));
            }
            Some(metric)
        });
        section.finish();
        Some(Metric { metric: metric?, step })
    };
    root.list(&keys::top::METRIC, "[[metric]]").into_iter().filter_map(read).collect()
}
