//! The table as text, for a terminal.

use super::table::Table;
use super::{blocks, words};
use crate::record::Failure;

/// The table, what UCAG changes, degenerate maps, and what they are of.
pub(crate) fn text(table: &Table<'_>, failures: &[Failure]) -> String {
    let config = table.config;
    let mut parts = vec![format!("{}\n", config.title)];
    for model in &config.models {
        let mut part = format!("{}\n", model.name);
        for controls in [false, true] {
            if let Some(mut grid) = blocks::model(table, &model.name, controls) {
                if controls {
                    grid.head[0] = "Control".to_owned();
                }
                part += &grid.terminal();
            }
        }
        parts.push(part);
    }
    if let Some(grid) = blocks::paired(table) {
        parts.push(format!("With UCAG minus without\n{}", grid.terminal()));
    }
    if let Some(grid) = blocks::degenerate(table) {
        parts.push(format!("Degenerate maps\n{}", grid.terminal()));
    }
    let protocol = format!("Protocol: {}, version {}.", config.protocol.name, config.protocol.version);
    let last = [
        Some(words::ours(table)),
        words::published(table),
        words::few(table),
        Some(words::failures(failures)),
        Some(protocol),
    ];
    parts.push(last.into_iter().flatten().map(|line| line + "\n").collect());
    parts.join("\n")
}
