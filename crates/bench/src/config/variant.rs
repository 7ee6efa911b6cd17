//! The variants that methods run in, a row of the table each: without UCAG and with it, or in the
//! variants that a config names, or on a grid of lists in `[protocol]` and `[ucag]`.

use ucag_core::suggest::{hint, nearest};

use super::error::{Origin, Report};
use super::named_protocol::Protocol;
use super::section::{Section, Unique};
use super::toml_tree::{Node, Table, Value};
use super::{keys, protocol};

/// The settings that a method runs with in a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Variant {
    /// The text beside the method's name; empty for the usual row, a method without UCAG or with
    /// it.
    pub name: String,
    /// True if UCAG is around the method.
    pub ucag: bool,
    /// The making of the map. Variants explain the same and score it alike.
    pub protocol: Protocol,
    /// The variant that it is compared with, sample by sample, as an index into
    /// [`super::Config::variants`].
    pub against: Option<usize>,
}

impl Variant {
    /// Without UCAG and with it.
    pub fn usual(protocol: &Protocol) -> Vec<Self> {
        let variant = |ucag, against| Self { name: String::new(), ucag, protocol: protocol.clone(), against };
        vec![variant(false, None), variant(true, Some(0))]
    }

    /// A method's name with the variant's: `GradCAM, α 1.5`.
    pub(crate) fn beside(&self, method: &str) -> String {
        beside(method, &self.name)
    }

    /// Its name where the method is known: `with UCAG, α 1.5`.
    pub fn words(&self) -> String {
        self.beside(if self.ucag { "with UCAG" } else { "without UCAG" })
    }

    /// The name of a method's row in tables: `GradCAM + UCAG, α 1.5`.
    pub fn label(&self, method: &str) -> String {
        row_label(method, self.ucag, &self.name)
    }
}

/// The row's name in tables, of a method in a variant of this name.
pub(crate) fn row_label(method: &str, ucag: bool, variant: &str) -> String {
    beside(&format!("{method}{}", if ucag { " + UCAG" } else { "" }), variant)
}

/// Words with a variant's name, if it has one.
pub(crate) fn beside(words: &str, variant: &str) -> String {
    if variant.is_empty() { words.to_owned() } else { format!("{words}, {variant}") }
}

/// Most points of a grid.
const POINTS: usize = 256;

/// The fields of which a config may have a list, and whether they make a difference without UCAG,
/// and with it.
pub(super) const FIELDS: [(&str, bool, bool); 10] = [
    ("n", false, true),
    ("rho", false, true),
    ("alpha", false, true),
    ("interpolation", false, true),
    ("coverage", false, true),
    ("confidence", false, true),
    ("large_maps", false, true),
    ("scale", true, false),
    ("smoothing", true, true),
    ("rectify", true, true),
];

/// A place on the grid: the values that the lists have there.
type Point = Vec<(&'static str, Node)>;

/// Every combination of what lists in `[protocol]` and `[ucag]` have.
pub(super) struct Grid {
    /// The tables that say so, for each point.
    points: Vec<(Point, Table)>,
}

impl Grid {
    /// Takes the lists out of a config, and leaves their first values in it.
    pub(super) fn take(table: &mut Table, report: &Report) -> Self {
        let only = |table: &Table| -> Table {
            table.iter().filter(|(key, _)| ["protocol", "ucag"].contains(&key.as_str())).map(clone).collect()
        };
        let mut points = vec![(Point::new(), only(table))];
        for section in ["ucag", "protocol"] {
            for (field, ..) in FIELDS {
                let Some(values) = list(table, section, field) else { continue };
                if let Some(problem) = problem(&values, points.len()) {
                    report.add(&place(table, section, field), format!("[{section}] {field}: {problem}"));
                }
                let at = |value: &Node, (point, tables): &(Point, Table)| {
                    let (mut point, mut tables) = (point.clone(), tables.clone());
                    point.push((field, value.clone()));
                    put(&mut tables, section, field, value);
                    (point, tables)
                };
                let all = points.iter().flat_map(|point| values.iter().map(move |value| at(value, point)));
                points = all.take(POINTS).collect();
                if let Some(first) = values.first() {
                    put(table, section, field, first);
                }
            }
        }
        Self { points }
    }

    /// A protocol's name without what the lists say.
    pub(super) fn name(&self, protocol: &Protocol) -> String {
        let fields = self.fields();
        let of_list = |part: &&str| fields.iter().any(|field| part.starts_with(&format!("{field}=")));
        protocol.name.split('+').filter(|part| !of_list(part)).collect::<Vec<_>>().join("+")
    }

    /// The fields of which there are lists.
    pub(super) fn fields(&self) -> Vec<&'static str> {
        self.points.first().into_iter().flat_map(|(point, _)| point).map(|(field, _)| *field).collect()
    }
}

fn clone((key, node): (&String, &Node)) -> (String, Node) {
    (key.clone(), node.clone())
}

/// The list that a key of a section holds.
fn list(table: &Table, section: &str, field: &str) -> Option<Vec<Node>> {
    let Value::Table(inner) = &table.get(section)?.value else { return None };
    match &inner.get(field)?.value {
        Value::Array(values) => Some(values.clone()),
        _ => None,
    }
}

fn place(table: &Table, section: &str, field: &str) -> Origin {
    let inner = table.get(section).map(|node| &node.value);
    match inner {
        Some(Value::Table(inner)) => inner.get(field).map_or(Origin::File, |node| node.origin.clone()),
        _ => Origin::File,
    }
}

fn put(table: &mut Table, section: &str, field: &str, value: &Node) {
    if let Some(Node { value: Value::Table(inner), .. }) = table.get_mut(section) {
        inner.insert(field.to_owned(), value.clone());
    }
}

/// The problem with a list, on a grid that has so many points without it.
fn problem(values: &[Node], points: usize) -> Option<String> {
    let texts: Vec<String> = values.iter().map(text).collect();
    let twice = texts.iter().enumerate().find(|(place, text)| texts[..*place].contains(text));
    match twice {
        _ if values.is_empty() => Some("the list is empty".into()),
        Some((_, text)) => Some(format!("lists {text} twice")),
        None if points * values.len() > POINTS => {
            Some(format!("makes a grid of {} points; at most {POINTS} can be run at once", points * values.len()))
        }
        None => None,
    }
}

/// A value as names have it.
fn text(node: &Node) -> String {
    match &node.value {
        Value::String(text) => text.clone(),
        other => other.describe(),
    }
}

/// The variants of a config.
pub(super) fn variants(root: &mut Section<'_>, base: &Protocol, grid: &Grid, report: &Report) -> Vec<Variant> {
    if !root.has(&keys::top::VARIANT) {
        return on_grid(grid, report);
    }
    if grid.points.len() > 1 {
        root.problem(&keys::top::VARIANT, "lists in [protocol] and [ucag] make variants, too; use one of the two");
    }
    let mut names = Unique::default();
    let mut above: Vec<Variant> = Vec::new();
    for mut section in root.list(&keys::top::VARIANT, "[[variant]]") {
        let name: Option<String> = section.require(&keys::variant::NAME);
        let ucag = section.require(&keys::variant::UCAG);
        let against = against(&mut section, &above);
        let protocol = protocol::variant(&mut section, base);
        if let Some(name) = &name
            && let Some(first) = names.clash(name, section.place(&keys::variant::NAME))
        {
            section.problem(&keys::variant::NAME, format!("the variant at {first} is called '{name}' too"));
        }
        section.finish();
        if let (Some(name), Some(ucag)) = (name, ucag) {
            above.push(Variant { name, ucag, protocol, against });
        }
    }
    above
}

/// The variant that one is compared with: the one that it names, or else the one above it.
fn against(section: &mut Section<'_>, above: &[Variant]) -> Option<usize> {
    let Some(name) = section.get(&keys::variant::AGAINST) else { return above.len().checked_sub(1) };
    let names = || above.iter().map(|variant| variant.name.as_str());
    let unknown =
        || format!("no variant above this one is called '{name}'{}", hint(nearest(&name, names()).as_deref()));
    section.check(&keys::variant::AGAINST, names().position(|known| known == name).ok_or_else(unknown))
}

/// Without UCAG and with it, at every point of the grid at which that makes a difference. What has
/// UCAG is compared with the first row without it of the same smoothing and clipping; rows without,
/// with the first of them.
fn on_grid(grid: &Grid, report: &Report) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for ucag in [false, true] {
        for (point, tables) in &grid.points {
            let protocol = protocol::read(&mut Section::new("", Origin::File, Some(tables), report), report);
            let reduced = protocol.maps.reduced(ucag);
            if variants.iter().any(|known| known.ucag == ucag && known.protocol.maps.reduced(ucag) == reduced) {
                continue;
            }
            let matters = |field: &str| {
                let enlarged = field == "interpolation" && protocol.maps.scale != 1.0;
                FIELDS
                    .iter()
                    .any(|&(known, without, with)| known == field && if ucag { with } else { without || enlarged })
            };
            let place = |(field, value): &(&str, Node)| format!("{} {}", symbol(field), text(value));
            let name: Vec<String> = point.iter().filter(|(field, _)| matters(field)).map(place).collect();
            let alike = |known: &Variant| {
                !known.ucag
                    && known.protocol.maps.rectify == protocol.maps.rectify
                    && known.protocol.maps.reduced(false).smoothing == protocol.maps.reduced(false).smoothing
            };
            let first = variants.iter().position(alike).or_else(|| variants.iter().position(|known| !known.ucag));
            let against = if ucag { first } else { (!variants.is_empty()).then_some(0) };
            variants.push(Variant { name: name.join(", "), ucag, protocol, against });
        }
    }
    variants
}

/// A field as papers write it.
pub(crate) fn symbol(field: &str) -> &str {
    match field {
        "rho" => "ρ",
        "alpha" => "α",
        other => other,
    }
}
