//! Opening data sets; the files that a config names and that aren't there.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context, Result};

use crate::config::Config;
use crate::plan::dataset::Data;

/// Files that a config names and that aren't there: every one of them, with what to do.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0)]
pub struct Missing(String);

impl Missing {
    pub(crate) fn new(message: String) -> Self {
        Self(message)
    }
}

/// Opens the data sets, once it is sure that nothing is missing: people should hear of all missing
/// files at once.
pub(super) fn open_datasets(config: &Config, may_write: bool) -> Result<Vec<Data>> {
    let mut missing = String::new();
    let published = config.output.published.iter().filter(|path| !path.exists());
    let mut weights: Vec<_> = config.models.iter().map(|m| &m.weights).filter(|path| !path.exists()).collect();
    weights.dedup();
    for path in weights.iter().copied().chain(published) {
        let _ = write!(missing, "\n  {}", path.display());
    }
    let mut advice = String::new();
    if !missing.is_empty() {
        advice.push_str(
            "\n\nweights: convert torchvision's with `python3 scripts/convert_weights.py`; see data/README.md",
        );
    }
    let mut data = Vec::new();
    for dataset in &config.datasets {
        match Data::open(dataset, may_write) {
            Ok(mut opened) => {
                let chosen = opened.choose(dataset);
                chosen.with_context(|| format!("{}: [dataset] samples", config.path.display()))?;
                data.push(opened);
            }
            Err(datasets::Error::Missing { paths, layout, how_to_get }) => {
                for path in paths {
                    let _ = write!(missing, "\n  {}", path.display());
                }
                let kind = &dataset.kind;
                let _ = write!(advice, "\n\ndata set {kind}: expected layout\n{layout}\nhow to get it\n{how_to_get}");
            }
            Err(error) => return Err(error.into()),
        }
    }
    if missing.is_empty() {
        return Ok(data);
    }
    let own = format!("configs/mini/{}.toml", config.name);
    let mini = if Path::new(&own).exists() { own.as_str() } else { "configs/mini/table1.toml" };
    let example = format!("to see the same table on data that comes with the project: cargo run -p bench -- {mini}");
    let config = config.path.display();
    Err(Missing(format!("{config}: these files are missing:{missing}{advice}\n\n{example}")).into())
}
