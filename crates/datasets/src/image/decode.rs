//! Image files as Pillow's `Image.open(path).convert("RGB")` reads them.
//!
//! A file's format is read from its content, not its name (ImageNet has a PNG named `.JPEG`). EXIF rotation is not applied and alpha
//! is dropped, not blended, as in Pillow. Two departures are errors instead of pixels: formats other than JPEG and PNG, and images of more than
//! [`MAX_PIXELS`] (where Pillow warns). One is another picture: of 16-bit grey the high byte is taken, as Pillow does with all other 16-bit PNGs (grey with alpha, RGB, RGBA);
//! 16-bit grey alone it clips at 255, which leaves white.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use image::codecs::png::PngDecoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, Limits, RgbImage};

use crate::checksum::Reading;
use crate::image::jpeg;
use crate::{Error, Result};

/// Largest image that is decoded, in pixels: the limit at which Pillow warns of a decompression bomb.
pub const MAX_PIXELS: u64 = 89_478_485;
/// Longest side that is decoded: JPEG's own limit.
pub const MAX_SIDE: u32 = 65_535;
/// Largest file that is read, in bytes; ImageNet's largest is a few percent of it.
const MAX_FILE: u64 = 256 << 20;
/// Bytes that a PNG's colour profile and texts may be unpacked to, beyond the file's own length; profiles of cameras have a few KiB, of printers up to 4 MiB.
pub(crate) const MAX_EXTRAS: u64 = 16 << 20;
/// Largest ratio of deflate. A file that claims to unpack to more is damaged, and would take memory for nothing.
pub(crate) const DEFLATE_RATIO: u64 = 1032;

/// Decodes the image file at `path` to 8-bit RGB.
///
/// # Errors
/// Where the file can't be read, is not a JPEG or PNG, is cut short or damaged, or is too large; the
/// message names the file and what was found.
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

/// Refuses sizes that would take more memory than any photo of a data set does.
pub(crate) fn check_size(width: u32, height: u32) -> std::result::Result<(), String> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS || width.max(height) > MAX_SIDE {
        return Err(format!(
            "is {width} × {height} pixels; at most {MAX_PIXELS} pixels and {MAX_SIDE} a side are decoded"
        ));
    }
    Ok(())
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
        // Alpha goes, and of 16-bit values the high byte stays, as in Pillow; `to_rgb8` would round.
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

/// Refuses a PNG whose header says a size that no photo has, or that can't be in so many bytes.
pub(crate) fn check_png(bytes: &[u8], width: u32, height: u32) -> std::result::Result<(), String> {
    check_size(width, height)?;
    // Depth and colour type of the header, before the decoder expands a transparent value to an
    // alpha channel.
    let (depth, samples) = (u64::from(bytes[24]), [1, 1, 3, 1, 2, 1, 4][usize::from(bytes[25]).min(6)]);
    if u64::from(width) * u64::from(height) * depth * samples / 8 > DEFLATE_RATIO * bytes.len() as u64 {
        return Err(format!(
            "is a truncated PNG: {} bytes can't hold {width} × {height} pixels; copy it again",
            bytes.len()
        ));
    }
    Ok(())
}
