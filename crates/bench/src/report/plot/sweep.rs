//! Metrics along a grid: a panel for each column of a metric and each model; dots without UCAG and
//! lines with it, as in the paper's Figure 2.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::{Align, FAINT, INK, LINE, MUTED, Picture, Point, Shape, color_at, width};
use crate::analysis::cells::CellKey;
use crate::analysis::metric_columns::MetricColumn;
use crate::analysis::{Table, TableRow};
use crate::config::{Config, Method, Model, Variant, symbol};
use crate::report::sentences;

const MARGIN: f64 = 16.0;
const TOP: f64 = 72.0;
const LEFT: f64 = 70.0;
const PANEL: (f64, f64) = (300.0, 210.0);
const GAP: (f64, f64) = (40.0, 84.0);
const KEY: f64 = 19.0;

/// The horizontal axis.
struct Along {
    name: &'static str,
    /// The fields that are on it, without and with UCAG.
    fields: [&'static str; 2],
    of: fn(&Variant) -> f64,
}

/// Numbers that a grid can go along. The enlargement is that of views with UCAG, and of the whole
/// image without.
const ALONG: [Along; 4] = [
    Along {
        name: "enlargement: of views with UCAG, of the whole image without",
        fields: ["scale", "alpha"],
        of: |variant| if variant.ucag { variant.protocol.maps.alpha } else { variant.protocol.maps.scale },
    },
    Along { name: "enlargement of views, α", fields: ["", "alpha"], of: |variant| variant.protocol.maps.alpha },
    Along {
        name: "side of a view over side of the image, ρ",
        fields: ["", "rho"],
        of: |variant| variant.protocol.maps.rho,
    },
    Along { name: "views per axis, n", fields: ["", "n"], of: |variant| variant.protocol.maps.n as f64 },
];

/// Rows that a line goes through: a method with or without UCAG, at one place of the grid's other
/// axes.
struct Series<'a> {
    method: &'a Method,
    ucag: bool,
    label: String,
    color: RGBColor,
    variants: Vec<&'a Variant>,
}

/// The picture; `None` where the config's grid has no numbers to go along.
pub fn picture(table: &Table<'_>) -> Option<Picture> {
    let config = table.config;
    let varies = |field: &str| field.is_empty() || config.grid.contains(&field);
    let along = ALONG.iter().find(|along| along.fields.iter().copied().all(varies))?;
    let series = series(config, along);
    let metric_columns = table.metric_columns();
    let panels = LEFT + config.models.len() as f64 * (PANEL.0 + GAP.0);
    let keys = series.iter().map(|one| width(&one.label, 14.0)).fold(0.0, f64::max) * 1.1;
    let wide = (panels + 36.0 + keys + MARGIN).max(MARGIN * 2.0 + width(&config.title, 18.0));
    let several = table.has_several_datasets();
    let first = if several { TOP + LINE } else { TOP };
    let lines = metric_columns.len() as f64 * (PANEL.1 + GAP.1) - GAP.1 / 4.0;
    let tall = first + lines.max((series.len() as f64 + 2.0) * KEY);
    let mut picture = Picture { size: (wide, tall), shapes: Vec::new() };
    picture.text(&config.title, (MARGIN, 20.0), 18.0, INK, Align::Start);
    let of = format!("{}, means with 95 % intervals", sentences::samples_of(table, ""));
    picture.text(of, (MARGIN, 42.0), 13.0, MUTED, Align::Start);
    legend(&mut picture, &series, panels + 4.0);
    for (line, head) in metric_columns.iter().enumerate() {
        let top = first + line as f64 * (PANEL.1 + GAP.1);
        for (column, (place, model)) in super::models(config).into_iter().enumerate() {
            let x = LEFT + column as f64 * (PANEL.0 + GAP.0);
            if several {
                let at = (x + PANEL.0 / 2.0, top - 11.0 - LINE);
                picture.text(&config.datasets[place].name, at, 13.0, MUTED, Align::Middle);
            }
            panel(&mut picture, table, (head, model), along, &series, (x, top));
        }
    }
    Some(picture)
}

/// The series, those with UCAG first in the legend. What differs in more than UCAG has a colour of
/// its own.
fn series<'a>(config: &'a Config, along: &Along) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for method in &config.methods {
        for variant in method.variants.iter().map(|&place| &config.variants[place]) {
            let is_along = |part: &&str| {
                along.fields.iter().any(|f| !f.is_empty() && part.starts_with(&format!("{} ", symbol(f))))
            };
            let rest: Vec<&str> = variant.name.split(", ").filter(|part| !part.is_empty() && !is_along(part)).collect();
            let with = if variant.ucag { " + UCAG" } else { "" };
            let label = [vec![format!("{}{with}", method.name)], rest.iter().map(|&part| part.to_owned()).collect()]
                .concat()
                .join(", ");
            match all.iter_mut().find(|one| one.label == label) {
                Some(one) if !one.variants.contains(&variant) => one.variants.push(variant),
                Some(_) => {}
                None => {
                    let color = color_at(all.len());
                    all.push(Series { method, ucag: variant.ucag, label, color, variants: vec![variant] });
                }
            }
        }
    }
    all
}

fn panel(
    picture: &mut Picture,
    table: &Table<'_>,
    (head, model): (&MetricColumn, &Model),
    along: &Along,
    series: &[Series<'_>],
    (x, top): Point,
) {
    let (right, bottom) = (x + PANEL.0, top + PANEL.1);
    let dataset = &table.config.datasets[model.dataset].name;
    let row = |method: &Method, variant: &Variant| {
        let (metric, subset) = (head.metric.0.id, head.subset());
        let key = CellKey {
            dataset,
            model: &model.name,
            method: &method.id,
            ucag: variant.ucag,
            variant: &variant.name,
            metric,
            subset,
        };
        table.rows.iter().find(|row| row.cell.key() == key)
    };
    let all = || series.iter().flat_map(|one| one.variants.iter().map(move |variant| (one, *variant)));
    let of_metric = |row: &&TableRow<'_>| row.cell.metric.id == head.metric.id;
    let values = table
        .rows
        .iter()
        .filter(of_metric)
        .flat_map(|row| row.ours.into_iter().chain(row.interval.into_iter().flat_map(|i| [i.low, i.high])));
    let vertical = Axis::around(values, (bottom, top));
    let moving = |one: &Series<'_>| one.variants.iter().any(|v| (along.of)(v) != (along.of)(one.variants[0]));
    let mut places: Vec<f64> = all().filter(|(one, _)| moving(one)).map(|(_, variant)| (along.of)(variant)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let horizontal = Axis::around(places.iter().copied(), (x, right));
    let unit = if head.metric.unit.is_empty() { String::new() } else { format!(" ({})", head.metric.unit) };
    let title = format!("{}: {}{unit}, {}", model.name, head.name(), head.metric.direction.words());
    picture.text(title, (x + PANEL.0 / 2.0, top - 11.0), 14.0, INK, Align::Middle);
    for (number, label) in vertical.ticks(6) {
        let y = vertical.place(number);
        picture.line([(x, y), (right, y)], FAINT, 1.0);
        picture.text(label, (x - 6.0, y), 12.0, MUTED, Align::End);
    }
    let mut free = f64::NEG_INFINITY;
    for &number in &places {
        let (at, label) = (horizontal.place(number), number.to_string());
        picture.line([(at, top), (at, bottom)], FAINT, 1.0);
        let half = width(&label, 12.0) / 2.0 + 2.0;
        if at - half > free {
            picture.text(label, (at, bottom + 11.0), 12.0, MUTED, Align::Middle);
            free = at + half;
        }
    }
    picture.line([(x, top), (x, bottom), (right, bottom)], INK, 1.0);
    picture.text(along.name, (x + PANEL.0 / 2.0, bottom + 28.0), 13.0, INK, Align::Middle);
    for (place, one) in series.iter().enumerate() {
        // Beside each other, so that no interval hides another.
        let aside = (place as f64 - (series.len() - 1) as f64 / 2.0) * 3.0;
        let mut points: Vec<(f64, &TableRow<'_>)> =
            one.variants.iter().filter_map(|variant| Some(((along.of)(variant), row(one.method, variant)?))).collect();
        points.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut line = Vec::new();
        for (number, row) in &points {
            let Some(ours) = row.ours else { continue };
            let (at, y) = (horizontal.place(*number) + aside, vertical.place(ours));
            if !moving(one) {
                // What doesn't depend on the axis is the same all along it.
                picture.shapes.push(Shape::Line {
                    points: vec![(x, y), (right, y)],
                    color: one.color,
                    width: 1.5,
                    dashed: true,
                });
                continue;
            }
            if let Some(interval) = row.interval {
                picture.line([(at, vertical.place(interval.low)), (at, vertical.place(interval.high))], one.color, 1.0);
            }
            line.push((at, y));
        }
        if one.ucag && line.len() > 1 {
            picture.line(line.clone(), one.color, 1.5);
        }
        let dot = |at| Shape::Dot { at, radius: if one.ucag { 2.5 } else { 4.0 }, color: one.color, filled: one.ucag };
        picture.shapes.extend(line.into_iter().map(dot));
    }
}

fn legend(picture: &mut Picture, series: &[Series<'_>], x: f64) {
    let mut y = TOP;
    for Series { ucag, label, color, .. } in series {
        if *ucag {
            picture.line([(x, y), (x + 26.0, y)], *color, 1.5);
        }
        picture.shapes.push(Shape::Dot {
            at: (x + 13.0, y),
            radius: if *ucag { 2.5 } else { 4.0 },
            color: *color,
            filled: *ucag,
        });
        picture.text(label, (x + 32.0, y), 14.0, INK, Align::Start);
        y += KEY;
    }
}
