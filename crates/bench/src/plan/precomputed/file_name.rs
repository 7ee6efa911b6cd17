//! Names of the files of maps: `<data set>/<model>/<sample>_<class>.npy`, below the folder that a
//! config names.
//!
//! Names come from configs and data sets, so a part of a name that could mean something to a file
//! system is written as its bytes, `%2E%2E` for `..`: no name leads out of the folder, and no two
//! maps have the same one. A part of more than 255 bytes is cut and ends in `%~` and a hash.

use std::fmt::Write as _;
use std::path::PathBuf;

use crate::io::file_name::{MOST, fit, within};

/// A map's file, below the maps' folder. Slashes of a sample's id are folders, as they are in the
/// data set.
pub fn file(dataset: &str, model: &str, sample: &str, class: usize) -> PathBuf {
    folder(dataset, model, sample).join(of_class(sample, class))
}

/// The file of the picture that a model sees of a sample, below the pictures' folder.
pub(crate) fn picture(dataset: &str, model: &str, sample: &str) -> PathBuf {
    folder(dataset, model, sample).join(fit(&last(sample), ".png"))
}

fn folder(dataset: &str, model: &str, sample: &str) -> PathBuf {
    let folders = sample.rsplit_once('/').map(|(folders, _)| folders);
    [dataset, model]
        .into_iter()
        .chain(folders.into_iter().flat_map(|folders| folders.split('/')))
        .map(|name| within(&part(name), MOST))
        .collect()
}

/// The name of a map, without its folder. `class` may be a word that stands for any.
pub(super) fn of_class(sample: &str, class: impl std::fmt::Display) -> String {
    fit(&last(sample), &format!("_{class}.npy"))
}

/// The beginning of the names of a sample's files, whatever the class: all of them lie in one
/// folder. Others may start with it, too.
pub(super) fn stem(sample: &str) -> String {
    /// Names of this many bytes aren't cut, and those that are cut keep as many.
    const KEPT: usize = 200;
    let last = last(sample);
    if last.len() <= KEPT {
        return format!("{last}_");
    }
    let end = (0..=KEPT).rev().find(|&at| last.is_char_boundary(at)).unwrap_or(0);
    last[..end].to_owned()
}

fn last(sample: &str) -> String {
    part(sample.rsplit('/').next().unwrap_or(sample))
}

/// The class in a file's name, where it is that of a map of this sample.
pub(super) fn class(file: &str, sample: &str) -> Option<usize> {
    let (_, digits) = file.strip_suffix(".npy")?.rsplit_once('_')?;
    let class: usize = digits.parse().ok()?;
    (of_class(sample, class) == file).then_some(class)
}

/// One part of a path. Nothing at all is `%`, which no encoded byte is.
fn part(name: &str) -> String {
    if name.is_empty() {
        return "%".to_owned();
    }
    let dots = name.bytes().all(|byte| byte == b'.');
    let mut part = String::with_capacity(name.len());
    for (at, letter) in name.char_indices() {
        let special = letter.is_control() || r#"%/\:*?"<>|"#.contains(letter);
        if special || (letter == '.' && (dots || at == 0)) {
            let mut bytes = [0; 4];
            for byte in letter.encode_utf8(&mut bytes).bytes() {
                let _ = write!(part, "%{byte:02X}");
            }
        } else {
            part.push(letter);
        }
    }
    part
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::path::Component;

    use super::*;

    fn name(dataset: &str, model: &str, sample: &str, class: usize) -> String {
        file(dataset, model, sample, class).display().to_string()
    }

    #[test]
    fn ordinary_names_stay_as_they_are() {
        assert_eq!(
            name("ImageNet", "ResNet mini", "val/n01440764/ILSVRC2012_val_00000293", 0),
            "ImageNet/ResNet mini/val/n01440764/ILSVRC2012_val_00000293_0.npy"
        );
        assert_eq!(name("d", "α = 2.6", "JPEGImages/000001", 19), "d/α = 2.6/JPEGImages/000001_19.npy");
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        assert_eq!(name("..", "a/b", "../../etc/passwd", 1), "%2E%2E/a%2Fb/%2E%2E/%2E%2E/etc/passwd_1.npy");
        assert_eq!(name(".", "\\", "/etc//x", 1), "%2E/%5C/%/etc/%/x_1.npy");
        assert_eq!(name("", "a\nb", "..", 1), "%/a%0Ab/%2E%2E_1.npy");
        for hostile in ["..", "/", "../", "/..", "a/../..", "", "%2E%2E", "C:\\x", "...", "\u{0}"] {
            let path = file(hostile, hostile, hostile, 7);
            assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{}", path.display());
        }
    }

    #[test]
    fn no_two_maps_have_the_same_name() {
        let names = ["", "%", "%%", ".", "%2E", "a", "a_1", "a/1", "a%2F1", "a_1_1", "a/", "/a"];
        let mut files = HashSet::new();
        for sample in names {
            for class in [1, 11, 111] {
                assert!(files.insert(file("d", "m", sample, class)), "{sample} {class}");
            }
        }
    }

    #[test]
    fn no_part_is_longer_than_a_file_system_takes() {
        let long = "猫".repeat(100);
        let mut files = HashSet::new();
        for end in ["", "1", "2"] {
            let name = format!("{long}{end}");
            for class in [0, 7, usize::MAX] {
                for path in [file(&name, "m", "s", class), file("d", &name, "s", class), file("d", "m", &name, class)] {
                    assert!(path.components().all(|part| part.as_os_str().len() <= 255), "{}", path.display());
                    assert!(files.insert(path));
                }
            }
            assert!(picture("d", "m", &name).file_name().unwrap().len() <= 255);
        }
        // 250 bytes, "_", a digit and ".npy" are one too many; with a byte less the name is spelled
        // out.
        assert!(of_class(&"x".repeat(250), 1).contains("%~"));
        assert_eq!(of_class(&"x".repeat(249), 1), format!("{}_1.npy", "x".repeat(249)));
        assert!(of_class(&"x".repeat(249), 10).contains("%~"));
    }

    #[test]
    fn a_class_is_read_back() {
        for sample in ["a", "a_1", "x/..", "", "b/%", &"x".repeat(249), &"é".repeat(300)] {
            for class in [0, 12, 123_456] {
                let name = of_class(sample, class);
                assert!(name.starts_with(&stem(sample)), "{name}");
                assert_eq!(super::class(&name, sample), Some(class), "{name}");
                assert_eq!(super::class(&name, "y"), None);
            }
        }
        for sample in ["a", "a_1", "x/..", "", "b/%"] {
            let path = file("d", "m", sample, 12);
            let last = path.file_name().unwrap().to_str().unwrap();
            assert_eq!(class(last, sample), Some(12), "{last}");
        }
        for other in ["a_.npy", "a_01.npy", "a_+1.npy", "a_1_2.npy", "ab_1.npy", "a_1.npz", "a_1.npy.npy", "a_x.npy"] {
            assert_eq!(class(other, "a"), None, "{other}");
        }
    }
}
