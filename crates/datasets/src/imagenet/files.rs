//! Listing of files and folders, in torchvision's order.

use std::path::Path;

use crate::index::clutter::is_clutter;
use crate::{Error, Result};

/// Endings of names that torchvision takes for images, in any case.
const EXTENSIONS: [&str; 9] = ["jpg", "jpeg", "png", "ppm", "bmp", "pgm", "tif", "tiff", "webp"];

/// Folders nested deeper than this below a class folder are taken for a loop of links.
const MAX_DEPTH: usize = 16;

/// The direct content of a folder, each list sorted by name.
pub(super) struct Listing {
    pub(super) folders: Vec<String>,
    pub(super) images: Vec<String>,
}

/// Lists `folder`; links are followed. Files that are not named as images are left out, and what
/// systems leave in every folder.
pub(super) fn list(folder: &Path) -> Result<Listing> {
    let mut listing = Listing { folders: Vec::new(), images: Vec::new() };
    for entry in std::fs::read_dir(folder).map_err(Error::io(folder))? {
        let path = entry.map_err(Error::io(folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| Error::layout(&path, "this name is not UTF-8; rename it"))?.to_owned();
        let is_folder = path.is_dir();
        if is_clutter(&name, is_folder) {
            continue;
        }
        if is_folder {
            listing.folders.push(name);
        } else if is_image(&name) {
            listing.images.push(name);
        }
    }
    listing.folders.sort_unstable();
    listing.images.sort_unstable();
    Ok(listing)
}

/// Every image below `folder`, nested folders included: paths below it with `/` separators, by
/// folder, then by file.
pub(super) fn images_below(folder: &Path) -> Result<Vec<String>> {
    let mut groups = Vec::new();
    collect(folder, String::new(), 0, &mut groups)?;
    groups.sort_unstable();
    let paths = |(inner, images): (String, Vec<String>)| images.into_iter().map(move |image| join(&inner, &image));
    Ok(groups.into_iter().flat_map(paths).collect())
}

/// `name` in `folder`, where the top folder is "".
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.into() } else { format!("{folder}/{name}") }
}

fn collect(folder: &Path, inner: String, depth: usize, groups: &mut Vec<(String, Vec<String>)>) -> Result<()> {
    if depth > MAX_DEPTH {
        let problem = format!("folders are nested more than {MAX_DEPTH} deep; is a link pointing upwards?");
        return Err(Error::layout(folder, problem));
    }
    let listing = list(folder)?;
    for name in listing.folders {
        collect(&folder.join(&name), join(&inner, &name), depth + 1, groups)?;
    }
    groups.push((inner, listing.images));
    Ok(())
}

fn is_image(name: &str) -> bool {
    name.rsplit_once('.')
        .is_some_and(|(_, extension)| EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_go_by_extension_whatever_its_case() {
        for name in ["a.jpg", "a.JPEG", "a.b.Png", "x.webp", "x.TIFF"] {
            assert!(is_image(name), "{name}");
        }
        for name in ["jpg", "a.txt", "a.jpg.part", "a.gif", "a"] {
            assert!(!is_image(name), "{name}");
        }
    }

    #[test]
    fn order_is_folder_by_folder() {
        let root = tempfile::tempdir().unwrap();
        for file in [
            "b.png",
            "a/z.png",
            "a/d/y.png",
            "a-c/x.png",
            "B.png",
            "note.txt",
            "._b.png",
            "a/._z.png",
            "__MACOSX/b.png",
            ".ipynb_checkpoints/b.png",
            "Thumbs.db",
        ] {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(images_below(root.path()).unwrap(), ["B.png", "b.png", "a/z.png", "a-c/x.png", "a/d/y.png"]);
    }

    #[cfg(unix)]
    #[test]
    fn a_loop_of_links_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(root.path(), root.path().join("up")).unwrap();
        let error = images_below(root.path()).unwrap_err().to_string();
        assert!(error.contains("nested more than 16 deep; is a link pointing upwards?"), "{error}");
    }
}
