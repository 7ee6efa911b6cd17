//! The page's gallery: what its script draws, as JSON in the page.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, PreEscaped, html};
use serde::Serialize;

use crate::analysis::metric_columns::Metric;
use crate::config::Config;
use crate::records::Record;
use crate::records::saved_maps::{SavedMap, SavedMaps, read_all};
use crate::report::Summary;
use crate::report::plot::color_at;

/// Most bytes of pictures in a page. Whatever the run's size, the page stays one that a mail or a
/// browser takes.
const BUDGET: usize = 4 << 20;

/// Saved maps as the script gets them.
#[derive(Serialize)]
struct Shown {
    /// Its sample.
    sample: String,
    class: String,
    model: String,
    size: [u32; 2],
    image: String,
    mask: Option<String>,
    tiles: Vec<ShownTile>,
}

#[derive(Serialize)]
struct ShownTile {
    label: String,
    /// Colour of its curves.
    color: String,
    /// The map in grey levels; none where it is degenerate.
    map: Option<String>,
    signed: bool,
    state: &'static str,
    point: Option<[f64; 2]>,
    /// Metric and score, as people read them.
    scores: Vec<[String; 2]>,
    /// By the metric's id.
    curves: BTreeMap<String, Vec<f32>>,
}

/// Data that all saved maps share.
#[derive(Serialize)]
struct Data<'a> {
    /// The colours of maps in [0, 1], 256 of them, RRGGBB each.
    colors: String,
    /// Id, title, and words at the axes, of each metric with curves.
    metrics: Vec<[String; 4]>,
    #[serde(rename = "plates")]
    shown: &'a [Shown],
}

/// The part of a run's gallery that the page shows. Pictures are held; curves are added from the
/// records.
pub(crate) struct Gallery {
    shown: Vec<Shown>,
    /// The saved maps of each.
    of: Vec<SavedMaps>,
    /// Their places, by the sample's id.
    places: HashMap<String, Vec<usize>>,
    /// Number of those that aren't shown.
    more: usize,
}

impl Gallery {
    /// Reads as many saved maps as a page takes.
    ///
    /// # Errors
    /// Where saved maps can't be read.
    pub(crate) fn read(summary: &Summary<'_>) -> anyhow::Result<Self> {
        let mut all = read_all(&summary.out.join("gallery"))?;
        // Samples stay in their order; models come in the config's.
        let mut samples: Vec<(String, String, usize)> = Vec::new();
        let models: Vec<&str> = summary.config.models.iter().map(|model| model.name.as_str()).collect();
        all.sort_by_cached_key(|(_, saved)| {
            let sample = (saved.dataset.clone(), saved.sample.clone(), saved.class);
            let place = samples.iter().position(|known| *known == sample).unwrap_or_else(|| {
                samples.push(sample);
                samples.len() - 1
            });
            (place, models.iter().position(|name| *name == saved.model))
        });
        let mut gallery = Self { shown: Vec::new(), of: Vec::new(), places: HashMap::new(), more: all.len() };
        let mut bytes = 0;
        for (folder, saved) in all {
            let shown = shown(&folder, &saved, summary.config)?;
            let own: usize = shown.tiles.iter().filter_map(|tile| tile.map.as_ref()).map(String::len).sum();
            bytes += own + shown.image.len();
            if bytes > BUDGET && !gallery.shown.is_empty() {
                break;
            }
            gallery.places.entry(saved.sample.clone()).or_default().push(gallery.shown.len());
            gallery.shown.push(shown);
            gallery.of.push(saved);
            gallery.more -= 1;
        }
        Ok(gallery)
    }

    /// Adds a record's curve to the map that it is of, if that is shown.
    pub(crate) fn add(&mut self, record: &Record) {
        let (Some(curve), Some(places)) = (&record.curve, self.places.get(&record.sample)) else { return };
        for &place in places {
            let saved = &self.of[place];
            if (saved.class, &saved.model, &saved.dataset) != (record.class, &record.model, &record.dataset) {
                continue;
            }
            for (tile, of) in self.shown[place].tiles.iter_mut().zip(&saved.tiles) {
                if record.method == of.method && record.ucag == of.ucag && record.variant == of.variant {
                    tile.curves.insert(record.metric.clone(), curve.clone());
                }
            }
        }
    }

    /// The section, where the run has a gallery.
    pub(super) fn markup(&self, config: &Config) -> anyhow::Result<Option<Markup>> {
        if self.shown.is_empty() {
            return Ok(None);
        }
        let more = self.more;
        let metric_columns = config.metrics.iter().filter_map(|chosen| {
            let [across, up] = chosen.metric.axes?;
            Some([chosen.metric.id.to_owned(), Metric(chosen.metric).head(), across.to_owned(), up.to_owned()])
        });
        let colors = (0..=255).map(|level| {
            let color = colorous::VIRIDIS.eval_rational(level, 256);
            format!("{:02x}{:02x}{:02x}", color.r, color.g, color.b)
        });
        let data = Data { colors: colors.collect(), metrics: metric_columns.collect(), shown: &self.shown };
        // In a script element, only "<" could end it.
        let json = serde_json::to_string(&data)?.replace('<', "\\u003c");
        Ok(Some(html! {
            section #gallery aria-labelledby="gallery-title" {
                h2 #gallery-title { "Gallery" }
                div.bar {
                    button #previous type="button" aria-keyshortcuts="ArrowLeft" { "← previous" }
                    label { "Sample " select #sample {} }
                    label { "Model " select #model {} }
                    button #next type="button" aria-keyshortcuts="ArrowRight" { "next →" }
                    label { "Map over image " input #opacity type="range" min="0" max="100" value="60"; output #share for="opacity" { "60 %" } }
                }
                p #plate-title aria-live="polite" {}
                div #legend {}
                div #tiles {}
                div #curves {}
                @if more > 0 { p.muted { (more) " more in the folder gallery/ beside this page." } }
                noscript { p { "The gallery needs JavaScript; the folder gallery/ beside this page has the pictures." } }
            }
            script #data type="application/json" { (PreEscaped(json)) }
        }))
    }
}

/// Most pixels across of a figure in the page.
const ACROSS: u32 = 1600;

/// A figure as a data URI, no larger than a screen shows it.
///
/// # Errors
/// Where it isn't a picture.
pub(super) fn smaller(figure: &[u8]) -> anyhow::Result<String> {
    let picture = image::load_from_memory(figure)?.to_rgb8();
    let (width, height) = picture.dimensions();
    let across = width.min(ACROSS);
    let tall = (f64::from(height) * f64::from(across) / f64::from(width.max(1))).round() as u32;
    let picture = image::imageops::resize(&picture, across, tall.max(1), image::imageops::FilterType::CatmullRom);
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(&picture)?;
    Ok(format!("data:image/jpeg;base64,{}", BASE64_STANDARD.encode(bytes)))
}

/// A PNG as a data URI.
fn png(bytes: &[u8]) -> String {
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(bytes))
}

fn shown(folder: &Path, saved: &SavedMaps, config: &Config) -> anyhow::Result<Shown> {
    let SavedMaps { dataset, sample, class, class_name, model, size, .. } = saved;
    let picture = |name: &str| -> anyhow::Result<String> {
        let path = folder.join(name);
        let bytes = std::fs::read(&path).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
        Ok(png(&bytes))
    };
    let tile = |(place, tile): (usize, &SavedMap)| -> anyhow::Result<ShownTile> {
        let color = color_at(place);
        let score = |(id, value): &(String, f64)| {
            let metric = Metric(config.metrics.iter().find(|chosen| chosen.metric.id == id)?.metric);
            Some([metric.head(), metric.show(value * metric.scale)])
        };
        Ok(ShownTile {
            label: format!("{}{}", tile.label, if tile.ucag { " + UCAG" } else { "" }),
            color: format!("#{:02x}{:02x}{:02x}", color.0, color.1, color.2),
            map: tile.file.as_deref().map(picture).transpose()?,
            signed: tile.signed,
            state: tile.state.as_str(),
            point: tile.point,
            scores: tile.scores.iter().filter_map(score).collect(),
            curves: BTreeMap::new(),
        })
    };
    let several = config.datasets.len() > 1;
    Ok(Shown {
        sample: if several { format!("{dataset}: {sample}") } else { sample.clone() },
        class: format!("{class} {class_name}").trim_end().to_owned(),
        model: model.clone(),
        size: *size,
        image: picture("image.png")?,
        mask: saved.mask.then(|| picture("mask.png")).transpose()?,
        tiles: saved.tiles.iter().enumerate().map(tile).collect::<anyhow::Result<_>>()?,
    })
}
