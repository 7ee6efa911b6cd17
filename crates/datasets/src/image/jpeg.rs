//! JPEG as Pillow decodes it: by the C library both rest on.
//!
//! Decoders in Rust round the inverse transform and the chroma otherwise: on 200 ImageNet photos
//! resized to 224 × 224, 0.58 % (`zune-jpeg`) and 0.16 % (`jpeg-decoder`) of the pixels were more
//! than one level off Pillow, with libjpeg none.

use std::cell::Cell;
use std::io::{BufRead, Read};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use image::RgbImage;
use mozjpeg::{ColorSpace, Decompress};

use crate::image::limits::check_size;

/// Pixels that a byte can hold at most: a block of 8 × 8 takes a bit at least in Huffman's code,
/// the only one that is read.
const MAX_RATIO: u64 = 8 * 8 * 8;

/// Bytes in memory that remember whether more were asked for than there are: libjpeg then only
/// warns and fills with grey.
struct Watched<'a> {
    bytes: &'a [u8],
    ran_out: &'a Cell<bool>,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.bytes.read(buffer)
    }
}

impl BufRead for Watched<'_> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        if self.bytes.is_empty() {
            self.ran_out.set(true);
        }
        Ok(self.bytes)
    }

    fn consume(&mut self, amount: usize) {
        self.bytes.consume(amount);
    }
}

/// Decodes `bytes`; the error completes a sentence that starts with the file's name.
pub(crate) fn decode(bytes: &[u8]) -> Result<RgbImage, String> {
    let ran_out = Cell::new(false);
    // libjpeg's fatal errors arrive as an unwinding that carries the message, without the panic
    // hook.
    let decoded = catch_unwind(AssertUnwindSafe(|| scanlines(Watched { bytes, ran_out: &ran_out })));
    let decoded = decoded.unwrap_or_else(|cause| match cause.downcast::<String>() {
        Ok(message) => Err(format!("is a damaged JPEG ({})", message.trim_start_matches("libjpeg fatal error: "))),
        Err(other) => resume_unwind(other),
    });
    if ran_out.get() {
        return Err(format!("is a truncated JPEG ({} bytes); copy it again", bytes.len()));
    }
    decoded
}

fn scanlines(bytes: Watched<'_>) -> Result<RgbImage, String> {
    let length = bytes.bytes.len();
    let damaged = |error: std::io::Error| format!("is a damaged JPEG ({error})");
    let header = Decompress::new_reader(bytes).map_err(damaged)?;
    let (width, height) = (u32::try_from(header.width()), u32::try_from(header.height()));
    let (Ok(width), Ok(height)) = (width, height) else {
        return Err("is a JPEG whose size does not fit 32 bits".into());
    };
    check_size(width, height)?;
    if u64::from(width) * u64::from(height) > MAX_RATIO * length as u64 {
        return Err(format!("is a truncated JPEG: {length} bytes can't hold {width} × {height} pixels; copy it again"));
    }
    let rgb = match header.color_space() {
        ColorSpace::JCS_CMYK | ColorSpace::JCS_YCCK => {
            let mut lines = header.to_colorspace(ColorSpace::JCS_CMYK).map_err(damaged)?;
            let pixels: Vec<[u8; 4]> = lines.read_scanlines().map_err(damaged)?;
            pixels.into_iter().flat_map(inverted_cmyk).collect()
        }
        _ => header.rgb().map_err(damaged)?.read_scanlines().map_err(damaged)?,
    };
    RgbImage::from_raw(width, height, rgb).ok_or_else(|| "has fewer pixels than its header says".into())
}

/// CMYK as Adobe stores it (255 is no ink) to RGB. Pillow takes every four-channel JPEG as stored
/// so.
fn inverted_cmyk([cyan, magenta, yellow, black]: [u8; 4]) -> [u8; 3] {
    [cyan, magenta, yellow].map(|light| {
        let product = u32::from(255 - light) * u32::from(black) + 128;
        let ink = (product + (product >> 8)) >> 8; // the product over 255, rounded
        (u32::from(black) - ink) as u8
    })
}
