//! The gallery's contact sheets and saved maps. A gallery may be made larger when a run is done.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Result;
use image::RgbImage;
use metrics::Resolution;
use ucag_core::postprocess::MapKind;

use super::sample::{RawMap, SampleContext};
use super::tensor::floats;
use super::worker::Worker;
use crate::config::Config;
use crate::plan::target_classes::known;
use crate::plan::{ModelIndex, Plan, SampleIndex, UnitId};
use crate::records::Record;
use crate::records::saved_maps;
use crate::records::saved_maps::SavedMaps;
use crate::report::gallery::{self, ContactSheet, SheetTile};

/// Returns whether the config asks for contact sheets of a sample.
pub(crate) fn wanted(config: &Config, sample: SampleIndex) -> bool {
    config.figure.is_some() || sample.0 < config.output.gallery
}

/// The units whose sheets are asked for and aren't in the gallery, or can't be read: whether or not
/// they are done, they must be made.
pub(crate) fn missing(plan: &Plan, gallery: &Path) -> BTreeSet<UnitId> {
    let sample_of = |unit: &UnitId| plan.unit(*unit).0;
    let units: Vec<UnitId> = plan.units().into_iter().filter(|unit| wanted(&plan.config, sample_of(unit))).collect();
    if units.is_empty() {
        return BTreeSet::new();
    }
    let all_saved = saved_maps::folders(gallery).into_iter().filter_map(|folder| saved_maps::read(&folder).ok());
    let there: BTreeSet<(String, String, String, usize)> =
        all_saved.map(|saved| (saved.dataset, saved.sample, saved.model, saved.class)).collect();
    let lacks = |unit: &UnitId| {
        let (SampleIndex(sample), ModelIndex(model)) = plan.unit(*unit);
        let model = &plan.models[model];
        let data = &plan.data[model.dataset];
        let key = |class| (data.name.clone(), data.dataset.id(sample).to_owned(), model.name.clone(), class);
        match known(data, sample, &plan.config) {
            Some(classes) => classes.into_iter().any(|class| !there.contains(&key(class))),
            // The network's own choice is one class.
            None => there.range(key(0)..=key(usize::MAX)).next().is_none(),
        }
    };
    units.into_iter().filter(lacks).collect()
}

impl Worker<'_> {
    /// The gallery's sheet: every row's map over the image, with its scores.
    pub(super) fn sheet(
        &self,
        context: &SampleContext<'_>,
        class: usize,
        rows: &[RawMap<'_>],
        records: &[Record],
    ) -> Result<()> {
        let id = &context.sample.id;
        let at_original_size =
            self.config.metrics.iter().any(|chosen| chosen.metric.resolution == Resolution::Original);
        let frame = if at_original_size { Resolution::Original } else { Resolution::NetworkInput };
        let image: &RgbImage = if at_original_size { &context.sample.image } else { &context.input.picture };
        let seen = rows.iter().map(|row| row.saliency(frame, context)).collect::<Result<Vec<_>>>()?;
        let maps = seen.iter().map(|seen| floats(&seen.map)).collect::<Result<Vec<_>>>()?;
        let labels: Vec<String> = rows.iter().map(|row| row.variant.beside(&row.method.name)).collect();
        let tiles = rows.iter().zip(seen).zip(&maps).zip(&labels).map(|(((row, seen), map), label)| {
            let own_records = records.iter().filter(|record| row.is_of(record));
            let metric = |id: &str| self.config.metrics.iter().find(|chosen| chosen.metric.id == id);
            let scores: Vec<_> =
                own_records.filter_map(|record| Some((metric(&record.metric)?.metric, record.value?))).collect();
            SheetTile {
                label,
                ucag: row.variant.ucag,
                map,
                point: at_original_size.then(|| seen.point.unwrap_or_else(|| maximum(map, image.width()))),
                map_kind: row.method.map_kind,
                state: seen.state,
                note: gallery::scores(&scores),
            }
        });
        let name = context.data.dataset.classes().get(class).map(String::as_str).unwrap_or_default();
        let title = format!("{id}, class {class} {name}, {}", context.model.name);
        let mask = if at_original_size {
            context.region(class).map(|region| &region.mask)
        } else {
            context.object.as_ref().map(|object| &object.mask)
        };
        let mask = mask.map(|mask| &mask.pixels[..]);
        let sheet = ContactSheet { title, image, mask, tiles: tiles.collect() };
        let dataset = (self.data.len() > 1).then_some(context.model.dataset);
        let models: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
        let file = gallery::file_name(dataset, context.index.0, &format!("{id}-{class}"), &context.model.name, &models);
        let file = self.config.output.dir.join("gallery").join(file);
        gallery::write(&file, &sheet)?;
        let tile = |(row, shown): (&RawMap<'_>, &SheetTile<'_>)| saved_maps::SavedMap {
            method: row.method.id.clone(),
            label: shown.label.to_owned(),
            ucag: row.variant.ucag,
            variant: row.variant.name.clone(),
            file: None,
            signed: row.method.map_kind == MapKind::Signed,
            largest: 0.0,
            state: shown.state,
            point: shown.point,
            scores: records
                .iter()
                .filter(|r| row.is_of(r))
                .filter_map(|r| Some((r.metric.clone(), r.value?)))
                .collect(),
        };
        let saved = SavedMaps {
            dataset: context.data.name.clone(),
            sample: id.clone(),
            class,
            class_name: name.to_owned(),
            model: context.model.name.clone(),
            size: [image.width(), image.height()],
            mask: mask.is_some(),
            tiles: rows.iter().zip(&sheet.tiles).map(tile).collect(),
        };
        let maps: Vec<&[f32]> = maps.iter().map(Vec::as_slice).collect();
        saved_maps::write(&file.with_extension(""), saved, &saved_maps::Pictures { image, mask, maps: &maps })
    }
}

/// The first maximum of a map (x, y).
fn maximum(map: &[f32], width: u32) -> [f64; 2] {
    let best = metrics::pointing_game::argmax(map);
    [(best % width as usize) as f64, (best / width as usize) as f64]
}
