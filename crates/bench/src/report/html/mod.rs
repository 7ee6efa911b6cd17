//! `report.html`: the whole run as one page that needs nothing but itself, for a browser and from a
//! file.
//!
//! Tables are those of the Markdown page, plots those of the run; the gallery is drawn by the
//! page's script from a part of the saved maps (`gallery.rs`).

mod gallery;
mod parts;

use std::path::Path;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::plot::{self, Picture};
use super::{Summary, sentences, table_blocks};
use crate::analysis::Table;

pub(crate) use gallery::Gallery;

const STYLE: &str = include_str!("report.css");
const SCRIPT: &str = include_str!("report.js");

/// The browser itself makes sure that nothing is asked for elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/// Failures on the page; `failures.csv` has all.
const SHOWN: usize = 100;

/// The page. The same records and gallery give the same bytes.
///
/// # Errors
/// Where the figure isn't a picture.
pub(crate) fn page(
    table: &Table<'_>,
    summary: &Summary<'_>,
    gallery: &Gallery,
    plots: &[(&str, &Picture)],
    figure: Option<&[u8]>,
) -> anyhow::Result<String> {
    let config = table.config;
    let measured = !config.metrics.is_empty();
    let gallery = gallery.markup(config)?;
    let plots =
        plots.iter().map(|(what, picture)| Ok((*what, plot::svg(picture)?))).collect::<anyhow::Result<Vec<_>>>()?;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (config.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (config.title) }
                    @for sentence in [measured.then(|| sentences::ours(table)), sentences::published(table), config.output.remark.clone(), sentences::few(table)].into_iter().flatten() {
                        p { (parts::prose(&sentence)) }
                    }
                    p.muted { "Protocol " strong { (config.protocol.name) } ", version " (config.protocol.version) ". " (sentences::failures(summary.failures)) }
                    nav aria-label="On this page" {
                        @if measured { a href="#results" { "Results" } }
                        @if figure.is_some() { a href="#figure" { "Figure" } }
                        @if gallery.is_some() { a href="#gallery" { "Gallery" } }
                        @if !plots.is_empty() { a href="#plots" { "Plots" } }
                        a href="#notes" { "Notes" }
                    }
                }
                main {
                    @if measured {
                        section #results aria-labelledby="results-title" {
                            h2 #results-title { "Results" }
                            (results(table))
                            (changes(table))
                        }
                    }
                    @if let Some(figure) = figure {
                        section #figure aria-labelledby="figure-title" {
                            h2 #figure-title { "Figure" }
                            figure.card {
                                img alt=(config.title) src=(gallery::smaller(figure)?);
                                figcaption { "In print size: " code { (config.name) ".png" } " beside this page." }
                            }
                        }
                    }
                    @if let Some(gallery) = gallery { (gallery) }
                    @if !plots.is_empty() {
                        section #plots aria-labelledby="plots-title" {
                            h2 #plots-title { "Plots" }
                            @for (what, svg) in &plots {
                                figure.card {
                                    div.scroll tabindex="0" role="img" aria-label=(what) { (PreEscaped(svg)) }
                                    figcaption { (what) }
                                }
                            }
                        }
                    }
                    section #notes aria-labelledby="notes-title" {
                        h2 #notes-title { "Notes" }
                        (notes(table, summary)?)
                    }
                }
                p #said.hidden aria-live="polite" {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

/// The tables, model by model.
fn results(table: &Table<'_>) -> Markup {
    let config = table.config;
    html! {
        @for (place, dataset) in config.datasets.iter().enumerate() {
            @if table.has_several_datasets() { h3 { (dataset.name) } }
            @let notes = sentences::notes(table, &dataset.name);
            @if !notes.is_empty() { ul { @for note in &notes { li { (parts::prose(note)) } } } }
            @for model in config.models.iter().filter(|model| model.dataset == place) {
                h4 { (model.name) }
                @if let Some(grid) = table_blocks::model(table, model, false) {
                    (parts::grid(&grid, &format!("{} on {}", model.name, dataset.name)))
                }
                @if let Some(grid) = table_blocks::model(table, model, true) {
                    p { (sentences::controls(config)) ":" }
                    (parts::grid(&grid, &format!("Controls, {} on {}", model.name, dataset.name)))
                }
            }
        }
    }
}

/// The table of differences between rows.
fn changes(table: &Table<'_>) -> Markup {
    let grids: Vec<_> = (0..table.config.datasets.len())
        .filter_map(|place| Some((place, table_blocks::paired(table, place)?)))
        .collect();
    let (title, what) = sentences::changes(table.config);
    html! {
        @if !grids.is_empty() {
            h3 { (title) }
            p { (what) }
            @for (place, grid) in &grids {
                @let dataset = &table.config.datasets[*place].name;
                @if table.has_several_datasets() { h4 { (dataset) } }
                (parts::grid(grid, &format!("{title}, {dataset}")))
            }
        }
    }
}

/// Degenerate maps, failures, methods, metrics, and what the run was.
fn notes(table: &Table<'_>, summary: &Summary<'_>) -> anyhow::Result<Markup> {
    let config = table.config;
    let mut methods: Vec<&crate::config::Method> = Vec::new();
    for method in &config.methods {
        // A method may have an entry for each data set.
        if methods.iter().all(|earlier| earlier.id != method.id) {
            methods.push(method);
        }
    }
    let resolved = serde_json::to_string_pretty(&identity(summary.out).unwrap_or_else(|| config.digest_value()))?;
    let protocol = toml::to_string(&config.protocol)?;
    Ok(html! {
        @if let Some(grid) = table_blocks::degenerate(table) {
            h3 { "Degenerate maps" }
            p { "Scored as the all-zero map." }
            (parts::grid(&grid, "Degenerate maps"))
        }
        @if !summary.failures.is_empty() {
            h3 { "Failures" }
            (parts::failures(&summary.failures[..summary.failures.len().min(SHOWN)]))
            @if summary.failures.len() > SHOWN { p { "The first " (SHOWN) "; failures.csv has all." } }
        }
        @if !config.metrics.is_empty() {
            h3 { "Metrics" }
            dl {
                @for metric in config.metrics.iter().map(|metric| metric.metric) {
                    dt { (super::Metric(metric).head()) }
                    dd { (metric.summary) ". " (metric.source) ". Version " (metric.version) "." }
                }
            }
        }
        h3 { "Methods" }
        dl { @for method in methods { dt { (method.name) } dd { (sentences::method(method)) } } }
        details {
            summary { "Protocol" }
            pre { (protocol) }
            @if config.has_variants() {
                p { "Rows differ from it as their names say:" }
                ul { @for variant in &config.variants { li { (variant.words()) ": " code { (variant.protocol.name) } } } }
            }
        }
        details { summary { "What the numbers depend on" } pre { (resolved) } }
    })
}

/// The identity in the journal beside the page: config, checksums of weights, fingerprints of data,
/// versions of metrics.
fn identity(run: &Path) -> Option<serde_json::Value> {
    use std::io::BufRead;
    let mut line = String::new();
    std::io::BufReader::new(std::fs::File::open(run.join(crate::records::journal::FILE)).ok()?)
        .read_line(&mut line)
        .ok()?;
    let mut head: serde_json::Value = serde_json::from_str(&line).ok()?;
    Some(head["identity"].take())
}
