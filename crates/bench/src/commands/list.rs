//! `bench list`: what configs can name, from the registries.

use std::io::{self, Write};

use crate::config::{PROTOCOLS, Protocol};
use serde_json::Value;
use ucag_core::explain::{METHODS, Role};
use ucag_core::network::FAMILIES;

use super::{list_config, registry_pages};
use crate::cli::Listing;

/// Writes a list.
///
/// # Errors
/// Where `out` can't be written to.
pub fn write(what: Listing, out: &mut dyn Write) -> io::Result<()> {
    match what {
        Listing::Methods => methods(out),
        Listing::Models => models(out),
        // Of a network, not of a registry.
        Listing::Layers => Ok(()),
        Listing::Metrics => metrics(out),
        Listing::Datasets => datasets(out),
        Listing::Protocols => protocols(out),
        Listing::Config => list_config::write(None, out),
    }
}

/// Writes a list to standard output. A reader that has seen enough (`bench list methods | head`) is
/// no error.
///
/// # Errors
/// Where standard output can't be written to.
pub fn print(what: Listing, section: Option<&str>, markdown: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let written = match what {
        Listing::Config if markdown => list_config::write_markdown(&mut out),
        Listing::Config => list_config::write(section, &mut out),
        Listing::Methods if markdown => registry_pages::methods(&mut out),
        Listing::Metrics if markdown => registry_pages::metrics(&mut out),
        other => write(other, &mut out),
    };
    match written.and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

fn methods(out: &mut dyn Write) -> io::Result<()> {
    let rows = METHODS.iter().map(|method| {
        let role = match method.role {
            Role::Published => "published",
            Role::Candidate => "candidate",
            Role::Control => "control",
        };
        let ucag = if method.not_with_ucag.is_none() { "yes" } else { "no" };
        [method.id, method.name, role, ucag, method.source, method.summary].map(str::to_owned).to_vec()
    });
    columns(out, &["id", "name", "role", "UCAG", "source", "what it is"], rows)?;
    writeln!(out, "\nSettings that a config may change, beside the method's id:\n")?;
    let settings = METHODS.iter().flat_map(|method| method.settings.iter().map(|setting| (method.id, setting)));
    let rows = settings.map(|(id, setting)| {
        let default = setting.default().to_string();
        vec![id.to_owned(), setting.key.to_owned(), default, setting.range(), setting.summary.to_owned()]
    });
    columns(out, &["id", "key", "published", "range", "what it is"], rows)?;
    for method in METHODS.iter().filter(|method| method.not_with_ucag.is_some()) {
        writeln!(out, "\nUCAG can't be around {}: {}.", method.id, method.not_with_ucag.unwrap_or_default())?;
    }
    Ok(())
}

fn models(out: &mut dyn Write) -> io::Result<()> {
    let rows = FAMILIES.iter().map(|family| {
        vec![family.id.into(), format!("{0} × {0}", family.input_size), family.layer.into(), family.summary.into()]
    });
    columns(out, &["arch", "input", "default layer", "what it is"], rows)?;
    writeln!(
        out,
        "\nA member of a family, such as resnet50, is an arch too: the checkpoint must then be of that member."
    )
}

fn metrics(out: &mut dyn Write) -> io::Result<()> {
    let rows = metrics::METRICS.iter().map(|metric| {
        let direction = format!("{} {}", metric.direction.arrow(), metric.direction.words());
        let version = metric.version.to_string();
        vec![metric.id.into(), direction, metric.unit.into(), version, metric.source.into(), metric.summary.into()]
    });
    columns(out, &["id", "direction", "unit", "version", "source", "what it is"], rows)
}

fn datasets(out: &mut dyn Write) -> io::Result<()> {
    for (i, kind) in datasets::DATASETS.iter().enumerate() {
        let gap = if i > 0 { "\n" } else { "" };
        writeln!(out, "{gap}{}  {}\n\nlayout below the root:\n  {}", kind.id, kind.summary, kind.layout)?;
        writeln!(out, "\nhow to get it:\n  {}", kind.how_to_get)?;
    }
    Ok(())
}

fn protocols(out: &mut dyn Write) -> io::Result<()> {
    let protocols = PROTOCOLS.iter().map(|name| Protocol::named(name)).collect::<Result<Vec<_>, _>>();
    let protocols = protocols.map_err(io::Error::other)?;
    let fields = protocols.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?;
    let keys = fields[0].as_object().into_iter().flat_map(|object| object.keys()).filter(|key| *key != "name");
    let rows = keys.map(|key| {
        let value = |fields: &Value| match &fields[key] {
            Value::String(text) => text.clone(),
            // 124 / 224 has no short decimal form.
            Value::Number(number) if number.is_f64() => short(number.as_f64().unwrap_or(f64::NAN)),
            other => other.to_string(),
        };
        std::iter::once(key.clone()).chain(fields.iter().map(value)).collect::<Vec<_>>()
    });
    let metric_columns: Vec<&str> = std::iter::once("field").chain(PROTOCOLS.iter().copied()).collect();
    columns(out, &metric_columns, rows)?;
    writeln!(
        out,
        "\nA config may override any field but the version: a table [protocol] with 'base' and the fields, or --set protocol.FIELD=VALUE."
    )
}

/// At most six decimals, without trailing zeros.
fn short(number: f64) -> String {
    format!("{number:.6}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Rows below a head, each column as wide as its widest cell.
pub(super) fn columns(
    out: &mut dyn Write,
    metric_columns: &[&str],
    rows: impl Iterator<Item = Vec<String>>,
) -> io::Result<()> {
    let mut lines = vec![metric_columns.iter().map(|head| (*head).to_owned()).collect::<Vec<_>>()];
    lines.extend(rows);
    let length = |cell: &String| cell.chars().count();
    let widths: Vec<usize> =
        (0..metric_columns.len()).map(|i| lines.iter().map(|line| length(&line[i])).max().unwrap_or(0)).collect();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}"));
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(what: Listing) -> String {
        let mut out = vec![];
        write(what, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_by_characters_not_bytes() {
        let mut out = vec![];
        let rows = [vec!["é".to_owned(), "1".into()], vec!["abc".into(), "2".into()]];
        columns(&mut out, &["a", "b"], rows.into_iter()).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "a    b\né    1\nabc  2\n");
    }

    #[test]
    fn every_entry_of_every_registry_is_listed() {
        let methods = text(Listing::Methods);
        for method in METHODS {
            assert!(methods.lines().any(|line| line.split_whitespace().next() == Some(method.id)), "{}", method.id);
        }
        assert!(methods.contains("UCAG can't be around center-point: "), "{methods}");
        assert!(
            methods.lines().any(|line| line.starts_with("wgradcam ") && line.contains("  candidate  ")),
            "{methods}"
        );
        assert!(methods.lines().any(|line| line.starts_with("edge ") && line.contains("  control ")), "{methods}");
        let models = text(Listing::Models);
        assert!(models.lines().any(|line| line.starts_with("inception_v3 ") && line.contains("299 × 299")), "{models}");
        let metrics = text(Listing::Metrics);
        assert!(
            metrics.lines().any(|line| line.starts_with("insertion ") && line.contains("↑ higher is better")),
            "{metrics}"
        );
        assert!(text(Listing::Datasets).starts_with("imagenet  "));
    }

    #[test]
    fn protocols_stand_side_by_side() {
        let text = text(Listing::Protocols);
        let row = |field: &str| {
            let line = text.lines().find(|line| line.split_whitespace().next() == Some(field)).unwrap();
            line.split_whitespace().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(row("field"), ["official", "paper", "controlled"]);
        assert_eq!(row("rho"), ["0.553571", "0.555", "0.553571"]);
        assert_eq!(row("coverage"), ["plus-one", "true", "true"]);
        assert_eq!(row("smoothing"), ["ucag", "none", "both"]);
        assert_eq!(row("n"), ["6", "6", "6"]);
    }

    /// A reader that is gone.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_reader_is_an_error_not_a_panic() {
        assert_eq!(write(Listing::Methods, &mut Closed).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
