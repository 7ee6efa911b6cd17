//! The table as text, for a terminal.

use crate::config::Protocol;

use super::{sentences, table_blocks};
use crate::analysis::Table;
use crate::config::Config;
use crate::records::Failure;

/// The table, what UCAG changes, degenerate maps, and what they are of.
pub(crate) fn text(table: &Table<'_>, failures: &[Failure]) -> String {
    let config = table.config;
    let several = table.has_several_datasets();
    let mut parts = vec![format!("{}\n", config.title)];
    for (place, dataset) in config.datasets.iter().enumerate() {
        for model in config.models.iter().filter(|model| model.dataset == place) {
            let mut part =
                if several { format!("{}: {}\n", dataset.name, model.name) } else { format!("{}\n", model.name) };
            for controls in [false, true] {
                if let Some(mut grid) = table_blocks::model(table, model, controls) {
                    if controls {
                        grid.head[0] = "Control".to_owned();
                    }
                    part += &grid.terminal();
                }
            }
            parts.push(part);
        }
    }
    for (place, dataset) in config.datasets.iter().enumerate() {
        if let Some(grid) = table_blocks::paired(table, place) {
            let on = if several { format!(" on {}", dataset.name) } else { String::new() };
            parts.push(format!("{}{on}\n{}", sentences::changes(config).0, grid.terminal()));
        }
    }
    if let Some(grid) = table_blocks::degenerate(table) {
        parts.push(format!("Degenerate maps\n{}", grid.terminal()));
    }
    let mut last = vec![sentences::ours(table)];
    last.extend(sentences::published(table));
    last.extend(config.output.remark.clone());
    last.extend(sentences::few(table));
    for dataset in &config.datasets {
        let on = if several { format!("{}: ", dataset.name) } else { String::new() };
        last.extend(sentences::notes(table, &dataset.name).into_iter().map(|note| on.clone() + &note));
    }
    last.extend(sentences::unscored(table));
    last.push(sentences::failures(failures));
    last.push(format!("Protocol: {}, version {}.", config.protocol.name, config.protocol.version));
    parts.push(last.into_iter().map(|line| line + "\n").collect());
    parts.join("\n")
}

/// The terminal's text for a run without metrics.
pub(crate) fn drawn(config: &Config, failures: &[Failure]) -> String {
    let Protocol { name, version, .. } = &config.protocol;
    format!("{}\n\n{}\nProtocol: {name}, version {version}.\n", config.title, sentences::failures(failures))
}
