//! Image files as Pillow's `Image.open(path).convert("RGB")` reads them.
//!
//! A file's format is read from its content, not its name (ImageNet has a PNG named `.JPEG`). EXIF
//! rotation is not applied and alpha is dropped, not blended, as in Pillow. Two departures are
//! errors instead of pixels: formats other than JPEG and PNG, and images of more than
//! [`MAX_PIXELS`](crate::image::limits::MAX_PIXELS) (where Pillow warns). One is another picture:
//! of 16-bit grey the high byte is taken, as Pillow does with all other 16-bit PNGs (grey with
//! alpha, RGB, RGBA); 16-bit grey alone it clips at 255, which leaves white.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits, RgbImage};

use crate::checksum::Reading;
use crate::image::jpeg;
use crate::image::limits::{MAX_EXTRAS, check_png};
use crate::{Error, Result};

/// Largest file that is read, in bytes; ImageNet's largest is a few percent of it.
const MAX_FILE: u64 = 256 << 20;

/// Decodes the image file at `path` to 8-bit RGB.
///
/// # Errors
/// Where the file can't be read, is not a JPEG or PNG, is cut short or damaged, or is too large;
/// the message names the file and what was found.
pub fn decode(path: &Path) -> Result<RgbImage> {
    decode_into(path, &mut Reading::default())
}

/// As [`decode`]; the bytes that are decoded are added to `reading`.
pub(crate) fn decode_into(path: &Path, reading: &mut Reading) -> Result<RgbImage> {
    let bytes = read(path)?;
    reading.add(&bytes);
    let decoded = match sniff(&bytes) {
        Ok(ImageFormat::Jpeg) => jpeg::decode(&bytes),
        Ok(ImageFormat::Png) => png(&bytes),
        Ok(other) => Err(not_read(other)),
        Err(found) => Err(found),
    };
    decoded.map_err(|problem| Error::image(path, problem))
}

/// The bytes of an image file, or of a mask's.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    let metadata = std::fs::metadata(path).map_err(Error::io(path))?;
    if metadata.is_dir() {
        return Err(Error::image(path, "is a folder, not an image file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Error::io(path))?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(Error::io(path))?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::image(path, format!("is larger than the {} MiB that are read", MAX_FILE >> 20)));
    }
    Ok(bytes)
}

/// The format by content, or what the bytes look like instead.
pub(crate) fn sniff(bytes: &[u8]) -> std::result::Result<ImageFormat, String> {
    if bytes.is_empty() {
        return Err("is empty (0 bytes); copy it again".into());
    }
    image::guess_format(bytes).map_err(|_| {
        let start = &bytes[..bytes.len().min(32)];
        let seen = match std::str::from_utf8(start) {
            Ok(text) => format!("text that starts with {text:?}"),
            Err(_) => format!("bytes that start with {:02x?}", &start[..start.len().min(8)]),
        };
        format!("is not an image of a known format, but {seen}; a JPEG or PNG is expected")
    })
}

/// The message for an image of a format that isn't read.
pub(crate) fn not_read(format: ImageFormat) -> String {
    format!("is a {format:?} image; only JPEG and PNG are read, convert it first")
}

fn png(bytes: &[u8]) -> std::result::Result<RgbImage, String> {
    let damaged = |error: image::ImageError| format!("is a damaged or truncated PNG ({error})");
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(MAX_EXTRAS + bytes.len() as u64);
    let decoder = PngDecoder::with_limits(Cursor::new(bytes), limits).map_err(damaged)?;
    let (width, height) = decoder.dimensions();
    check_png(bytes, width, height)?;
    let image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    Ok(match image {
        DynamicImage::ImageRgb8(rgb) => rgb,
        // Alpha goes, and of 16-bit values the high byte stays, as in Pillow; `to_rgb8` would
        // round.
        DynamicImage::ImageRgb16(_)
        | DynamicImage::ImageRgba16(_)
        | DynamicImage::ImageLuma16(_)
        | DynamicImage::ImageLumaA16(_) => {
            let wide = image.into_rgb16();
            let high = wide.as_raw().iter().map(|value| (value >> 8) as u8).collect();
            RgbImage::from_raw(width, height, high).ok_or("has fewer pixels than its header says")?
        }
        other => other.into_rgb8(),
    })
}
