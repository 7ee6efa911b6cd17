//! The table as grouped bars: a panel for each column of a metric and each model, a group for each
//! method.

use plotters::style::RGBColor;

use super::axis::Axis;
use super::{Align, FAINT, INK, LINE, MUTED, Picture, Shape, width};
use crate::analysis::cells::CellKey;
use crate::analysis::{Table, TableRow};
use crate::config::{Method, Variant};
use crate::report::sentences;

const PLAIN: RGBColor = RGBColor(86, 180, 233);
const WITH: RGBColor = RGBColor(213, 94, 0);
const CONTROL: RGBColor = RGBColor(190, 190, 190);
const CONTROL_WITH: RGBColor = RGBColor(130, 130, 130);

const MARGIN: f64 = 16.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 250.0;
const GAP: f64 = 24.0;
const BAR: f64 = 11.0;
const BETWEEN: f64 = 9.0;
const BELOW: f64 = 68.0;

/// A method's bars in every panel, or a variant's.
struct Group<'a> {
    label: String,
    method: &'a Method,
    variants: Vec<&'a Variant>,
}

/// The groups. A method that has an entry for each data set has one group; variants have one each,
/// since no colour would tell them apart.
fn groups<'a>(table: &Table<'a>) -> Vec<Group<'a>> {
    let config = table.config;
    let mut groups: Vec<Group<'_>> = Vec::new();
    for method in &config.methods {
        for variant in method.variants.iter().map(|&place| &config.variants[place]) {
            let label = if config.has_variants() { variant.label(&method.name) } else { method.name.clone() };
            match groups.iter_mut().find(|group| group.method.id == method.id && group.label == label) {
                None => groups.push(Group { label, method, variants: vec![variant] }),
                Some(group) if !group.variants.contains(&variant) => group.variants.push(variant),
                Some(_) => {}
            }
        }
    }
    groups
}

/// The picture.
pub fn picture(table: &Table<'_>) -> Picture {
    let config = table.config;
    let groups = groups(table);
    let labels = groups.iter().map(|group| width(&group.label, 14.0)).fold(0.0, f64::max) * 1.1;
    let left = MARGIN + labels + 8.0;
    let bars: usize = groups.iter().map(|group| group.variants.len()).sum();
    let tall = bars as f64 * BAR + (groups.len() + 1) as f64 * BETWEEN;
    let metric_columns = table.metric_columns();
    let (columns, lines) = (config.models.len() as f64, metric_columns.len() as f64);
    let of = sentences::samples_of(table, "");
    // Above each panel, its data set's name where there are several.
    let above = if table.has_several_datasets() { LINE } else { 0.0 };
    let (first, pitch) = (TOP + above, tall + BELOW + GAP + above);
    let mut picture = Picture { size: (0.0, first + lines * pitch - GAP - above), shapes: Vec::new() };
    let beside = legend(&mut picture, table, (MARGIN, 44.0)) + width(&of, 13.0) * 1.1;
    let wide = (left + columns * (PANEL + GAP)).max(beside + MARGIN).max(MARGIN * 2.0 + width(&config.title, 18.0));
    picture.size.0 = wide;
    picture.text(&config.title, (MARGIN, 20.0), 18.0, INK, Align::Start);
    picture.text(of, (wide - MARGIN, 44.0), 13.0, MUTED, Align::End);
    for (line, head) in metric_columns.into_iter().enumerate() {
        let top = first + line as f64 * pitch;
        let metric = head.metric;
        // One axis for a metric, so that models, and pairs of one subset and all, can be compared.
        let rows = || table.rows.iter().filter(|row| row.cell.metric.id == metric.id);
        let axis = Axis::new(rows().flat_map(extent), (0.0, PANEL));
        for (column, (place, model)) in super::models(config).into_iter().enumerate() {
            let x = left + column as f64 * (PANEL + GAP);
            let axis = axis.at((x, x + PANEL));
            let dataset = &config.datasets[place].name;
            picture.text(&model.name, (x + PANEL / 2.0, top - 10.0), 15.0, INK, Align::Middle);
            if table.has_several_datasets() {
                picture.text(dataset, (x + PANEL / 2.0, top - 10.0 - LINE), 13.0, MUTED, Align::Middle);
            }
            for (number, label) in axis.ticks(6) {
                let at = axis.place(number);
                picture.line([(at, top), (at, top + tall)], FAINT, 1.0);
                picture.text(label, (at, top + tall + 11.0), 12.0, MUTED, Align::Middle);
            }
            let unit = if metric.unit.is_empty() { String::new() } else { format!(" ({})", metric.unit) };
            let (middle, below) = (x + PANEL / 2.0, top + tall + 30.0);
            picture.text(format!("{}{unit}", head.name()), (middle, below), 13.0, INK, Align::Middle);
            picture.text(metric.direction.words(), (middle, below + 15.0), 11.0, MUTED, Align::Middle);
            let mut y = top + BETWEEN;
            for group in &groups {
                let middle = y + group.variants.len() as f64 * BAR / 2.0;
                if column == 0 {
                    picture.text(&group.label, (left - 8.0, middle), 14.0, INK, Align::End);
                }
                let key = |variant: &'_ Variant| {
                    table.row(CellKey {
                        dataset,
                        model: &model.name,
                        method: &group.method.id,
                        ucag: variant.ucag,
                        variant: &variant.name,
                        metric: metric.0.id,
                        subset: head.subset(),
                    })
                };
                y = draw(&mut picture, group, &axis, y, key);
            }
            picture.line([(axis.place(0.0), top), (axis.place(0.0), top + tall)], INK, 1.0);
        }
    }
    picture
}

/// Draws a group's bars from `y` downwards and returns where the next group begins. Where the
/// config has no such row there is nothing.
fn draw<'t>(
    picture: &mut Picture,
    group: &Group<'_>,
    axis: &Axis,
    mut y: f64,
    row: impl Fn(&Variant) -> Option<&'t TableRow<'t>>,
) -> f64 {
    for &variant in &group.variants {
        let middle = y + BAR / 2.0;
        let zero = axis.place(0.0);
        match row(variant).map(|row| (row, row.ours)) {
            None => {}
            Some((_, None)) => picture.text("no samples", (zero + 4.0, middle), 11.0, MUTED, Align::Start),
            Some((row, Some(ours))) => {
                let end = axis.place(ours);
                picture.fill((zero.min(end), y), (zero.max(end), y + BAR - 1.0), color(group.method, variant));
                if let Some(interval) = row.interval {
                    let (low, high) = (axis.place(interval.low), axis.place(interval.high));
                    picture.line([(low, middle), (high, middle)], INK, 1.0);
                    for end in [low, high] {
                        picture.line([(end, middle - 3.0), (end, middle + 3.0)], INK, 1.0);
                    }
                }
            }
        }
        if let Some(published) = row(variant).and_then(|row| row.published) {
            picture.shapes.push(Shape::Diamond { at: (axis.place(published), middle), radius: 4.0 });
        }
        y += BAR;
    }
    y + BETWEEN
}

fn extent(row: &TableRow<'_>) -> impl Iterator<Item = f64> {
    let ends = row.interval.map(|interval| [interval.low, interval.high]);
    ends.into_iter().flatten().chain(row.ours).chain(row.published)
}

fn color(method: &Method, variant: &Variant) -> RGBColor {
    match (method.is_control(), variant.ucag) {
        (false, false) => PLAIN,
        (false, true) => WITH,
        (true, false) => CONTROL,
        (true, true) => CONTROL_WITH,
    }
}

const KEYS: [(&str, RGBColor); 4] =
    [("without UCAG", PLAIN), ("with UCAG", WITH), ("control", CONTROL), ("control with UCAG", CONTROL_WITH)];

/// Draws the keys that are used and returns where they end.
fn legend(picture: &mut Picture, table: &Table<'_>, (mut x, y): (f64, f64)) -> f64 {
    let used: Vec<RGBColor> = table
        .config
        .methods
        .iter()
        .flat_map(|method| method.variants.iter().map(|&place| color(method, &table.config.variants[place])))
        .collect();
    let key = |picture: &mut Picture, text: &str, x: f64| {
        picture.text(text, (x + 20.0, y), 13.0, INK, Align::Start);
        x + 36.0 + width(text, 13.0) * 1.1
    };
    for (text, color) in KEYS.into_iter().filter(|(_, color)| used.contains(color)) {
        picture.fill((x, y - 5.0), (x + 14.0, y + 5.0), color);
        x = key(picture, text, x);
    }
    if table.rows.iter().any(|row| row.interval.is_some()) {
        picture.line([(x, y), (x + 14.0, y)], INK, 1.0);
        picture.line([(x, y - 3.0), (x, y + 3.0)], INK, 1.0);
        picture.line([(x + 14.0, y - 3.0), (x + 14.0, y + 3.0)], INK, 1.0);
        x = key(picture, "95 % interval", x);
    }
    let theirs = table.rows.iter().filter(|row| row.published.is_some()).count();
    if let Some(first) = table.published.first().filter(|_| theirs > 0) {
        picture.shapes.push(Shape::Diamond { at: (x + 7.0, y), radius: 4.0 });
        let one = table.published.iter().all(|row| row.dataset == first.dataset);
        let text = if one { format!("published ({})", first.dataset) } else { "published".to_owned() };
        x = key(picture, &text, x);
    }
    x
}
