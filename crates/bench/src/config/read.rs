//! From a file and the command line to a [`Config`].

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use ucag_core::network::family;
use ucag_core::suggest::{hint, nearest};

use super::device::device;
use super::error::{ConfigError, ConfigErrors, Origin, Report};
use super::section::{Field, Section};
use super::tree::{Node, Table, Value};
use super::{Compute, Config, Dataset, Method, Metric, Model, Output, Overrides, protocol, set, tree};

/// Reads a config.
///
/// # Errors
/// Everything that is wrong with it or with the overrides. Whether the files it names are there isn't looked at.
pub fn load(path: &Path, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let report = Report::new(Some(path));
    let config = table(path, &report).and_then(|mut table| {
        apply(overrides, &mut table, &report);
        let mut root = Section::new("", Origin::File, Some(&table), &report);
        let config = config(path, &mut root, &report);
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

fn table(path: &Path, report: &Report) -> Option<Table> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let meant = if error.kind() == std::io::ErrorKind::NotFound { neighbour(path) } else { None };
            report.add(&Origin::File, format!("the config can't be read: {error}{}", hint(meant.as_deref())));
            return None;
        }
    };
    tree::parse(&text, &|offset| tree::line_of(&text, offset))
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
    let mut write = |origin: Origin, written: Result<(&str, Node), String>| {
        let written = written.and_then(|(path, node)| set::write(table, path, node));
        if let Err(problem) = written {
            report.add(&origin, problem);
        }
    };
    for argument in set {
        let origin = Origin::Argument(format!("--set {argument}"));
        write(origin.clone(), set::split(argument, &origin));
    }
    let integer = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
    let flags = [
        limit.map(|limit| ("--limit", limit.to_string(), "dataset.limit", integer(limit))),
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

fn config(path: &Path, root: &mut Section<'_>, report: &Report) -> Option<Config> {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let title = root.get("title").unwrap_or_else(|| name.clone());
    let protocol = protocol::read(root, report);
    let seed = root.get("seed").unwrap_or(0);
    let dataset = dataset(root);
    let models = models(root);
    let methods = methods(root);
    let metrics = metrics(root);
    let output = output(root.table("output", "[output]"), path, &name);
    let compute = compute(root.table("compute", "[compute]"));
    let dataset = dataset?;
    Some(Config {
        path: path.to_owned(),
        name,
        title,
        protocol,
        seed,
        dataset,
        models,
        methods,
        metrics,
        output,
        compute,
    })
}

fn dataset(root: &mut Section<'_>) -> Option<Dataset> {
    let mut section = root.require_table("dataset", "[dataset]", "say with 'kind' and 'root' what to run on");
    let kind = section.require("kind", "which data set this is (see: bench list datasets)");
    let root = section.require("root", "the data set's folder");
    let limit = count(&mut section, "limit");
    let kind = kind.and_then(|kind: String| {
        let ids = || datasets::DATASETS.iter().map(|known| known.id);
        let known = ids().any(|id| id == kind);
        let unknown = || format!("unknown data set '{kind}'{}", hint(nearest(&kind, ids()).as_deref()));
        section.check("kind", if known { Ok(()) } else { Err(format!("{} (see: bench list datasets)", unknown())) })?;
        Some(kind)
    });
    section.finish();
    Some(Dataset { kind: kind?, root: root?, limit })
}

fn models(root: &mut Section<'_>) -> Vec<Model> {
    let mut names = Unique::default();
    let what = "name at least one network with 'arch' and 'weights'";
    let read = |mut section: Section<'_>| {
        let arch: Option<String> = section.require("arch", "which network this is (see: bench list models)");
        let weights = section.require("weights", "its checkpoint, a .safetensors file");
        let layer = section.get("layer");
        let name = section.get::<String>("name").or_else(|| arch.clone());
        let input_size = count(&mut section, "input_size");
        if let Some(arch) = &arch {
            section.check("arch", family(arch).map_err(|error| format!("{error} (see: bench list models)")));
        }
        if let Some(name) = &name
            && let Some(first) = names.clash(name, section.place("name"))
        {
            section
                .problem("name", format!("the model at {first} is called '{name}' too; give each a 'name' of its own"));
        }
        section.finish();
        Some(Model { arch: arch?, weights: weights?, layer, name: name?, input_size })
    };
    root.list("model", "[[model]]", what).into_iter().filter_map(read).collect()
}

fn methods(root: &mut Section<'_>) -> Vec<Method> {
    let mut ids = Unique::default();
    let what = "name at least one method with 'id'";
    let read = |mut section: Section<'_>| {
        let id: Option<String> = section.require("id", "which method this is (see: bench list methods)");
        let ucag = section.get("ucag").map_or_else(|| vec![false], |Rows(rows)| rows);
        let method = id.and_then(|id| {
            let known = ucag_core::explain::method(&id).map_err(|error| format!("{error} (see: bench list methods)"));
            let method = section.check("id", known)?;
            if let Some(first) = ids.clash(&id, section.place("id")) {
                let both = "for its rows without and with UCAG, list it once with ucag = [false, true]";
                section.problem("id", format!("'{id}' is listed at {first} too; {both}"));
            }
            Some(method)
        });
        section.finish();
        Some(Method { method: method?, ucag })
    };
    root.list("method", "[[method]]", what).into_iter().filter_map(read).collect()
}

fn metrics(root: &mut Section<'_>) -> Vec<Metric> {
    let mut ids = Unique::default();
    let what = "name at least one metric with 'id'";
    let read = |mut section: Section<'_>| {
        let id: Option<String> = section.require("id", "which metric this is (see: bench list metrics)");
        let step = count(&mut section, "step");
        let metric = id.and_then(|id| {
            let known = metrics::metric(&id).map_err(|error| format!("{error} (see: bench list metrics)"));
            let metric = section.check("id", known)?;
            if let Some(first) = ids.clash(&id, section.place("id")) {
                section.problem("id", format!("'{id}' is listed at {first} too; list each metric once"));
            }
            Some(metric)
        });
        section.finish();
        Some(Metric { metric: metric?, step })
    };
    root.list("metric", "[[metric]]", what).into_iter().filter_map(read).collect()
}

fn output(mut section: Section<'_>, path: &Path, name: &str) -> Output {
    let in_mini = path.parent().and_then(Path::file_name).is_some_and(|folder| folder == "mini");
    let default = || PathBuf::from(if in_mini { "results/mini" } else { "results" }).join(name);
    let output = Output {
        dir: section.get("dir").unwrap_or_else(default),
        published: section.get("published"),
        gallery: section.get("gallery").unwrap_or(8),
        resamples: count(&mut section, "resamples").unwrap_or(10_000),
    };
    section.finish();
    output
}

fn compute(mut section: Section<'_>) -> Compute {
    let name = section.get::<String>("device");
    // Without need, libtorch isn't asked for CUDA devices, which wakes the driver.
    let cuda_devices = || usize::try_from(tch::Cuda::device_count()).unwrap_or(0);
    let device = name.and_then(|name| {
        let count = if name == "cpu" { 0 } else { cuda_devices() };
        section.check("device", device(&name, count))
    });
    let cores = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let compute = Compute {
        device: device.unwrap_or(tch::Device::Cpu),
        workers: count(&mut section, "workers").unwrap_or_else(cores),
        views_per_batch: count(&mut section, "views_per_batch").unwrap_or(12),
        images_per_batch: count(&mut section, "images_per_batch").unwrap_or(16),
    };
    section.finish();
    compute
}

fn count(section: &mut Section<'_>, key: &'static str) -> Option<usize> {
    section.get(key).map(NonZeroUsize::get)
}

/// A method's rows: `false`, `[false, true]`.
struct Rows(Vec<bool>);

impl Field for Rows {
    fn read(value: &Value) -> Result<Self, String> {
        let expected = || format!("expected false, true or [false, true], found {}", value.describe());
        let rows: Vec<bool> = match value {
            Value::Bool(row) => vec![*row],
            Value::Array(nodes) => {
                let row = |node: &Node| match node.value {
                    Value::Bool(row) => Ok(row),
                    ref other => {
                        Err(format!("expected false, true or [false, true], found {} in it", other.describe()))
                    }
                };
                nodes.iter().map(row).collect::<Result<_, _>>()?
            }
            _ => return Err(expected()),
        };
        match rows[..] {
            [] => Err("is empty; expected false, true or [false, true]".into()),
            [_] | [false, true] | [true, false] => Ok(Self(rows)),
            [row, ..] if rows.iter().all(|other| *other == row) => Err(format!("lists {row} twice")),
            _ => Err("lists a row twice; expected false, true or [false, true]".into()),
        }
    }
}

/// Remembers where each name was first.
#[derive(Default)]
struct Unique(HashMap<String, Origin>);

impl Unique {
    /// Where the name was before.
    fn clash(&mut self, name: &str, origin: &Origin) -> Option<Origin> {
        match self.0.get(name) {
            Some(first) => Some(first.clone()),
            None => {
                self.0.insert(name.to_owned(), origin.clone());
                None
            }
        }
    }
}
