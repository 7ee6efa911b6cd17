//! `[[model]]`: a network, from a checkpoint, an ONNX file or a TorchScript file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use ucag_core::network::{self, Preprocessing, Stated, family};
use ucag_core::suggest::{hint, nearest};

use super::dataset;
use super::keys;
use super::section::{Section, Unique, count};
use super::values::{Choice, Numbers};

/// The form in which a network is run: see docs/protocol.md#d22-convolutional-form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// As torchvision has it, with global or adaptive pooling.
    Pooled,
    /// Fully convolutional, as TorchRay has it: a map of logits for an image beyond the training
    /// size.
    Convolutional,
    /// Fully convolutional without UCAG, pooled with it: what the published Table 2 was made of.
    Mixed,
}

/// `[[model]]`
#[derive(Debug, Clone)]
pub struct Model {
    /// The data set that it is run on, as an index into
    /// [`Config::datasets`](super::Config::datasets).
    pub dataset: usize,
    /// Family or member, as in `ucag_core::network::family`; [`ONNX`] or [`TORCHSCRIPT`] for a file
    /// that is the architecture, too.
    pub arch: String,
    /// Checkpoint, or the ONNX or TorchScript file.
    pub weights: PathBuf,
    /// Normalization of its input, where it is TorchScript; checkpoints say so themselves.
    pub scripted: Option<Preprocessing>,
    /// Its output, where it is TorchScript and the config says so.
    pub output: Option<network::Output>,
    /// Facts of a checkpoint's network that its tensors don't show.
    pub stated: Stated,
    /// Target layer; the family's default where absent.
    pub layer: Option<String>,
    /// Layer where excitation backprop stops; the family's default where absent.
    pub middle: Option<String>,
    /// Name in tables and records; the arch where absent. Unique on a data set.
    pub name: String,
    /// The network's form.
    pub form: Form,
    /// Side of the square input, or its shorter side, in pixels; the checkpoint's or family's where
    /// absent.
    pub input_size: Option<usize>,
    /// The model whose likeliest class is explained in place of this model's own, as an index into
    /// [`Config::models`](super::Config::models): see docs/protocol.md#d16-class-in-table-4.
    pub classes_from: Option<usize>,
}

/// The networks; `datasets` are the data sets' names.
pub(super) fn models(root: &mut Section<'_>, datasets: &[&str]) -> Vec<Model> {
    let mut names = Unique::default();
    let mut above: Vec<(usize, String)> = Vec::new();
    let read = |mut section: Section<'_>| {
        let scripted = if section.has(&keys::torchscript::TORCHSCRIPT) { Some(scripted(&mut section)) } else { None };
        let is_onnx = scripted.is_none() && section.has(&keys::onnx::ONNX);
        let is_checkpoint = scripted.is_none() && !is_onnx;
        let (arch, weights, scripted, output) = match scripted {
            Some((path, preprocessing, output)) => (Some(TORCHSCRIPT.to_owned()), path, Some(preprocessing), output),
            None if is_onnx => (Some(ONNX.to_owned()), onnx(&mut section), None, None),
            None => {
                let arch = section.require(&keys::model::ARCH);
                (arch, section.require(&keys::model::WEIGHTS), None, None)
            }
        };
        let layer = section.get(&keys::layer::LAYER);
        let middle = section.get(&keys::layer::MIDDLE);
        let form = section.get(&keys::model::FORM).map_or(Form::Pooled, |Choice(form)| form);
        let dataset = dataset::named(&mut section, &keys::network::DATASET, datasets);
        let stem = || weights.as_deref().and_then(Path::file_stem).map(|stem| stem.to_string_lossy().into_owned());
        let default_name = || if is_checkpoint { arch.clone() } else { stem() };
        let name = section.get::<String>(&keys::network::NAME).or_else(default_name);
        let input_size = count(&mut section, &keys::network::INPUT_SIZE);
        let stated = if scripted.is_none() { stated(&mut section, input_size) } else { Stated::default() };
        let classes_from = classes_from(&mut section, dataset, &above);
        if let (Some(arch), true) = (&arch, is_checkpoint) {
            section
                .check(&keys::model::ARCH, family(arch).map_err(|error| format!("{error} (see: bench list models)")));
        }
        if let (Some(name), Some(dataset)) = (&name, dataset)
            && let Some(first) = names.clash(&format!("{dataset}/{name}"), section.place(&keys::network::NAME))
        {
            section.problem(
                &keys::network::NAME,
                format!("the model at {first} is called '{name}' too; give each a 'name' of its own"),
            );
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
    root.list(&keys::top::MODEL, "[[model]]").into_iter().filter_map(read).collect()
}

/// The arch of a network that is none of the families.
pub(crate) const TORCHSCRIPT: &str = "torchscript";

/// The arch of a network from an ONNX file.
pub(crate) const ONNX: &str = "onnx";

/// The file of an ONNX network, which says all that there is to say of its layers.
fn onnx(section: &mut Section<'_>) -> Option<PathBuf> {
    let either = "a network is either an ONNX file, or an arch with its weights";
    section.refuse(&keys::model::ARCH, either);
    section.refuse(&keys::model::WEIGHTS, either);
    let own = "an ONNX file has its own layers, in one form";
    section.refuse(&keys::model::FORM, own);
    section.refuse(&keys::model::STEM, own);
    section.refuse(&keys::model::TRANSFORM_INPUT, own);
    section.get(&keys::onnx::ONNX)
}

/// The file of a TorchScript network, how its input is normalised, and what it gives. Nothing else
/// can be said of what is inside.
fn scripted(section: &mut Section<'_>) -> (Option<PathBuf>, Preprocessing, Option<network::Output>) {
    let either = "a network is either TorchScript, or an arch with its weights";
    section.refuse(&keys::onnx::ONNX, "a network is either TorchScript or an ONNX file");
    section.refuse(&keys::model::ARCH, either);
    section.refuse(&keys::model::WEIGHTS, either);
    let no_layers = "a TorchScript network shows no layers, and has one form";
    section.refuse(&keys::layer::LAYER, no_layers);
    section.refuse(&keys::layer::MIDDLE, no_layers);
    section.refuse(&keys::model::FORM, no_layers);
    section.refuse(&keys::model::STEM, no_layers);
    section.refuse(&keys::model::TRANSFORM_INPUT, no_layers);
    if !section.has(&keys::network::INPUT_SIZE) {
        section.problem(
            &keys::torchscript::TORCHSCRIPT,
            "needs 'input_size' beside it, the side of its input in pixels, which the file doesn't say",
        );
    }
    let preprocessing = normalised(section).unwrap_or(Preprocessing::Imagenet);
    let output = section.get(&keys::torchscript::OUTPUT).map(|Choice(output)| output);
    (section.get(&keys::torchscript::TORCHSCRIPT), preprocessing, output)
}

/// Reads the facts of a checkpoint's network that its tensors don't show.
fn stated(section: &mut Section<'_>, input_size: Option<usize>) -> Stated {
    Stated {
        stem: section.get(&keys::model::STEM).map(|Choice(stem)| stem),
        transform_input: section.get(&keys::model::TRANSFORM_INPUT),
        preprocessing: normalised(section),
        input_size,
    }
}

/// Reads the normalization of a network's input, where the config says so.
fn normalised(section: &mut Section<'_>) -> Option<Preprocessing> {
    let keys = [&keys::network::MEAN, &keys::network::STD];
    for (key, other) in [(keys[0], keys[1]), (keys[1], keys[0])] {
        if section.has(key) && !section.has(other) {
            section.problem(key, format!("needs '{}' beside it", other.name));
        }
    }
    let [mean, std] = keys.map(|key| section.get(key).map(|Numbers(numbers)| numbers));
    let made = Preprocessing::new(&mean?, &std?);
    section.check(&keys::network::MEAN, made)
}

/// The index of the model whose likeliest class a model explains: one of those above it, on the
/// same data set.
fn classes_from(section: &mut Section<'_>, dataset: Option<usize>, above: &[(usize, String)]) -> Option<usize> {
    let name: String = section.get(&keys::network::CLASSES_FROM)?;
    let index = above.iter().position(|(on, known)| Some(*on) == dataset && *known == name);
    let names = || above.iter().filter(|(on, _)| Some(*on) == dataset).map(|(_, name)| name.as_str());
    let unknown = || {
        let meant = hint(nearest(&name, names()).as_deref());
        format!("no model above this one, on the same data set, is called '{name}'{meant}")
    };
    section.check(&keys::network::CLASSES_FROM, index.ok_or_else(unknown))
}
