//! Gathers a figure's cells from a gallery's saved maps.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use image::{Rgb, RgbImage};
use ucag_core::postprocess::MapKind;

use super::lines::TIE;
use super::{Block, Figure, FigureCell, Group, Map};
use crate::config::{Columns, Config, Method, Model, Variant};
use crate::records::saved_maps;
use crate::records::saved_maps::SavedMaps;
use crate::report::Summary;

/// Saved maps with their folder.
type Kept = (PathBuf, SavedMaps);

/// A figure's column.
struct Column<'a> {
    /// The model's place in the config.
    place: usize,
    model: &'a Model,
    method: &'a Method,
}

/// The figure that the config asks for, of the samples that were run, from the saved maps in the
/// run folder's `gallery`. `None` where it asks for none.
///
/// # Errors
/// Where a sample that was run has no saved maps, or they can't be read.
pub fn gather(summary: &Summary<'_>) -> Result<Option<Figure>> {
    let config = summary.config;
    let (Some(wanted), Some(facts)) = (&config.figure, summary.datasets.first()) else { return Ok(None) };
    let all_saved = saved_maps::read_all(&summary.out.join("gallery"))?;
    let columns = columns(config, wanted.columns);
    let used = |place: &usize| config.methods_on(0).any(|method| method.variants.contains(place));
    let variants: Vec<&Variant> = (0..config.variants.len()).filter(used).map(|v| &config.variants[v]).collect();
    let mut blocks = Vec::new();
    for sample in &facts.samples {
        let by_model = config.models.iter().map(|model| of_sample(summary, &all_saved, sample, &model.name));
        let by_model = by_model.collect::<Result<Vec<_>>>()?;
        // A block for each class. Networks that explain the class that they think likeliest have
        // one each.
        let classes = by_model.iter().map(Vec::len).max().unwrap_or(0).max(1);
        for class in 0..classes {
            let shown: Vec<Option<&Kept>> = by_model.iter().map(|all_saved| all_saved.get(class).copied()).collect();
            let row = |variant: &&Variant| {
                let cell = |column: &Column<'_>| cell(shown[column.place], column.method, variant);
                columns.iter().flatten().map(cell).collect::<Result<Vec<_>>>()
            };
            blocks.push(Block {
                image: image(&shown)?,
                name: name(&shown).unwrap_or_else(|| sample.clone()),
                cells: variants.iter().map(row).collect::<Result<_>>()?,
            });
        }
    }
    let groups = groups(&columns, wanted.columns);
    let rows = variants.iter().map(|variant| beside(config, variant)).collect();
    let caption = caption(config, &columns, wanted.columns);
    Ok(Some(Figure { groups, rows, blocks, caption }))
}

/// A sample's saved maps with a model, by class; none where it failed.
fn of_sample<'a>(summary: &Summary<'_>, all_saved: &'a [Kept], sample: &str, model: &str) -> Result<Vec<&'a Kept>> {
    if summary.failures.iter().any(|failure| failure.sample == sample && failure.model == model) {
        return Ok(Vec::new());
    }
    let is_of = |(_, saved): &&Kept| saved.sample == sample && saved.model == model;
    let mut found: Vec<&Kept> = all_saved.iter().filter(is_of).collect();
    found.sort_by_key(|(_, saved)| saved.class);
    ensure!(
        !found.is_empty(),
        "{}: there are no saved maps of sample '{sample}' with model '{model}'; start over with --fresh, or leave the sample out if nothing is explained in it",
        summary.out.join("gallery").display(),
    );
    Ok(found)
}

/// The columns, group by group.
fn columns(config: &Config, order: Columns) -> Vec<Vec<Column<'_>>> {
    let models = || config.models.iter().enumerate();
    let methods = || config.methods_on(0);
    let column = |(place, model), method| Column { place, model, method };
    match order {
        Columns::Methods => models().map(|model| methods().map(|method| column(model, method)).collect()).collect(),
        Columns::Networks => methods().map(|method| models().map(|model| column(model, method)).collect()).collect(),
    }
}

/// The heads of a group and of a column.
fn metric_columns<'a>(Column { model, method, .. }: &Column<'a>, order: Columns) -> (&'a str, &'a str) {
    match order {
        Columns::Methods => (&model.name, &method.name),
        Columns::Networks => (&method.name, &model.name),
    }
}

fn groups(columns: &[Vec<Column<'_>>], order: Columns) -> Vec<Group> {
    let several = columns.len() > 1;
    let group = |columns: &Vec<Column<'_>>| Group {
        name: columns
            .first()
            .filter(|_| several)
            .map(|column| metric_columns(column, order).0.to_owned())
            .unwrap_or_default(),
        columns: columns.iter().map(|column| metric_columns(column, order).1.to_owned()).collect(),
    };
    columns.iter().map(group).collect()
}

/// The label of a row. A name that the config gives says it all; a place on a grid doesn't.
fn beside(config: &Config, variant: &Variant) -> String {
    match (variant.name.is_empty(), variant.ucag) {
        (true, false) => "original".to_owned(),
        (true, true) => "with UCAG".to_owned(),
        _ if config.grid.is_empty() => variant.name.clone(),
        _ => variant.words(),
    }
}

fn cell(shown: Option<&Kept>, method: &Method, variant: &Variant) -> Result<FigureCell> {
    let Some((folder, saved)) = shown else { return Ok(FigureCell::Failed) };
    let is_row = |tile: &&saved_maps::SavedMap| {
        tile.method == method.id && tile.ucag == variant.ucag && tile.variant == variant.name
    };
    let Some(tile) = saved.tiles.iter().find(is_row) else { return Ok(FigureCell::Blank) };
    let image = saved.image(folder)?;
    Ok(match saved.map(folder, tile)? {
        Some(values) => FigureCell::Map(Map { image, values, signed: tile.signed }),
        None => FigureCell::Degenerate(image, tile.state),
    })
}

/// The image as the first network saw it; grey where none did.
fn image(all_saved: &[Option<&Kept>]) -> Result<RgbImage> {
    match all_saved.iter().flatten().next() {
        Some((folder, saved)) => saved.image(folder),
        None => Ok(RgbImage::from_pixel(1, 1, Rgb([200; 3]))),
    }
}

/// The explained class, or where networks differ those of all of them.
fn name(all_saved: &[Option<&Kept>]) -> Option<String> {
    let name = |saved: &SavedMaps| match saved.class_name.is_empty() {
        true => format!("class {}", saved.class),
        false => saved.class_name.clone(),
    };
    let mut names: Vec<String> = all_saved.iter().flatten().map(|(_, saved)| name(saved)).collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(name.clone());
            true
        }
    });
    (!names.is_empty()).then(|| names.join(" / "))
}

/// The figure's caption: its subject and its making.
fn caption(config: &Config, columns: &[Vec<Column<'_>>], order: Columns) -> String {
    let what = match order {
        Columns::Methods => "Network",
        Columns::Networks => "Method",
    };
    let alone = match columns {
        [only] => {
            only.first().map(|column| format!(" {what}: {}.", metric_columns(column, order).0)).unwrap_or_default()
        }
        _ => String::new(),
    };
    let protocol = &config.protocol;
    let ucag = config.methods_on(0).flat_map(|method| &method.variants).any(|&v| config.variants[v].ucag);
    let views = match ucag && !config.has_variants() {
        true => format!(
            " UCAG: {n} × {n} views, {:.3} of the image's side each, enlarged {} times.",
            protocol.maps.rho,
            protocol.maps.alpha,
            n = protocol.maps.n
        ),
        false => String::new(),
    };
    let signed = match config.methods_on(0).any(|method| method.map_kind == MapKind::Signed) {
        true => " Red speaks for the class, blue against it.",
        false => "",
    };
    format!(
        "{}.{alone}{signed}{views} Protocol {}, version{TIE}{}; seed{TIE}{}.",
        config.title.trim_end_matches('.'),
        protocol.name,
        protocol.version,
        config.seed
    )
}
