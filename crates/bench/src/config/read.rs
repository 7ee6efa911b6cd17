//! From a file and the command line to a [`Config`].

use std::path::{Path, PathBuf};

use ucag_core::suggest::{hint, nearest};

use super::error::{ConfigError, ConfigErrors, Origin, Report};
use super::section::Section;
use super::toml_tree::{Node, Table, Value};
use super::{
    Config, Overrides, Protocol, compute, dataset, figure, keys, method_list, metric, model, output, overrides,
    protocol, toml_tree, variant,
};
use crate::io::file_name;

/// Reads a config.
///
/// # Errors
/// Everything that is wrong with it or with the overrides. Whether the files it names are there
/// isn't looked at.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let report = Report::new(Some(path));
    match text(path, &report) {
        Some(text) => parse(path, &text, overrides),
        None => report.finish(None),
    }
}

/// Reads a config whose text is known, as [`load`] does the file at `path`.
///
/// # Errors
/// As [`load`].
pub fn parse(path: &Path, text: &str, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let report = Report::new(Some(path));
    let config = table(text, &report).and_then(|mut table| {
        apply(overrides, &mut table, &report);
        let grid = variant::Grid::take(&mut table, &report);
        let mut root = Section::new("", Origin::File, Some(&table), &report);
        let config = config((path, text), &mut root, &grid, &report);
        root.finish();
        config
    });
    report.finish(config)
}

/// Reads several configs that are to be run one after the other.
///
/// # Errors
/// As [`load`], for all of them, and where two of them would write to the same folder.
pub fn load_all(paths: &[PathBuf], overrides: &Overrides) -> Result<Vec<Config>, ConfigErrors> {
    let (mut configs, mut errors) = (Vec::<Config>::new(), vec![]);
    for path in paths {
        match load(path, overrides) {
            Ok(config) => {
                if let Some(other) = configs.iter().find(|other| other.output.dir == config.output.dir) {
                    let (dir, other) = (config.output.dir.display(), other.path.display());
                    let message =
                        format!("its output folder {dir} is also that of {other}; give each its own [output] dir");
                    errors.push(ConfigError { path: Some(path.clone()), origin: Origin::File, message });
                }
                configs.push(config);
            }
            Err(ConfigErrors(more)) => errors.extend(more),
        }
    }
    if errors.is_empty() { Ok(configs) } else { Err(ConfigErrors(errors)) }
}

fn text(path: &Path, report: &Report) -> Option<String> {
    let read = datasets::index::text::read(path).map_err(|error| {
        let meant = if error.kind() == std::io::ErrorKind::NotFound { neighbour(path) } else { None };
        report.add(&Origin::File, format!("the config can't be read: {error}{}", hint(meant.as_deref())));
    });
    read.ok()
}

fn table(text: &str, report: &Report) -> Option<Table> {
    toml_tree::parse(text, &toml_tree::line_of(text))
        .map_err(|(origin, problem)| report.add(&origin, format!("isn't TOML: {problem}")))
        .ok()
}

/// The config in the same folder whose name is nearest.
fn neighbour(path: &Path) -> Option<String> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let entries =
        std::fs::read_dir(folder).ok()?.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let configs: Vec<String> = entries.filter(|name| name.ends_with(".toml")).collect();
    let name = nearest(&path.file_name()?.to_string_lossy(), configs.iter().map(String::as_str))?;
    Some(path.with_file_name(name).display().to_string())
}

/// Writes what the command line says into the tree.
fn apply(overrides: &Overrides, table: &mut Table, report: &Report) {
    let Overrides { limit, out, device, workers, set } = overrides;
    let several = matches!(table.get("dataset"), Some(Node { value: Value::Array(_), .. }));
    let limited = if several { "dataset.*.limit" } else { "dataset.limit" };
    let mut write = |origin: Origin, written: Result<(&str, Node), String>| {
        let written = written.and_then(|(path, node)| overrides::write(table, path, node));
        if let Err(problem) = written {
            report.add(&origin, problem);
        }
    };
    for argument in set {
        let origin = Origin::Argument(format!("--set {argument}"));
        write(origin.clone(), overrides::split(argument, &origin));
    }
    let integer = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let flags = [
        limit.map(|limit| ("--limit", limit.to_string(), limited, integer(limit))),
        out.as_ref()
            .map(|out| out.display().to_string())
            .map(|out| ("--out", out.clone(), "output.dir", Value::String(out))),
        device.as_ref().map(|name| ("--device", name.clone(), "compute.device", Value::String(name.clone()))),
        workers.map(|count| ("--workers", count.to_string(), "compute.workers", integer(count))),
    ];
    for (flag, text, path, value) in flags.into_iter().flatten() {
        let origin = Origin::Argument(format!("{flag} {text}"));
        write(origin.clone(), Ok((path, Node { origin, value })));
    }
}

fn config(
    (path, text): (&Path, &str),
    root: &mut Section<'_>,
    grid: &variant::Grid,
    report: &Report,
) -> Option<Config> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let title = root.get(&keys::top::TITLE).unwrap_or_else(|| stem.clone());
    let protocol = protocol::read(root, report);
    let variants = variant::variants(root, &protocol, grid, report);
    let protocol = Protocol { name: grid.name(&protocol), ..protocol };
    let seed = root.get(&keys::top::SEED).unwrap_or(0);
    let datasets = dataset::datasets(root);
    let names: Vec<&str> = datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    let models = model::models(root, &names);
    let methods = method_list::methods(root, &names, &variants);
    let figure = figure::figure(root);
    let metrics = if figure.is_some() && !root.has(&keys::top::METRIC) { Vec::new() } else { metric::metrics(root) };
    let output = output::output(root.table(&keys::top::OUTPUT, "[output]"), path, &stem);
    let compute = compute::compute(root.table(&keys::top::COMPUTE, "[compute]"));
    if datasets.is_empty() {
        return None; // which has been reported
    }
    let config = Config {
        path: path.to_owned(),
        text: text.to_owned(),
        name: name(&stem),
        title,
        protocol,
        variants,
        grid: grid.fields(),
        seed,
        datasets,
        models,
        methods,
        metrics,
        figure,
        output,
        compute,
    };
    figure::check(&config, root);
    Some(config)
}

/// The name of the run's own files: not like others in the folder, and with room for
/// `.csv` and the like.
fn name(stem: &str) -> String {
    const TAKEN: [&str; 7] = ["samples", "failures", "curves", "classes", "maps", "sweep", "published"];
    let taken = TAKEN.iter().any(|name| stem.eq_ignore_ascii_case(name));
    let name = if taken { format!("{stem}-table") } else { stem.to_owned() };
    file_name::within(&name, file_name::MOST - ".csv".len())
}
