//! Sheets of maps over their images: a row without UCAG and a row with it, as in the paper's Figure
//! 4.

mod marks;
mod overlay;

use std::path::{Path, PathBuf};

use anyhow::Context;
use image::imageops::{FilterType, crop_imm, overlay as paste, resize};
use image::{Rgb, RgbImage};
use ucag_core::postprocess::{MapKind, MapState};

use super::plot::{paint, width};
use crate::io::atomic;
use crate::io::file_name;

pub use overlay::overlay;
pub(crate) use overlay::{grey, hatched};

/// One sample explained by one model.
#[derive(Debug, Clone)]
pub struct ContactSheet<'a> {
    /// A line above: the sample, its class, the model.
    pub title: String,
    /// The network's input, or the original image.
    pub image: &'a RgbImage,
    /// The mask of the class, of the image's size, where the data set has one. Its border is drawn.
    pub mask: Option<&'a [bool]>,
    /// Its maps, in the config's order.
    pub tiles: Vec<SheetTile<'a>>,
}

/// One map.
#[derive(Debug, Clone)]
pub struct SheetTile<'a> {
    /// The method's name. Tiles of one name stand below each other.
    pub label: &'a str,
    /// True if UCAG is around the method.
    pub ucag: bool,
    /// The image's height times its width values, row by row: in [0, 1], or signed.
    pub map: &'a [f32],
    /// The pixel that the map points to (x, y), where a metric asks. A cross marks it.
    pub point: Option<[f64; 2]>,
    /// The kind of map: signed ones are shown in two colours.
    pub map_kind: MapKind,
    /// Degenerate maps are shown hatched, and named.
    pub state: MapState,
    /// A line below, such as [`scores`].
    pub note: String,
}

/// Least side of a tile, so that texts have room.
const SIDE: u32 = 176;
const GAP: u32 = 8;
const MARGIN: u32 = 10;
const HEAD: u32 = 30;
const TEXT: u32 = 20;
/// Sheets on the index.
const SHOWN: usize = 6;

/// Scores for a tile's note: `del 4.2 ins 57.1`, in the metrics' units.
pub fn scores(scores: &[(&metrics::Metric, f64)]) -> String {
    let short =
        |id: &str| id.split('-').map(|word| word.chars().take(3).collect::<String>()).collect::<Vec<_>>().join("-");
    let decimals = |metric: &metrics::Metric| if metric.scale >= 100.0 { 1 } else { 3 };
    let one = |(metric, value): &(&metrics::Metric, f64)| {
        format!("{} {}", short(metric.id), crate::analysis::format::fixed(value * metric.scale, decimals(metric)))
    };
    scores.iter().map(one).collect::<Vec<_>>().join("  ")
}

/// A file name for the sheet of a sample, in the order of `place`: ids have slashes, and models may
/// have anything. Where there are several data sets, `dataset` is its number. Of `models`, all that
/// the sample may be explained by, those that would be spelled alike end in a hash.
pub fn file_name(dataset: Option<usize>, place: usize, sample: &str, model: &str, models: &[&str]) -> String {
    /// The bytes kept of a model's name that is too long.
    const MODEL: usize = 80;
    let plain = |text: &str| {
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '_' })
            .collect::<String>()
    };
    let spelled = plain(model);
    // File systems may take capitals and small letters for the same.
    let alike = models.iter().filter(|other| plain(other).eq_ignore_ascii_case(&spelled)).count();
    let spelled = if alike > 1 { file_name::marked(&spelled, model, spelled.len() + MODEL) } else { spelled };
    let before = dataset.map(|dataset| format!("{dataset}_")).unwrap_or_default();
    let sample = format!("{before}{place:05}_{}", plain(sample));
    let whole = format!("_{spelled}.png");
    if sample.len() + whole.len() <= file_name::MOST {
        return sample + &whole;
    }
    file_name::fit(&sample, &format!("_{}.png", file_name::within(&spelled, MODEL)))
}

/// Writes the sheet as a PNG, as a whole or not at all. Safe to call from several threads, each
/// with its own path.
///
/// # Errors
/// Where a map doesn't fit the image or isn't finite though its state says so, or the file can't be
/// written.
pub fn write(path: &Path, sheet: &ContactSheet<'_>) -> anyhow::Result<()> {
    let picture = compose(sheet).with_context(|| format!("{}: can't make this sheet", path.display()))?;
    atomic::write(path, &paint::encode(&picture, picture.width(), picture.height())?)
}

/// The sheet as an image.
///
/// # Errors
/// Where a map doesn't fit the image or isn't finite though its state says so.
pub fn compose(sheet: &ContactSheet<'_>) -> anyhow::Result<RgbImage> {
    let mut labels: Vec<&str> = Vec::new();
    for tile in &sheet.tiles {
        if !labels.contains(&tile.label) {
            labels.push(tile.label);
        }
    }
    let rows: Vec<bool> =
        [false, true].into_iter().filter(|&ucag| sheet.tiles.iter().any(|tile| tile.ucag == ucag)).collect();
    let (w, h) = sheet.image.dimensions();
    let zoom = SIDE.div_ceil(w.min(h).max(1)).max(1);
    let (w, h) = (w * zoom, h * zoom);
    let across = |column: usize| MARGIN + column as u32 * (w + GAP);
    let tall = TEXT + h + TEXT;
    let down = |row: usize| HEAD + row as u32 * (tall + GAP);
    let size = (across(labels.len() + 1) - GAP + MARGIN, down(rows.len().max(1)) - GAP + MARGIN);
    let mut picture = RgbImage::from_pixel(size.0, size.1, Rgb([255; 3]));
    let title = fitting(&sheet.title, 17.0, HEAD, size.0 - 2 * MARGIN)?;
    paste(&mut picture, &title, i64::from(MARGIN), 0);
    for (row, &ucag) in rows.iter().enumerate() {
        let y = down(row);
        let label = if ucag { "image (with UCAG)" } else { "image (without UCAG)" };
        let mut image = sheet.image.clone();
        sheet.mask.iter().for_each(|mask| marks::outline(&mut image, mask));
        put(&mut picture, &enlarged(&image, (w, h)), (across(0), y), label, "")?;
        for tile in sheet.tiles.iter().filter(|tile| tile.ucag == ucag) {
            let column = labels.iter().position(|&label| label == tile.label).unwrap_or(0);
            let label = if ucag { format!("{} + UCAG", tile.label) } else { tile.label.to_owned() };
            let shown = shown(sheet, tile, (w, h)).with_context(|| label.clone())?;
            put(&mut picture, &shown, (across(column + 1), y), &label, &tile.note)?;
        }
    }
    Ok(picture)
}

/// A tile's picture: the map over the image, or stripes and the state's name.
fn shown(
    ContactSheet { image, mask, .. }: &ContactSheet<'_>,
    tile: &SheetTile<'_>,
    (w, h): (u32, u32),
) -> anyhow::Result<RgbImage> {
    if tile.state == MapState::Ok {
        let mut over = overlay(image, tile.map, tile.map_kind)?;
        mask.iter().for_each(|mask| marks::outline(&mut over, mask));
        tile.point.iter().for_each(|point| marks::cross(&mut over, *point));
        return Ok(enlarged(&over, (w, h)));
    }
    let mut shown = overlay::hatched(&enlarged(image, (w, h)));
    let words = paint::caption(&format!(" {} map ", tile.state.as_str()), 17.0, HEAD)?;
    paste(&mut shown, &words, (i64::from(w) - i64::from(words.width())) / 2, i64::from(h / 2 - HEAD / 2));
    Ok(shown)
}

/// Whole multiples by nearest neighbour: the network's own pixels, not a smoother picture than it
/// saw.
fn enlarged(image: &RgbImage, (w, h): (u32, u32)) -> RgbImage {
    resize(image, w, h, FilterType::Nearest)
}

/// Stacks the first sheets of a folder into `index.png`. `None` where there is no sheet.
///
/// # Errors
/// Where a contact sheet can't be read or the file can't be written.
pub fn index(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(None) };
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let is_sheet =
        |path: &PathBuf| name(path).ends_with(".png") && name(path) != "index.png" && !name(path).starts_with('.');
    let mut sheets: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_sheet).collect();
    sheets.sort();
    sheets.truncate(SHOWN);
    let open = |path: &PathBuf| {
        Ok(image::open(path).with_context(|| format!("{}: can't read this sheet", path.display()))?.to_rgb8())
    };
    let sheets: Vec<RgbImage> = sheets.iter().map(open).collect::<anyhow::Result<_>>()?;
    let Some(wide) = sheets.iter().map(RgbImage::width).max() else { return Ok(None) };
    let mut all = RgbImage::from_pixel(wide, sheets.iter().map(RgbImage::height).sum(), Rgb([255; 3]));
    let mut y = 0;
    for sheet in &sheets {
        paste(&mut all, sheet, 0, i64::from(y));
        y += sheet.height();
    }
    let path = folder.join("index.png");
    atomic::write(&path, &paint::encode(&all, all.width(), all.height())?)?;
    Ok(Some(path))
}

/// Puts a tile with a line above and one below.
fn put(sheet: &mut RgbImage, tile: &RgbImage, (x, y): (u32, u32), above: &str, below: &str) -> anyhow::Result<()> {
    let (w, h) = tile.dimensions();
    paste(sheet, tile, i64::from(x), i64::from(y + TEXT));
    for (words, y) in [(above, y), (below, y + TEXT + h)] {
        let words = fitting(words, 15.0, TEXT, w)?;
        paste(sheet, &words, i64::from(x) + (i64::from(w) - i64::from(words.width())) / 2, i64::from(y));
    }
    Ok(())
}

/// A text that fits: smaller where it is too long, down to a size that can still be read, and then
/// cut.
fn fitting(words: &str, size: f64, height: u32, room: u32) -> anyhow::Result<RgbImage> {
    let size = (size * f64::from(room) / (width(words, size) + 4.0)).clamp(10.0, size);
    let line = paint::caption(words, size, height)?;
    Ok(crop_imm(&line, 0, 0, line.width().min(room), height).to_image())
}
