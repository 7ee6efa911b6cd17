//! Mean curves: a panel for each metric that has them and each model, a line for each method, with
//! and without UCAG.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::{Align, FAINT, INK, LINE, MUTED, Picture, Shape, color_at, width};
use crate::analysis::curves::MeanCurve;
use crate::analysis::metric_columns::Metric;
use crate::config::{Config, Method};

const GREYS: [RGBColor; 6] = [
    RGBColor(190, 190, 190),
    RGBColor(150, 150, 150),
    RGBColor(110, 110, 110),
    RGBColor(70, 70, 70),
    RGBColor(210, 210, 210),
    RGBColor(130, 130, 130),
];

const MARGIN: f64 = 16.0;
const TOP: f64 = 72.0;
const LEFT: f64 = 70.0;
const PANEL: (f64, f64) = (270.0, 200.0);
const GAP: (f64, f64) = (30.0, 76.0);
const KEY: f64 = 19.0;

/// The picture.
pub fn picture(config: &Config, curves: &[MeanCurve<'_>]) -> Picture {
    let metrics: Vec<Metric> = config.metrics.iter().map(|metric| Metric(metric.metric)).collect();
    let metrics: Vec<Metric> =
        metrics.into_iter().filter(|metric| curves.iter().any(|curve| curve.cell.metric.id == metric.id)).collect();
    let panels = LEFT + config.models.len() as f64 * (PANEL.0 + GAP.0);
    let series = series(config);
    let keys = series.iter().map(|one| width(&one.label, 14.0)).fold(width("without UCAG", 14.0), f64::max) * 1.1;
    let wide = (panels + 36.0 + keys + MARGIN).max(MARGIN * 2.0 + width(&config.title, 18.0));
    let several = config.datasets.len() > 1;
    let first = if several { TOP + LINE } else { TOP };
    let lines = metrics.len() as f64 * (PANEL.1 + GAP.1) - GAP.1 / 3.0;
    let tall = first + lines.max((series.len() as f64 + 4.0) * KEY);
    let mut picture = Picture { size: (wide, tall), shapes: Vec::new() };

    picture.text(&config.title, (MARGIN, 20.0), 18.0, INK, Align::Start);
    let n = curves.iter().map(|curve| curve.n).max().unwrap_or(0);
    let of = format!("Mean curves over {n} sample{} of {}", if n == 1 { "" } else { "s" }, names(config));
    picture.text(of, (MARGIN, 42.0), 13.0, MUTED, Align::Start);
    legend(&mut picture, &series, panels + 4.0);
    for (line, metric) in metrics.iter().enumerate() {
        let top = first + line as f64 * (PANEL.1 + GAP.1);
        let these = || curves.iter().filter(|curve| curve.cell.metric.id == metric.id);
        let vertical = Axis::new(these().flat_map(|curve| curve.mean.iter().copied()), (top + PANEL.1, top));
        for (column, (place, model)) in super::models(config).into_iter().enumerate() {
            let dataset = &config.datasets[place].name;
            let x = LEFT + column as f64 * (PANEL.0 + GAP.0);
            let horizontal = |fraction: f64| x + fraction * PANEL.0;
            frame(&mut picture, metric, &model.name, (x, top), &vertical, column == 0);
            if several {
                picture.text(dataset, (x + PANEL.0 / 2.0, top - 11.0 - LINE), 13.0, MUTED, Align::Middle);
            }
            // Controls first, so that methods lie over them; dashes over solid lines.
            for (role, ucag) in [(true, true), (true, false), (false, true), (false, false)] {
                let here = |curve: &&MeanCurve<'_>| curve.cell.model == model.name && curve.cell.dataset == dataset;
                for curve in these().filter(here).filter(|curve| curve.cell.variant.ucag == ucag) {
                    if curve.cell.method.is_control() != role {
                        continue;
                    }
                    let point =
                        |(place, &mean): (usize, &f64)| (horizontal(curve.fraction(place)), vertical.place(mean));
                    let points = curve.mean.iter().enumerate().map(point).collect();
                    let of = |one: &&Series<'_>| {
                        one.method.id == curve.cell.method.id && one.variant == curve.cell.variant.name
                    };
                    let color = series.iter().find(of).map_or(INK, |one| one.color);
                    picture.shapes.push(Shape::Line { points, color, width: 1.5, dashed: !ucag });
                }
            }
        }
    }
    picture
}

fn names(config: &Config) -> String {
    config.datasets.iter().map(|dataset| dataset.name.as_str()).collect::<Vec<_>>().join(" and ")
}

fn frame(picture: &mut Picture, metric: &Metric, model: &str, (x, top): (f64, f64), vertical: &Axis, first: bool) {
    let (right, bottom) = (x + PANEL.0, top + PANEL.1);
    let middle = x + PANEL.0 / 2.0;
    picture.text(
        format!("{model}: {}, {}", metric.name, metric.direction.words()),
        (middle, top - 11.0),
        14.0,
        INK,
        Align::Middle,
    );
    for (number, label) in vertical.ticks(6) {
        let y = vertical.place(number);
        picture.line([(x, y), (right, y)], FAINT, 1.0);
        if first {
            picture.text(label, (x - 6.0, y), 12.0, MUTED, Align::End);
        }
    }
    for quarter in 0..=4 {
        let fraction = f64::from(quarter) / 4.0;
        let at = x + fraction * PANEL.0;
        picture.line([(at, top), (at, bottom)], FAINT, 1.0);
        picture.text(fraction.to_string(), (at, bottom + 11.0), 12.0, MUTED, Align::Middle);
    }
    picture.line([(x, top), (x, bottom), (right, bottom)], INK, 1.0);
    let [across, up] = metric.axes.unwrap_or(["fraction", "value"]);
    picture.text(across, (middle, bottom + 28.0), 13.0, INK, Align::Middle);
    if first {
        let at = (x - 46.0, top + PANEL.1 / 2.0);
        picture.shapes.push(Shape::Text {
            text: up.to_owned(),
            at,
            size: 13.0,
            color: INK,
            align: Align::Middle,
            upwards: true,
        });
    }
}

fn legend(picture: &mut Picture, series: &[Series<'_>], x: f64) {
    let mut y = TOP;
    let mut key = |text: &str, color: RGBColor, dashed: bool| {
        picture.shapes.push(Shape::Line { points: vec![(x, y), (x + 26.0, y)], color, width: 1.5, dashed });
        picture.text(text, (x + 32.0, y), 14.0, INK, Align::Start);
        y += KEY;
    };
    key("without UCAG", MUTED, true);
    key("with UCAG", MUTED, false);
    for one in series {
        key(&one.label, one.color, false);
    }
}

/// A line with a color of its own: a method, or a variant of it.
struct Series<'a> {
    method: &'a Method,
    variant: &'a str,
    label: String,
    color: RGBColor,
}

/// The series, coloured by their place among the methods, or among the controls, of the config. A
/// method may have an entry for each data set.
fn series(config: &Config) -> Vec<Series<'_>> {
    let mut series: Vec<Series<'_>> = Vec::new();
    for method in &config.methods {
        for variant in method.variants.iter().map(|&place| &config.variants[place]) {
            if series.iter().any(|known| known.method.id == method.id && known.variant == variant.name) {
                continue;
            }
            let control = method.is_control();
            let place = series.iter().filter(|known| known.method.is_control() == control).count();
            let color = if control { GREYS[place % GREYS.len()] } else { color_at(place) };
            series.push(Series { method, variant: &variant.name, label: variant.beside(&method.name), color });
        }
    }
    series
}
