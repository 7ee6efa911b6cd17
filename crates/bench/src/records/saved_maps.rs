//! Saved maps: the maps of a sample that a model explained, as files from which a gallery or a
//! figure can be drawn anew.
//!
//! They are a folder: `image.png`, `mask.png` where the data set says where the class is, a grey
//! picture for each map, and `plate.json`, which is written last.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};
use serde::{Deserialize, Serialize};
use ucag_core::postprocess::MapState;

use crate::io::atomic;

const FILE: &str = "plate.json";
const IMAGE: &str = "image.png";
const MASK: &str = "mask.png";

/// One class of one sample, explained by one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedMaps {
    /// The data set's name in the config.
    pub dataset: String,
    /// Id of the sample.
    pub sample: String,
    /// The class that was explained.
    pub class: usize,
    /// Its name in the data set; empty where it has none.
    pub class_name: String,
    /// The model's name in the config.
    pub model: String,
    /// Width and height of the image and of every map, in pixels.
    pub size: [u32; 2],
    /// True if there is a mask of where the class is.
    pub mask: bool,
    /// Its maps, in the order of the table.
    pub tiles: Vec<SavedMap>,
}

/// One of the saved maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedMap {
    /// The method, as records call it.
    pub method: String,
    /// The method's name, with its variant's where it has one.
    pub label: String,
    /// True if UCAG is around the method.
    pub ucag: bool,
    /// The config's variant; empty for the usual row.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Name of the map's file; none for degenerate maps.
    pub file: Option<String>,
    /// True if the map speaks for and against the class, around zero; others are in [0, 1].
    pub signed: bool,
    /// The map's largest magnitude, in its own units: what the strongest grey level of a signed map
    /// stands for. 0 for degenerate maps.
    pub largest: f32,
    /// The state of the map.
    pub state: MapState,
    /// The pixel that the map points to (x, y), where a metric asks.
    pub point: Option<[f64; 2]>,
    /// Its scores by the metric's id, in the metrics' own ranges.
    pub scores: Vec<(String, f64)>,
}

/// The pixels that are saved.
#[derive(Debug, Clone, Copy)]
pub struct Pictures<'a> {
    /// The network's input, or the original image.
    pub image: &'a RgbImage,
    /// The mask of the class, row by row.
    pub mask: Option<&'a [bool]>,
    /// A map for each tile, row by row. Those of degenerate tiles aren't looked at.
    pub maps: &'a [&'a [f32]],
}

/// Writes saved maps in place of what the folder has. Fields that follow from the pictures (size,
/// mask, files, largest magnitudes) are filled in.
///
/// # Errors
/// Where a map doesn't fit the image or isn't finite though its state says so, or a file can't be
/// written.
pub fn write(folder: &Path, mut saved: SavedMaps, pictures: &Pictures<'_>) -> Result<()> {
    let (width, height) = pictures.image.dimensions();
    let pixels = width as usize * height as usize;
    let about = || format!("{}: can't save these maps", folder.display());
    let check = || -> Result<()> {
        ensure!(
            pictures.maps.len() == saved.tiles.len(),
            "{} maps for {} tiles",
            pictures.maps.len(),
            saved.tiles.len()
        );
        ensure!(pictures.mask.is_none_or(|mask| mask.len() == pixels), "the mask isn't of the image's size");
        for (tile, map) in saved.tiles.iter().zip(pictures.maps).filter(|(tile, _)| tile.state == MapState::Ok) {
            ensure!(
                map.len() == pixels,
                "{}: a map of {} values isn't of the image's size, {width} × {height} pixels",
                tile.label,
                map.len()
            );
            ensure!(map.iter().all(|value| value.is_finite()), "{}: a map with NaN or infinite values", tile.label);
        }
        Ok(())
    };
    check().with_context(about)?;
    remove(folder)?;
    let grey = |name: &str, bytes: &[u8]| {
        atomic::write(&folder.join(name), &encode(bytes, (width, height), ExtendedColorType::L8)?)
    };
    atomic::write(&folder.join(IMAGE), &encode(pictures.image, (width, height), ExtendedColorType::Rgb8)?)?;
    if let Some(mask) = pictures.mask {
        grey(MASK, &mask.iter().map(|&inside| if inside { 255 } else { 0 }).collect::<Vec<u8>>())?;
    }
    (saved.size, saved.mask) = ([width, height], pictures.mask.is_some());
    for (place, (tile, map)) in saved.tiles.iter_mut().zip(pictures.maps).enumerate() {
        (tile.file, tile.largest) = (None, 0.0);
        if tile.state == MapState::Ok {
            let name = format!("{place:02}.png");
            tile.largest = map.iter().fold(0.0, |largest, value| largest.max(value.abs()));
            grey(&name, &levels(map, tile.signed, tile.largest))?;
            tile.file = Some(name);
        }
    }
    atomic::write(&folder.join(FILE), (serde_json::to_string_pretty(&saved)? + "\n").as_bytes())
}

/// Reads the description of a folder's saved maps.
///
/// # Errors
/// Where it can't be read.
pub fn read(folder: &Path) -> Result<SavedMaps> {
    let path = folder.join(FILE);
    let about = || format!("{}: these saved maps can't be read; --fresh makes a gallery anew", path.display());
    let text = std::fs::read(&path).with_context(about)?;
    serde_json::from_slice(&text).with_context(about)
}

/// A gallery's saved maps with their folders, by folder: samples in the data set's order. None
/// where there is no gallery.
///
/// # Errors
/// Where one of them can't be read. A folder without `plate.json` is none of them: the run that
/// made it was stopped.
pub fn read_all(gallery: &Path) -> Result<Vec<(PathBuf, SavedMaps)>> {
    folders(gallery).into_iter().map(|folder| read(&folder).map(|saved| (folder, saved))).collect()
}

/// The folders of a gallery's saved maps, sorted.
pub(crate) fn folders(gallery: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(gallery) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join(FILE).is_file());
    folders.sort();
    folders
}

/// Removes the saved maps of an earlier run, and the contact sheets beside them.
///
/// # Errors
/// Where one of them can't be removed.
pub fn clear(gallery: &Path) -> Result<()> {
    let Ok(entries) = std::fs::read_dir(gallery) else { return Ok(()) };
    for folder in entries.flatten().map(|entry| entry.path()).filter(|folder| folder.join(FILE).is_file()) {
        remove(&folder)?;
        let mut sheet = folder.into_os_string();
        sheet.push(".png");
        atomic::remove(Path::new(&sheet))?;
    }
    Ok(())
}

/// Copies saved maps and the contact sheet beside them, in place of what is there; `plate.json`,
/// which completes them, last.
///
/// # Errors
/// Where a file can't be read or written.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    let put = |from: &Path, to: &Path| {
        let bytes = std::fs::read(from).with_context(|| format!("{}: can't be read", from.display()))?;
        atomic::write(to, &bytes)
    };
    remove(to)?;
    let about = || format!("{}: these saved maps can't be read", from.display());
    let entries = std::fs::read_dir(from).with_context(about)?;
    let names = entries.map(|entry| Ok(entry?.file_name())).collect::<std::io::Result<Vec<_>>>().with_context(about)?;
    for name in names.iter().filter(|name| *name != FILE) {
        put(&from.join(name), &to.join(name))?;
    }
    let [sheet, copied] = [from, to].map(|folder| {
        let mut sheet = folder.as_os_str().to_owned();
        sheet.push(".png");
        PathBuf::from(sheet)
    });
    if sheet.is_file() {
        put(&sheet, &copied)?;
    }
    put(&from.join(FILE), &to.join(FILE))
}

fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{}: can't remove these saved maps of an earlier run", folder.display()))
        }
        _ => Ok(()),
    }
}

impl SavedMaps {
    /// The image.
    ///
    /// # Errors
    /// Where it can't be read from the folder, or has another size.
    pub fn image(&self, folder: &Path) -> Result<RgbImage> {
        Ok(self.open(&folder.join(IMAGE))?.to_rgb8())
    }

    /// The mask of the class, row by row, where that is known.
    ///
    /// # Errors
    /// As [`SavedMaps::image`].
    pub fn mask(&self, folder: &Path) -> Result<Option<Vec<bool>>> {
        let open = || Ok(self.open(&folder.join(MASK))?.to_luma8().iter().map(|&level| level > 127).collect());
        self.mask.then(open).transpose()
    }

    /// A tile's map, row by row, to within half a grey level: in [0, 1], or signed and in [−1, 1]
    /// after division by [`SavedMap::largest`]. `None` where it is degenerate.
    ///
    /// # Errors
    /// As [`SavedMaps::image`].
    pub fn map(&self, folder: &Path, tile: &SavedMap) -> Result<Option<Vec<f32>>> {
        let Some(file) = &tile.file else { return Ok(None) };
        let levels: GrayImage = self.open(&folder.join(file))?.to_luma8();
        let value = |&level: &u8| match tile.signed {
            false => f32::from(level) / 255.0,
            true => (f32::from(level) - 128.0) / 127.0,
        };
        Ok(Some(levels.iter().map(value).collect()))
    }

    fn open(&self, path: &Path) -> Result<image::DynamicImage> {
        let about = || format!("{}: this saved picture can't be read; --fresh makes a gallery anew", path.display());
        let picture = image::open(path).with_context(about)?;
        let (width, height) = (picture.width(), picture.height());
        let [w, h] = self.size;
        ensure!([width, height] == self.size, "{}: is of {width} × {height} pixels, not {w} × {h}", path.display());
        Ok(picture)
    }
}

/// A map as grey levels: 255 is 1, or, where it is signed, 128 is zero and 127 levels further its
/// largest magnitude.
fn levels(map: &[f32], signed: bool, largest: f32) -> Vec<u8> {
    let level = |&value: &f32| match signed {
        false => (255.0 * value.clamp(0.0, 1.0)).round() as u8,
        true if largest > 0.0 => (128.0 + (127.0 * (value / largest)).round()) as u8,
        true => 128,
    };
    map.iter().map(level).collect()
}

fn encode(bytes: &[u8], (width, height): (u32, u32), color: ExtendedColorType) -> Result<Vec<u8>> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(bytes, width, height, color).context("can't encode a PNG")?;
    Ok(png)
}
