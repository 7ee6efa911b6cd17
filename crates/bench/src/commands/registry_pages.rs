//! Pages of docs/ that are written from the registries: methods.md and metrics.md.

use std::io::{self, Write};

use metrics::{Annotation, Averaging, METRICS, Metric, Resolution, Subset};
use ucag_core::explain::{METHODS, Method, Role};
use ucag_core::postprocess::MapKind;

/// Writes docs/methods.md.
///
/// # Errors
/// Where `out` can't be written to.
pub(super) fn methods(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# Methods

Written by `bench list methods --markdown` from the registry `ucag_core::explain::METHODS`.
Formulas and constants are in [protocol.md](protocol.md). A config names a method by its id in
`[[method]]`.

- **Map**: the kind of the raw map, which decides on post-processing. `cam` is clipped at zero,
  resized, scaled to [0, 1] and smoothed as the protocol says. `signed` is resized and stays signed.
  `plain` is resized, scaled to [0, 1] and smoothed as the protocol says. `heat` isn't negative and
  is divided by its maximum. `centre` is a point and no map.
- **UCAG**: yes if a row with UCAG can be asked for.
- **Black box**: yes if it needs logits and input gradients only, so that it explains TorchScript
  networks, too.
- **Square**: yes if its publication squashes the photo to a square even where a data set's protocol
  keeps the aspect ratio.
"
    )?;
    for (role, heading) in [
        (Role::Published, "## Published methods"),
        (Role::Candidate, "## Candidates\n\nThe paper names them, but no public source defines them."),
        (Role::Control, "## Controls\n\nThey know nothing of the network: a method must beat them."),
    ] {
        writeln!(out, "{heading}\n")?;
        let rows = METHODS.iter().filter(|method| method.role == role).map(|method| row_of_method(method));
        table(out, &["id", "name", "what it is", "source", "map", "UCAG", "black box", "square"], rows)?;
    }
    writeln!(out, "## Settings\n\nKeys beside a method's id. The default is the published value.\n")?;
    let settings = METHODS.iter().flat_map(|method| method.settings.iter().map(|setting| (method.id, setting)));
    let rows = settings.map(|(id, setting)| {
        let (default, range) = (setting.default().to_string(), setting.range());
        vec![code(id), code(setting.key), default, range, setting.summary.to_owned()]
    });
    table(out, &["method", "key", "default", "range", "what it is"], rows)?;
    writeln!(out, "## Without UCAG\n")?;
    for method in METHODS {
        if let Some(reason) = method.not_with_ucag {
            writeln!(out, "- `{}`: {reason}.", method.id)?;
        }
    }
    Ok(())
}

fn row_of_method(method: &Method) -> Vec<String> {
    let map = match method.map_kind {
        MapKind::NonNegative(Some(_)) => format!("{}, own blur", method.map_kind.word()),
        kind => kind.word().to_owned(),
    };
    let ucag = yes(method.not_with_ucag.is_none());
    let (summary, source) = (method.summary.to_owned(), method.source.to_owned());
    vec![code(method.id), method.name.into(), summary, source, map, ucag, yes(method.black_box), yes(method.square)]
}

/// Side of the square image for which pages say how often a metric asks the network.
const SIDE: usize = 224;

/// Writes docs/metrics.md.
///
/// # Errors
/// Where `out` can't be written to.
pub(super) fn metrics(out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "# Metrics

Written by `bench list metrics --markdown` from the registry `metrics::METRICS`. Formulas are in
[protocol.md](protocol.md#metrics). A config names a metric by its id in `[[metric]]`; deletion and
insertion have a setting, `step`: pixels moved per step, published 8√(HW).
"
    )?;
    let rows = METRICS.iter().map(|metric| {
        let direction = format!("{} {}", metric.direction.arrow(), metric.direction.words());
        let unit = if metric.unit.is_empty() { "–" } else { metric.unit };
        let version = metric.version.to_string();
        let (summary, source) = (metric.summary.to_owned(), metric.source.to_owned());
        vec![code(metric.id), metric.name.into(), summary, direction, unit.into(), source, version]
    });
    table(out, &["id", "name", "what it is", "direction", "unit", "source", "version"], rows)?;
    writeln!(
        out,
        "## Inputs and averaging

- **Map**: the size of the scored map.
- **Needs**: the annotation that the data set must have.
- **Images**: how many images the network classifies for a map of {SIDE} × {SIDE} pixels, and how many
  more for each image, whatever the map.
- **Averaging**: the way from the values of pairs of image and class to one number.
- **Numbers**: the pairs that the columns of a table are over.
"
    )?;
    table(out, &["id", "map", "needs", "images", "averaging", "numbers"], METRICS.iter().map(|m| row_of_inputs(m)))?;
    Ok(())
}

fn row_of_inputs(metric: &Metric) -> Vec<String> {
    let map = match metric.resolution {
        Resolution::NetworkInput => "network's input",
        Resolution::Original => "photo",
    };
    let needs = match metric.annotation {
        Annotation::Nothing => "–",
        Annotation::Region => "region of the class",
        Annotation::Object => "object",
    };
    let images = match ((metric.forward_passes)(SIDE, SIDE, None), metric.endpoints.len()) {
        (0, 0) => "–".into(),
        (for_map, 0) => for_map.to_string(),
        (for_map, for_image) => format!("{for_map} + {for_image}"),
    };
    let averaging = match metric.averaging {
        Averaging::Samples => "mean over samples",
        Averaging::Classes => "mean over classes",
        Averaging::ClassesAsReleased => "mean over classes, padded as the protocol's `tally` says",
        Averaging::Ratios => "ratio of counts summed over samples",
    };
    let word = |subset| match subset {
        Subset::All => "all pairs",
        Subset::Difficult => "difficult pairs",
    };
    let numbers: Vec<&str> = metric.columns.iter().map(|column| word(column.subset)).collect();
    vec![code(metric.id), map.into(), needs.into(), images, averaging.into(), numbers.join(", ")]
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn yes(is_so: bool) -> String {
    if is_so { "yes" } else { "no" }.into()
}

/// A Markdown table, and an empty line after it.
fn table(out: &mut dyn Write, head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> io::Result<()> {
    writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()))?;
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    writeln!(out)
}
