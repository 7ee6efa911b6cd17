//! Files and folders that systems and tools leave in every folder, and that are no part of a data
//! set.

/// Tells files and folders that are passed over by their name.
///
/// `._a.jpg` is what macOS writes beside `a.jpg` on foreign disks and into archives: it is named as
/// an image and holds none. Folders that start with a dot are those of tools, such as
/// `.ipynb_checkpoints`.
pub(crate) fn is_clutter(name: &str, is_folder: bool) -> bool {
    let named = ["Thumbs.db", "desktop.ini", "__MACOSX", "@eaDir", "$RECYCLE.BIN", "System Volume Information"];
    name.starts_with("._")
        || name == ".DS_Store"
        || (is_folder && name.starts_with('.'))
        || named.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clutter_is_told_by_name() {
        for name in ["._a.jpg", "._.DS_Store", ".DS_Store", "Thumbs.db", "thumbs.db", "desktop.ini", "__MACOSX"] {
            assert!(is_clutter(name, false) && is_clutter(name, true), "{name}");
        }
        assert!(is_clutter(".ipynb_checkpoints", true) && is_clutter(".AppleDouble", true));
        for name in ["a.jpg", "_a.jpg", ".a.jpg", "a._b.jpg", "n01440764", "_MACOSX"] {
            assert!(!is_clutter(name, false), "{name}");
        }
    }
}
