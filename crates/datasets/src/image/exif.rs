//! EXIF's orientation: by how much a viewer turns a photo. Nothing here turns one.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use image::ImageDecoder;
use image::codecs::png::PngDecoder;
use image::metadata::Orientation;

/// Bytes that are read at a time: mostly all of a camera's header that matters.
const BUFFER: usize = 1 << 12;
/// Most segments of a JPEG that are looked at in front of its pixels.
const MAX_SEGMENTS: usize = 1000;

/// The orientation that a JPEG or PNG states, 1 to 8; none where it states none, or can't be read.
///
/// Only the header is read.
pub(crate) fn orientation(path: &Path) -> Option<u8> {
    let mut file = BufReader::with_capacity(BUFFER, File::open(path).ok()?);
    let mut start = [0; 2];
    file.read_exact(&mut start).ok()?;
    let chunk = match start {
        [0xff, 0xd8] => in_jpeg(&mut file)?,
        [0x89, b'P'] => {
            file.rewind().ok()?;
            PngDecoder::new(file).ok()?.exif_metadata().ok()??
        }
        _ => return None,
    };
    Orientation::from_exif_chunk(&chunk).map(Orientation::to_exif)
}

/// Returns the content of the EXIF segment, which is a TIFF file's header.
fn in_jpeg(file: &mut BufReader<File>) -> Option<Vec<u8>> {
    for _ in 0..MAX_SEGMENTS {
        let (mut fill, mut marker) = (0, 0);
        read_byte(file, &mut fill)?;
        if fill != 0xff {
            return None;
        }
        // Any number of 0xff may be in front of a marker.
        while marker == 0 || marker == 0xff {
            read_byte(file, &mut marker)?;
            if marker == 0 {
                return None;
            }
        }
        match marker {
            0x01 | 0xd0..=0xd7 => continue, // without a length
            0xd9 | 0xda => return None,     // the pixels, or the end
            _ => {}
        }
        let mut length = [0; 2];
        file.read_exact(&mut length).ok()?;
        let length = usize::from(u16::from_be_bytes(length)).checked_sub(2)?;
        if marker != 0xe1 {
            file.seek_relative(length as i64).ok()?;
            continue;
        }
        let mut content = vec![0; length];
        file.read_exact(&mut content).ok()?;
        if let Some(chunk) = content.strip_prefix(b"Exif\0\0") {
            return Some(chunk.to_vec());
        }
    }
    None
}

fn read_byte(file: &mut BufReader<File>, byte: &mut u8) -> Option<()> {
    file.read_exact(std::slice::from_mut(byte)).ok()
}

/// Says of a photo of another size than its annotation has it that the two are only swapped, and
/// why that may be.
pub(crate) fn swapped(path: &Path, said: (u32, u32), actual: (u32, u32)) -> String {
    match orientation(path) {
        _ if said != (actual.1, actual.0) => String::new(),
        Some(orientation @ 5..=8) => format!(
            "; the photo's EXIF orientation is {orientation}, so viewers turn it by a quarter, and it seems to have been annotated turned: \
             write it turned, without EXIF orientation, or annotate it as it is stored"
        ),
        _ => "; width and height are swapped, as by an EXIF orientation that was followed once and dropped once".into(),
    }
}
