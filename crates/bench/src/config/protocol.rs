//! `protocol`, `[protocol]` and `[ucag]`: a named protocol with some of its fields overridden.

use std::fmt::Write as _;

use ucag_core::protocol::Protocol;

use super::error::{ConfigErrors, Origin, Report};
use super::section::{Choice, Field, Section};
use super::set;
use super::tree::{Node, Table, Value};

/// The protocol of a run of one method on one image, from arguments instead of a config: a name, `field=value` overrides as [protocol] has
/// them, and [ucag]'s n, ρ and α.
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
        set::write(&mut tree, path, node)
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
        let written = set::split(argument, &origin)
            .and_then(|(path, node)| set::write(&mut tree, &format!("protocol.{path}"), node));
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
    override_field(&mut section, "interpolation", &mut protocol.interpolation);
    override_field(&mut section, "coverage", &mut protocol.coverage);
    override_field(&mut section, "confidence", &mut protocol.confidence);
    override_field(&mut section, "smoothing", &mut protocol.smoothing);
    override_field(&mut section, "deleted", &mut protocol.deleted);
    override_field(&mut section, "ties", &mut protocol.ties);
    override_field(&mut section, "target", &mut protocol.target);
    override_field(&mut section, "large_maps", &mut protocol.large_maps);
    override_field(&mut section, "tally", &mut protocol.tally);
    if let Some(rectify) = section.get("rectify") {
        protocol.rectify = rectify;
    }
    let mut ucag = root.table("ucag", "[ucag]");
    override_number(&mut ucag, &mut section, "n", &mut protocol, |protocol| &mut protocol.n);
    override_number(&mut ucag, &mut section, "rho", &mut protocol, |protocol| &mut protocol.rho);
    override_number(&mut ucag, &mut section, "alpha", &mut protocol, |protocol| &mut protocol.alpha);
    ucag.finish();
    section.finish();
    rename(&base, protocol)
}

fn named(name: &str) -> Result<Protocol, String> {
    Protocol::named(name).map_err(|error| format!("{error} (see: bench list protocols)"))
}

fn override_field<T: serde::de::DeserializeOwned>(section: &mut Section<'_>, key: &'static str, field: &mut T) {
    if let Some(Choice(value)) = section.get(key) {
        *field = value;
    }
}

/// A number that may stand in [ucag] or in [protocol], but not in both.
fn override_number<T: Field + Copy>(
    ucag: &mut Section<'_>,
    section: &mut Section<'_>,
    key: &'static str,
    protocol: &mut Protocol,
    field: fn(&mut Protocol) -> &mut T,
) {
    let given = [ucag.get(key), section.get(key)];
    for (section, value) in [&*ucag, &*section].into_iter().zip(given) {
        let Some(value) = value else { continue };
        let mut changed = protocol.clone();
        *field(&mut changed) = value;
        if section.check(key, changed.validate()).is_some() {
            *protocol = changed;
        }
    }
    if given.iter().all(Option::is_some) {
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
