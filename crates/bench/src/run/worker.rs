//! One unit of work: one sample with one model, from the file on disk to its records.

use std::panic::AssertUnwindSafe;

use anyhow::{Context, Result, bail, ensure};
use datasets::Sample;
use datasets::image::preprocess::squash_object;
use image::RgbImage;
use metrics::protocol::{DeletionBaseline, ScoringProtocol};
use metrics::{Endpoints, Resolution, ScoreInput, Validity};
use tch::Tensor;
use ucag_core::explain::Explainer;
use ucag_core::network::Network;
use ucag_core::pass::{Needs, Pass};
use ucag_core::postprocess::{MapKind, MapState};
use ucag_core::seed::{FNV_OFFSET, fnv1a};
use ucag_core::ucag;
use ucag_core::ucag::unfold::enlarge;

use crate::config::{self, Config};
use crate::io::atomic::{Full, is_full};
use crate::plan::Model;
use crate::plan::dataset::Data;
use crate::plan::precomputed;
use crate::plan::precomputed::checksums::Digests;
use crate::records::saved_maps;
use crate::records::saved_maps::SavedMaps;
use crate::records::{Failure, Record, Unit};
use crate::report::gallery::{self, ContactSheet, Tile};
use crate::run::explainer::Named;
use crate::run::input::input;
use crate::run::row_groups::{RowGroup, row_groups};
use crate::run::sample::{Row, SampleContext, object, region};
use crate::run::sample_checksums::Inputs;
use crate::run::target_classes::classes;
use crate::run::timings::{Stage, Timings};

/// A unit of work that is done.
#[derive(Debug)]
pub struct Done {
    /// What it came to.
    pub unit: Unit,
    /// What could not be done and changes no number.
    pub remarks: Vec<String>,
}

/// A worker's hands: its own handles on the networks, the rest shared.
pub struct Worker<'p> {
    config: &'p Config,
    data: &'p [Data],
    models: Vec<Model>,
    stages: &'p Timings,
    /// What is in the maps that were made elsewhere.
    maps: &'p Digests,
    /// What was read of samples so far.
    inputs: &'p Inputs,
    /// The last decoded sample, with its data set and place: units of one sample come one after the other.
    sample: Option<(usize, usize, Sample)>,
}

impl<'p> Worker<'p> {
    /// A worker with its own copies (of handles, not weights).
    pub fn new(
        config: &'p Config,
        data: &'p [Data],
        models: Vec<Model>,
        stages: &'p Timings,
        (maps, inputs): (&'p Digests, &'p Inputs),
    ) -> Self {
        Self { config, data, models, stages, maps, inputs, sample: None }
    }

    /// Does unit `index`: sample `sample` with model `model`. What goes wrong with it becomes part
    /// of the unit, a panic (which is a bug) too; sheets of the gallery that can't be written are
    /// remarked on.
    ///
    /// # Errors
    /// Where the gallery can't be written because the disk is full.
    pub fn unit(&mut self, index: usize, (sample, model): (usize, usize)) -> Result<Done> {
        let mut remarks = Vec::new();
        let outcome = caught(|| self.records(sample, model, &mut remarks));
        if outcome.as_ref().is_err_and(|error| error.is::<Full>()) {
            return outcome.map(|records| Done { unit: Unit { index, sha256: None, outcome: Ok(records) }, remarks });
        }
        let outcome = outcome.map_err(|error| {
            let data = &self.data[self.models[model].dataset];
            Failure {
                dataset: data.name.clone(),
                sample: data.dataset.id(sample).to_owned(),
                model: self.models[model].name.clone(),
                error: format!("{error:#}"),
            }
        });
        let sha256 = self.sample.as_ref().filter(|_| outcome.is_ok()).map(|(.., sample)| sample.checksum);
        Ok(Done { unit: Unit { index, sha256, outcome }, remarks })
    }

    fn records(&mut self, place: usize, model: usize, remarks: &mut Vec<String>) -> Result<Vec<Record>> {
        let dataset = self.models[model].dataset;
        let data = &self.data[dataset];
        if self.sample.as_ref().is_none_or(|(set, held, _)| (*set, *held) != (dataset, place)) {
            let sample = self.stages.time(Stage::Decode, || data.dataset.load(place))?;
            self.inputs.admit(data, (dataset, place), sample.checksum)?;
            self.sample = Some((dataset, place, sample));
        }
        let (_, _, sample) = self.sample.as_ref().context("no sample")?;
        let model = &self.models[model];
        let decode = || input(&sample.image, &model.unfolded.network, model.input_size, data.resize);
        let input = self.stages.time(Stage::Decode, decode)?;
        let (width, height) = input.picture.dimensions();
        let object = sample.object.as_ref().map(|object| squash_object(object, width, height));
        let context = SampleContext { data, place, sample, model, input: &input, object };
        let classes = classes(&context, self.config, &self.models)?;
        let rows = self.stages.time(Stage::Explain, || self.explain(&context, &classes))?;
        let mut records = Vec::new();
        let endpoints = Endpoints::default();
        for (&class, rows) in classes.iter().zip(&rows) {
            let scored = self.stages.time(Stage::Score, || self.score(&context, class, rows, &endpoints))?;
            if super::gallery::wanted(self.config, place) {
                match self.stages.time(Stage::Gallery, || self.sheet(&context, class, rows, &scored)) {
                    Err(error) if is_full(&error) => return Err(error.context(Full)),
                    // Its numbers are none the worse for it.
                    Err(error) => remarks.push(format!("no sheet in the gallery: {error:#}")),
                    Ok(()) => {}
                }
            }
            records.extend(scored);
        }
        Ok(records)
    }

    /// Every row's raw map for each class. Rows that see the same image or views share their passes; classes share them, too.
    fn explain(&self, of: &SampleContext<'_>, classes: &[usize]) -> Result<Vec<Vec<Row<'p>>>> {
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
                Ok(Row::new(method, variant, map.context("a map is missing")?))
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
        let named = group.methods.iter().map(|method| Named::new(method)).collect::<Result<Vec<_>>>()?;
        let explainers: Vec<&dyn Explainer> = named.iter().map(|method| method as &dyn Explainer).collect();
        let mut maps = Vec::new();
        if group.ucag {
            let unfolded = ucag::explain_views(&context, &explainers, group.protocol)?;
            for &(row, method) in &group.rows {
                for place in 0..classes.len() {
                    maps.push((row, place, unfolded.conquer(&context, place, method, &table[row].1.protocol.maps)?));
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

    fn score(
        &self,
        of: &SampleContext<'_>,
        class: usize,
        rows: &[Row<'_>],
        endpoints: &Endpoints,
    ) -> Result<Vec<Record>> {
        let config = self.config;
        let network = &of.model.unfolded.network;
        let classifier = classifier(network);
        let deleted = deleted(&config.protocol.scoring, network)?;
        let annotated = of.region(class);
        let mut records = Vec::new();
        for row in rows {
            for chosen in &config.metrics {
                let seen = row.saliency(chosen.metric.resolution, of)?;
                let case = ScoreInput {
                    map: &seen.map,
                    signed: row.method.map_kind == MapKind::Signed,
                    validity: validity(seen.state),
                    point: seen.point,
                    image: &of.input.image,
                    class,
                    region: annotated.map(region),
                    object: of.object.as_ref().map(object),
                    classifier: &classifier,
                    endpoints,
                    deleted: &deleted,
                    tie_order: config.protocol.scoring.tie_order,
                    empty_pairs: config.protocol.scoring.empty_pairs,
                    step: chosen.step,
                    batch: config.compute.images_per_batch,
                };
                let what = || {
                    let with = if row.variant.ucag { " with UCAG" } else { "" };
                    format!("{} of {}{with} {}", chosen.metric.id, row.method.id, row.variant.name)
                };
                let score = (chosen.metric.score)(&case).with_context(what)?;
                // A map without a number is counted; a pair that is not part of the game isn't.
                if score.is_none() && !(chosen.metric.is_scored)(case.region.as_ref(), case.empty_pairs) {
                    continue;
                }
                if let Some(score) = &score {
                    ensure!(score.value.is_finite(), "{} is {}, which is no number to report", what(), score.value);
                }
                let (curve, counts) =
                    score.as_ref().map(|score| (score.curve.clone(), score.counts.clone())).unwrap_or_default();
                records.push(Record {
                    dataset: of.data.name.clone(),
                    sample: of.sample.id.clone(),
                    class,
                    difficult: annotated.is_some_and(|region| region.in_difficult_subset),
                    model: of.model.name.clone(),
                    method: row.method.id.clone(),
                    ucag: row.variant.ucag,
                    variant: row.variant.name.clone(),
                    metric: chosen.metric.id.to_owned(),
                    value: score.map(|score| score.value),
                    map: seen.state,
                    curve,
                    counts,
                });
            }
        }
        Ok(records)
    }

    /// The gallery's sheet: every row's map over the image, with its scores.
    fn sheet(&self, of: &SampleContext<'_>, class: usize, rows: &[Row<'_>], records: &[Record]) -> Result<()> {
        let id = &of.sample.id;
        let photo = self.config.metrics.iter().any(|chosen| chosen.metric.resolution == Resolution::Original);
        let frame = if photo { Resolution::Original } else { Resolution::NetworkInput };
        let image: &RgbImage = if photo { &of.sample.image } else { &of.input.picture };
        let seen = rows.iter().map(|row| row.saliency(frame, of)).collect::<Result<Vec<_>>>()?;
        let maps = seen.iter().map(|seen| floats(&seen.map)).collect::<Result<Vec<_>>>()?;
        let labels: Vec<String> = rows.iter().map(|row| row.variant.beside(&row.method.name)).collect();
        let tiles = rows.iter().zip(seen).zip(&maps).zip(&labels).map(|(((row, seen), map), label)| {
            let own = records.iter().filter(|record| row.is_of(record));
            let metric = |id: &str| self.config.metrics.iter().find(|chosen| chosen.metric.id == id);
            let scores: Vec<_> =
                own.filter_map(|record| Some((metric(&record.metric)?.metric, record.value?))).collect();
            Tile {
                label,
                ucag: row.variant.ucag,
                map,
                point: photo.then(|| seen.point.unwrap_or_else(|| place(map, image.width()))),
                map_kind: row.method.map_kind,
                state: seen.state,
                note: gallery::scores(&scores),
            }
        });
        let name = of.data.dataset.classes().get(class).map(String::as_str).unwrap_or_default();
        let title = format!("{id}, class {class} {name}, {}", of.model.name);
        let mask = if photo {
            of.region(class).map(|region| &region.mask)
        } else {
            of.object.as_ref().map(|object| &object.mask)
        };
        let mask = mask.map(|mask| &mask.pixels[..]);
        let sheet = ContactSheet { title, image, mask, tiles: tiles.collect() };
        let dataset = (self.data.len() > 1).then_some(of.model.dataset);
        let models: Vec<&str> = self.models.iter().map(|model| model.name.as_str()).collect();
        let file = gallery::file_name(dataset, of.place, &format!("{id}-{class}"), &of.model.name, &models);
        let file = self.config.output.dir.join("gallery").join(file);
        gallery::write(&file, &sheet)?;
        let tile = |(row, shown): (&Row<'_>, &Tile<'_>)| saved_maps::Tile {
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
        let plate = SavedMaps {
            dataset: of.data.name.clone(),
            sample: id.clone(),
            class,
            class_name: name.to_owned(),
            model: of.model.name.clone(),
            size: [image.width(), image.height()],
            mask: mask.is_some(),
            tiles: rows.iter().zip(&sheet.tiles).map(tile).collect(),
        };
        let maps: Vec<&[f32]> = maps.iter().map(Vec::as_slice).collect();
        saved_maps::write(&file.with_extension(""), plate, &saved_maps::Pictures { image, mask, maps: &maps })
    }
}

/// Does the work. A panic in it is a bug of this program or of one that it is made of; the units
/// before and after it are none the worse for it.
fn caught<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
        bail!("the program panicked, which is a bug in it: {}", text.unwrap_or("no word was left"))
    })
}

/// Where a map points: its first maximum (x, y).
fn place(map: &[f32], width: u32) -> [f64; 2] {
    let best = metrics::pointing_game::argmax(map);
    [(best % width as usize) as f64, (best / width as usize) as f64]
}

fn floats(map: &Tensor) -> Result<Vec<f32>> {
    Ok(Vec::<f32>::try_from(&map.f_contiguous()?.f_view([-1])?)?)
}

/// The network as metrics see it.
fn classifier(network: &Network) -> impl Fn(&Tensor) -> Result<Tensor, metrics::BoxError> {
    |images| {
        let pass = Pass::new(network, images.shallow_clone(), 0, Needs::default())?;
        Ok(network.probabilities(&pass.logits()?)?)
    }
}

/// The validity of a map in this state.
fn validity(state: MapState) -> Validity {
    match state {
        MapState::Ok => Validity::Valid,
        MapState::AllZero | MapState::Constant => Validity::Constant,
        MapState::NonFinite => Validity::NonFinite,
    }
}

/// Value of a deleted pixel, `[1, channels, 1, 1]`, normalised.
fn deleted(protocol: &ScoringProtocol, network: &Network) -> Result<Tensor> {
    let (mean, std) = (network.preprocessing.mean(), network.preprocessing.std());
    let colour = match protocol.deletion_baseline {
        DeletionBaseline::MeanColour => vec![0.0; mean.len()],
        DeletionBaseline::Black => mean.iter().zip(&std).map(|(mean, std)| -mean / std).collect(),
    };
    Ok(Tensor::f_from_slice(&colour)?.f_view([1, -1, 1, 1])?.f_to_device(network.device)?)
}

/// A seed that belongs to a sample, whatever the order of work: FNV-1a over run seed and id.
pub fn seed(run: u64, sample: &str) -> u64 {
    let bytes = run.to_le_bytes().into_iter().chain(sample.bytes());
    fnv1a(FNV_OFFSET, bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let said = |work: fn() -> Result<u8>| caught(work).map_err(|error| format!("{error:#}"));
        assert_eq!(said(|| Ok(1)), Ok(1));
        assert_eq!(said(|| bail!("no")), Err("no".to_owned()));
        let (number, nothing) = (7, [0u8; 0]);
        assert_eq!(said(|| panic!("word")), Err("the program panicked, which is a bug in it: word".to_owned()));
        let said = caught(|| -> Result<u8> { Ok(nothing[number]) }).unwrap_err().to_string();
        assert!(said.ends_with("the len is 0 but the index is 7"), "{said}");
    }
}
