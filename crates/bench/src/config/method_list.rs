//! `[[model]]`, `[[method]]` and `[[metric]]`.

use std::path::{Path, PathBuf};

use ucag_core::explain::{self, SettingValue, Settings};
use ucag_core::network::{Output, Preprocessing, Stated, family};
use ucag_core::suggest::{hint, nearest};

use super::precomputed::{self, Kind};
use super::section::{Choice, Field, Numbers, Section, Unique, count};
use super::toml_tree::{Node, Value};
use super::{Computed, Form, Method, Metric, Model, Source, Variant};

/// The networks; `datasets` are the data sets' names.
pub(super) fn models(root: &mut Section<'_>, datasets: &[&str]) -> Vec<Model> {
    let mut names = Unique::default();
    let mut above: Vec<(usize, String)> = Vec::new();
    let what = "name at least one network with 'arch' and 'weights'";
    let read = |mut section: Section<'_>| {
        let scripted = if section.has("torchscript") { Some(scripted(&mut section)) } else { None };
        let (arch, weights, scripted, output) = match scripted {
            Some((path, preprocessing, output)) => (Some(TORCHSCRIPT.to_owned()), path, Some(preprocessing), output),
            None => {
                let arch = "which network this is (see: bench list models); or give torchscript = \"model.pt\"";
                let arch: Option<String> = section.require("arch", arch);
                (arch, section.require("weights", "its checkpoint, a .safetensors file"), None, None)
            }
        };
        let layer = section.get("layer");
        let middle = section.get("middle");
        let form = section.get("form").map_or(Form::Pooled, |Choice(form)| form);
        let dataset = dataset(&mut section, datasets);
        let stem = || weights.as_deref().and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
        let own = || if scripted.is_some() { stem() } else { arch.clone() };
        let name = section.get::<String>("name").or_else(own);
        let input_size = count(&mut section, "input_size");
        let stated = if scripted.is_none() { stated(&mut section, input_size) } else { Stated::default() };
        let classes_from = classes_from(&mut section, dataset, &above);
        if let (Some(arch), None) = (&arch, scripted) {
            section.check("arch", family(arch).map_err(|error| format!("{error} (see: bench list models)")));
        }
        if let (Some(name), Some(dataset)) = (&name, dataset)
            && let Some(first) = names.clash(&format!("{dataset}/{name}"), section.place("name"))
        {
            section
                .problem("name", format!("the model at {first} is called '{name}' too; give each a 'name' of its own"));
        }
        section.finish();
        let (dataset, name) = (dataset?, name?);
        above.push((dataset, name.clone()));
        let (arch, weights) = (arch?, weights?);
        Some(Model {
            dataset,
            arch,
            weights,
            scripted,
            output,
            stated,
            layer,
            middle,
            name,
            form,
            input_size,
            classes_from,
        })
    };
    root.list("model", "[[model]]", what).into_iter().filter_map(read).collect()
}

/// What stands for the arch of a network that is none of the families.
pub(crate) const TORCHSCRIPT: &str = "torchscript";

/// The file of a TorchScript network, how its input is normalised, and what it gives. Nothing else can
/// be said of what is inside.
fn scripted(section: &mut Section<'_>) -> (Option<PathBuf>, Preprocessing, Option<Output>) {
    for key in ["arch", "weights"] {
        if section.has(key) {
            section.problem(key, "a network is either TorchScript, or an arch with its weights");
            let _ = section.node(key);
        }
    }
    for key in ["layer", "middle", "form", "stem", "transform_input"] {
        if section.has(key) {
            section.problem(key, "a TorchScript network shows no layers, and has one form");
            let _ = section.node(key);
        }
    }
    if !section.has("input_size") {
        section.problem(
            "torchscript",
            "needs 'input_size' beside it, the side of its input in pixels, which the file doesn't say",
        );
    }
    let preprocessing = normalised(section).unwrap_or(Preprocessing::Imagenet);
    let output = section.get("output").map(|Choice(output)| output);
    (section.get("torchscript"), preprocessing, output)
}

/// What a config says of a checkpoint's network that its tensors don't show.
fn stated(section: &mut Section<'_>, input_size: Option<usize>) -> Stated {
    Stated {
        stem: section.get("stem").map(|Choice(stem)| stem),
        transform_input: section.get("transform_input"),
        preprocessing: normalised(section),
        input_size,
    }
}

/// How a network's input is normalised, where the config says so.
fn normalised(section: &mut Section<'_>) -> Option<Preprocessing> {
    let [mean, std] = ["mean", "std"].map(|key| section.has(key));
    for (key, missing) in [("mean", "std"), ("std", "mean")] {
        if section.has(key) && mean != std {
            section.problem(key, format!("needs '{missing}' beside it"));
        }
    }
    let [mean, std] = ["mean", "std"].map(|key| section.get(key).map(|Numbers(numbers)| numbers));
    let made = Preprocessing::new(&mean?, &std?);
    section.check("mean", made)
}

/// The place of the model whose likeliest class a model explains: one of those above it, on the same data set.
fn classes_from(section: &mut Section<'_>, dataset: Option<usize>, above: &[(usize, String)]) -> Option<usize> {
    let name: String = section.get("classes_from")?;
    let place = above.iter().position(|(on, known)| Some(*on) == dataset && *known == name);
    let names = || above.iter().filter(|(on, _)| Some(*on) == dataset).map(|(_, name)| name.as_str());
    let unknown = || {
        let meant = hint(nearest(&name, names()).as_deref());
        format!("no model above this one, on the same data set, is called '{name}'{meant}")
    };
    section.check("classes_from", place.ok_or_else(unknown))
}

/// Which data set a model is run on. It needn't say so where there is one.
pub(super) fn dataset(section: &mut Section<'_>, names: &[&str]) -> Option<usize> {
    let several = names.len() > 1;
    let what = || format!("on which of the data sets it is run ({})", names.join(", "));
    let name: Option<String> = if several { section.require("dataset", &what()) } else { section.get("dataset") };
    let Some(name) = name else { return (!several).then_some(0) };
    let place = names.iter().position(|known| *known == name);
    let unknown = || format!("unknown data set '{name}'{}", hint(nearest(&name, names.iter().copied()).as_deref()));
    section.check("dataset", place.ok_or_else(unknown))
}

/// The methods.
pub(super) fn methods(root: &mut Section<'_>, datasets: &[&str], variants: &[Variant]) -> Vec<Method> {
    let mut ids = Unique::default();
    let what = "name at least one method with 'id'";
    let explicit = root.has("variant");
    let read = |mut section: Section<'_>| {
        match section.has("kind").then(|| section.get("kind")) {
            None if !section.has("id") && section.has("maps") => {
                section.problem("maps", "belongs to kind = \"precomputed\"; say so");
                return None;
            }
            None | Some(Some(Choice(Kind::Computed))) => {}
            Some(Some(Choice(Kind::Precomputed))) => return precomputed::method(section, &mut ids, datasets, variants),
            Some(None) => return None, // which has been reported; its other keys aren't known
        }
        let id: Option<String> = section.require("id", "which method this is (see: bench list methods)");
        let ucag = rows(&mut section, explicit);
        let name: Option<String> = section.get("name");
        let only = section.has("dataset");
        let dataset = if only { Some(dataset(&mut section, datasets)?) } else { None };
        let method = id.and_then(|id| {
            let known = ucag_core::explain::method(&id).map_err(|error| format!("{error} (see: bench list methods)"));
            let method = section.check("id", known)?;
            let known_as = name.as_ref().unwrap_or(&id);
            let key = if name.is_some() { "name" } else { "id" };
            let both = "for its rows without and with UCAG, list it once with ucag = [false, true]; with other numbers, give it a 'name' of its own";
            unique(&section, &mut ids, (key, known_as, both), dataset, datasets);
            Some(method)
        });
        let Some(method) = method else {
            if !section.has("id") {
                section.finish(); // perhaps 'id' was mistyped; without a method, its own keys aren't known
            }
            return None;
        };
        let alone = method.not_with_ucag.filter(|_| !explicit);
        if let (true, Some(reason)) = (ucag.contains(&true), alone) {
            section.problem("ucag", format!("UCAG can't be around '{}': {reason}", method.id));
        }
        let can = |ucag: bool| !ucag || method.not_with_ucag.is_none();
        let rows = match explicit {
            true => (0..variants.len()).filter(|&v| can(variants[v].ucag)).collect(),
            false => {
                ucag.iter().flat_map(|&ucag| (0..variants.len()).filter(move |&v| variants[v].ucag == ucag)).collect()
            }
        };
        let settings = settings(&mut section, method);
        section.finish();
        let explainer = (method.make)(&settings);
        Some(Method {
            id: name.clone().unwrap_or_else(|| method.id.to_owned()),
            name: name.unwrap_or_else(|| method.name.to_owned()),
            source: Source::Computed(Computed { entry: method, settings, explainer }),
            map_kind: method.map_kind,
            dataset,
            variants: rows,
        })
    };
    root.list("method", "[[method]]", what).into_iter().filter_map(read).collect()
}

/// Says so where what a method is known as, which this key has, was taken on some data set, and what to do about it.
pub(super) fn unique(
    section: &Section<'_>,
    ids: &mut Unique,
    (key, known_as, advice): (&str, &str, &str),
    dataset: Option<usize>,
    datasets: &[&str],
) {
    let on = dataset.map_or(0..datasets.len().max(1), |on| on..on + 1);
    let clash = |on: usize| ids.clash(&format!("{on}/{known_as}"), section.place(key));
    if let Some(first) = on.filter_map(clash).next() {
        section.problem(key, format!("'{known_as}' is listed at {first} too; {advice}"));
    }
}

/// Which of a method's rows are in the table. Where a config lists variants, those say so.
fn rows(section: &mut Section<'_>, explicit: bool) -> Vec<bool> {
    if explicit && section.has("ucag") {
        section.problem("ucag", "each [[variant]] says whether UCAG is around the methods; leave it out here");
    }
    section.get("ucag").map_or_else(|| vec![false], |Rows(rows)| rows)
}

/// A method's settings, where the config changes any. A former key is read, too.
fn settings(section: &mut Section<'_>, method: &'static explain::Method) -> Settings {
    let mut settings = Settings::defaults(method.settings);
    for setting in method.settings {
        for key in [Some(setting.key), setting.former_key].into_iter().flatten() {
            if key != setting.key && section.has(key) && section.has(setting.key) {
                section.problem(key, format!("is an older name of '{}'; give one of them", setting.key));
            }
            if let Some(value) = section.get::<SettingValue>(key) {
                section.check(key, settings.set(key, value));
            }
        }
    }
    settings
}

impl Field for SettingValue {
    fn read(value: &Value) -> Result<Self, String> {
        match value {
            Value::Bool(is_true) => Ok(SettingValue::Bool(*is_true)),
            Value::Array(_) => Numbers::read(value).map(|Numbers(numbers)| SettingValue::List(numbers)),
            one => f64::read(one).map(SettingValue::Float),
        }
    }
}

/// The metrics.
pub(super) fn metrics(root: &mut Section<'_>) -> Vec<Metric> {
    let mut ids = Unique::default();
    let what = "name at least one metric with 'id'";
    let read = |mut section: Section<'_>| {
        let id: Option<String> = section.require("id", "which metric this is (see: bench list metrics)");
        let step = count(&mut section, "step");
        let metric = id.and_then(|id| {
            let unknown = || {
                let meant = nearest(&id, metrics::METRICS.iter().map(|metric| metric.id));
                format!("unknown metric '{id}'{} (see: bench list metrics)", hint(meant.as_deref()))
            };
            let known = metrics::metric(&id).ok_or_else(unknown);
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
