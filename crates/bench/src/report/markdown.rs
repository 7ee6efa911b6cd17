//! `<name>.md`: the table as people read it.

use std::fmt::Write;

use ucag_core::explain::Role;

use super::cells::Metric;
use super::table::Table;
use super::{blocks, words};
use crate::record::Failure;

/// Failures named on the page; `failures.csv` has all.
const SHOWN: usize = 5;

/// The page.
pub(crate) fn page(table: &Table<'_>, failures: &[Failure]) -> anyhow::Result<String> {
    let config = table.config;
    let mut page = format!("# {}\n\n{}\n", config.title, words::ours(table));
    if let Some(published) = words::published(table) {
        writeln!(page, "{published}")?;
    }
    if let Some(few) = words::few(table) {
        writeln!(page, "{few}")?;
    }
    for model in &config.models {
        writeln!(page, "\n## {}\n", model.name)?;
        if let Some(grid) = blocks::model(table, &model.name, false) {
            page += &grid.markdown();
        }
        if let Some(grid) = blocks::model(table, &model.name, true) {
            write!(page, "\nControls, which know nothing of the network:\n\n{}", grid.markdown())?;
        }
    }
    if let Some(grid) = blocks::paired(table) {
        page += "\n## What UCAG changes\n\n";
        page += "With UCAG minus without, sample by sample, with the 95 % interval of the mean difference. Nothing is called better or worse \
                 where the interval covers zero.\n\n";
        page += &grid.markdown();
    }
    page += "\n## Degenerate maps and failures\n\n";
    match blocks::degenerate(table) {
        Some(grid) => {
            write!(page, "Degenerate maps are scored as the all-zero map, every pixel tied.\n\n{}\n", grid.markdown())?
        }
        None => page += "No map was degenerate. ",
    }
    writeln!(page, "{}", words::failures(failures))?;
    for failure in failures.iter().take(SHOWN) {
        write!(page, "\n- `{}` on {}: {}", failure.sample, failure.model, failure.error.replace('\n', " "))?;
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
            ". {}. Version {}{}.",
            metric.source,
            metric.version,
            step.map_or(String::new(), |n| format!(", step {n}"))
        )?;
    }
    page += "\n## Methods\n\n";
    for method in config.methods.iter().map(|method| method.method) {
        let role = match method.role {
            Role::Published => "",
            Role::Candidate => " A candidate: the paper names it without defining it, and this is a reading.",
            Role::Control => " A control.",
        };
        writeln!(page, "- {}: {}. {}.{role}", method.name, method.summary, method.source)?;
    }
    write!(page, "\n## Protocol\n\n```toml\n{}```\n", toml::to_string(&config.protocol)?)?;
    Ok(page)
}
