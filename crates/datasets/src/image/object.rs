//! Masks of objects in image files: what isn't 0 is object, at any depth.
//!
//! Values are those in the file: a grey level as it is stored, of 1 to 16 bits, and of an image
//! with a palette the index, not the colour (VOC's ring round objects is index 255). Nothing is
//! guessed: a mask of more values than background's and object's is refused where nobody says what
//! the others mean.

use std::io::Cursor;

use image::ImageFormat;
use png::{ColorType, Transformations};

use crate::image::decode;
use crate::image::jpeg;
use crate::image::limits::{MAX_EXTRAS, check_png};
use crate::{Mask, Object};

/// A result whose error completes a sentence that starts with the file's name.
type Checked<T> = Result<T, String>;

/// So many values are named of a mask that has too many.
const NAMED: usize = 6;
/// Values from here on are colours, below it grey levels and indices.
const COLOUR: u64 = 1 << 48;

/// Meaning of the values of masks, beyond 0 for background.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Rule {
    /// The value of pixels that count neither as object nor as background.
    pub(crate) void: Option<u16>,
    /// The least value of the object.
    pub(crate) threshold: Option<u16>,
}

impl Rule {
    /// Label of a number: object, background, or neither. An error where it is a value that nobody
    /// says the meaning of.
    pub(crate) fn number(self, value: f64) -> Checked<Option<bool>> {
        match (value, self.threshold) {
            _ if self.void.is_some_and(|void| value == f64::from(void)) => Ok(None),
            (value, Some(threshold)) if value.is_finite() => Ok(Some(value >= f64::from(threshold))),
            (0.0, _) => Ok(Some(false)),
            (1.0, _) => Ok(Some(true)),
            _ => Err(format!("has a value of {value}; background is 0 and object 1{REMEDY}")),
        }
    }
}

/// Remedy for a mask of too many values.
const REMEDY: &str = "; set `void = …` in [[dataset]] to the value of pixels that don't count, or `threshold = …` to the least value of the object";

/// Reads the mask in an image file.
pub(crate) fn read(bytes: &[u8], rule: Rule) -> Checked<Object> {
    Raster::decode(bytes)?.object(rule)
}

/// Makes an object of its pixels' labels, row by row.
pub(crate) fn of_labels(width: u32, height: u32, labels: Vec<Option<bool>>) -> Checked<Object> {
    if labels.iter().all(Option::is_none) {
        return Err("is void throughout: no pixel of it counts".into());
    }
    let mask = |pixels| Mask { width, height, pixels };
    let void = labels.contains(&None).then(|| mask(labels.iter().map(Option::is_none).collect()));
    Ok(Object { mask: mask(labels.into_iter().map(|label| label == Some(true)).collect()), void })
}

/// An image's samples as they are stored, row by row, without padding.
struct Raster {
    width: u32,
    height: u32,
    channels: usize,
    /// Two bytes a sample, the high one first, or one.
    wide: bool,
    /// The largest sample: opaque.
    most: u16,
    samples: Vec<u8>,
    /// Red, green and blue of each index, where samples are indices.
    palette: Option<Vec<u8>>,
    /// Opacity of indices from 0, or the samples of the one transparent colour.
    transparent: Option<Vec<u8>>,
}

impl Raster {
    fn decode(bytes: &[u8]) -> Checked<Self> {
        match decode::sniff(bytes)? {
            ImageFormat::Png => Self::png(bytes),
            ImageFormat::Jpeg => {
                let image = jpeg::decode(bytes)?;
                let (width, height) = image.dimensions();
                let samples = image.into_raw();
                Ok(Self {
                    width,
                    height,
                    channels: 3,
                    wide: false,
                    most: 255,
                    samples,
                    palette: None,
                    transparent: None,
                })
            }
            other => Err(decode::not_read(other)),
        }
    }

    fn png(bytes: &[u8]) -> Checked<Self> {
        let damaged = |error: png::DecodingError| format!("is a damaged or truncated PNG ({error})");
        let limits = png::Limits { bytes: MAX_EXTRAS as usize + bytes.len() };
        let mut decoder = png::Decoder::new_with_limits(Cursor::new(bytes), limits);
        decoder.set_transformations(Transformations::IDENTITY);
        let (width, height) = decoder.read_header_info().map_err(damaged)?.size();
        check_png(bytes, width, height)?;
        let mut reader = decoder.read_info().map_err(damaged)?;
        let mut packed = vec![0; reader.output_buffer_size().ok_or("is too large to be read")?];
        let frame = reader.next_frame(&mut packed).map_err(damaged)?;
        let info = reader.info();
        let depth = info.bit_depth as usize;
        let channels = info.color_type.samples();
        let samples = if depth < 8 { unpacked(&packed, width, frame.line_size, depth) } else { packed };
        Ok(Self {
            width,
            height,
            channels,
            wide: depth == 16,
            most: u16::MAX >> (16 - depth),
            samples,
            palette: info.palette.as_deref().filter(|_| info.color_type == ColorType::Indexed).map(<[u8]>::to_vec),
            transparent: info.trns.as_deref().map(<[u8]>::to_vec),
        })
    }

    fn pixels(&self) -> std::ops::Range<usize> {
        0..self.width as usize * self.height as usize
    }

    fn sample(&self, pixel: usize, channel: usize) -> u16 {
        let at = pixel * self.channels + channel;
        match self.wide {
            true => u16::from_be_bytes([self.samples[2 * at], self.samples[2 * at + 1]]),
            false => self.samples[at].into(),
        }
    }

    /// A grey level, an index, or from [`COLOUR`] on a colour.
    fn value(&self, pixel: usize) -> u64 {
        if self.channels < 3 {
            return self.sample(pixel, 0).into();
        }
        let [red, green, blue] = [0, 1, 2].map(|channel| u64::from(self.sample(pixel, channel)));
        if red == green && green == blue { red } else { COLOUR | red << 32 | green << 16 | blue }
    }

    fn opacity(&self, pixel: usize) -> u16 {
        match (&self.transparent, self.channels) {
            (_, 2 | 4) => self.sample(pixel, self.channels - 1),
            (Some(table), 1) if self.palette.is_some() => {
                table.get(usize::from(self.sample(pixel, 0))).map_or(255, |&opacity| opacity.into())
            }
            (Some(key), channels) => {
                let keyed = |channel: usize| match key.get(2 * channel..2 * channel + 2) {
                    Some(&[high, low]) => u16::from_be_bytes([high, low]) == self.sample(pixel, channel),
                    _ => false,
                };
                if (0..channels).all(keyed) { 0 } else { self.opaque() }
            }
            (None, _) => self.opaque(),
        }
    }

    /// Opacity of what is seen whole.
    fn opaque(&self) -> u16 {
        if self.palette.is_some() { 255 } else { self.most }
    }

    fn object(&self, rule: Rule) -> Checked<Object> {
        let is_void = |value: u64| rule.void.is_some_and(|void| value == u64::from(void));
        let values = Values::of(self.pixels().map(|pixel| self.value(pixel)).filter(|value| !is_void(*value)));
        self.check_palette(&values, rule)?;
        match rule.threshold {
            Some(_) if values.0.iter().any(|&value| value >= COLOUR) => {
                return Err(format!("has colours ({values}), and a threshold is for grey masks"));
            }
            None if values.are_too_many() => {
                return Err(format!(
                    "is to be a mask of two values, 0 for background and another for the object, and has {values}{REMEDY}"
                ));
            }
            _ => {}
        }
        let is_object = |value: u64| match rule.threshold {
            Some(threshold) => value >= u64::from(threshold),
            None => value != 0,
        };
        let label = |pixel: usize| {
            let value = self.value(pixel);
            (!is_void(value)).then(|| is_object(value))
        };
        self.check_opacity(&values, label)?;
        of_labels(self.width, self.height, self.pixels().map(label).collect())
    }

    /// Index 0 must be black, and no other that is used: else the colours say another thing than
    /// the indices.
    fn check_palette(&self, values: &Values, rule: Rule) -> Checked<()> {
        let Some(palette) = &self.palette else { return Ok(()) };
        if rule.threshold.is_some() {
            return Err("has a palette, and a threshold is for grey masks".into());
        }
        let colour = |index: u64| palette.get(3 * index as usize..3 * index as usize + 3);
        match values.0.iter().find(|&&index| colour(index).is_none_or(|colour| (colour == [0; 3]) != (index == 0))) {
            None => Ok(()),
            Some(&index) => Err(match colour(index) {
                None => format!("is a damaged PNG (index {index} is not in its palette)"),
                Some(colour) => format!(
                    "has a palette in which index {index} is of the colour {colour:?}, so that it can't be told whether black or index 0 is the background; \
                     save it as a grey image with 0 for background"
                ),
            }),
        }
    }

    /// Opacity must be the same throughout, or say what the values say.
    fn check_opacity(&self, values: &Values, label: impl Fn(usize) -> Option<bool>) -> Checked<()> {
        let first = self.opacity(0);
        if self.pixels().all(|pixel| self.opacity(pixel) == first) {
            return Ok(());
        }
        if values.0.len() < 2 {
            return Err("has its object in the transparency alone: its colour is the same throughout; save the transparency as a grey image, with 0 for background".into());
        }
        let agrees = |pixel: usize| match (label(pixel), self.opacity(pixel)) {
            (None, _) => true,
            (Some(object), 0) => !object,
            (Some(object), opacity) => object && opacity == self.opaque(),
        };
        if self.pixels().all(agrees) {
            return Ok(());
        }
        Err("has transparent pixels, and its transparency and its colours say different things of what is object; \
             save it as a grey image without transparency, with 0 for background"
            .into())
    }
}

/// The different values of a mask, ascending; of many only the first ones met, and one more than
/// are named.
struct Values(Vec<u64>);

impl Values {
    fn of(values: impl Iterator<Item = u64>) -> Self {
        let mut seen = Vec::new();
        for value in values {
            if !seen.contains(&value) {
                seen.push(value);
                if seen.len() > NAMED {
                    break;
                }
            }
        }
        seen.sort_unstable();
        Self(seen)
    }

    /// One value alone is what it is; of two, one must be background's.
    fn are_too_many(&self) -> bool {
        self.0.len() > 2 || (self.0.len() == 2 && self.0[0] != 0)
    }
}

impl std::fmt::Display for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (place, &value) in self.0.iter().take(NAMED).enumerate() {
            let comma = if place > 0 { ", " } else { "" };
            match value.checked_sub(COLOUR) {
                None => write!(f, "{comma}{value}")?,
                Some(rgb) => write!(f, "{comma}({}, {}, {})", rgb >> 32, rgb >> 16 & 0xffff, rgb & 0xffff)?,
            }
        }
        f.write_str(if self.0.len() > NAMED { " and more" } else { "" })
    }
}

/// One byte for each sample of `depth` bits, of lines that are filled up to whole bytes.
fn unpacked(packed: &[u8], width: u32, line: usize, depth: usize) -> Vec<u8> {
    let sample = |line: &[u8], at: usize| {
        let bit = at * depth;
        line[bit / 8] >> (8 - depth - bit % 8) & (0xff >> (8 - depth))
    };
    packed.chunks_exact(line).flat_map(|line| (0..width as usize).map(move |at| sample(line, at))).collect()
}
