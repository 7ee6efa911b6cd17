//! `<name>.md`: the table as people read it.

use std::fmt::Write;

use metrics::Averaging;
use ucag_core::explain::Role;

use super::heads::Metric;
use super::table::Table;
use super::{blocks, words};
use crate::config::Method;
use crate::record::Failure;

/// Failures named on the page; `failures.csv` has all.
const SHOWN: usize = 5;

/// The page.
pub(crate) fn page(table: &Table<'_>, failures: &[Failure]) -> anyhow::Result<String> {
    let config = table.config;
    let several = table.has_several_datasets();
    let mut page = format!("# {}\n\n{}\n", config.title, words::ours(table));
    for sentence in [words::published(table), config.output.remark.clone(), words::few(table)].into_iter().flatten() {
        writeln!(page, "{sentence}")?;
    }
    // With several data sets, each has a section, and its models have theirs in it.
    let level = if several { "###" } else { "##" };
    for (place, dataset) in config.datasets.iter().enumerate() {
        let notes = words::notes(table, &dataset.name);
        if several {
            writeln!(page, "\n## {}", dataset.name)?;
        }
        if !notes.is_empty() {
            let notes: String = notes.iter().map(|note| format!("- {note}\n")).collect();
            write!(page, "\n{notes}")?;
        }
        for model in config.models.iter().filter(|model| model.dataset == place) {
            writeln!(page, "\n{level} {}\n", model.name)?;
            if let Some(grid) = blocks::model(table, model, false) {
                page += &grid.markdown();
            }
            if let Some(grid) = blocks::model(table, model, true) {
                write!(page, "\n{}:\n\n{}", words::controls(config), grid.markdown())?;
            }
        }
    }
    page += &changes(table)?;
    page += "\n## Degenerate maps and failures\n\n";
    match blocks::degenerate(table) {
        Some(grid) => {
            write!(page, "Degenerate maps are scored as the all-zero map, every pixel tied.\n\n{}\n", grid.markdown())?
        }
        None => page += "No map was degenerate. ",
    }
    writeln!(page, "{}", words::failures(failures))?;
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
        let Some(method) = named.computed().map(|computed| computed.entry) else {
            writeln!(page, "- {}: {}.", named.name, made_elsewhere(named))?;
            continue;
        };
        let role = match method.role {
            Role::Published => "",
            Role::Candidate => " A candidate: the paper names it without defining it, and this is a reading.",
            Role::Control => " A control.",
        };
        writeln!(page, "- {}: {}. {}.{role}", named.name, method.summary, method.source)?;
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

/// What is known of maps that were made elsewhere.
fn made_elsewhere(method: &Method) -> String {
    let folder = |(ucag, words): (bool, &str)| Some(format!("`{}`{words}", method.folder(ucag)?.display()));
    let folders: Vec<String> = [(false, ""), (true, " (with UCAG)")].into_iter().filter_map(folder).collect();
    format!("maps that were made elsewhere, {}, finished as {} maps are", folders.join(" and "), method.post.word())
}

/// What UCAG changes, where there is something to compare.
fn changes(table: &Table<'_>) -> anyhow::Result<String> {
    let grid = |(place, dataset)| Some((blocks::paired(table, place)?, dataset));
    let grids: Vec<_> = table.config.datasets.iter().enumerate().filter_map(grid).collect();
    if grids.is_empty() {
        return Ok(String::new());
    }
    let (title, what) = match table.config.has_variants() {
        false => ("What UCAG changes", "With UCAG minus without"),
        true => ("What changes", "A row minus the one that it is compared with"),
    };
    let mut section = format!(
        "\n## {title}\n\n{what}, sample by sample, with the 95 % interval of the mean difference. Nothing is called better or worse \
         where the interval covers zero.\n\n"
    );
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

/// How a metric's values become one number, where that isn't the mean over samples.
fn averaging(metric: &Metric) -> &'static str {
    match metric.averaging {
        Averaging::Samples => "",
        Averaging::Classes | Averaging::TalliedClasses => {
            " The mean over a class's pairs of image and class first, then the unweighted mean over all classes of the data set."
        }
        Averaging::Ratios => " Counted over all images before it is divided.",
    }
}
