//! `<name>.md`: the table as people read it.

use std::fmt::Write;

use metrics::Averaging;

use super::{sentences, table_blocks};
use crate::analysis::Table;
use crate::analysis::metric_columns::Metric;
use crate::records::Failure;

/// Failures named on the page; `failures.csv` has all.
const SHOWN: usize = 5;

/// The page.
pub(crate) fn page(table: &Table<'_>, failures: &[Failure]) -> anyhow::Result<String> {
    let config = table.config;
    let several = table.has_several_datasets();
    let mut page = format!("# {}\n\n{}\n", config.title, sentences::ours(table));
    for sentence in
        [sentences::published(table), config.output.remark.clone(), sentences::few(table)].into_iter().flatten()
    {
        writeln!(page, "{sentence}")?;
    }
    // With several data sets, each has a section, and its models have theirs in it.
    let level = if several { "###" } else { "##" };
    for (place, dataset) in config.datasets.iter().enumerate() {
        let notes = sentences::notes(table, &dataset.name);
        if several {
            writeln!(page, "\n## {}", dataset.name)?;
        }
        if !notes.is_empty() {
            let notes: String = notes.iter().map(|note| format!("- {note}\n")).collect();
            write!(page, "\n{notes}")?;
        }
        for model in config.models.iter().filter(|model| model.dataset == place) {
            writeln!(page, "\n{level} {}\n", model.name)?;
            if let Some(grid) = table_blocks::model(table, model, false) {
                page += &grid.markdown();
            }
            if let Some(grid) = table_blocks::model(table, model, true) {
                write!(page, "\n{}:\n\n{}", sentences::controls(config), grid.markdown())?;
            }
        }
    }
    page += &changes(table)?;
    page += "\n## Degenerate maps and failures\n\n";
    match table_blocks::degenerate(table) {
        Some(grid) => write!(
            page,
            "Degenerate maps are scored as the all-zero map, every pixel tied, where a metric has a number for that.\n\n{}\n",
            grid.markdown()
        )?,
        None => page += "No map was degenerate. ",
    }
    if let Some(sentence) = sentences::unscored(table) {
        writeln!(page, "{sentence}\n")?;
    }
    writeln!(page, "{}", sentences::failures(failures))?;
    for failure in failures.iter().take(SHOWN) {
        let of = if several { format!(" of {}", failure.dataset) } else { String::new() };
        write!(page, "\n- `{}`{of} on {}: {}", failure.sample, failure.model, failure.error.replace('\n', " "))?;
    }
    if failures.len() > SHOWN {
        write!(page, "\n- and {} more", failures.len() - SHOWN)?;
    }
    if !failures.is_empty() {
        page.push('\n');
    }
    page += "\n## Metrics\n\n";
    for metric in &config.metrics {
        let (step, metric) = (metric.step, Metric(metric.metric));
        write!(page, "- {}: {}; {}", metric.head(), metric.summary, metric.direction.words())?;
        writeln!(
            page,
            ".{} {}. Version {}{}.",
            averaging(&metric),
            metric.source,
            metric.version,
            step.map_or(String::new(), |n| format!(", step {n}"))
        )?;
    }
    page += "\n## Methods\n\n";
    for (place, named) in config.methods.iter().enumerate() {
        // A method may have an entry for each data set.
        if config.methods[..place].iter().any(|earlier| earlier.id == named.id) {
            continue;
        }
        writeln!(page, "- {}: {}", named.name, sentences::method(named))?;
    }
    write!(page, "\n## Protocol\n\n```toml\n{}```\n", toml::to_string(&config.protocol)?)?;
    if config.has_variants() {
        page.push_str("\nRows differ from it as their names say:\n\n");
        for variant in &config.variants {
            writeln!(page, "- {}: {}", variant.words(), variant.protocol.name)?;
        }
    }
    Ok(page)
}

/// The differences that UCAG makes, where there is something to compare.
fn changes(table: &Table<'_>) -> anyhow::Result<String> {
    let grid = |(place, dataset)| Some((table_blocks::paired(table, place)?, dataset));
    let grids: Vec<_> = table.config.datasets.iter().enumerate().filter_map(grid).collect();
    if grids.is_empty() {
        return Ok(String::new());
    }
    let (title, what) = sentences::changes(table.config);
    let mut section = format!("\n## {title}\n\n{what}\n\n");
    if table.config.metrics.iter().any(|metric| metric.metric.averaging == Averaging::Ratios) {
        section += "Of a quotient of sums, it is the difference of the two quotients, each over the samples that have both.\n\n";
    }
    for (number, (grid, dataset)) in grids.into_iter().enumerate() {
        if table.has_several_datasets() {
            write!(section, "{}### {}\n\n", if number > 0 { "\n" } else { "" }, dataset.name)?;
        }
        section += &grid.markdown();
    }
    Ok(section)
}

/// A metric's averaging in words, where it isn't the mean over samples.
fn averaging(metric: &Metric) -> &'static str {
    match metric.averaging {
        Averaging::Samples => "",
        Averaging::Classes | Averaging::ClassesAsReleased => {
            " The mean over a class's pairs of image and class first, then the unweighted mean over all classes of the data set."
        }
        Averaging::Ratios => " Counted over all images before it is divided.",
    }
}
