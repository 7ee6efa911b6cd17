//! Folders that are made on first use.

use std::path::{Path, PathBuf};

use image::{ImageEncoder, RgbImage};

use super::VERSION;
use crate::{Error, Result, Source};

const STAMP: &str = "VERSION";

/// The folder in which the data of that layout is, made where it isn't there yet: the source's
/// root, or one among the user's caches where the root doesn't hold the data and may not be
/// written.
///
/// # Errors
/// As [`ensure`].
pub(super) fn place(source: &Source<'_>, layout: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let root = source.root;
    let stamp = format!("{}{VERSION}\n", any_version(layout));
    // What is something else is refused as a run would refuse it.
    let is_other =
        || root.exists() && !std::fs::read_to_string(root.join(STAMP)).is_ok_and(|found| is_ours(&found, layout));
    if source.may_write || is_other() {
        return ensure(root, layout, write).map(|()| root.into());
    }
    if std::fs::read_to_string(root.join(STAMP)).is_ok_and(|found| found == stamp) {
        return Ok(root.into());
    }
    let cache = caches().join("ucag-bench").join(layout.to_lowercase().replace(' ', "-"));
    if let Some(parent) = cache.parent() {
        folder(parent)?;
    }
    ensure(&cache, layout, write).map(|()| cache)
}

/// Returns the user's folder of caches.
fn caches() -> PathBuf {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir)
}

/// Returns the start of every version's stamp.
fn any_version(layout: &str) -> String {
    format!("embedded scenes, {layout} layout, version ")
}

/// Returns true if a stamp is of some version in this layout.
fn is_ours(stamp: &str, layout: &str) -> bool {
    stamp.starts_with(&any_version(layout))
}

/// Makes the folder `root`, where it isn't there yet: `write` fills it, in the layout of that name.
///
/// It is made beside its place and moved there whole, so a run that is killed leaves nothing that
/// could be taken for it, and of two runs at once one wins. A folder that another version of this
/// program made in the same layout is made anew.
///
/// # Errors
/// Where `root` holds something that this program didn't make, or can't be written.
pub(super) fn ensure(root: &Path, layout: &str, write: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let stamp = format!("{}{VERSION}\n", any_version(layout));
    match std::fs::read_to_string(root.join(STAMP)) {
        Ok(found) if found == stamp => return Ok(()),
        Ok(found) if is_ours(&found, layout) => std::fs::remove_dir_all(root).map_err(Error::io(root))?,
        _ if root.exists() => {
            let problem = format!(
                "is there, but this program didn't make it in {layout}'s layout; name another folder, or move it away"
            );
            return Err(Error::layout(root, problem));
        }
        _ => {}
    }
    let beside = beside(root);
    let made =
        folder(&beside).and_then(|()| write(&beside)).and_then(|()| text(&beside.join(STAMP), &stamp)).and_then(|()| {
            match std::fs::rename(&beside, root) {
                // Somebody else was faster.
                Err(_) if std::fs::read_to_string(root.join(STAMP)).is_ok_and(|found| found == stamp) => Ok(()),
                result => result.map_err(Error::io(root)),
            }
        });
    let _ = std::fs::remove_dir_all(&beside); // left over only where something went wrong
    made
}

fn beside(root: &Path) -> PathBuf {
    let name = root.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    root.with_file_name(format!(".{name}.{}", std::process::id()))
}

/// Makes a folder and those it lies in.
pub(super) fn folder(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(Error::io(path))
}

/// Writes a text file.
pub(super) fn text(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).map_err(Error::io(path))
}

/// Writes a JPEG of quality 95, whose pixels are close to the image's but not the same.
pub(super) fn jpeg(path: &Path, image: &RgbImage) -> Result<()> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95)
        .write_image(image, image.width(), image.height(), image::ExtendedColorType::Rgb8)
        .map_err(|error| Error::image(path, format!("can't be encoded: {error}")))?;
    std::fs::write(path, bytes).map_err(Error::io(path))
}
