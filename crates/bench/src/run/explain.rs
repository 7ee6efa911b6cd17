//! Raw maps of a sample, for every row and class.

use anyhow::{Context, Result};
use tch::Tensor;
use ucag_core::explain::Explainer;
use ucag_core::ucag;
use ucag_core::ucag::unfold::enlarge;

use super::explainer::NamedExplainer;
use super::row_groups::{RowGroup, row_groups};
use super::sample::{RawMap, SampleContext};
use super::seed::seed;
use super::worker::Worker;
use crate::config;
use crate::plan::precomputed;

impl<'p> Worker<'p> {
    /// Every row's raw map for each class. Rows that see the same image or views share their passes; classes share them, too.
    pub(super) fn explain(&self, of: &SampleContext<'_>, classes: &[usize]) -> Result<Vec<Vec<RawMap<'p>>>> {
        let config = self.config;
        let table: Vec<(&'p config::Method, &'p config::Variant)> = config.rows_on(of.model.dataset).collect();
        let mut raw: Vec<Vec<Option<Tensor>>> = classes.iter().map(|_| table.iter().map(|_| None).collect()).collect();
        for square in [false, true] {
            let image = if square { of.input.square.as_ref() } else { Some(&of.input.image) };
            let is = |computed: &config::Computed| (computed.entry.square && of.input.square.is_some()) == square;
            let here = |row: &usize| table[*row].0.computed().is_some_and(is);
            let rows: Vec<usize> = (0..table.len()).filter(here).collect();
            let Some(image) = image.filter(|_| !classes.is_empty()) else { continue };
            for group in row_groups(&table, &rows) {
                for (row, class, map) in self.maps(of, image, classes, &table, &group)? {
                    raw[class][row] = Some(map);
                }
            }
        }
        for (row, (method, variant)) in table.iter().enumerate() {
            let Some(folder) = method.folder(variant.ucag) else { continue };
            for (raw, &class) in raw.iter_mut().zip(classes) {
                let file =
                    folder.join(precomputed::file_name::file(&of.data.name, &of.model.name, &of.sample.id, class));
                let map = precomputed::read(&file, self.maps)?;
                raw[row] = Some(map.f_to_device(of.input.image.device())?);
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

    /// Raw maps of rows that share their passes, with the row and the class (as places) that they are of.
    fn maps(
        &self,
        of: &SampleContext<'_>,
        image: &Tensor,
        classes: &[usize],
        table: &[(&config::Method, &config::Variant)],
        group: &RowGroup<'_>,
    ) -> Result<Vec<(usize, usize, Tensor)>> {
        let site = if group.ucag { &of.model.unfolded } else { &of.model.plain };
        let image = if group.ucag { image.shallow_clone() } else { enlarge(image, group.protocol)? };
        let context = ucag::ExplainRequest {
            network: &site.network,
            image: &image,
            classes,
            layers: site.layers,
            views_per_batch: self.config.compute.views_per_batch,
            seed: seed(self.config.seed, &of.sample.id),
        };
        let named = group.methods.iter().map(|method| NamedExplainer::new(method)).collect::<Result<Vec<_>>>()?;
        let explainers: Vec<&dyn Explainer> = named.iter().map(|method| method as &dyn Explainer).collect();
        let mut maps = Vec::new();
        if group.ucag {
            let unfolded = ucag::explain_views(&context, &explainers, group.protocol)?;
            for &(row, method) in &group.rows {
                for place in 0..classes.len() {
                    maps.push((row, place, unfolded.conquer(&context, place, method, &table[row].1.protocol)?));
                }
            }
        } else {
            let plain = ucag::plain(&context, &explainers)?;
            for &(row, method) in &group.rows {
                maps.extend((0..classes.len()).map(|place| (row, place, plain[place][method].shallow_clone())));
            }
        }
        Ok(maps)
    }
}
