//! Raw maps of a sample, for every row and class.

use anyhow::{Context, Result};
use tch::Tensor;
use ucag_core::explain::Explainer;
use ucag_core::ucag;
use ucag_core::ucag::unfold::enlarge;

use super::explainer::NamedExplainer;
use super::row_groups::{RowGroup, RowIndex, row_groups};
use super::sample::{RawMap, SampleContext};
use super::seed::seed;
use super::worker::Worker;
use crate::config;
use crate::plan::precomputed;

impl<'p> Worker<'p> {
    /// Every row's raw map for each class. Rows that see the same image or views share their
    /// passes; classes share them, too.
    pub(super) fn explain(&self, context: &SampleContext<'_>, classes: &[usize]) -> Result<Vec<Vec<RawMap<'p>>>> {
        let config = self.config;
        let table: Vec<(&'p config::Method, &'p config::Variant)> = config.rows_on(context.model.dataset).collect();
        let mut raw: Vec<Vec<Option<Tensor>>> = classes.iter().map(|_| table.iter().map(|_| None).collect()).collect();
        for square in [false, true] {
            let image = if square { context.input.square.as_ref() } else { Some(&context.input.image) };
            let sees_it =
                |computed: &config::Computed| (computed.entry.square && context.input.square.is_some()) == square;
            let is_made_of_it = |row: &RowIndex| table[row.0].0.computed().is_some_and(sees_it);
            let rows: Vec<RowIndex> = (0..table.len()).map(RowIndex).filter(is_made_of_it).collect();
            let Some(image) = image.filter(|_| !classes.is_empty()) else { continue };
            for group in row_groups(&table, &rows) {
                for (row, class, map) in self.maps(context, image, classes, &table, &group)? {
                    raw[class][row.0] = Some(map);
                }
            }
        }
        for (row, (method, variant)) in table.iter().enumerate() {
            let Some(folder) = method.folder(variant.ucag) else { continue };
            for (raw, &class) in raw.iter_mut().zip(classes) {
                let file = folder.join(precomputed::file_name::file(
                    &context.data.name,
                    &context.model.name,
                    &context.sample.id,
                    class,
                ));
                let map = precomputed::read(&file, self.maps)?;
                raw[row] = Some(map.f_to_device(context.input.image.device())?);
            }
        }
        let rows = |maps: Vec<Option<Tensor>>| {
            let row = |(&(method, variant), map): (&(&'p config::Method, &'p config::Variant), Option<Tensor>)| {
                Ok(RawMap::new(method, variant, map.context("a map is missing")?))
            };
            table.iter().zip(maps).map(row).collect::<Result<Vec<_>>>()
        };
        raw.into_iter().map(rows).collect()
    }

    /// Raw maps of rows that share their passes, with their row and the position of their class in
    /// `classes`.
    fn maps(
        &self,
        context: &SampleContext<'_>,
        image: &Tensor,
        classes: &[usize],
        table: &[(&config::Method, &config::Variant)],
        group: &RowGroup<'_>,
    ) -> Result<Vec<(RowIndex, usize, Tensor)>> {
        let loaded = if group.ucag { &context.model.unfolded } else { &context.model.plain };
        let image = if group.ucag { image.shallow_clone() } else { enlarge(image, group.protocol)? };
        let request = ucag::ExplainRequest {
            network: &loaded.network,
            image: &image,
            classes,
            layers: loaded.layers,
            views_per_batch: self.config.compute.views_per_batch,
            seed: seed(self.config.seed, &context.sample.id),
        };
        let named = group.methods.iter().map(|method| NamedExplainer::new(method)).collect::<Result<Vec<_>>>()?;
        let explainers: Vec<&dyn Explainer> = named.iter().map(|method| method as &dyn Explainer).collect();
        let mut maps = Vec::new();
        if group.ucag {
            let unfolded = ucag::explain_views(&request, &explainers, group.protocol)?;
            for &(row, method) in &group.rows {
                for class in 0..classes.len() {
                    maps.push((row, class, unfolded.conquer(&request, class, method, &table[row.0].1.protocol.maps)?));
                }
            }
        } else {
            let plain = ucag::plain(&request, &explainers)?;
            for &(row, method) in &group.rows {
                maps.extend((0..classes.len()).map(|class| (row, class, plain[class][method].shallow_clone())));
            }
        }
        Ok(maps)
    }
}
