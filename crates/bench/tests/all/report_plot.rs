//! Plots of everything the registry has: nothing overlaps, nothing lies outside, colours can be
//! told apart.

use std::collections::HashSet;

use crate::report_common::{config, config_on, facts, record};
use bench::analysis::Table;
use bench::config::{Protocol, Variant};
use bench::records::Record;
use bench::report::MeanCurve;
use bench::report::plot::axis::Axis;
use bench::report::plot::{Align, Picture, Shape, bars, lines, svg, sweep, width};
use ucag_core::explain::{METHODS, Method, Role};
use ucag_core::protocol::MapProtocol;

/// The box around each text that isn't turned: left, top, right, bottom. Letters are at most 0.8 of
/// a line's height.
fn boxes(picture: &Picture) -> Vec<(String, [f64; 4])> {
    let mut boxes = Vec::new();
    for shape in &picture.shapes {
        if let Shape::Text { text, at: (x, y), size, align, upwards: false, .. } = shape {
            let w = width(text, *size);
            let left = match align {
                Align::Start => *x,
                Align::Middle => x - w / 2.0,
                Align::End => x - w,
            };
            boxes.push((text.clone(), [left, y - 0.4 * size, left + w, y + 0.4 * size]));
        }
    }
    boxes
}

fn check(picture: &Picture) {
    let boxes = boxes(picture);
    assert!(!boxes.is_empty());
    for (place, (text, a)) in boxes.iter().enumerate() {
        let inside = a[0] >= 0.0 && a[1] >= 0.0 && a[2] <= picture.size.0 && a[3] <= picture.size.1;
        assert!(inside, "`{text}` at {a:?} sticks out of {:?}", picture.size);
        for (other, b) in &boxes[place + 1..] {
            let overlap = a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
            assert!(!overlap, "`{text}` at {a:?} and `{other}` at {b:?} overlap");
        }
    }
}

#[test]
fn no_text_overlaps_however_many_rows() {
    let published = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/published/table1.csv");
    let all: Vec<&str> = METHODS.iter().map(|method| method.id).collect();
    for models in [&["ResNet50", "DenseNet121", "InceptionV3"][..], &["M"][..]] {
        for methods in [&all[..], &["gradcam"][..]] {
            for metrics in [&["deletion", "insertion", "deletion-rise", "insertion-rise"][..], &["deletion"][..]] {
                let mut config = config(models, methods, metrics);
                config.output.published = Some(published.clone());
                let records: Vec<_> = (0..3)
                    .map(|s| {
                        record(&format!("s{s}"), models[0], "gradcam", true, "deletion", 0.1 + f64::from(s) / 100.0)
                    })
                    .collect();
                let facts = facts(&config);
                let table = Table::new(&config, &facts, &records).unwrap();
                check(&bars::picture(&table));
                let curve = |cell| MeanCurve { cell, mean: vec![0.9, 0.4, 0.1], n: 3 };
                let curves: Vec<MeanCurve<'_>> = table.cells().into_iter().map(curve).collect();
                check(&lines::picture(&config, &curves));
            }
        }
    }
}

#[test]
fn no_text_overlaps_with_several_data_sets() {
    let published = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../results/published/table2.csv");
    let models = [(0, "VGG16"), (0, "ResNet50"), (1, "VGG16"), (1, "ResNet50")];
    for metrics in [&["pointing", "energy", "deletion"][..], &["pointing"][..]] {
        let mut config =
            config_on(&["VOC07 Test", "COCO14 Val"], &models, &["gradcam", "gradient", "center-point"], metrics);
        // Where a method isn't run on a data set, its place stays empty.
        config.methods[1].dataset = Some(0);
        config.output.published = Some(published.clone());
        let facts = facts(&config);
        let records: Vec<_> = (0..3)
            .map(|s| {
                let record = record(&format!("s{s}"), "VGG16", "gradcam", true, "pointing", f64::from(s % 2));
                Record { dataset: "VOC07 Test".to_owned(), ..record }
            })
            .collect();
        let table = Table::new(&config, &facts, &records).unwrap();
        let picture = bars::picture(&table);
        check(&picture);
        let texts = |text: &str| boxes(&picture).iter().filter(|(other, _)| other == text).count();
        assert_eq!(texts("Gradient"), if metrics.len() == 3 { 5 } else { 2 }, "one group for each row of panels");
        let curves: Vec<MeanCurve<'_>> = table
            .cells()
            .into_iter()
            .filter(|cell| cell.metric.axes.is_some())
            .map(|cell| MeanCurve { cell, mean: vec![0.9, 0.4, 0.1], n: 3 })
            .collect();
        if !curves.is_empty() {
            check(&lines::picture(&config, &curves));
        }
    }
}

#[test]
fn forty_methods_and_every_control_have_colours_of_their_own() {
    let (controls, methods): (Vec<&Method>, Vec<&Method>) =
        METHODS.iter().copied().partition(|method| method.role == Role::Control);
    let all: Vec<&str> = methods.iter().take(40).chain(&controls).map(|method| method.id).collect();
    let config = config(&["M"], &all, &["deletion"]);
    let table = Table::new(&config, &[], &[]).unwrap();
    let curves: Vec<_> =
        table.rows.iter().map(|row| MeanCurve { cell: row.cell, mean: vec![0.5, 0.25], n: 1 }).collect();
    let picture = lines::picture(&config, &curves);
    // Two keys for dashed and solid come before those of the methods.
    let keys = picture.shapes.windows(2).filter_map(|pair| match pair {
        [Shape::Line { color, .. }, Shape::Text { text, .. }] => Some((text.clone(), (color.0, color.1, color.2))),
        _ => None,
    });
    let keys: Vec<_> = keys.filter(|(text, _)| METHODS.iter().any(|method| method.name == text)).collect();
    assert_eq!(keys.len(), all.len());
    assert_eq!(keys.iter().map(|(_, color)| color).collect::<HashSet<_>>().len(), all.len());
}

#[test]
fn places_on_an_axis_by_hand() {
    // From 0 to 10 and 6 % more.
    let axis = Axis::new([4.0, 10.0].into_iter(), (100.0, 206.0));
    assert!((axis.place(0.0) - 100.0).abs() < 1e-9 && (axis.place(10.0) - 200.0).abs() < 1e-9);
    let labels: Vec<String> = axis.ticks(6).into_iter().map(|(_, label)| label).collect();
    assert_eq!(labels, ["0", "2", "4", "6", "8", "10"]);
    // Below zero there is room, too, and values that are all the same make no empty axis.
    assert!(Axis::new([-5.0].into_iter(), (0.0, 1.0)).place(-5.0) > 0.0);
    assert!(Axis::new(std::iter::empty(), (0.0, 1.0)).place(0.5).is_finite());
}

#[test]
fn an_svg_needs_no_font_of_its_own() {
    let table_config = config(&["M"], &["gradcam"], &["deletion"]);
    let table = Table::new(&table_config, &[], &[]).unwrap();
    let text = svg(&bars::picture(&table)).unwrap();
    assert!(text.contains("font-family=\"sans-serif\"") && text.contains("no samples"), "{text}");
}

/// GradCAM without UCAG at scales 1 and 2, and with it at α 1 and 2, of one sample.
fn swept() -> bench::config::Config {
    let mut config = config(&["M"], &["gradcam"], &["deletion"]);
    let at = |ucag: bool, number: f64| {
        let maps = MapProtocol { alpha: number, scale: number, ..MapProtocol::official() };
        let protocol = Protocol { maps, ..Protocol::official() };
        let field = if ucag { "α" } else { "scale" };
        Variant { name: format!("{field} {number}"), ucag, protocol, against: None }
    };
    config.variants = vec![at(false, 1.0), at(false, 2.0), at(true, 1.0), at(true, 2.0)];
    config.grid = vec!["alpha", "scale"];
    config.methods[0].variants = vec![0, 1, 2, 3];
    config
}

#[test]
fn a_sweep_has_its_points_where_the_numbers_are() {
    let config = swept();
    let of = |ucag, variant: &str, value| Record {
        variant: variant.to_owned(),
        ..record("s0", "M", "gradcam", ucag, "deletion", value)
    };
    let records = [of(false, "scale 1", 0.2), of(false, "scale 2", 0.4), of(true, "α 1", 0.25), of(true, "α 2", 0.3)];
    let facts = facts(&config);
    let table = Table::new(&config, &facts, &records).unwrap();
    let picture = sweep::picture(&table).unwrap();
    check(&picture);
    let dots: Vec<(f64, f64, bool)> = picture
        .shapes
        .iter()
        .filter_map(|shape| match shape {
            Shape::Dot { at, filled, .. } if at.0 < 370.0 => Some((at.0, at.1, *filled)),
            _ => None,
        })
        .collect();
    // The panel is 300 wide from 70 and 210 high from 72. From 20 to 40 % and 6 % of that more;
    // from 1 to 2 likewise. Series stand 1.5 aside.
    let x = |number: f64, aside: f64| 70.0 + (number - 0.94) / 1.12 * 300.0 + aside;
    let y = |value: f64| 72.0 + 210.0 - (value - 18.8) / 22.4 * 210.0;
    let expected = [
        (x(1.0, -1.5), y(20.0), false),
        (x(2.0, -1.5), y(40.0), false),
        (x(1.0, 1.5), y(25.0), true),
        (x(2.0, 1.5), y(30.0), true),
    ];
    assert_eq!(dots.len(), 4, "{dots:?}");
    for ((x, y, filled), (expected_x, expected_y, expected_filled)) in dots.iter().zip(expected) {
        assert!((x - expected_x).abs() < 1e-6 && (y - expected_y).abs() < 1e-6, "{dots:?}");
        assert_eq!(*filled, expected_filled);
    }
}

#[test]
fn without_a_grid_of_numbers_there_is_no_sweep() {
    let mut config = swept();
    config.grid = vec!["coverage"];
    assert!(sweep::picture(&Table::new(&config, &facts(&config), &[]).unwrap()).is_none());
}

#[test]
fn no_text_of_a_sweep_overlaps_where_numbers_are_close() {
    let mut config = swept();
    for (place, variant) in config.variants.iter_mut().enumerate() {
        variant.protocol.maps.alpha = 1.0 + place as f64 / 1000.0;
    }
    check(&sweep::picture(&Table::new(&config, &facts(&config), &[]).unwrap()).unwrap());
}
