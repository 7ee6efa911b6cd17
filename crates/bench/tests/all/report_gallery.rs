//! Overlays and sheets.

use bench::report::gallery::{ContactSheet, SheetTile, compose, file_name, index, overlay, scores, write};
use image::{Rgb, RgbImage};
use ucag_core::postprocess::{MapKind, MapState};

fn grey(side: u32) -> RgbImage {
    RgbImage::from_pixel(side, side, Rgb([100; 3]))
}

#[test]
fn viridis_ends_over_grey() {
    // Viridis runs from (68, 1, 84) to (253, 231, 37); 0.6 of it and 0.4 of grey 100.
    let picture = overlay(&grey(2), &[0.0, 1.0, -3.0, 7.0], MapKind::Cam).unwrap();
    let (low, high) = (Rgb([81, 41, 90]), Rgb([192, 179, 62]));
    for (pixel, expected) in picture.pixels().zip([low, high, low, high]) {
        for (channel, expected) in pixel.0.into_iter().zip(expected.0) {
            assert!(channel.abs_diff(expected) <= 1, "{pixel:?}");
        }
    }
}

#[test]
fn signed_maps_are_red_for_and_blue_against() {
    let picture = overlay(&grey(2), &[2.0, -2.0, 0.0, 0.5], MapKind::Signed).unwrap();
    let [Rgb([r, _, b]), Rgb([r2, _, b2]), Rgb(zero), Rgb([r3, _, b3])] =
        [0, 1, 2, 3].map(|i| *picture.get_pixel(i % 2, i / 2));
    assert!(r > b && b2 > r2, "{r} {b} {r2} {b2}");
    assert_eq!(zero, [177; 3]);
    assert!(r3 > b3 && r3 - b3 < r - b, "half the strength isn't weaker");
}

#[test]
fn maps_that_do_not_fit_are_refused() {
    for (map, expected) in [(vec![0.0; 3], "3 values"), (vec![0.0, f32::NAN, 0.0, 0.0], "NaN")] {
        let error = overlay(&grey(2), &map, MapKind::Cam).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

fn tile<'a>(label: &'a str, ucag: bool, map: &'a [f32], state: MapState) -> SheetTile<'a> {
    SheetTile { label, ucag, map, point: None, map_kind: MapKind::Cam, state, note: "del 4.2  ins 57.1".to_owned() }
}

#[test]
fn a_sheet_has_a_row_without_and_a_row_with() {
    let (image, map) = (grey(180), vec![0.5; 180 * 180]);
    let both = [false, true].map(|ucag| tile("GradCAM", ucag, &map, MapState::Ok));
    let sheet = |tiles: Vec<SheetTile<'_>>| {
        compose(&ContactSheet { title: "t".into(), image: &image, mask: None, tiles }).unwrap().dimensions()
    };
    let (one, two) = (sheet(both[..1].to_vec()), sheet(both.to_vec()));
    assert_eq!(one.0, two.0);
    assert!(two.1 >= one.1 + 180);
    let wider = sheet(vec![both[0].clone(), tile("Other", true, &map, MapState::Ok)]);
    assert!(wider.0 >= two.0 + 180);
}

#[test]
fn a_degenerate_map_looks_different_from_a_zero_map() {
    let (image, map) = (grey(180), vec![0.0; 180 * 180]);
    let [fine, degenerate] = [MapState::Ok, MapState::AllZero].map(|state| {
        compose(&ContactSheet {
            title: "t".into(),
            image: &image,
            mask: None,
            tiles: vec![tile("GradCAM", false, &map, state)],
        })
        .unwrap()
    });
    assert_ne!(fine, degenerate);
}

#[test]
fn sheets_are_indexed() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(index(folder.path()).unwrap(), None);
    assert_eq!(index(&folder.path().join("absent")).unwrap(), None);
    let (image, map) = (grey(180), vec![0.5; 180 * 180]);
    let sheet = ContactSheet {
        title: "t".into(),
        image: &image,
        mask: None,
        tiles: vec![tile("GradCAM", false, &map, MapState::Ok)],
    };
    for place in 0..2 {
        write(&folder.path().join(file_name(None, place, "a/b c", "M:1", &["M:1"])), &sheet).unwrap();
    }
    let single = image::open(folder.path().join("00001_a_b_c_M_1.png")).unwrap();
    let path = index(folder.path()).unwrap().unwrap();
    assert_eq!(image::open(&path).unwrap().height(), 2 * single.height());
    // Another index over the same folder doesn't take the first one for a sheet.
    index(folder.path()).unwrap();
    assert_eq!(image::open(&path).unwrap().height(), 2 * single.height());
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "{left:?}");
}

#[test]
fn names_of_sheets_fit_and_differ() {
    let long = "folder-of-photos/".repeat(20);
    assert_eq!(file_name(Some(1), 7, "a/b", "é M", &["é M", "M"]), "1_00007_a_b___M.png", "what fits is as it was");
    let mut names = std::collections::HashSet::new();
    for sample in ["a".to_owned(), "x".repeat(240), format!("{long}1"), format!("{long}2")] {
        let models = ["A b", "A_b", "a b", "Other", &long, &"猫".repeat(200)];
        for (model, dataset) in models.iter().flat_map(|model| [(*model, None), (*model, Some(0))]) {
            let name = file_name(dataset, 3, &sample, model, &models);
            // What is written beside it has a longer name, which is cut in its turn.
            assert!(name.len() <= 255 && name.ends_with(".png") && name.is_ascii(), "{name}");
            assert!(names.insert(name.to_lowercase()), "{name} is there twice");
        }
    }
    let name = file_name(None, 3, &format!("{long}1"), "Other", &["Other"]);
    assert!(name.starts_with("00003_folder-of-photos_folder") && name.ends_with("_Other.png"), "{name}");
}

#[test]
fn scores_are_in_the_metrics_units() {
    let metric = |id| metrics::metric(id).unwrap();
    assert_eq!(scores(&[(metric("deletion"), 0.0421), (metric("insertion"), 0.5706)]), "del 4.2  ins 57.1");
}
