//! The report of a run: tables, curves, plots and a gallery, all of them pure functions of the
//! records; and figures, pure functions of the gallery's saved maps.

pub mod figure;
pub mod gallery;
mod html;
mod markdown;
pub mod plot;
mod samples_csv;
pub(crate) mod sentences;
mod table_blocks;
pub(crate) mod table_csv;
mod terminal;
pub(crate) mod text_table;

use std::path::{Path, PathBuf};

use crate::analysis;
use crate::config::Config;
use crate::io::atomic;
use crate::records::Failure;

pub use crate::analysis::cells::{Cell, CellKey};
pub use crate::analysis::curves::MeanCurve;
pub use crate::analysis::metric_columns::Metric;
pub use crate::analysis::records::Records;
pub use crate::plan::dataset_facts::{DatasetFacts, ModelFacts};

/// The input of a report.
#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// The experiment. Its order of models, methods and metrics is the order of every table and
    /// plot.
    pub config: &'a Config,
    /// The config's data sets, in its order.
    pub datasets: &'a [DatasetFacts],
    /// Every record, in plan order.
    pub records: Records<'a>,
    /// Samples that could not be scored, in plan order.
    pub failures: &'a [Failure],
    /// Folder for the files; made where it isn't there.
    pub out: &'a Path,
}

/// The files that [`write()`] made.
#[derive(Debug)]
pub struct ReportFiles {
    /// Every file, in the order in which it was written.
    pub files: Vec<PathBuf>,
    /// The table as text, for a terminal.
    pub table: String,
}

/// Writes everything: `samples.csv`, `failures.csv` (where there are any), `curves.csv`,
/// `classes.csv` (where a metric averages by class), `<name>.csv`, `<name>.md`, the plots
/// `<name>.png`, `<name>.svg`, `curves.png`, `curves.svg`, `report.html`, and `gallery/index.png`
/// where the run has left sheets in `gallery/`. Where the config asks for a figure, that is
/// `<name>.png`; without metrics it is all there is, besides `failures.csv`, `report.html` and the
/// gallery.
///
/// The same records give the same bytes. Each file is replaced as a whole or not at all.
///
/// # Errors
/// Where a record is of nothing in the config or isn't finite, the published numbers can't be read,
/// or a file can't be written.
pub fn write(summary: &Summary<'_>) -> anyhow::Result<ReportFiles> {
    let config = summary.config;
    let figure = figure::gather(summary)?.map(|figure| figure::png(&figure)).transpose()?;
    if config.metrics.is_empty() {
        return drawn(summary, figure.as_deref());
    }
    let cells = analysis::cells::cells(config);
    let mut draft = analysis::TableBuilder::new(summary.datasets, &cells)?;
    let mut curves = analysis::curves::Sums::new(cells.len());
    let mut gallery = html::Gallery::read(summary)?;
    let samples = summary.out.join("samples.csv");
    let mut lines = samples_csv::Samples::create(&samples)?;
    summary.records.each(|record| {
        let cell = draft.add(record)?;
        curves.add(cell, record)?;
        gallery.add(record);
        lines.add(record)
    })?;
    let table = analysis::Table::of(config, summary.datasets, &cells, draft)?;
    let curves = curves.means(&cells);

    lines.keep()?;
    let mut files = vec![samples];
    let mut put = |name: &str, bytes: &[u8]| -> anyhow::Result<()> {
        let path = summary.out.join(name);
        atomic::write(&path, bytes)?;
        files.push(path);
        Ok(())
    };
    match failures(summary)? {
        Some(failures) => put("failures.csv", &failures)?,
        None => atomic::remove(&summary.out.join("failures.csv"))?,
    }
    put("curves.csv", &analysis::curves::csv(&curves)?)?;
    match table_csv::classes(&table)? {
        Some(classes) => put("classes.csv", &classes)?,
        None => atomic::remove(&summary.out.join("classes.csv"))?,
    }
    put(&format!("{}.csv", config.name), &table_csv::cells(&table)?)?;
    put(&format!("{}.md", config.name), markdown::page(&table, summary.failures)?.as_bytes())?;

    let sweep = plot::sweep::picture(&table);
    let lines = (!curves.is_empty()).then(|| plot::lines::picture(config, &curves));
    let bars = match &figure {
        Some(figure) => {
            put(&format!("{}.png", config.name), figure)?;
            None
        }
        None => {
            let bars = plot::bars::picture(&table);
            put(&format!("{}.png", config.name), &plot::png(&bars)?)?;
            put(&format!("{}.svg", config.name), plot::svg(&bars)?.as_bytes())?;
            Some(bars)
        }
    };
    if let Some(sweep) = &sweep {
        put("sweep.png", &plot::png(sweep)?)?;
        put("sweep.svg", plot::svg(sweep)?.as_bytes())?;
    }
    if let Some(lines) = &lines {
        put("curves.png", &plot::png(lines)?)?;
        put("curves.svg", plot::svg(lines)?.as_bytes())?;
    }
    let plots = [("Means as bars", bars.as_ref()), ("Along the grid", sweep.as_ref()), ("Mean curves", lines.as_ref())];
    let plots: Vec<_> = plots.into_iter().filter_map(|(what, picture)| Some((what, picture?))).collect();
    put("report.html", html::page(&table, summary, &gallery, &plots, figure.as_deref())?.as_bytes())?;
    files.extend(index(summary.out)?);
    Ok(ReportFiles { files, table: terminal::text(&table, summary.failures) })
}

/// The report of a run without metrics: a figure, and the failures.
fn drawn(summary: &Summary<'_>, figure: Option<&[u8]>) -> anyhow::Result<ReportFiles> {
    let (config, out) = (summary.config, summary.out);
    let mut files = Vec::new();
    let failed = out.join("failures.csv");
    match failures(summary)? {
        Some(failures) => {
            atomic::write(&failed, &failures)?;
            files.push(failed);
        }
        None => atomic::remove(&failed)?,
    }
    if let Some(figure) = figure {
        let path = out.join(format!("{}.png", config.name));
        atomic::write(&path, figure)?;
        files.push(path);
    }
    let page = out.join("report.html");
    let table = analysis::Table::new(config, summary.datasets, &[])?;
    atomic::write(&page, html::page(&table, summary, &html::Gallery::read(summary)?, &[], figure)?.as_bytes())?;
    files.push(page);
    files.extend(index(out)?);
    Ok(ReportFiles { files, table: terminal::drawn(config, summary.failures) })
}

/// The gallery's first page, where there is a gallery. Without it a report is still whole.
fn index(out: &Path) -> anyhow::Result<Option<PathBuf>> {
    match gallery::index(&out.join("gallery")) {
        Err(error) if !atomic::is_full(&error) => {
            crate::tell(&format!("the gallery has no index: {error:#}"));
            Ok(None)
        }
        index => index,
    }
}

/// The failures as a CSV, where there are any.
fn failures(summary: &Summary<'_>) -> anyhow::Result<Option<Vec<u8>>> {
    let failures = summary.failures;
    (!failures.is_empty()).then(|| samples_csv::failures(failures)).transpose()
}
