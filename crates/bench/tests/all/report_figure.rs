//! Figures: where things are and what colours they have, and what is gathered from plates.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;

use crate::report_common::{config, facts, summary};
use bench::config::{Columns, Config, Figure as Wanted};
use bench::records::Failure;
use bench::records::saved_maps;
use bench::records::saved_maps::{Pictures, SavedMap, SavedMaps};
use bench::report::figure::{Block, Figure, FigureCell, Group, Map, compose, gather, shade, shade_signed};
use bench::report::{Summary, write as report};
use image::{Rgb, RgbImage};
use ucag_core::postprocess::{MapKind, MapState};

const GREY: u8 = 100;

fn image(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb([GREY; 3]))
}

/// The content on the left: a colour that no text and no map has.
const PHOTO: Rgb<u8> = Rgb([10, 200, 30]);

fn photo(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, PHOTO)
}

fn map(value: f32, signed: bool) -> FigureCell {
    FigureCell::Map(Map { image: image(40, 40), values: vec![value; 1600], signed })
}

fn figure(groups: &[&[&str]], image: RgbImage, cells: Vec<Vec<FigureCell>>) -> Figure {
    let group = |columns: &&[&str]| Group {
        name: if groups.len() > 1 { "Group".to_owned() } else { String::new() },
        columns: columns.iter().map(|&name| name.to_owned()).collect(),
    };
    Figure {
        groups: groups.iter().map(group).collect(),
        rows: ["original", "with UCAG"][..cells.len()].iter().map(|&name| name.to_owned()).collect(),
        blocks: vec![Block { image, name: "ring".to_owned(), cells }],
        caption: "Made up.".to_owned(),
    }
}

/// Left, top, width and height of what has this colour, which must be a full rectangle.
fn place(picture: &RgbImage, color: Rgb<u8>) -> [u32; 4] {
    let here: Vec<(u32, u32)> =
        picture.enumerate_pixels().filter(|(.., pixel)| **pixel == color).map(|(x, y, _)| (x, y)).collect();
    let (left, right) = (here.iter().map(|at| at.0).min().unwrap(), here.iter().map(|at| at.0).max().unwrap());
    let (top, bottom) = (here.iter().map(|at| at.1).min().unwrap(), here.iter().map(|at| at.1).max().unwrap());
    let [width, height] = [right - left + 1, bottom - top + 1];
    assert_eq!(here.len() as u32, width * height, "{color:?} isn't a rectangle");
    [left, top, width, height]
}

#[track_caller]
fn near(found: Rgb<u8>, expected: [f64; 3]) {
    let off = found.0.iter().zip(expected).map(|(&channel, expected)| (f64::from(channel) - expected).abs());
    assert!(off.fold(0.0, f64::max) <= 1.5, "{found:?} is not {expected:?}");
}

#[test]
fn values_have_the_colours_that_are_documented() {
    let over = |color: [f64; 3], share: f64, ground: f64| color.map(|c| share * c + (1.0 - share) * ground);
    // Viridis from (68, 1, 84) to (253, 231, 37).
    near(shade(0.0, 100.0), over([68.0, 1.0, 84.0], 0.65, 100.0));
    near(shade(1.0, 100.0), over([253.0, 231.0, 37.0], 0.65, 100.0));
    assert_eq!(shade(7.0, 100.0), shade(1.0, 100.0));
    // ColorBrewer's RdBu ends in (103, 0, 31) and (5, 48, 97); grey 100 is lightened to 177.5.
    near(shade_signed(1.0, 100.0), over([103.0, 0.0, 31.0], 0.95, 177.5));
    near(shade_signed(-1.0, 100.0), over([5.0, 48.0, 97.0], 0.95, 177.5));
    let Rgb([r, g, b]) = shade_signed(0.0, 100.0);
    assert!(r.abs_diff(b) <= 4 && r.abs_diff(g) <= 4 && r > 205, "zero is {r} {g} {b}, which has a colour");
    // A quarter is half way along the colours, on both sides alike: ColorBrewer's (244, 165, 130)
    // and (146, 197, 222), smoothed.
    let [Rgb([for_r, _, for_b]), Rgb([against_r, _, against_b])] =
        [0.25, -0.25].map(|value| shade_signed(value, 100.0));
    assert!(for_r > for_b + 50 && against_b > against_r + 30, "{for_r} {for_b} {against_r} {against_b}");
}

#[test]
fn light_grows_with_a_map_and_falls_with_a_signed_maps_magnitude() {
    let light = |Rgb([r, g, b]): Rgb<u8>| 0.299 * f64::from(r) + 0.587 * f64::from(g) + 0.114 * f64::from(b);
    let along =
        |shade: &dyn Fn(f64) -> Rgb<u8>| (0..=20).map(|i| light(shade(f64::from(i) / 20.0))).collect::<Vec<_>>();
    let rising = |lights: &[f64]| lights.windows(2).all(|pair| pair[1] > pair[0]);
    assert!(rising(&along(&|value| shade(value, 100.0))));
    for sign in [1.0, -1.0] {
        let mut lights = along(&|value| shade_signed(sign * value, 100.0));
        lights.reverse();
        assert!(rising(&lights), "{sign}: {lights:?}");
    }
}

#[test]
fn tiles_are_320_pixels_wide_and_in_rows_and_columns() {
    let cells = vec![
        vec![map(1.0, false), map(-1.0, true), FigureCell::Blank],
        vec![map(0.25, false), map(1.0, true), map(0.25, true)],
    ];
    let picture = compose(&figure(&[&["A", "B"], &["C"]], photo(40, 40), cells)).unwrap();
    let grey = f64::from(GREY);
    let [left, top, width, height] = place(&picture, PHOTO);
    assert_eq!((width, height), (320, 320));
    let a = place(&picture, shade(1.0, grey));
    assert_eq!((a[1], a[2], a[3]), (top, 320, 320));
    assert!(a[0] >= left + 320, "{a:?} lies over the image");
    let beside = |[x, y, w, h]: [u32; 4], right: u32, down: u32| [x + right, y + down, w, h];
    assert_eq!(place(&picture, shade_signed(-1.0, grey)), beside(a, 330, 0));
    assert_eq!(place(&picture, shade(0.25, grey)), beside(a, 0, 330));
    assert_eq!(place(&picture, shade_signed(1.0, grey)), beside(a, 330, 330));
    // The second group is further off, and its first row is left blank.
    let c = place(&picture, shade_signed(0.25, grey));
    assert_eq!((c[1], c[2], c[3]), (top + 330, 320, 320));
    assert!(c[0] > a[0] + 660, "{c:?}");
    assert!((0..320).all(|i| *picture.get_pixel(c[0] + i, top + i) == Rgb([255; 3])));
    assert_eq!(picture.width(), c[0] + 320 + left, "margins differ");
}

#[test]
fn tiles_have_their_images_proportions() {
    let wide = image(80, 40);
    let cells = vec![vec![
        FigureCell::Map(Map { image: wide.clone(), values: vec![1.0; 3200], signed: false }),
        map(-1.0, true),
    ]];
    let picture = compose(&figure(&[&["A", "B"]], wide, cells)).unwrap();
    let [.., width, height] = place(&picture, shade(1.0, f64::from(GREY)));
    assert_eq!((width, height), (320, 160));
    // A square map beside it is as high, and in the middle of its column.
    let [x, _, width, height] = place(&picture, shade_signed(-1.0, f64::from(GREY)));
    let [first, ..] = place(&picture, shade(1.0, f64::from(GREY)));
    assert_eq!((x, width, height), (first + 330 + 80, 160, 160));
}

#[test]
fn a_map_is_enlarged_before_it_is_coloured() {
    // Between −1 and 1 there is zero, which has no colour; between blue and red there would be
    // purple.
    let values: Vec<f32> = (0..1600).map(|i| if i % 40 < 20 { -1.0 } else { 1.0 }).collect();
    let cells = vec![vec![FigureCell::Map(Map { image: image(40, 40), values, signed: true })]];
    let picture = compose(&figure(&[&["A"]], photo(40, 40), cells)).unwrap();
    let [left, top, ..] = place(&picture, PHOTO);
    let row: Vec<Rgb<u8>> = (left + 320..picture.width()).map(|x| *picture.get_pixel(x, top + 160)).collect();
    let grey = f64::from(GREY);
    let start = row.iter().position(|pixel| *pixel == shade_signed(-1.0, grey)).unwrap();
    assert_eq!(row[start + 319], shade_signed(1.0, grey));
    let lightest = row[start..start + 320].iter().max_by_key(|pixel| pixel.0[1]).unwrap();
    assert!(lightest.0[1] > 170, "the middle is {lightest:?}");
}

#[test]
fn degenerate_and_failed_maps_are_hatched_and_named() {
    let picture = |cell: FigureCell| compose(&figure(&[&["A"]], image(40, 40), vec![vec![cell]])).unwrap();
    let degenerate = picture(FigureCell::Degenerate(image(40, 40), MapState::AllZero));
    // Grey 100 is shown as 40 + 150, and under a stripe as 40 + 60; stripes go down to the left,
    // one every 12 pixels.
    let [left, top, ..] = place(&picture(map(1.0, false)), shade(1.0, f64::from(GREY)));
    for (x, y) in [(0, 0), (1, 0), (0, 1), (12, 0), (5, 7), (319, 5)] {
        let expected = if (x + y) % 12 < 2 { 100 } else { 190 };
        assert_eq!(*degenerate.get_pixel(left + x, top + y), Rgb([expected; 3]), "{x} {y}");
    }
    let words = |picture: &RgbImage| *picture.get_pixel(left + 160, top + 137);
    let constant = picture(FigureCell::Degenerate(image(40, 40), MapState::Constant));
    assert_ne!(degenerate, constant, "the states' names don't show");
    assert_eq!(words(&degenerate).0, [255; 3], "no ground under the name");
    assert_ne!(picture(FigureCell::Failed), degenerate);
}

#[test]
fn long_labels_and_legends_take_more_lines() {
    let cells = || vec![vec![map(1.0, false)]];
    let usual = figure(&[&["A"]], photo(40, 40), cells());
    let long = Figure { rows: vec!["views of half the side, without confidence".to_owned()], ..usual.clone() };
    let [left, ..] = place(&compose(&usual).unwrap(), shade(1.0, f64::from(GREY)));
    let [moved, ..] = place(&compose(&long).unwrap(), shade(1.0, f64::from(GREY)));
    assert_eq!(moved, left + 32, "two lines beside a row need 16 logical pixels more");

    // A picture of one column has no room for two keys of the legend side by side; one of two
    // columns has.
    let height = |cells: Vec<Vec<FigureCell>>| {
        compose(&figure(&[&["A", "B"][..cells[0].len()]], photo(40, 40), cells)).unwrap().height()
    };
    let [saliency, relevance] = [map(1.0, false), map(1.0, true)];
    let below = |other: &FigureCell| height(vec![vec![saliency.clone()], vec![other.clone()]]);
    assert_eq!(below(&relevance), below(&saliency) + 2 * 68);
    let beside = |other: &FigureCell| height(vec![vec![saliency.clone(), other.clone()]]);
    assert_eq!(beside(&relevance), beside(&saliency));
}

#[test]
fn a_map_of_another_size_is_refused() {
    let cell = FigureCell::Map(Map { image: image(40, 40), values: vec![0.0; 1599], signed: false });
    let error = compose(&figure(&[&["A"]], image(40, 40), vec![vec![cell]])).unwrap_err().to_string();
    assert!(error.contains("1599 values") && error.contains("40 × 40"), "{error}");
}

fn wanted(models: &[&str], methods: &[&str], columns: Columns) -> Config {
    Config { figure: Some(Wanted { columns }), ..config(models, methods, &[]) }
}

/// Saved maps of every row of the config, as a run leaves it: the n-th tile's map is n / 10
/// everywhere.
fn leave(out: &Path, config: &Config, place: usize, sample: &str, model: &str, class: usize) {
    let tile = |(method, variant): (&bench::config::Method, &bench::config::Variant)| SavedMap {
        method: method.id.clone(),
        label: method.name.clone(),
        ucag: variant.ucag,
        variant: variant.name.clone(),
        file: None,
        signed: method.map_kind == MapKind::Signed,
        largest: 0.0,
        state: if method.id == "uniform" { MapState::Constant } else { MapState::Ok },
        point: None,
        scores: Vec::new(),
    };
    let tiles: Vec<SavedMap> = config.rows_on(0).map(tile).collect();
    let maps: Vec<Vec<f32>> = (0..tiles.len()).map(|n| vec![n as f32 / 10.0; 12]).collect();
    let maps: Vec<&[f32]> = maps.iter().map(Vec::as_slice).collect();
    let plate = SavedMaps {
        dataset: "mini".to_owned(),
        sample: sample.to_owned(),
        class,
        class_name: format!("class {class}"),
        model: model.to_owned(),
        size: [0; 2],
        mask: false,
        tiles,
    };
    let folder = out.join("gallery").join(format!("{place:05}_{sample}-{class}_{model}"));
    saved_maps::write(&folder, plate, &Pictures { image: &image(4, 3), mask: None, maps: &maps }).unwrap();
}

fn facts_of(config: &Config, samples: &[&str]) -> Vec<bench::report::DatasetFacts> {
    let mut facts = facts(config);
    facts[0].samples = samples.iter().map(|&id| id.to_owned()).collect();
    facts
}

fn values(cell: &FigureCell) -> Option<(f32, bool)> {
    match cell {
        FigureCell::Map(map) => Some((map.values[0], map.signed)),
        _ => None,
    }
}

#[test]
fn methods_or_networks_stand_side_by_side() {
    let out = tempfile::tempdir().unwrap();
    let methods = ["gradcam", "lrp", "uniform"];
    let by_method = wanted(&["M", "N"], &methods, Columns::Methods);
    for (place, sample) in ["s0", "s1", "s2"].into_iter().enumerate() {
        ["M", "N"].iter().for_each(|model| leave(out.path(), &by_method, place, sample, model, place));
    }
    // In the order of the facts, and only these.
    let facts = facts_of(&by_method, &["s2", "s0"]);
    let figure = gather(&summary(&by_method, &facts, &[], out.path())).unwrap().unwrap();
    assert_eq!(figure.rows, ["original", "with UCAG"]);
    assert_eq!(figure.blocks.iter().map(|block| block.name.as_str()).collect::<Vec<_>>(), ["class 2", "class 0"]);
    let metric_columns = |figure: &Figure| -> Vec<(String, Vec<String>)> {
        figure.groups.iter().map(|group| (group.name.clone(), group.columns.clone())).collect()
    };
    let columns = ["GradCAM", "LRP", "Uniform map"].map(str::to_owned).to_vec();
    assert_eq!(metric_columns(&figure), [("M".to_owned(), columns.clone()), ("N".to_owned(), columns)]);
    // Rows of the table are GradCAM, GradCAM + UCAG, LRP, LRP + UCAG, uniform.
    let [plain, with] = &figure.blocks[0].cells[..] else { panic!("not two rows") };
    let close = |cell: &FigureCell, value: f32, signed: bool| {
        let (found, is_signed) = values(cell).unwrap();
        assert!((found - value).abs() < 0.01 && is_signed == signed, "{found} is not {value}");
    };
    close(&plain[0], 0.0, false);
    close(&with[0], 0.1, false);
    close(&plain[1], 1.0, true); // 0.2, which is the map's largest
    assert!(matches!(plain[2], FigureCell::Degenerate(_, MapState::Constant)));
    assert_eq!(with[2], FigureCell::Blank);
    assert_eq!(plain.len(), 6);

    let by_network = wanted(&["M", "N"], &methods, Columns::Networks);
    let figure = gather(&summary(&by_network, &facts, &[], out.path())).unwrap().unwrap();
    let models = ["M", "N"].map(str::to_owned).to_vec();
    let expected = ["GradCAM", "LRP", "Uniform map"].map(|name| (name.to_owned(), models.clone()));
    assert_eq!(metric_columns(&figure), expected);
    close(&figure.blocks[1].cells[1][1], 0.1, false);
}

#[test]
fn the_caption_says_how_it_was_made() {
    let out = tempfile::tempdir().unwrap();
    let config = wanted(&["M"], &["gradcam"], Columns::Methods);
    leave(out.path(), &config, 0, "s0", "M", 0);
    let facts = facts_of(&config, &["s0"]);
    let figure = gather(&summary(&config, &facts, &[], out.path())).unwrap().unwrap();
    assert_eq!(
        figure.caption.replace('\u{a0}', " "),
        format!(
            "Deletion and insertion, made up. Network: M. UCAG: 6 × 6 views, 0.554 of the image's side each, enlarged 2.6 times. Protocol official, \
             version {}; seed 7.",
            config.protocol.version
        )
    );
    assert_eq!(figure.groups[0].name, "", "one group needs no heading");
}

#[test]
fn a_failed_sample_is_shown_and_a_missing_plate_is_an_error() {
    let out = tempfile::tempdir().unwrap();
    let config = wanted(&["M", "N"], &["gradcam"], Columns::Methods);
    leave(out.path(), &config, 0, "s0", "M", 0);
    let facts = facts_of(&config, &["s0"]);
    let error = gather(&summary(&config, &facts, &[], out.path())).unwrap_err().to_string();
    assert!(error.contains("no saved maps of sample 's0' with model 'N'") && error.contains("--fresh"), "{error}");
    let failures =
        [Failure { dataset: "mini".into(), sample: "s0".into(), model: "N".into(), error: "x.png: no image".into() }];
    let failed = Summary { failures: &failures, ..summary(&config, &facts, &[], out.path()) };
    let figure = gather(&failed).unwrap().unwrap();
    assert!(values(&figure.blocks[0].cells[0][0]).is_some());
    assert_eq!(figure.blocks[0].cells[0][1], FigureCell::Failed);
    compose(&figure).unwrap();
}

#[test]
fn without_metrics_a_report_is_the_figure_and_always_the_same_bytes() {
    let out = tempfile::tempdir().unwrap();
    let config = wanted(&["M"], &["gradcam", "lrp"], Columns::Methods);
    leave(out.path(), &config, 0, "s0", "M", 0);
    let facts = facts_of(&config, &["s0"]);
    let bytes = || {
        let written = report(&summary(&config, &facts, &[], out.path())).unwrap();
        assert!(written.table.starts_with("Deletion and insertion, made up\n"), "{}", written.table);
        let names: Vec<_> = written.files.iter().map(|file| file.file_name().unwrap().to_owned()).collect();
        assert_eq!(names, ["made-up.png", "report.html"]);
        std::fs::read(&written.files[0]).unwrap()
    };
    let (one, two) = (bytes(), bytes());
    assert_eq!(one, two);
    assert!(image::load_from_memory(&one).unwrap().width() > 3 * 320);
}
