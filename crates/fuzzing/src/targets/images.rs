//! JPEG and PNG.

use super::stage::{Stage, fixture, fixtures};
use crate::Target;

/// Photos and masks.
pub(super) static IMAGE: Target = Target {
    name: "image",
    seeds,
    words: &["IHDR", "PLTE", "tRNS", "IDAT", "iCCP", "zTXt", "IEND", "Exif\0\0", "Adobe", "\u{0}\u{0}"],
    mend: checksums,
    // Deflate makes at most 1032 bytes of one, each may be eight grey pixels, and a pixel is three bytes at last.
    growth: 1032 * 8 * 4,
    parse,
};

fn seeds() -> Vec<Vec<u8>> {
    let folder = fixtures("crates/datasets/tests/fixtures/decode");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    // Pixels beside an image say that it is one that is read.
    names.retain(|name| folder.join(format!("{name}.rgb")).exists());
    names.sort();
    names.iter().map(|name| fixture(&format!("crates/datasets/tests/fixtures/decode/{name}"))).collect()
}

fn parse(bytes: &[u8]) -> Result<(), String> {
    thread_local!(static STAGE: Stage = Stage::new());
    STAGE.with(|stage| {
        stage.write("image", bytes);
        let image = datasets::decode::decode(&stage.path().join("image")).map_err(|error| error.to_string())?;
        let (width, height) = image.dimensions();
        assert!(width > 0 && height > 0 && image.as_raw().len() == width as usize * height as usize * 3);
        Ok(())
    })
}

/// Puts the checksums of a PNG's chunks right, as far as there are chunks.
fn checksums(bytes: &mut [u8]) {
    let mut at = 8;
    while bytes.starts_with(b"\x89PNG") && at + 12 <= bytes.len() {
        let length = u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize;
        let end = at + 8 + length;
        if end + 4 > bytes.len() {
            return;
        }
        let sum = crc32fast::hash(&bytes[at + 4..end]);
        bytes[end..end + 4].copy_from_slice(&sum.to_be_bytes());
        at = end + 4;
    }
}
