//! `[figure]`: maps side by side, at a size fit for a paper.

use serde::{Deserialize, Serialize};

use super::Config;
use super::keys;
use super::section::Section;
use super::values::Choice;

/// `[figure]`: every sample that is run, with its maps beside it, a row without UCAG and a row with
/// it. It takes the place of the plot of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The maps that stand side by side.
    pub columns: Columns,
}

/// The maps that stand side by side in a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Columns {
    /// Methods, for one network after the other.
    Methods,
    /// Networks, for one method after the other.
    Networks,
}

/// Most maps of a figure. More than these nobody can print.
const MOST: usize = 1000;

/// The section, where it is there.
pub(super) fn figure(root: &mut Section<'_>) -> Option<Figure> {
    let is_there = root.has(&keys::top::FIGURE);
    let mut section = root.table(&keys::top::FIGURE, "[figure]");
    let columns = section.require(&keys::figure::COLUMNS).map(|Choice(columns)| columns);
    section.finish();
    // With a wrong key it is a figure still, so that nobody is told of metrics.
    is_there.then_some(Figure { columns: columns.unwrap_or(Columns::Methods) })
}

/// Checks that the samples, methods and models of a config can be a figure.
pub(super) fn check(config: &Config, root: &Section<'_>) {
    if config.figure.is_none() {
        return;
    }
    let [dataset] = &config.datasets[..] else {
        return root.problem(&keys::top::FIGURE, "shows the samples of one data set; make a config for each");
    };
    let listed = dataset.samples.as_ref().map(Vec::len);
    let Some(samples) = listed.into_iter().chain(dataset.limit).min() else {
        let problem = "which images? Give [dataset] samples = [\"…\"], or limit = 4 for the first four";
        return root.problem(&keys::top::FIGURE, problem);
    };
    let maps = samples * config.models.len() * config.rows_on(0).count();
    if maps > MOST {
        root.problem(&keys::top::FIGURE, format!("would have {maps} maps; at most {MOST} can be shown in one"));
    }
}
