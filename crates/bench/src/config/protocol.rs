//! `protocol`, `[protocol]` and `[ucag]`: a named protocol with some of its fields overridden.

use std::fmt::Write as _;

use super::error::{ConfigErrors, Origin, Report};
use super::named_protocol::Protocol;
use super::overrides;
use super::section::{Choice, Field, Section};
use super::toml_tree::{Node, Table, Value};

/// The protocol of a run of one method on one image, from arguments instead of a config: a name,
/// `field=value` overrides as `[protocol]` has them, and `[ucag]`'s n, ρ and α.
///
/// # Errors
/// As [`super::load`], naming the argument at fault.
pub fn protocol(
    base: &str,
    overrides: &[String],
    n: Option<usize>,
    rho: Option<f64>,
    alpha: Option<f64>,
) -> Result<Protocol, ConfigErrors> {
    let report = Report::new(None);
    let mut tree = Table::new();
    let mut write = |argument: String, path: &str, value: Value| {
        let node = Node { origin: Origin::Argument(argument), value };
        overrides::write(&mut tree, path, node)
    };
    let number = |key: &str, value: f64| (format!("--{key} {value}"), format!("ucag.{key}"), Value::Float(value));
    let numbers = [rho.map(|value| number("rho", value)), alpha.map(|value| number("alpha", value))];
    let n = n.map(|n| (format!("--n {n}"), "ucag.n".to_owned(), Value::Integer(i64::try_from(n).unwrap_or(i64::MAX))));
    let base = (format!("--protocol {base}"), "protocol.base".to_owned(), Value::String(base.to_owned()));
    for (argument, path, value) in [Some(base), n].into_iter().chain(numbers).flatten() {
        let origin = Origin::Argument(argument.clone());
        if let Err(problem) = write(argument, &path, value) {
            report.add(&origin, problem);
        }
    }
    for argument in overrides {
        let origin = Origin::Argument(format!("--set {argument}"));
        let written = overrides::split(argument, &origin)
            .and_then(|(path, node)| overrides::write(&mut tree, &format!("protocol.{path}"), node));
        if let Err(problem) = written {
            report.add(&origin, problem);
        }
    }
    let mut root = Section::new("", Origin::File, Some(&tree), &report);
    let protocol = read(&mut root, &report);
    root.finish();
    report.finish(Some(protocol))
}

/// Reads `protocol` and `[ucag]`.
pub(super) fn read(root: &mut Section<'_>, report: &Report) -> Protocol {
    let (base, mut section) = match root.node("protocol") {
        Some(Node { value: Value::String(name), .. }) => {
            (root.check("protocol", named(name)), Section::new("[protocol]", Origin::File, None, report))
        }
        _ => {
            let mut section = root.table("protocol", "[protocol]");
            (section.get::<String>("base").and_then(|name| section.check("base", named(&name))), section)
        }
    };
    // Where the base is unknown, that is reported, and reading on finds what else is wrong.
    let base = base.unwrap_or_else(Protocol::official);
    let mut protocol = base.clone();
    for_the_run(&mut section, &mut protocol);
    for_a_map(&mut section, &mut protocol);
    let mut ucag = root.table("ucag", "[ucag]");
    override_either([&mut ucag, &mut section], "n", &mut protocol, |protocol| &mut protocol.maps.n);
    override_either([&mut ucag, &mut section], "rho", &mut protocol, |protocol| &mut protocol.maps.rho);
    override_either([&mut ucag, &mut section], "alpha", &mut protocol, |protocol| &mut protocol.maps.alpha);
    ucag.finish();
    section.finish();
    rename(&base, protocol)
}

/// The fields of a protocol that maps depend on, but for n, ρ and α: they may differ from row to
/// row of a table.
fn for_a_map(section: &mut Section<'_>, protocol: &mut Protocol) {
    override_field(section, "interpolation", &mut protocol.maps.interpolation);
    override_field(section, "coverage", &mut protocol.maps.coverage);
    override_field(section, "confidence", &mut protocol.maps.confidence);
    override_field(section, "smoothing", &mut protocol.maps.smoothing);
    override_field(section, "large_maps", &mut protocol.maps.large_maps);
    if let Some(rectify) = section.get("rectify") {
        protocol.maps.rectify = rectify;
    }
    override_number(section, "scale", protocol, |protocol| &mut protocol.maps.scale);
}

/// The fields that say what is explained and how it is scored: they are the same for a whole table.
fn for_the_run(section: &mut Section<'_>, protocol: &mut Protocol) {
    override_field(section, "deleted", &mut protocol.scoring.deletion_baseline);
    override_field(section, "ties", &mut protocol.scoring.tie_order);
    override_field(section, "target", &mut protocol.target);
    override_field(section, "tally", &mut protocol.scoring.empty_pairs);
}

/// A protocol that differs from `base` in what the section says of how maps are made.
pub(super) fn variant(section: &mut Section<'_>, base: &Protocol) -> Protocol {
    let mut protocol = base.clone();
    for_a_map(section, &mut protocol);
    override_number(section, "n", &mut protocol, |protocol| &mut protocol.maps.n);
    override_number(section, "rho", &mut protocol, |protocol| &mut protocol.maps.rho);
    override_number(section, "alpha", &mut protocol, |protocol| &mut protocol.maps.alpha);
    rename(base, protocol)
}

fn named(name: &str) -> Result<Protocol, String> {
    Protocol::named(name).map_err(|error| format!("{error} (see: bench list protocols)"))
}

fn override_field<T: serde::de::DeserializeOwned>(section: &mut Section<'_>, key: &'static str, field: &mut T) {
    if let Some(Choice(value)) = section.get(key) {
        *field = value;
    }
}

/// A number within the protocol's bounds.
fn override_number<T: Field + Copy>(
    section: &mut Section<'_>,
    key: &'static str,
    protocol: &mut Protocol,
    field: fn(&mut Protocol) -> &mut T,
) {
    if let Some(value) = section.get(key) {
        let mut changed = protocol.clone();
        *field(&mut changed) = value;
        if section.check(key, changed.maps.validate()).is_some() {
            *protocol = changed;
        }
    }
}

/// A number that may stand in [ucag] or in [protocol], but not in both.
fn override_either<T: Field + Copy>(
    [ucag, section]: [&mut Section<'_>; 2],
    key: &'static str,
    protocol: &mut Protocol,
    field: fn(&mut Protocol) -> &mut T,
) {
    override_number(ucag, key, protocol, field);
    override_number(section, key, protocol, field);
    if ucag.has(key) && section.has(key) {
        ucag.problem(key, format!("is also in [protocol], at {}; keep one of the two", section.place(key)));
    }
}

/// Appends `+field=value` to the name for each field in which the protocol differs from its base.
fn rename(base: &Protocol, mut protocol: Protocol) -> Protocol {
    // Both are structs of plain values, which always serialise.
    let fields = |protocol: &Protocol| serde_json::to_value(protocol).unwrap_or_default();
    let (before, after) = (fields(base), fields(&protocol));
    for (field, value) in after.as_object().into_iter().flatten() {
        if before[field] != *value {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            let _ = write!(protocol.name, "+{field}={text}");
        }
    }
    protocol
}
